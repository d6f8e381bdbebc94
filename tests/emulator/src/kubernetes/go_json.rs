//! JSON as Go reads it, and the messages of its reader.

use serde_json::Value;

use super::go_scanner::repaired;
use super::refusal::Refusal;
use super::request::{read_yaml, without_points};
use super::typed::json_name;

pub(super) use super::go_scanner::error;

/// The value in a text that Go's reader takes.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    if let Some(error) = error(bytes) {
        return Err(error);
    }
    // Above 127 levels, and for numbers that no float holds.
    let mut value =
        serde_json::from_str(&repaired(bytes)).map_err(|why| format!("the emulator cannot read this: {why}"))?;
    without_points(&mut value);
    Ok(value)
}

const NO_KIND: &str = "couldn't get version/kind; json parse error";

/// The structure in which Go looks for what an object is.
pub(super) const TYPE_META: &str =
    "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";

/// The error about a value of another type than the one that it is read into.
pub(super) fn type_error(value: &Value, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {wanted}", json_name(value))
}

/// The object in a body, which may be `null`.
pub(super) fn object(kind: &str, bytes: &[u8]) -> Result<Value, Refusal> {
    let value = read(bytes).map_err(|why| unrecognized(kind, bytes, &format!("{NO_KIND}: {why}")))?;
    only_object(kind, bytes, value)
}

/// The object in a body of YAML, which may be `null`.
pub(super) fn object_of_yaml(kind: &str, bytes: &[u8]) -> Result<Value, Refusal> {
    let value = read_yaml(bytes).map_err(|why| unrecognized(kind, bytes, &why))?;
    only_object(kind, bytes, value)
}

fn only_object(kind: &str, bytes: &[u8], value: Value) -> Result<Value, Refusal> {
    match value {
        Value::Object(_) | Value::Null => Ok(value),
        other => Err(unrecognized(kind, bytes, &format!("{NO_KIND}: {}", type_error(&other, TYPE_META)))),
    }
}

/// The error about a body from which no kind can be read.
pub(super) fn unrecognized(kind: &str, bytes: &[u8], why: &str) -> Refusal {
    let shown = match bytes {
        [] => "<empty>".to_owned(),
        [b'{', ..] if bytes.len() > 30 => format!("{} ...", String::from_utf8_lossy(&bytes[..30])),
        [b'{', ..] => String::from_utf8_lossy(bytes).into_owned(),
        bytes if bytes.len() > 30 => format!("{} ...", hex(&bytes[..30])),
        bytes => hex(bytes),
    };
    Refusal::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why} ({shown})"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
