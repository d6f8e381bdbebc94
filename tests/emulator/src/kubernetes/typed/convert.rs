//! What fits its schema and cannot be read all the same: quantities, base64, numbers with a fraction.

use std::num::IntErrorKind;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::decode::number_type;
use super::{Scalar, Type, of_kind};
use crate::kubernetes::defaults::GENERATION_OF_TEMPLATE;
use crate::kubernetes::kinds::Kind;

pub(super) const QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIXES: [&str; 15] = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi"];

/// Why an object of a built-in kind cannot be read, in the words of Go's readers.
pub(in crate::kubernetes) fn unconvertible(kind: &Kind, object: &Value) -> Option<String> {
    // Definitions hold numbers that may have a fraction, and custom resources anything.
    if kind.custom || kind.kind == "CustomResourceDefinition" {
        return None;
    }
    let odd = bytes_of(kind, object).find_map(|value| base64_error(value.as_str()?));
    odd.or_else(|| generation_error(kind, object)).or_else(|| visit(&of_kind(kind), object))
}

/// The values of an object that are bytes.
pub(super) fn bytes_of<'a>(kind: &Kind, object: &'a Value) -> impl Iterator<Item = &'a Value> {
    let field = match kind.kind.as_str() {
        "Secret" => object.get("data"),
        "ConfigMap" => object.get("binaryData"),
        _ => None,
    };
    field.and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values)
}

/// A daemon set keeps a number among its annotations: see `pkg/apis/apps/v1/conversion.go` of Kubernetes.
pub(in crate::kubernetes) fn generation_error(kind: &Kind, object: &Value) -> Option<String> {
    let given = object.get("metadata")?.get("annotations")?.get(GENERATION_OF_TEMPLATE)?.as_str()?;
    let error = given.parse::<i64>().err().filter(|_| kind.kind == "DaemonSet")?;
    let why = match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    };
    Some(format!("strconv.ParseInt: parsing {}: {why}", Value::from(given)))
}

pub(super) fn base64_error(text: &str) -> Option<String> {
    let at = match STANDARD.decode(text).err()? {
        base64::DecodeError::InvalidByte(at, _) => at,
        // Where the last four letters begin, which are not complete.
        _ if !text.contains('=') => text.len() - text.len() % 4,
        _ => text.len(),
    };
    Some(format!("illegal base64 data at input byte {at}"))
}

fn visit(kind: &Type, value: &Value) -> Option<String> {
    if let (Type::Named(name), Value::String(text)) = (kind, value)
        && name == "api.resource.Quantity"
    {
        return quantity_error(text).map(str::to_owned);
    }
    match (kind.resolved(), value) {
        (Type::Scalar(Scalar::Number), Value::Number(number)) => {
            let has_fraction = number.as_f64().is_some_and(|number| number.fract() != 0.0);
            has_fraction.then(|| "cannot convert float64 to int32".to_owned())
        }
        (Type::List { of, .. }, Value::Array(items)) => items.iter().find_map(|item| visit(of, item)),
        (map @ Type::Map { .. }, Value::Object(object)) => object.iter().find_map(|(name, value)| {
            let error = visit(map.field(name)?, value)?;
            Some(error.replace("int32", number_type(kind.short(), name)))
        }),
        _ => None,
    }
}

fn quantity_error(text: &str) -> Option<&'static str> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    if number.is_empty() || number == "." || number.matches('.').count() > 1 {
        return Some(QUANTITY);
    }
    if SUFFIXES.contains(&suffix) || suffix == "Ei" {
        return None;
    }
    let exponent = suffix.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
    if exponent.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())) {
        return None;
    }
    let letters = suffix.trim_start_matches(|letter| "eEinumkKMGTP".contains(letter));
    let rest = letters.strip_prefix(['+', '-']).unwrap_or(letters);
    let matches = rest.bytes().all(|digit| digit.is_ascii_digit());
    Some(if matches { "unable to parse quantity's suffix" } else { QUANTITY })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        for text in ["1", "0", "100m", "1.5", ".5", "1Gi", "-1", "+2k", "1e3", "1E3", "1E-3", "12E", "1Ei"] {
            assert_eq!(quantity_error(text), None, "{text}");
        }
        for (text, wanted) in [
            ("abc", QUANTITY),
            ("", QUANTITY),
            ("1 Gi", QUANTITY),
            ("1GB", QUANTITY),
            ("1..5", QUANTITY),
            ("1KK", "unable to parse quantity's suffix"),
            ("1Mi1", "unable to parse quantity's suffix"),
        ] {
            assert_eq!(quantity_error(text), Some(wanted), "{text}");
        }
    }
}
