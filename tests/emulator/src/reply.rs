//! Answers, in the shapes that Azure's services give them.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json as object};

/// The principal whose token a request carried: travels with the answer to the log.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) String);

/// Marks a missing answer: the connection failed.
#[derive(Clone, Debug)]
pub(crate) enum Broken {
    /// It was cut.
    Reset,
    /// It stays open, and nothing comes.
    Silent,
    /// The certificate was not trusted, for this reason.
    Untrusted(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("connection reset by the emulator"),
            Self::Silent => f.write_str("no answer, by the emulator"),
            Self::Untrusted(why) => write!(f, "certificate not trusted: {why}"),
        }
    }
}

pub(crate) type Reply = Response<Bytes>;

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
    bytes(status, "application/json; charset=utf-8", Bytes::from(body.to_string()))
}

/// An answer of some other kind.
pub(crate) fn bytes(status: StatusCode, content_type: &str, body: Bytes) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE.as_str(), content_type);
    response
}

/// Sets a header; a value that cannot stand in one is left out.
pub(crate) fn set(response: &mut Reply, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}

/// The same, for a chain of calls.
pub(crate) fn with(mut response: Reply, name: &str, value: &str) -> Reply {
    set(&mut response, name, value);
    response
}

/// ARM's error, as its gateway and most providers write it.
pub(crate) fn arm_error(status: StatusCode, code: &str, message: &str) -> Reply {
    json(status, &object!({"error": {"code": code, "message": message}}))
}

/// The same, answered by the gateway before any provider was asked.
pub(crate) fn gateway_error(status: StatusCode, code: &str, message: &str) -> Reply {
    with(arm_error(status, code, message), "x-ms-failure-cause", "gateway")
}

/// The AKS provider's error, which has no wrapper.
pub(crate) fn aks_error(status: StatusCode, code: &str, message: &str) -> Reply {
    json(status, &object!({"code": code, "details": null, "message": message, "subcode": ""}))
}
