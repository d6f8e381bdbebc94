//! Image references, read by Docker's rule.

use super::{rows, text};
use aks_acr::{Digest, ErrorKind, ImageReference, ReferenceError};
use aks_acr_tests::data;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use std::error::Error as _;

const DOCKERS: &str = "distribution/reference";

/// Rules of the file that are not ours, and why its rows by them say nothing of this library.
const NOT_APPLICABLE: [(&str, &str); 5] = [
    ("az acr import", "another tool's way to cut a source in two, without a grammar; ours is Docker's"),
    (
        "az acr import --registry",
        "an option of another tool; here a source is one reference, whatever registry it is in",
    ),
    ("az acr import credentials", "options of another tool; here a source has no credentials yet"),
    ("importImage targetTags", "a rule of the service; here a target is always one repository:tag"),
    ("importImage untaggedTargetRepositories", "a rule of the service; here a target always has a tag"),
];

pub(super) fn trials(file: &Value) -> Vec<Trial> {
    rows(file, "cases").iter().chain(rows(file, "azOptionCases")).filter_map(trial).collect()
}

/// A row by another rule has no trial; that, and the reason, is said on standard error. A rule that is not known has one,
/// which fails.
fn trial(row: &Value) -> Option<Trial> {
    let name = format!("image_reference::{}", row["id"].as_str().unwrap_or("without_an_id"));
    let rule = row["rule"].as_str().unwrap_or_default().to_owned();
    if rule == DOCKERS {
        let row = row.clone();
        return Some(data::trial(name, move |_| check(&row)));
    }
    match NOT_APPLICABLE.iter().find(|(known, _)| *known == rule) {
        Some((_, reason)) => {
            eprintln!("{name} is not applicable: {reason}");
            None
        }
        None => Some(data::trial(name, move |_| Err(format!("its rule is not known: {rule}").into()))),
    }
}

fn check(row: &Value) -> Result<(), Failed> {
    let input = text(row, "input")?;
    let expect = &row["expect"];
    match (input.parse::<ImageReference>(), expect["error"].as_str()) {
        (Ok(image), None) => {
            assert_eq!(image.registry(), text(expect, "registry")?);
            assert_eq!(image.repository(), text(expect, "repository")?);
            assert_eq!(image.tag(), expect["tag"].as_str());
            assert_eq!(image.digest().map(Digest::as_str), expect["digest"].as_str());
            assert_eq!(image.to_string().parse::<ImageReference>()?, image, "what is shown can be read again");
            Ok(())
        }
        (Err(err), Some(wanted)) => {
            assert_eq!(err.kind(), ErrorKind::InvalidInput);
            let reason = err.source().and_then(|source| source.downcast_ref::<ReferenceError>());
            assert_eq!(name_of(*reason.ok_or("the error has no reason")?)?, wanted);
            Ok(())
        }
        (read, _) => Err(format!("read as {read:?}, wanted {expect}").into()),
    }
}

/// The file's name of an error.
fn name_of(error: ReferenceError) -> Result<&'static str, Failed> {
    Ok(match error {
        ReferenceError::InvalidFormat => "InvalidFormat",
        ReferenceError::Uppercase => "Uppercase",
        ReferenceError::NameTooLong => "NameTooLong",
        ReferenceError::DigestInvalidLength => "DigestInvalidLength",
        ReferenceError::DigestUnsupported => "DigestUnsupported",
        ReferenceError::DigestInvalidFormat => "DigestInvalidFormat",
        ReferenceError::IdentifierAsName => "IdentifierAsName",
        other => return Err(format!("the file has no name for {other:?}").into()),
    })
}
