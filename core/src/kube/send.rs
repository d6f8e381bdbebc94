//! One request to a cluster's API, with the whole answer: its status and its time matter here.

use super::failure::{from_kube, from_status};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
};
use kube::{Client, client::Body, core::Status};
use serde::de::DeserializeOwned;
use std::time::SystemTime;

pub(super) struct Answer<T> {
    pub value: T,
    pub is_new: bool,
    /// The cluster's own time, by which ages are counted.
    pub at: SystemTime,
}

pub(super) async fn send<T: DeserializeOwned>(
    client: &Client,
    request: Request,
    step: &str,
    call: &Call,
) -> Result<Answer<T>> {
    let request = request.map_err(|err| Error::new(ErrorKind::Unexpected, "cannot make a request").with_source(err))?;
    let exchange = async {
        let answer = client.send(request.map(Body::from)).await.map_err(|err| from_kube(err, step))?;
        let (head, body) = answer.into_parts();
        let body = body.collect_bytes().await.map_err(|err| from_kube(err, step))?;
        Ok((head, body))
    };
    let (head, body) = call.run(step, exchange).await?;
    if !head.status.is_success() {
        let unknown = || Status::failure(&String::from_utf8_lossy(&body), "").with_code(head.status.as_u16());
        let status =
            serde_json::from_slice(&body).ok().filter(|status: &Status| status.code != 0).unwrap_or_else(unknown);
        return Err(from_status(status, step));
    }
    let value = serde_json::from_slice(&body).map_err(|err| {
        Error::new(ErrorKind::Unexpected, "the cluster's answer was not understood")
            .with_context("while", step)
            .with_source(err)
    })?;
    Ok(Answer { value, is_new: head.status == http::StatusCode::CREATED, at: time(&head) })
}

pub(super) type Request = std::result::Result<http::Request<Vec<u8>>, kube::core::request::Error>;

fn time(head: &http::response::Parts) -> SystemTime {
    let date = head.headers.get(http::header::DATE).and_then(|date| date.to_str().ok());
    let parsed = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    parsed.map_or_else(SystemTime::now, |zoned| SystemTime::from(zoned.timestamp()))
}
