//! Objects that do not match the schema of their kind. Until kubernetes/kubernetes#139255 the API server responds with 500 and no
//! reason, as for every error without its own status (`apiserver/pkg/endpoints/handlers/responsewriters/status.go`): a database that
//! has lost its leader looks the same. Only the text distinguishes them. The texts are those of server-side apply in
//! `apimachinery/pkg/util/managedfields/internal/{structuredmerge,skipnonapplied}.go` 1.33; each is at the beginning, before anything
//! that a user wrote.

use super::meaning::Meaning;
use crate::error::ErrorKind;
use kube::core::Status;

/// The applied object does not match.
const OF_THE_OBJECT: [&str; 4] = [
    "failed to create typed patch object",
    "failed to convert new object (",
    "failed to convert new typed object (",
    "failed to convert to unversioned (",
];
/// The object in the cluster does not match, because its definition changed: no other manifest helps.
const OF_WHAT_EXISTS: [&str; 5] = [
    "failed to create manager for existing fields: ",
    "failed to create typed live object",
    "failed to convert live object (",
    "failed to create fieldset for existing fields: ",
    "failed to update ManagedFields (",
];

/// The meaning of a 500 without a reason, if it is one of these.
pub(crate) fn meaning(message: &str) -> Option<Meaning> {
    let begins = |texts: &[&str]| texts.iter().any(|text| message.starts_with(text));
    // Conversions of custom resources are done by a webhook, which may be down.
    if is_webhook(message) {
        let sentence = "a conversion webhook of the cluster does not respond";
        return (begins(&OF_THE_OBJECT) || begins(&OF_WHAT_EXISTS))
            .then(|| Meaning::new(ErrorKind::Unavailable, sentence));
    }
    if begins(&OF_THE_OBJECT) {
        let sentence = "Kubernetes rejected the object: it does not match the schema of its kind";
        return Some(Meaning::new(ErrorKind::InvalidInput, sentence));
    }
    begins(&OF_WHAT_EXISTS).then(|| {
        let sentence = "the object in the cluster does not match the schema of its kind; delete it, or correct the \
                definition";
        Meaning::new(ErrorKind::Conflict, sentence)
    })
}

/// Names of objects and kinds, in the first brackets, contain no bracket themselves.
fn is_webhook(message: &str) -> bool {
    let message = message.strip_prefix("failed to create manager for existing fields: ").unwrap_or(message);
    let is_conversion = ["failed to convert new object (", "failed to convert live object ("];
    let Some((_, why)) = message.split_once(')').filter(|_| is_conversion.iter().any(|text| message.starts_with(text)))
    else {
        return false;
    };
    let why = why.strip_prefix(" to proper version").unwrap_or_default();
    let why = match why.strip_prefix(" (") {
        Some(version) => version.split_once(')').map_or("", |(_, why)| why),
        None => why,
    };
    why.starts_with(": conversion webhook for ")
}

/// Over 3 MiB the API server rejects a body; between 1.5 MiB and that, depending on its settings, the database or the connection to it
/// does.
pub(crate) fn is_too_large(status: &Status) -> bool {
    let message = status.message.as_str();
    let by_transport =
        message.starts_with("rpc error: code = ResourceExhausted") && message.contains(" larger than max (");
    let by_database = message == "etcdserver: request is too large"
        || (message.starts_with("rpc error: code = InvalidArgument")
            && message.ends_with("etcdserver: request is too large"));
    status.code == 413 || (status.code == 500 && (by_transport || by_database))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Error, kubernetes::status::from_status};

    fn error(message: &str) -> Error {
        from_status(Status::failure(message, "").with_code(500), "applying an object")
    }

    #[test]
    fn a_500_without_a_reason_is_judged_by_its_text() {
        let of = "(default/a; apps/v1, Kind=Deployment)";
        for (message, kind, is_transient) in [
            (format!("failed to create typed patch object {of}: .spec.replicaz: field not declared in schema"), ErrorKind::InvalidInput, false),
            (format!("failed to create typed patch object {of}: errors:\n  .spec.a: field not declared in schema\n  .spec.b: field not declared in schema"), ErrorKind::InvalidInput, false),
            (format!("failed to create typed patch object {of}: .spec.replicas: expected numeric (int or float), got string"), ErrorKind::InvalidInput, false),
            (format!("failed to create typed patch object {of}: .spec.template.spec.containers: duplicate entries for key [name=\"c\"]"), ErrorKind::InvalidInput, false),
            (format!("failed to create typed patch object {of}: .spec.x: expected string, got &{{) to proper version: conversion webhook for x}}"), ErrorKind::InvalidInput, false),
            ("failed to create typed patch object: .spec.ports: element 0: associative list with keys has an element that omits key field \"protocol\"".to_owned(), ErrorKind::InvalidInput, false),
            (format!("failed to convert new object {of} to proper version: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"), ErrorKind::InvalidInput, false),
            ("failed to convert new object (default/s; /v1, Kind=Secret) to proper version: illegal base64 data at input byte 0".to_owned(), ErrorKind::InvalidInput, false),
            ("failed to convert new object (default/x; a.example/v1, Kind=X) to proper version: conversion webhook for a.example/v2, Kind=X failed: Post \"https://w\": connection refused".to_owned(), ErrorKind::Unavailable, true),
            ("failed to create typed live object (default/x; a.example/v1, Kind=X): .spec.old: field not declared in schema".to_owned(), ErrorKind::Conflict, false),
            ("failed to create manager for existing fields: failed to convert new object (default/x; a.example/v1, Kind=X) to smd typed: .spec.old: field not declared in schema".to_owned(), ErrorKind::Conflict, false),
            ("failed to create manager for existing fields: failed to convert new object (default/x; a.example/v1, Kind=X) to proper version (a.example/v1): conversion webhook for a.example/v1, Kind=X failed: timeout".to_owned(), ErrorKind::Unavailable, true),
            ("rpc error: code = ResourceExhausted desc = trying to send message larger than max (2100400 vs. 2097152)".to_owned(), ErrorKind::InvalidInput, false),
            ("rpc error: code = ResourceExhausted desc = grpc: received message larger than max (4400000 vs. 4194304)".to_owned(), ErrorKind::InvalidInput, false),
            ("etcdserver: request is too large".to_owned(), ErrorKind::InvalidInput, false),
            ("etcdserver: request timed out".to_owned(), ErrorKind::Unavailable, true),
            ("etcdserver: leader changed".to_owned(), ErrorKind::Unavailable, true),
            ("rpc error: code = ResourceExhausted desc = etcdserver: throttle: too many requests".to_owned(), ErrorKind::Unavailable, true),
            ("context deadline exceeded".to_owned(), ErrorKind::Unavailable, true),
        ] {
            let err = error(&message);
            assert_eq!((err.kind(), err.is_transient()), (kind, is_transient), "{message}");
            assert!(err.to_string().contains(message.lines().next().unwrap()), "{err}");
            assert_eq!(err.status(), Some(500));
        }
    }

    #[test]
    fn a_500_with_a_reason_is_the_servers_own_trouble() {
        let status = Status::failure("failed to create typed patch object: x", "InternalError").with_code(500);
        assert_eq!(from_status(status, "").kind(), ErrorKind::Unavailable);
    }
}
