//! Why an import failed. Azure reports texts only, so the text decides here; the other places where a text decides are listed in
//! CONTRIBUTING.md.

use crate::error::{Error, ErrorKind, ImportSide};

const SOURCE: Option<ImportSide> = Some(ImportSide::Source);
const TARGET: Option<ImportSide> = Some(ImportSide::Target);

const DENIED: &str = "the source denies Azure access to this image, or does not have it: check its name, and give credentials if it is private";

/// Texts reported by users, their meaning, the side at fault, and what to do. The first match counts; an unknown text is left
/// unchanged.
const TEXTS: [(&[&str], ErrorKind, Option<ImportSide>, &str); 7] = [
    (
        &["already exists in target registry"],
        ErrorKind::Conflict,
        TARGET,
        "the target tag exists; allow replacing it, or choose another",
    ),
    (
        &["Unable to find manifest digest"],
        ErrorKind::NotFound,
        SOURCE,
        "the image does not exist in the source registry",
    ),
    (
        &["TOOMANYREQUESTS"],
        ErrorKind::RateLimited,
        SOURCE,
        "the source limits anonymous pulls; give credentials, or retry later",
    ),
    (&["UNAUTHORIZED"], ErrorKind::Forbidden, SOURCE, DENIED),
    (&["Access to ", " denied"], ErrorKind::Forbidden, SOURCE, DENIED),
    (
        &["No value specified for Docker-Content-Digest"],
        ErrorKind::OperationFailed,
        SOURCE,
        "the source does not report the image's digest, which Azure requires: import from another registry",
    ),
    // It may be either side's.
    (&["Error copying blobs"], ErrorKind::OperationFailed, None, "Azure could not copy the image's layers; retry"),
];

/// Sets the kind and a hint of a failed import. A refusal of the caller itself is left unchanged.
pub(super) fn explain(err: Error) -> Error {
    if err.refusal().is_some() || err.code().is_some_and(|code| code == "InvalidAuthenticationToken") {
        return err;
    }
    let text = err.service().and_then(|service| service.message.clone()).unwrap_or_default();
    let Some((_, kind, failed_side, hint)) =
        TEXTS.iter().find(|(signs, ..)| signs.iter().all(|sign| text.contains(sign)))
    else {
        return err;
    };
    let service = err.service().cloned().unwrap_or_default();
    let err = Error::new(*kind, "the import failed").with_context("hint", *hint).with_service(service);
    // Of the ends that an import can have, the copying that broke off is the one that passes.
    let err = if *kind == ErrorKind::OperationFailed && failed_side.is_none() { err.with_transient(true) } else { err };
    match failed_side {
        Some(failed_side) => err.with_failed_side(*failed_side),
        None => err,
    }
}

/// The same for an import that Azure had accepted: a later 400 is the import's own end, and not an error of the poll.
pub(super) fn explain_end(err: Error) -> Error {
    let err = explain(err);
    match err.service() {
        Some(service) if err.kind() == ErrorKind::InvalidInput => {
            Error::new(ErrorKind::OperationFailed, "the import failed").with_service(service.clone())
        }
        _ => err,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServiceError;

    fn kind(text: &str) -> ErrorKind {
        let service = ServiceError { status: 400, message: Some(text.to_owned()), ..ServiceError::default() };
        explain(Error::new(ErrorKind::InvalidInput, "x").with_service(service)).kind()
    }

    #[test]
    fn known_texts_have_kinds_and_others_keep_theirs() {
        assert_eq!(kind("Tag hello-world:v3 already exists in target registry."), ErrorKind::Conflict);
        assert_eq!(kind("Unable to find manifest digest  Repo: a Tag: b Manifest:"), ErrorKind::NotFound);
        assert_eq!(kind("Access to source.azurecr.io denied."), ErrorKind::Forbidden);
        assert_eq!(kind("Access to quay.io denied."), ErrorKind::Forbidden);
        assert_eq!(kind("something new"), ErrorKind::InvalidInput);
    }

    #[test]
    fn what_a_registry_never_does_right_does_not_pass() {
        let of = |text: &str| {
            let service = ServiceError { status: 400, message: Some(text.to_owned()), ..ServiceError::default() };
            let err = explain(Error::new(ErrorKind::InvalidInput, "x").with_service(service));
            (err.kind(), err.failed_side(), err.is_transient())
        };
        let failed = ErrorKind::OperationFailed;
        assert_eq!(of("No value specified for Docker-Content-Digest"), (failed, SOURCE, false));
        assert_eq!(of("Error copying blobs"), (failed, None, true));
    }
}
