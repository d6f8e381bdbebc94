//! Converts a connection error to ours; errors reported by Kubernetes are converted in `status`.

use super::status::from_status;
use crate::{
    error::{Error, ErrorKind},
    http::TooLarge,
    network::PermanentConnectError,
};

pub(crate) fn from_kube(err: kube::Error, step: &str) -> Error {
    let err = match ours(err, step) {
        Ok(ours) => return ours,
        Err(err) => err,
    };
    match err {
        kube::Error::Api(status) => from_status(*status, step),
        kube::Error::Service(err) => {
            let sentence = PermanentConnectError::find(err.as_ref()).map(PermanentConnectError::sentence);
            Error::new(ErrorKind::Unavailable, sentence.unwrap_or("could not reach the cluster"))
                .with_context("while", step)
                .with_transient(sentence.is_none())
                .with_source(err)
        }
        kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => {
            Error::new(ErrorKind::Unavailable, "lost the connection to the cluster")
                .with_context("while", step)
                .with_source(err)
        }
        kube::Error::SerdeError(err) => unreadable(&err, step),
        err => Error::new(ErrorKind::Unexpected, "could not parse the cluster's response")
            .with_context("while", step)
            .with_source(err),
    }
}

/// Our own error, if one is inside: that of reconnecting, or of a body that is too large.
fn ours(err: kube::Error, step: &str) -> Result<Error, kube::Error> {
    if let Some(long) = behind::<TooLarge>(&err) {
        return Ok(long.error(step));
    }
    match err {
        kube::Error::Service(err) => match err.downcast::<Error>() {
            Ok(ours) => Ok(*ours),
            Err(err) => match err.downcast::<kube::Error>() {
                Ok(inner) => Ok(from_kube(*inner, step)),
                Err(err) => Err(kube::Error::Service(err)),
            },
        },
        err => Err(err),
    }
}

/// An error of one type among an error's sources.
fn behind<'a, T: std::error::Error + 'static>(err: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref::<T>() {
            return Some(found);
        }
        // The inner error of an I/O error is not its source.
        let held = err.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = held.map(|held| held as &(dyn std::error::Error + 'static)).or_else(|| err.source());
    }
    None
}

/// Whether a response was too large.
pub(crate) fn is_too_large(err: &kube::Error) -> bool {
    behind::<TooLarge>(err).is_some()
}

/// Why there is no response, in a few words without secrets.
pub(crate) fn reason(mut err: &(dyn std::error::Error + 'static)) -> String {
    while let Some(source) = err.source() {
        err = source;
    }
    err.to_string()
}

/// A success that is not JSON is not from Kubernetes: an intermediary sent its own page, which may be transient. The parser's message
/// may quote a secret in the response.
pub(crate) fn unreadable(err: &serde_json::Error, step: &str) -> Error {
    let (kind, sentence) = if err.is_data() {
        (ErrorKind::Unexpected, "could not parse the cluster's response")
    } else {
        (ErrorKind::Unavailable, "a proxy or firewall responded instead of the cluster")
    };
    Error::new(kind, sentence).with_context("while", step)
}

/// An error status with an HTML page instead of a `Status` object is not from Kubernetes either.
pub(crate) fn is_page(head: &http::response::Parts, body: &[u8]) -> bool {
    let media = head.headers.get(http::header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    media.trim_start().to_ascii_lowercase().starts_with("text/html")
        || body
            .trim_ascii_start()
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"<html") || start.eq_ignore_ascii_case(b"<!doc"))
}

/// Whether the error is transient.
pub(crate) fn is_passing(err: &Error) -> bool {
    matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited) && err.is_transient()
}
