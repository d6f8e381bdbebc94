//! Image references, read by Docker's rule.

use super::{rows, text};
use aks_acr::{Digest, ErrorKind, ImageReference, ReferenceError};
use aks_acr_tests::data;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use std::error::Error as _;

const DOCKERS: &str = "distribution/reference";
const NOT_OURS: &str = "not applicable: our rule is Docker's";

pub(super) fn trials(file: &Value) -> Vec<Trial> {
    rows(file, "cases").iter().chain(rows(file, "azOptionCases")).map(trial).collect()
}

fn trial(row: &Value) -> Trial {
    let name = format!("image_reference::{}", row["id"].as_str().unwrap_or("without_an_id"));
    if row["rule"] != DOCKERS {
        return data::not_applicable(name, NOT_OURS);
    }
    let row = row.clone();
    data::trial(name, move |_| check(&row))
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
