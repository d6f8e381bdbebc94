//! A registry's token on its way to the class that hides its password.

use serde::Serialize;
use std::time::SystemTime;

/// Its parts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    login_server: String,
    username: String,
    /// In milliseconds since 1970.
    expires: Option<f64>,
    password: String,
    text: String,
}

impl From<aks_acr::RegistryToken> for Shown {
    fn from(token: aks_acr::RegistryToken) -> Self {
        let since = token.expires.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self {
            text: token.to_string(),
            password: token.password.secret().to_owned(),
            expires: since.map(|since| since.as_secs_f64() * 1000.0),
            login_server: token.login_server,
            username: token.username,
        }
    }
}
