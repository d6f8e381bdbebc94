//! How large a request and an object may be.

use serde_json::Value;

use super::kinds::Kind;
use super::refusal::{Flaw, Refusal};

/// A request's body.
const BODY: usize = 3 * 1024 * 1024;
/// What the API server's client of the database sends at most, and what the database takes.
const MESSAGE: usize = 2 * 1024 * 1024;
const RECORD: usize = 3 * 1024 * 1024 / 2;
/// The data of a config map or a secret.
const DATA: usize = 1024 * 1024;
const ANNOTATIONS: usize = 256 * 1024;

pub(super) fn check_body(length: usize) -> Result<(), Refusal> {
    if length <= BODY { Ok(()) } else { Err(Refusal::too_large(&format!("limit is {BODY}"))) }
}

/// What the database says of an object.
pub(super) fn check_object(object: &Value) -> Result<(), Refusal> {
    match object.to_string().len() {
        length if length > MESSAGE => Err(Refusal::internal(format!(
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max ({length} vs. {MESSAGE})"
        ))),
        length if length > RECORD => Err(Refusal::internal("etcdserver: request is too large")),
        _ => Ok(()),
    }
}

/// What validation says of it.
pub(super) fn flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    match kind.kind.as_str() {
        "ConfigMap" if length(object.get("data"), 0) + length(object.get("binaryData"), 0) / 4 * 3 > DATA => {
            flaws.push(too_long("[]", DATA));
        }
        // Its data is base64.
        "Secret" if length(object.get("data"), 0) / 4 * 3 > DATA => flaws.push(too_long("data", DATA)),
        _ => {}
    }
    flaws
}

/// What validation says of the annotations of an object or a template.
pub(super) fn annotations(annotations: Option<&Value>, field: &str) -> Option<Flaw> {
    (length(annotations, 1) > ANNOTATIONS).then(|| too_long(field, ANNOTATIONS))
}

fn too_long(field: &str, most: usize) -> Flaw {
    let message = format!("Too long: may not be more than {most} bytes");
    Flaw { reason: "FieldValueTooLong", field: field.to_owned(), message }
}

fn length(map: Option<&Value>, keys: usize) -> usize {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries.map(|(key, value)| keys * key.len() + value.as_str().map_or(0, str::len)).sum()
}
