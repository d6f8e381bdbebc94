//! Why an import failed. Azure gives texts only, so that here a text decides; the other places where one does are
//! listed in CONTRIBUTING.md.

use crate::error::{Blame, Error, ErrorKind};

const SOURCE: Option<Blame> = Some(Blame::Source);
const TARGET: Option<Blame> = Some(Blame::Target);

/// Texts that users have reported, what they mean, whose fault it is, and what to do. The first that fits counts; what fits none stays as it is.
const TEXTS: [(&[&str], ErrorKind, Option<Blame>, &str); 6] = [
    (
        &["already exists in target registry"],
        ErrorKind::Conflict,
        TARGET,
        "the target tag exists; replace it on purpose, or choose another",
    ),
    (&["Unable to find manifest digest"], ErrorKind::NotFound, SOURCE, "the source has no such image"),
    (
        &["TOOMANYREQUESTS"],
        ErrorKind::RateLimited,
        SOURCE,
        "the source limits pulls without a name; give credentials, or try later",
    ),
    (&["UNAUTHORIZED"], ErrorKind::Forbidden, SOURCE, "the source does not let Azure pull this image"),
    (
        &["Access to ", " denied"],
        ErrorKind::Forbidden,
        SOURCE,
        "the source registry does not let Azure pull this image",
    ),
    // It may be either side's.
    (&["Error copying blobs"], ErrorKind::OperationFailed, None, "Azure could not copy the image's layers; try again"),
];

/// Gives a failed import its kind and a hint. A refusal of the caller itself stays what it is.
pub(super) fn explain(err: Error) -> Error {
    if err.refusal().is_some() || err.code().is_some_and(|code| code == "InvalidAuthenticationToken") {
        return err;
    }
    let text = err.service().and_then(|service| service.message.clone()).unwrap_or_default();
    let Some((_, kind, blame, hint)) = TEXTS.iter().find(|(signs, ..)| signs.iter().all(|sign| text.contains(sign)))
    else {
        return err;
    };
    let service = err.service().cloned().unwrap_or_default();
    let err = Error::new(*kind, "the import failed").with_context("hint", *hint).with_service(service);
    // Of the ends that an import can have, the copying that broke off is the one that passes.
    let err = if *kind == ErrorKind::OperationFailed { err.with_transient(true) } else { err };
    match blame {
        Some(blame) => err.with_blame(*blame),
        None => err,
    }
}

/// The same for an import that Azure had accepted: what it then answers with 400 is how the import ended, and no fault of the
/// request that looked.
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
}
