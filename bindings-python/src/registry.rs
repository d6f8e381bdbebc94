//! A registry's token, which is a secret.

use crate::value::Time;
use pyo3::prelude::*;

/// A user name and a password for a registry. Only `password` shows the password.
#[pyclass(frozen, eq, hash, module = "aks_acr")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RegistryToken {
    /// Host of the registry for pushes and pulls.
    #[pyo3(get)]
    login_server: String,
    /// User name. It is the same for every caller.
    #[pyo3(get)]
    username: String,
    /// Expiry, about 3 hours after the call. `None` if the token does not contain it.
    #[pyo3(get)]
    expires: Option<Time>,
    password: String,
    text: String,
}

impl From<aks_acr::RegistryToken> for RegistryToken {
    fn from(token: aks_acr::RegistryToken) -> Self {
        Self {
            text: token.to_string(),
            password: token.password.secret().to_owned(),
            expires: token.expires.and_then(Time::of),
            login_server: token.login_server,
            username: token.username,
        }
    }
}

#[pymethods]
impl RegistryToken {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("login_server", "username", "expires")
    }

    /// The password. It is a secret.
    #[getter]
    fn password(&self) -> &str {
        &self.password
    }

    fn __repr__(this: &Bound<'_, Self>) -> PyResult<String> {
        crate::value::repr(this.as_any())
    }

    /// One readable line, without the password.
    fn __str__(&self) -> &str {
        &self.text
    }
}
