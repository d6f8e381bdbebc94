//! The door for Azure's own client library: requests go into the router instead of onto a wire.

use std::fmt;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body as RequestBody, HttpClient, Request};
use azure_core::{Error, Result};
use futures::StreamExt as _;
use tower::ServiceExt as _;

use crate::fault::arrive;
use crate::reply::Broken;

/// A transport that ends in the emulator.
pub(crate) struct Transport(pub(crate) Router);

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let answer = match self.0.clone().oneshot(outgoing(request)?).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        if let Some(broken) = answer.extensions().get::<Broken>() {
            return Err(Error::with_message(ErrorKind::Io, broken.to_string()));
        }
        let answer = arrive(answer);
        let status = answer.status().as_u16().into();
        let headers = incoming(answer.headers());
        let stream = answer.into_body().into_data_stream();
        let stream = stream.map(|part| part.map_err(|fault| Error::new(ErrorKind::Io, fault)));
        Ok(AsyncRawResponse::new(status, headers, Box::pin(stream)))
    }
}

fn outgoing(request: &Request) -> Result<http::Request<Body>> {
    let mut outgoing = http::Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        outgoing = outgoing.header(name.as_str(), value.as_str());
    }
    let body = match request.body() {
        RequestBody::Bytes(bytes) => Body::from(bytes.clone()),
        RequestBody::SeekableStream(stream) => {
            let parts = futures::stream::unfold(stream.clone(), |mut stream| async {
                use futures::AsyncReadExt as _;
                let mut part = vec![0; 64 * 1024];
                match stream.read(&mut part).await {
                    Ok(0) => None,
                    Ok(length) => {
                        part.truncate(length);
                        Some((Ok(part), stream))
                    }
                    Err(fault) => Some((Err(fault), stream)),
                }
            });
            Body::from_stream(parts)
        }
    };
    outgoing.body(body).map_err(|fault| Error::new(ErrorKind::DataConversion, fault))
}

fn incoming(sent: &http::HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for name in sent.keys() {
        // That library keeps one of each name: several are one with a list.
        let values: Vec<&str> = sent.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        if !values.is_empty() {
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(values.join(", ")));
        }
    }
    headers
}
