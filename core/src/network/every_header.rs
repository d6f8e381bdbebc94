//! Keeps every header of a response. `azure_core` keeps one of each name, and of several `WWW-Authenticate` the last, so a sign-in to a
//! registry that offers two schemes would fail.

use async_trait::async_trait;
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, HttpClient, Request,
        headers::{HeaderName, HeaderValue, Headers},
    },
};
use futures::TryStreamExt as _;
use reqwest::{
    Client, Method,
    header::{HeaderMap, SET_COOKIE},
};

/// Sends as `azure_core`'s own use of `reqwest` does, and joins several headers of the same name.
#[derive(Debug)]
pub(super) struct EveryHeader(pub Client);

#[async_trait]
impl HttpClient for EveryHeader {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let method = Method::from_bytes(request.method().as_ref().as_bytes()).map_err(unsendable)?;
        let mut outgoing = self.0.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        let outgoing = match request.body() {
            Body::Bytes(bytes) => outgoing.body(bytes.clone()),
            Body::SeekableStream(stream) => outgoing.body(reqwest::Body::wrap_stream(stream.clone())),
        };
        let answer = self.0.execute(outgoing.build().map_err(unsendable)?).await.map_err(|err| {
            let kind = if err.is_connect() { ErrorKind::Connection } else { ErrorKind::Io };
            Error::with_error(kind, err, "no response")
        })?;
        let (status, headers) = (answer.status().as_u16().into(), joined(answer.headers()));
        let body =
            answer.bytes_stream().map_err(|err| Error::with_error(ErrorKind::Io, err, "the response ended early"));
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

fn unsendable(err: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::with_error(ErrorKind::Other, err, "cannot make the request")
}

/// Several headers of the same name become one header with a list, in their order, except cookies: RFC 9110, 5.2 and 5.3.
fn joined(sent: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for name in sent.keys() {
        let values = sent.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let values: Vec<&str> = if name == SET_COOKIE { values.take(1).collect() } else { values.collect() };
        if !values.is_empty() {
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(values.join(", ")));
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_name_become_a_list() {
        let mut sent = HeaderMap::new();
        for (name, value) in [
            ("www-authenticate", "Basic realm=\"x\""),
            ("retry-after", "3"),
            ("www-authenticate", "Bearer realm=\"y\""),
            ("set-cookie", "a=1, b"),
            ("set-cookie", "c=2"),
        ] {
            sent.append(name, value.parse().unwrap());
        }
        let headers = joined(&sent);
        let get = |name: &'static str| headers.get_optional_str(&name.into()).map(str::to_owned);
        assert_eq!(get("www-authenticate").as_deref(), Some("Basic realm=\"x\", Bearer realm=\"y\""));
        assert_eq!((get("retry-after").as_deref(), get("set-cookie").as_deref()), (Some("3"), Some("a=1, b")));
    }
}
