//! Passwords of applications. Each has an end; until then all of them are valid, the old ones beside the new one.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::world::World;

/// What Graph writes where a password has no end in sight, as the portal's *Never* once did.
const NEVER: &str = "2299-12-31T00:00:00Z";
/// See [addPassword](https://learn.microsoft.com/graph/api/application-addpassword): two years, unless the caller says otherwise.
const USUAL: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);

/// A password of an application.
#[derive(Clone)]
pub(crate) struct Password {
    pub(crate) key: String,
    pub(crate) name: Value,
    pub(crate) text: String,
    pub(crate) since: Instant,
    /// Whole seconds since 1970. `None`: never.
    pub(crate) end: Option<u64>,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("key", &self.key).field("end", &self.end).finish_non_exhaustive()
    }
}

/// What comes of a password that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fits {
    Yes,
    /// It was one of them.
    Ended,
    No,
}

impl Password {
    /// One without an end.
    pub(crate) fn lasting(key: String, text: String, since: Instant) -> Self {
        Self { key, name: Value::Null, text, since, end: None }
    }

    /// What Graph shows of it: all but its text, of which the first letters.
    pub(crate) fn shown(&self, clock: &Clock) -> Value {
        let date = |end: u64| OffsetDateTime::from_unix_timestamp(i64::try_from(end).ok()?).ok()?.format(&Rfc3339).ok();
        let end = self.end.and_then(date).unwrap_or_else(|| NEVER.to_owned());
        let hint: String = self.text.chars().take(3).collect();
        json!({"keyId": self.key, "displayName": self.name, "startDateTime": clock.rfc3339(self.since),
               "endDateTime": end, "hint": hint, "secretText": null})
    }
}

/// Whether a text is one of some passwords.
pub(crate) fn fits(passwords: &[Password], text: &str, unix: u64) -> Fits {
    let mut known = passwords.iter().filter(|one| one.text == text).peekable();
    if known.peek().is_none() {
        return Fits::No;
    }
    if known.any(|one| one.end.is_none_or(|end| unix < end)) { Fits::Yes } else { Fits::Ended }
}

/// When a new password ends. `None`: what was sent is not a time.
pub(crate) fn end_of_new(asked: &Value, now: u64) -> Option<u64> {
    asked.as_str().map_or(Some(now + USUAL.as_secs()), unix)
}

/// A time in seconds since 1970.
pub(crate) fn unix(text: &str) -> Option<u64> {
    u64::try_from(OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp()).ok()
}

impl World {
    /// Whether a service principal signs in with this text now.
    pub(crate) fn fits(&self, client_id: &str, text: &str, now: Instant) -> Fits {
        let known = self.principals.iter().find(|one| one.client_id.eq_ignore_ascii_case(client_id));
        known.map_or(Fits::No, |one| fits(&one.passwords, text, self.clock.unix(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_password_has_its_own_end() {
        let of = |text: &str, end| Password { end, ..Password::lasting("k".into(), text.into(), Instant::now()) };
        let all = [of("old", Some(100)), of("new", Some(300)), of("first", None)];
        assert_eq!((fits(&all, "old", 99), fits(&all, "old", 100)), (Fits::Yes, Fits::Ended));
        assert_eq!(
            (fits(&all, "new", 100), fits(&all, "first", 9999), fits(&all, "none", 1)),
            (Fits::Yes, Fits::Yes, Fits::No)
        );
        assert!(!format!("{all:?}").contains("old"));
    }

    #[test]
    fn a_password_ends_when_it_was_asked_to_or_after_two_years() {
        assert_eq!(end_of_new(&Value::Null, 10), Some(10 + 63_072_000));
        assert_eq!(end_of_new(&json!("1970-01-01T00:01:00Z"), 10), Some(60));
        assert_eq!(end_of_new(&json!("soon"), 10), None);
    }
}
