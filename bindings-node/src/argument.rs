//! Reading JavaScript values. What cannot be read is the caller's error, and names the argument.

use crate::error::{Fault, Result};
use napi::{Env, JsValue, Unknown, ValueType};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::{fmt::Display, str::FromStr, time::Duration};

/// Reads an argument. `name` is the caller's word for it.
pub fn read<T: DeserializeOwned>(env: &Env, name: &str, value: Unknown<'_>) -> Result<T> {
    env.from_js_value(value).map_err(|err| Fault::Argument(format!("{name}: {}", err.reason)))
}

/// Reads an argument that is a text to be parsed by core.
pub fn parse<T: FromStr<Err = aks_acr::Error>>(env: &Env, name: &str, value: Unknown<'_>) -> Result<T> {
    Ok(read::<String>(env, name, value)?.parse()?)
}

/// Reads an object of options; none at all is an empty one.
pub fn options<T: DeserializeOwned + Default>(env: &Env, value: Unknown<'_>) -> Result<T> {
    let wrong = |err: napi::Error| Fault::Argument(format!("options: {}", err.reason));
    match value.get_type().map_err(wrong)? {
        ValueType::Undefined | ValueType::Null => Ok(T::default()),
        ValueType::Object if !value.coerce_to_object().and_then(|object| object.is_array()).map_err(wrong)? => {
            read(env, "options", value)
        }
        _ => Err(Fault::Argument("options: wanted an object".to_owned())),
    }
}

/// An option that is a text to be parsed by core.
pub struct Text<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// An option that is a number of milliseconds. `Infinity` is for ever.
#[derive(Clone, Copy)]
pub struct Millis(pub Duration);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let number = f64::deserialize(from)?;
        if number == f64::INFINITY {
            return Ok(Self(Duration::MAX));
        }
        let wrong = |_| serde::de::Error::custom(format!("wanted a number of milliseconds, not {number}"));
        Duration::try_from_secs_f64(number / 1000.0).map(Self).map_err(wrong)
    }
}

/// The options of an operation that has none of its own.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CallOnly {
    /// How long the call may take.
    pub deadline_ms: Option<Millis>,
}
