//! Reading JavaScript values. What cannot be read is the caller's error, and names the argument.

use crate::{
    error::{Fault, Result},
    words,
};
use aks_acr::{ImportCredentials, RegistryCredential, SshKey};
use azure_core::credentials::Secret;
use napi::{De, JsValue, Unknown, ValueType};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::{fmt::Display, path::PathBuf, str::FromStr, time::Duration};

/// Reads an argument that is a text.
pub fn text(name: &str, value: Unknown<'_>) -> Result<String> {
    let wrong = |err: napi::Error| Fault::Argument(format!("{name}: {}", err.reason));
    match value.get_type().map_err(wrong)? {
        ValueType::String => value.coerce_to_string().and_then(|text| text.into_utf8()?.into_owned()).map_err(wrong),
        other => Err(Fault::Argument(format!("{name}: must be a string, not {}", word(other)))),
    }
}

/// Reads an argument that is a text to be parsed by core.
pub fn parse<T: FromStr<Err = aks_acr::Error>>(name: &str, value: Unknown<'_>) -> Result<T> {
    Ok(text(name, value)?.parse()?)
}

/// The same, of an argument that may be left out.
pub fn parse_or_default<T: FromStr<Err = aks_acr::Error> + Default>(name: &str, value: Unknown<'_>) -> Result<T> {
    let of_type = value.get_type().map_err(|err| Fault::Argument(format!("{name}: {}", err.reason)))?;
    match of_type {
        ValueType::Undefined | ValueType::Null => Ok(T::default()),
        _ => parse(name, value),
    }
}

/// Reads an argument that is an object, such as a stored plan.
pub fn object<T: DeserializeOwned>(name: &str, value: Unknown<'_>) -> Result<T> {
    compound(name, value, "an object")
}

/// Reads an argument that is a list.
pub fn list<T: DeserializeOwned>(name: &str, value: Unknown<'_>) -> Result<Vec<T>> {
    compound(name, value, "an array")
}

fn compound<T: DeserializeOwned>(name: &str, value: Unknown<'_>, wanted: &str) -> Result<T> {
    let wrong = |err: napi::Error| Fault::Argument(format!("{name}: {}", err.reason));
    let of_type = value.get_type().map_err(wrong)?;
    let is_array = of_type == ValueType::Object && value.is_array().map_err(wrong)?;
    let found = if is_array { "an array" } else { word(of_type) };
    if found != wanted {
        return Err(Fault::Argument(format!("{name}: must be {wanted}, not {found}")));
    }
    let object = value.coerce_to_object().map_err(wrong)?;
    serde_path_to_error::deserialize(&mut De::new(&object)).map_err(|err| {
        let path = err.path().to_string();
        let place = match path.as_str() {
            "." => name.to_owned(),
            index if index.starts_with('[') => format!("{name}{index}"),
            path => format!("{name}.{path}"),
        };
        let complaint = words::with_names_of_node(&words::of_javascript(&err.into_inner().reason));
        // Two of each are read before the others are passed on to here.
        let complaint = match name {
            "options" => words::with_others(complaint, "`signal`, `onProgress`"),
            "settings" => words::with_others(complaint, "`credential`, `onWrite`"),
            _ => complaint,
        };
        Fault::Argument(format!("{place}: {complaint}"))
    })
}

/// Reads an object of options; none at all is an empty one.
pub fn options<T: DeserializeOwned + Default>(value: Unknown<'_>) -> Result<T> {
    match value.get_type() {
        Ok(ValueType::Undefined | ValueType::Null) => Ok(T::default()),
        _ => object("options", value),
    }
}

fn word(of: ValueType) -> &'static str {
    match of {
        ValueType::Undefined => "undefined",
        ValueType::Null => "null",
        ValueType::Boolean => "a boolean",
        ValueType::Number => "a number",
        ValueType::BigInt => "a bigint",
        ValueType::String => "a string",
        ValueType::Symbol => "a symbol",
        ValueType::Function => "a function",
        _ => "an object",
    }
}

/// An option that is a text to be parsed by core.
pub struct Text<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// An option that is a secret. A value that is not text is rejected without being repeated.
pub struct Hidden(pub Secret);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let wrong = |_| serde::de::Error::custom("must be a string");
        String::deserialize(from).map(|text| Self(Secret::from(text))).map_err(wrong)
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
        let wrong = |_| serde::de::Error::custom(format!("must be a number of milliseconds, not {number}"));
        Duration::try_from_secs_f64(number / 1000.0).map(Self).map_err(wrong)
    }
}

/// Sets an option, if one was given.
pub fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}

/// An SSH key: the public key itself, or the file of a pair.
pub fn ssh_key(key: Option<String>, file: Option<PathBuf>) -> Result<Option<SshKey>> {
    match (key, file) {
        (None, None) => Ok(None),
        (Some(key), None) => Ok(Some(SshKey::Public(key))),
        (None, Some(file)) => Ok(Some(SshKey::Pair(file))),
        (Some(_), Some(_)) => Err(Fault::Argument("options.sshKeyFile: cannot be combined with sshKey".to_owned())),
    }
}

/// Reads the credentials of a pull secret.
pub fn registry_credentials(name: &str, value: Unknown<'_>) -> Result<Vec<RegistryCredential>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Given {
        registry: String,
        username: String,
        password: Hidden,
    }
    let given: Vec<Given> = list(name, value)?;
    Ok(given.into_iter().map(|one| RegistryCredential::new(one.registry, one.username, one.password.0)).collect())
}

/// The credentials of an import's source: a user and a password, or a token as the password.
pub fn credentials(username: Option<String>, password: Option<Hidden>) -> Result<Option<ImportCredentials>> {
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some(ImportCredentials::user(username, password.0))),
        (None, Some(token)) => Ok(Some(ImportCredentials::token(token.0))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Fault::Argument("options.username: needs a password".to_owned())),
    }
}
