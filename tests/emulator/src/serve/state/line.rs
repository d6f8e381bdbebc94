//! The lines of a state file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Uri};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::keeper::Change;

/// The form of the file that is described here.
pub(super) const FORMAT: u32 = 1;

/// How every file begins: this distinguishes it from any other file.
pub(super) const BEGINNING: &[u8] = b"{\"aksAcrEmulatorState\":";

/// The first line: what the world was like before anything was done to it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    #[serde(rename = "aksAcrEmulatorState")]
    pub(super) format: u32,
    pub(super) emulator: String,
    /// What all ids and secrets grow from.
    pub(super) root: Uuid,
    /// What the wall clock showed, in nanoseconds since 1970.
    pub(super) wall: u64,
    pub(super) scene: Value,
    pub(super) callers: Value,
}

/// Any other line. Times are nanoseconds since the world began.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Line {
    /// A run began.
    Start { process: u32 },
    /// Where it serves.
    Ports { listen: u16, proxy: u16 },
    /// The certificate that clients trust, its key, and when it ends (seconds since 1970).
    Authority(Authority),
    /// The world was seen as it is at this time: a number of [`DIGITS`] digits.
    Seen(String),
    /// A request that may have changed something.
    Request(Asked),
    /// A request met a fault.
    Fault { method: String, uri: String },
    /// The emulator was given an order.
    Order { at: u64, salt: Uuid, name: String, body: Value },
}

/// So that a later time is written over an earlier one.
pub(super) const DIGITS: usize = 20;

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::serve) struct Authority {
    pub(in crate::serve) certificate: String,
    pub(in crate::serve) key: String,
    pub(in crate::serve) until: i64,
}

/// A request.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) at: u64,
    pub(super) salt: Uuid,
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: Body,
}

/// A body: as it is where it is text.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Body {
    Text(String),
    Base64(String),
}

impl Body {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    fn bytes(&self) -> Result<Bytes, String> {
        match self {
            Self::Text(text) => Ok(Bytes::from(text.clone())),
            Self::Base64(text) => STANDARD.decode(text).map(Bytes::from).map_err(|fault| fault.to_string()),
        }
    }
}

impl Asked {
    /// The request as it was.
    pub(super) fn request(&self) -> Result<Request<Bytes>, String> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body.bytes()?).map_err(|fault| fault.to_string())
    }
}

impl Line {
    pub(super) fn of(at: u64, salt: Uuid, change: &Change<'_>) -> Self {
        match change {
            Change::Request(request) => Self::Request(Asked {
                at,
                salt,
                method: request.method().to_string(),
                uri: request.uri().to_string(),
                // No rule reads one that is not text.
                headers: request
                    .headers()
                    .iter()
                    .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
                    .collect(),
                body: Body::of(request.body()),
            }),
            Change::Fault(method, uri) => Self::Fault { method: method.to_string(), uri: uri.to_string() },
            Change::Order(name, body) => Self::Order { at, salt, name: (*name).to_owned(), body: (*body).clone() },
        }
    }

    pub(super) fn seen(at: u64) -> Self {
        Self::Seen(format!("{at:0DIGITS$}"))
    }
}

/// A method of a line.
pub(super) fn method(text: &str) -> Result<Method, String> {
    Method::from_bytes(text.as_bytes()).map_err(|fault| fault.to_string())
}

/// An address of a line.
pub(super) fn uri(text: &str) -> Result<Uri, String> {
    text.parse::<Uri>().map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_as_it_was() {
        let request = Request::builder()
            .method("PATCH")
            .uri("https://myregistry.azurecr.io/v2/app/blobs/uploads/1?x=%20")
            .header("authorization", "Bearer token")
            .header("content-range", "0-2")
            .body(Bytes::from_static(&[0xff, 0, 1]))
            .unwrap();
        let line = Line::of(7, Uuid::nil(), &Change::Request(&request));
        let text = serde_json::to_string(&line).unwrap();
        let Line::Request(asked) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        let again = asked.request().unwrap();
        assert_eq!((again.method(), again.uri()), (request.method(), request.uri()));
        assert_eq!(again.headers(), request.headers());
        assert_eq!(again.body(), request.body());
    }

    #[test]
    fn all_times_are_written_with_the_same_length() {
        let length = |at| serde_json::to_string(&Line::seen(at)).unwrap().len();
        assert_eq!(length(0), length(u64::MAX));
    }
}
