//! The texts of a failed pull, in one place: container runtime inside, kubelet outside.

use std::fmt;

use http::{Method, StatusCode};
use serde_json::Value;

use super::{Image, NetworkFailure};

/// Why one try to pull failed, with the status code that the runtime reports to kubelet.
#[derive(Debug)]
pub(super) struct PullFailure {
    not_found: bool,
    text: String,
}

impl PullFailure {
    /// The name could not be turned into a manifest.
    pub(super) fn resolving(image: &Image, cause: &Cause) -> Self {
        let text = format!(
            "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {}",
            cause.text
        );
        Self { not_found: cause.not_found, text }
    }

    /// The manifest was found, but what it names could not be got.
    pub(super) fn unpacking(image: &Image, cause: &Cause) -> Self {
        Self {
            not_found: cause.not_found,
            text: format!("failed to pull and unpack image \"{image}\": {}", cause.text),
        }
    }
}

impl fmt::Display for PullFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Kubelet strips the code from errors of unknown kind and keeps it on all others.
        if self.not_found {
            f.write_str("rpc error: code = NotFound desc = ")?;
        }
        f.write_str(&self.text)
    }
}

/// The innermost part of a failure.
#[derive(Debug)]
pub(super) struct Cause {
    not_found: bool,
    text: String,
}

impl Cause {
    fn unknown(text: String) -> Self {
        Self { not_found: false, text }
    }

    /// No such repository, tag or digest.
    pub(super) fn not_found(image: &Image) -> Self {
        Self { not_found: true, text: format!("{image}: not found") }
    }

    /// An index without an entry for the node's platform.
    pub(super) fn no_platform() -> Self {
        Self { not_found: true, text: "no match for platform in manifest: not found".to_owned() }
    }

    /// The registry refused again, with a token.
    pub(super) fn access_denied(error: &str) -> Self {
        Self::unknown(format!(
            "pull access denied, repository does not exist or may require authorization: server message: {error}: authorization failed"
        ))
    }

    /// No token came from the token service.
    pub(super) fn authorising(what: &str, cause: &str) -> Self {
        Self::unknown(format!("failed to authorize: failed to fetch {what} token: {cause}"))
    }

    /// No HTTP answer.
    pub(super) fn no_answer(method: &Method, url: &str, failure: &NetworkFailure) -> Self {
        Self::unknown(format!("failed to do request: {}", request_failure(method, url, failure)))
    }

    /// An answer that does not help, to the request that resolves the name. The registry's own words come last.
    pub(super) fn status(method: &Method, url: &str, status: StatusCode, body: &[u8]) -> Self {
        let words = registry_words(body).map(|words| format!(": {words}")).unwrap_or_default();
        Self::unknown(format!("{}{words}", unexpected_status(method, url, status)))
    }

    /// An answer that does not help, to the request for a manifest or blob.
    pub(super) fn copying(url: &str, status: StatusCode, body: &[u8]) -> Self {
        let start = "failed to copy: httpReadSeeker: failed open:";
        if status == StatusCode::NOT_FOUND {
            return Self { not_found: true, text: format!("{start} content at {url} not found: not found") };
        }
        let words = registry_words(body).map(|words| format!(" - Server message: {words}")).unwrap_or_default();
        Self::unknown(format!("{start} unexpected status code {url}: {}{words}", with_reason(status)))
    }

    /// A manifest that is not what it should be.
    pub(super) fn unreadable(what: &str) -> Self {
        Self::unknown(format!("failed to read manifest: {what}"))
    }
}

/// `unexpected status from GET request to …: 401 Unauthorized`.
pub(super) fn unexpected_status(method: &Method, url: &str, status: StatusCode) -> String {
    format!("unexpected status from {method} request to {url}: {}", with_reason(status))
}

/// `Get "…": dial tcp …`.
pub(super) fn request_failure(method: &Method, url: &str, failure: &NetworkFailure) -> String {
    let verb = match *method {
        Method::HEAD => "Head",
        Method::POST => "Post",
        _ => "Get",
    };
    format!("{verb} \"{url}\": {}", network_cause(url, failure))
}

fn network_cause(url: &str, failure: &NetworkFailure) -> String {
    match failure {
        NetworkFailure::NoSuchHost => {
            let host = url.split('/').nth(2).unwrap_or(url);
            format!("dial tcp: lookup {host}: no such host")
        }
        NetworkFailure::Timeout { address } => {
            let port = if address.contains(':') { "" } else { ":443" };
            format!("dial tcp {address}{port}: i/o timeout")
        }
        NetworkFailure::Tls(text) => {
            let text = text.strip_prefix("x509: ").unwrap_or(text);
            format!("tls: failed to verify certificate: x509: {text}")
        }
    }
}

fn with_reason(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

/// `denied: client with IP …`, from the body of an error answer.
fn registry_words(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("errors")?.get(0)?;
    let code = error.get("code")?.as_str()?.to_lowercase().replace('_', "");
    match error.get("message").and_then(Value::as_str) {
        Some(message) if !message.is_empty() => Some(format!("{code}: {message}")),
        _ => Some(code),
    }
}

/// Several failures as kubelet shows them: in brackets, each text once.
pub(super) fn joined(failures: &[String]) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for failure in failures {
        if !texts.contains(&failure.as_str()) {
            texts.push(failure);
        }
    }
    match texts[..] {
        [single] => single.to_owned(),
        _ => format!("[{}]", texts.join(", ")),
    }
}
