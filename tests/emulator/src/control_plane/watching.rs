//! What passes between the nodes and their API server: pods and what they refer to one way, writes the other.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::client::Client;
use super::running::Cluster;
use crate::kubernetes::Write;

/// The wait before a list or a write that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a write is tried.
const TRIES: usize = 5;

/// Keeps the nodes informed about a resource until the cluster is gone.
pub(super) async fn follow(cluster: &Cluster, resource: &str, client: &Client) {
    loop {
        match list_and_watch(cluster, resource, client).await {
            // A watch ends from time to time.
            Ok(true) | Err(_) => tokio::time::sleep(PAUSE).await,
            Ok(false) => return,
        }
    }
}

/// Lists, and watches until the watch ends. `false` when the cluster is gone.
async fn list_and_watch(cluster: &Cluster, resource: &str, client: &Client) -> io::Result<bool> {
    let answer = client.get(&format!("/api/v1/{resource}")).await?;
    if !answer.status().is_success() {
        return Ok(true);
    }
    let body = answer.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let mut list: Value = serde_json::from_slice(&body)?;
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
    let Value::Array(items) = list["items"].take() else { return Ok(true) };
    if cluster.with(|real, now| real.remote.replace(resource, items, now)).is_none() {
        return Ok(false);
    }
    let path = format!("/api/v1/{resource}?watch=1&resourceVersion={version}&timeoutSeconds=300");
    let mut body = client.get(&path).await?.into_body();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        rest.extend_from_slice(&data);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = rest.split_to(end + 1);
            let mut event: Value = serde_json::from_slice(&line)?;
            let (kind, object) = (event["type"].take(), event["object"].take());
            if kind == "ERROR" {
                return Ok(true);
            }
            let kind = kind.as_str().unwrap_or_default();
            if cluster.with(|real, now| real.remote.change(resource, kind, object, now)).is_none() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Sends what the nodes write, in order, until the cluster is gone.
pub(super) async fn write(cluster: &Cluster, mut writes: UnboundedReceiver<Write>, client: &Client) {
    while let Some(write) = writes.recv().await {
        for _ in 0..TRIES {
            match sent(client, &write).await {
                Ok(None) => break,
                Ok(Some(refusal)) => {
                    let subject = write.subject();
                    eprintln!("aks-acr-emulator: the API server of {} rejected {subject}: {refusal}", cluster.fqdn);
                    break;
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Sends one write. An error is transient; a refusal is none that a node expects.
async fn sent(client: &Client, write: &Write) -> io::Result<Option<String>> {
    let answer = client.send(write.request().map_err(io::Error::other)?).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    match status {
        _ if status.is_success() => Ok(None),
        // The object is gone, is another one, or its namespace is going.
        StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::FORBIDDEN => Ok(None),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(Some(String::from_utf8_lossy(&body).into_owned()))
        }
        other => Err(io::Error::other(other.to_string())),
    }
}
