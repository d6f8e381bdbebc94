//! A registry's refresh token, for other programs that push and pull.

use azure_core::credentials::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// The user name that Azure registries expect with a refresh token.
const USER: &str = "00000000-0000-0000-0000-000000000000";

/// A user name and a password for an Azure registry, for docker, helm, oras, and other programs. The password is a refresh token of the
/// registry. It is valid for about 3 hours and cannot be renewed: call [`registry_token`](crate::Client::registry_token) again.
///
/// Printing or logging it does not show the password. The password gives the permissions that the caller had on the registry when it was
/// issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryToken {
    /// The registry's host for pushes and pulls.
    pub login_server: String,
    /// The user name. It is the same for every caller.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The expiry. `None` if the token does not contain it.
    pub expires: Option<SystemTime>,
}

impl RegistryToken {
    /// A token for the registry with this login server.
    #[must_use]
    pub fn new(login_server: impl Into<String>, password: Secret) -> Self {
        let expires = expiry(password.secret());
        Self { login_server: login_server.into(), username: USER.to_owned(), password, expires }
    }
}

impl fmt::Display for RegistryToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token for {}", crate::quoted::Complete(&self.login_server))?;
        match self.expires {
            Some(expires) => write!(f, ", expires {}", crate::stored_time::text(expires)),
            None => Ok(()),
        }
    }
}

/// When a token expires, if it is a JSON web token that says so. Its signature is not checked.
pub(crate) fn expiry(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let mut parts = token.trim().split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    // Later times cannot be written.
    let since = Duration::try_from_secs_f64(exp).ok().filter(|since| since.as_secs() <= LAST)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs()))
}

/// The end of the year 9999.
const LAST: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_expiry_is_read_from_the_token() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(expiry(&jwt(r#"{"exp":1700000000}"#)), at(1_700_000_000));
        assert_eq!(expiry(&format!("{}\n", jwt(r#"{"exp":1700000000.5,"aud":"x"}"#))), at(1_700_000_000));
    }

    #[test]
    fn a_token_without_a_readable_expiry_has_none() {
        for text in ["", "a.b", "a.b.c", "dckr_pat_x", &jwt("{}"), &jwt(r#"{"exp":-1}"#), &jwt(r#"{"exp":1e300}"#)] {
            assert_eq!(expiry(text), None, "{text}");
        }
        assert_eq!(expiry(&jwt(r#"{"exp":253402300800}"#)), None);
    }

    #[test]
    fn the_password_is_not_shown() {
        let token = RegistryToken::new("myregistry.azurecr.io", Secret::new(jwt(r#"{"exp":1700000000}"#)));
        let shown = format!("{token} {token:?} {token:#?}");
        assert!(!shown.contains(token.password.secret()));
        assert!(shown.starts_with("token for myregistry.azurecr.io, expires 2023-11-14T22:13:20Z "), "{shown}");
    }
}
