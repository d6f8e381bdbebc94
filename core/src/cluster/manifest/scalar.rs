//! What a YAML scalar is, as goyaml v2 decides, which kubectl and the API server use: booleans, null and numbers of YAML 1.1 and 1.2.
//!
//! The rules are those of `resolve.go` and `decode.go` of `sigs.k8s.io/yaml` v1.4.0 (`goyaml.v2`). `tests/peers/manifests` compares them
//! with that package.

use super::{number, timestamp};
use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};

/// The prefix of YAML's own tags, written `!!`.
const OWN: &str = "tag:yaml.org,2002:";

/// Go's decoder does not check the bits after the last byte.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Larger than an `i64`.
    Large(u64),
    Float(f64),
    Text(String),
}

/// A scalar as the parser returns it.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub text: String,
    /// The full tag; `!` if it has the tag without a name.
    pub tag: Option<String>,
    pub is_plain: bool,
}

impl Written {
    /// Whether it is a key that merges other mappings into its own.
    pub fn is_merge(&self) -> bool {
        self.text == "<<"
            && match self.own_tag() {
                None => self.is_plain && self.tag.is_none() || self.tag.as_deref() == Some("!"),
                Some(tag) => tag == "merge",
            }
    }

    fn own_tag(&self) -> Option<&str> {
        self.tag.as_deref()?.strip_prefix(OWN)
    }

    /// Its value, or why it has none. The reason does not quote it.
    pub fn resolve(&self) -> Result<Scalar, &'static str> {
        let text = || Scalar::Text(self.text.clone());
        match (&self.tag, self.own_tag()) {
            (None, _) if self.is_plain => Ok(plain(&self.text)),
            (None, _) | (_, Some("str")) => Ok(text()),
            (_, Some("binary")) => binary(&self.text),
            (_, Some("timestamp")) if timestamp::is_timestamp(&self.text) => Ok(text()),
            (_, Some(tag @ ("bool" | "int" | "float" | "null" | "timestamp"))) => match (tag, plain(&self.text)) {
                ("bool", found @ Scalar::Bool(_))
                | ("int", found @ (Scalar::Int(_) | Scalar::Large(_)))
                | ("float", found @ Scalar::Float(_))
                | ("null", found @ Scalar::Null) => Ok(found),
                #[allow(clippy::cast_precision_loss, reason = "as the original")]
                ("float", Scalar::Int(number)) => Ok(Scalar::Float(number as f64)),
                _ => Err("a value does not fit its tag"),
            },
            // A tag of others says nothing.
            _ => Ok(text()),
        }
    }
}

/// A scalar without quotes and without a tag.
fn plain(text: &str) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    if let Some(word) = word(text) {
        return word;
    }
    let number = match first {
        b'.' => number::after_point(text).map(Scalar::Float),
        b'0'..=b'9' | b'+' | b'-' => signed_or_digit(text),
        _ => None,
    };
    number.unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// No timestamp reads as a number, so timestamps need no special handling here: they are text.
fn signed_or_digit(text: &str) -> Option<Scalar> {
    let digits = text.replace('_', "");
    number::signed(&digits)
        .map(Scalar::Int)
        .or_else(|| number::unsigned(&digits).map(Scalar::Large))
        .or_else(|| number::decimal(&digits).map(Scalar::Float))
        .or_else(|| number::binary(&digits).map(Scalar::Int))
}

/// The bytes of base64 as text, each byte that is not UTF-8 as U+FFFD, as Go writes them into JSON.
fn binary(text: &str) -> Result<Scalar, &'static str> {
    let base64: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    let bytes = BASE64.decode(base64).map_err(|_| "a value with the tag !!binary is not base64")?;
    let mut decoded = String::new();
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(Scalar::Text(decoded))
}
