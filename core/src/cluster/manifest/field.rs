//! Fields of a manifest and their types. A null field counts as absent, as in kubectl; a field of another type is an error, and never
//! counts as absent.

use super::{lines::Document, tree::Step};
use crate::error::Error;
use serde_json::{Map, Value};
use std::fmt::Write;

/// Longer values are not quoted in full.
const LONGEST_QUOTE: usize = 64;

/// A path in a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(Vec<Step>);

impl Path {
    pub fn key(&self, key: &str) -> Self {
        self.and(Step::Key(key.to_owned()))
    }

    pub fn index(&self, index: usize) -> Self {
        self.and(Step::Index(index))
    }

    fn and(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl From<Vec<Step>> for Path {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => write!(f, "{}", key.escape_debug())?,
                Step::Key(key) => write!(f, ".{}", key.escape_debug())?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// What is invalid in a document, and where.
#[derive(Debug)]
pub(super) struct Flaw {
    message: String,
    at: Path,
}

impl Flaw {
    pub fn new(at: Path, message: impl Into<String>) -> Self {
        Self { message: message.into(), at }
    }

    /// A value of the wrong type.
    pub fn wrong_type(at: &Path, wanted: &str, found: &Value) -> Self {
        let mut message = format!("{} must be {wanted}, found {}", named(at), described(found));
        if wanted == TEXT && matches!(found, Value::Number(_) | Value::Bool(_)) {
            let _ = write!(message, "; if it is meant as text, write it in quotes");
        }
        Self::new(at.clone(), message)
    }

    /// The same without the value, which may be secret.
    pub fn wrong_type_of_secret(at: &Path, wanted: &str, found: &Value) -> Self {
        Self::new(at.clone(), format!("{} must be {wanted}, found {}", named(at), type_of(found)))
    }

    /// The error, with the number of the document and the line of the field.
    pub fn into_error(self, document: &Document<'_>) -> Error {
        let err =
            Error::invalid(format!("invalid manifest: {}", self.message), "document", document.number.to_string());
        match document.line_of(self.at.steps()) {
            Some(line) => err.with_context("line", line.to_string()),
            None => err,
        }
    }
}

fn named(at: &Path) -> String {
    if at.steps().is_empty() { "the document".to_owned() } else { at.to_string() }
}

pub(super) const TEXT: &str = "text";
pub(super) const MAPPING: &str = "a mapping";
pub(super) const LIST: &str = "a list";

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => TEXT,
        Value::Array(_) => LIST,
        Value::Object(_) => MAPPING,
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(value) => format!("the number {value}"),
        Value::String(value) => {
            let quoted: String = value.chars().take(LONGEST_QUOTE).collect();
            let rest = if value.chars().nth(LONGEST_QUOTE).is_some() { "…" } else { "" };
            format!("the text {quoted:?}{rest}")
        }
        value => type_of(value).to_owned(),
    }
}

/// The text of a field, if present.
pub(super) fn text<'a>(map: &'a Map<String, Value>, field: &str, at: &Path) -> Result<Option<&'a str>, Flaw> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Flaw::wrong_type(&at.key(field), TEXT, other)),
    }
}

/// The mapping of a field, if present.
pub(super) fn mapping<'a>(
    map: &'a Map<String, Value>,
    field: &str,
    at: &Path,
) -> Result<Option<&'a Map<String, Value>>, Flaw> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(inner)) => Ok(Some(inner)),
        Some(other) => Err(Flaw::wrong_type(&at.key(field), MAPPING, other)),
    }
}

/// The list of a field, empty if missing.
pub(super) fn list<'a>(map: &'a Map<String, Value>, field: &str, at: &Path) -> Result<&'a [Value], Flaw> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(Flaw::wrong_type(&at.key(field), LIST, other)),
    }
}
