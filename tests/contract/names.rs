//! The lists of operations and of error kinds, held against core.

use crate::story::Story;
use aks_acr::{ErrorKind, FindingId, Operation};
use serde::Deserialize;
use std::{collections::BTreeSet, path::PathBuf};

/// An operation: its name in core, in Python and in JavaScript.
#[derive(Deserialize)]
struct Called {
    rust: String,
    python: String,
    node: String,
}

/// A kind of error: its word, Python's class, JavaScript's `code`.
#[derive(Deserialize)]
struct Listed {
    kind: String,
    python: String,
    node: String,
}

/// This folder.
pub fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("contract")
}

fn listed<T: for<'a> Deserialize<'a>>(file: &str) -> Vec<T> {
    let text = std::fs::read_to_string(here().join(file)).expect("the contract can be read");
    serde_json::from_str(&text).expect("the contract has its form")
}

/// Every operation of core's table is in the list, by the same name in every language.
pub fn operations() -> Result<(), String> {
    let there: BTreeSet<String> = Operation::ALL.iter().map(ToString::to_string).collect();
    let listed: Vec<Called> = listed("operations.json");
    let known: BTreeSet<String> = listed.iter().map(|one| one.rust.clone()).collect();
    if there != known {
        return Err(format!("core has {there:?}, operations.json has {known:?}"));
    }
    for one in listed {
        let camel = camel_case(&one.rust);
        if one.python != one.rust || one.node != camel {
            return Err(format!("{}: nouns and verbs stay the same in every language", one.rust));
        }
    }
    Ok(())
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |done, word| {
        let (head, tail) = word.split_at(1);
        done + &head.to_ascii_uppercase() + tail
    })
}

/// Every kind has a class in Python and a code in JavaScript.
pub fn errors() -> Result<(), String> {
    let there: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let listed: Vec<Listed> = listed("errors.json");
    let known: Vec<&str> = listed.iter().map(|one| one.kind.as_str()).collect();
    if there != known {
        return Err(format!("core has {there:?}, errors.json has {known:?}"));
    }
    for one in &listed {
        if one.node != one.kind || !one.python.ends_with("Error") {
            return Err(format!("{}: JavaScript's code is the kind, Python's class ends in Error", one.kind));
        }
    }
    Ok(())
}

/// An operation that no story calls could be missing in a binding unseen.
pub fn told(stories: &[Story]) -> Result<(), String> {
    let called: BTreeSet<&str> = stories.iter().flat_map(|story| story.calls()).collect();
    let operations: Vec<Called> = listed("operations.json");
    let missing: Vec<&str> =
        operations.iter().map(|one| one.rust.as_str()).filter(|name| !called.contains(name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no story calls {missing:?}")) }
}

/// A finding that a binding does not read could be missing unseen.
pub fn findings(stories: &[Story]) -> Result<(), String> {
    let text = serde_json::to_string(stories).map_err(|err| err.to_string())?;
    let ids = FindingId::ALL.iter().map(FindingId::as_str);
    let missing: Vec<&str> = ids.filter(|id| !text.contains(&format!("\"{id}\""))).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("in no story: {missing:?}")) }
}
