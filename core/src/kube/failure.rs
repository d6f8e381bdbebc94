//! Where an error on the way to Kubernetes becomes ours; what Kubernetes itself refuses does in `status`.

use super::status::from_status;
use crate::{
    error::{Error, ErrorKind},
    network::Obstacle,
};
use kube::client::AuthError;

pub(super) fn from_kube(err: kube::Error, step: &str) -> Error {
    match err {
        kube::Error::Api(status) => from_status(*status, step),
        kube::Error::Service(err) if behind(err.as_ref()).is_some() => without_credentials(behind(err.as_ref()), step),
        kube::Error::Service(err) => {
            let sentence = Obstacle::find(err.as_ref()).map(Obstacle::sentence);
            Error::new(ErrorKind::Unavailable, sentence.unwrap_or("the cluster could not be reached"))
                .with_context("while", step)
                .with_transient(sentence.is_none())
                .with_source(err)
        }
        kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => {
            Error::new(ErrorKind::Unavailable, "the connection to the cluster broke off")
                .with_context("while", step)
                .with_source(err)
        }
        kube::Error::Auth(err) => without_credentials(Some(&err), step),
        kube::Error::SerdeError(err) => unreadable(&err, step),
        err => Error::new(ErrorKind::Unexpected, "the cluster's answer was not understood")
            .with_context("while", step)
            .with_source(err),
    }
}

/// What the program printed, and what it was told, may be secret, and the error's own words quote both: only how it ended is told.
fn without_credentials(err: Option<&AuthError>, step: &str) -> Error {
    const SENTENCE: &str = "the cluster's kubeconfig names a program that gives no credentials";
    let err_of_ours = Error::new(ErrorKind::Unauthenticated, SENTENCE).with_context("while", step);
    match err {
        Some(AuthError::AuthExecRun { out, .. }) => err_of_ours.with_context("it ended with", out.status.to_string()),
        Some(AuthError::AuthExecStart(err)) => err_of_ours.with_context("it cannot be started", err.to_string()),
        _ => err_of_ours,
    }
}

/// Credentials that end are had anew by the client itself: then their lack is found behind the failure of a request.
fn behind<'a>(err: &'a (dyn std::error::Error + 'static)) -> Option<&'a AuthError> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref::<AuthError>() {
            return Some(found);
        }
        next = err.source();
    }
    None
}

/// Why no answer came, in a few words without a secret.
pub(super) fn reason(mut err: &(dyn std::error::Error + 'static)) -> String {
    if behind(err).is_some() {
        return "no credentials for the cluster".to_owned();
    }
    while let Some(source) = err.source() {
        err = source;
    }
    err.to_string()
}

/// A success that is no JSON at all is none of Kubernetes': something on the way shows a page of its own, which may pass. The reader's
/// own words may quote a secret that the answer holds.
pub(super) fn unreadable(err: &serde_json::Error, step: &str) -> Error {
    let (kind, sentence) = if err.is_data() {
        (ErrorKind::Unexpected, "the cluster's answer was not understood")
    } else {
        (ErrorKind::Unavailable, "something on the way answered in the cluster's place")
    };
    Error::new(kind, sentence).with_context("while", step)
}

/// An error status with a page in the place of a `Status` object is none of Kubernetes' either.
pub(super) fn is_page(head: &http::response::Parts, body: &[u8]) -> bool {
    let media = head.headers.get(http::header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    media.trim_start().to_ascii_lowercase().starts_with("text/html")
        || body
            .trim_ascii_start()
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"<html") || start.eq_ignore_ascii_case(b"<!doc"))
}

/// Whether it may be otherwise a little later.
pub(super) fn is_passing(err: &Error) -> bool {
    matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited) && err.is_transient()
}
