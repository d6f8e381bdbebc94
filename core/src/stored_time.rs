//! Times in stored results: RFC 3339 in UTC, which every language can parse.

use serde::{Deserialize as _, Deserializer, Serializer, de, ser};
use std::time::SystemTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Writes a time.
pub(crate) fn serialize<S: Serializer>(at: &SystemTime, into: S) -> Result<S::Ok, S::Error> {
    let text = OffsetDateTime::from(*at).format(&Rfc3339).map_err(ser::Error::custom)?;
    into.serialize_str(&text)
}

/// A time as it is stored, for an error.
pub(crate) fn text(at: SystemTime) -> String {
    OffsetDateTime::from(at).format(&Rfc3339).unwrap_or_else(|_| "beyond all years".to_owned())
}

/// A time of a service, if the text is one.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(SystemTime::from)
}

/// Reads a time.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
    read(&String::deserialize(from)?)
}

fn read<E: de::Error>(text: &str) -> Result<SystemTime, E> {
    OffsetDateTime::parse(text, &Rfc3339).map(SystemTime::from).map_err(E::custom)
}

/// The same, of a time that may be unknown.
pub(crate) mod option {
    use serde::{Deserialize as _, Deserializer, Serialize, Serializer};
    use std::time::SystemTime;

    /// Writes a time, or nothing.
    #[expect(clippy::ref_option, reason = "serde asks for this form")]
    pub(crate) fn serialize<S: Serializer>(at: &Option<SystemTime>, into: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Known<'a>(#[serde(with = "super")] &'a SystemTime);
        match at {
            Some(at) => into.serialize_some(&Known(at)),
            None => into.serialize_none(),
        }
    }

    /// Reads a time, or nothing.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SystemTime>, D::Error> {
        // A text, and no wrapper of one: objects of JavaScript are not read through a wrapper.
        Option::<String>::deserialize(from)?.map(|text| super::read(&text)).transpose()
    }
}
