//! Arguments: text that core reads, and durations.

use crate::error;
use aks_acr::{ImportCredentials, SshKey};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyInt};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// Text, also that of an enum whose members are text.
pub struct Text(pub String);

impl FromPyObject<'_, '_> for Text {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        given.extract().map(Self)
    }
}

/// What core reads from text: a cluster, a registry, an image, a principal. What cannot be one is an error here already.
pub struct Parsed<T>(pub T);

impl<T: FromStr<Err: Into<aks_acr::Error>>> FromPyObject<'_, '_> for Parsed<T> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let text: &str = given.extract()?;
        text.parse().map(Self).map_err(|err: T::Err| error::to_py(given.py(), &err.into()))
    }
}

/// What is no duration or no number. Only the operation knows which of its arguments it is.
pub enum Wrong {
    Type(String),
    Value(String),
}

impl Wrong {
    fn class(wanted: &str, given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self::Type(format!("wanted {wanted}, and not {}", given.get_type().qualname()?)))
    }

    fn named(self, py: Python<'_>, name: &str) -> PyErr {
        match self {
            Self::Type(text) => PyTypeError::new_err(format!("{name}: {text}")),
            Self::Value(text) => error::invalid(py, format!("{name}: {text}")),
        }
    }
}

/// A duration: seconds, of which `inf` is for ever, or a `timedelta`.
pub struct Span(Result<Duration, Wrong>);

impl Span {
    /// The duration that was given for an argument, if one was.
    pub fn named(given: Option<Self>, py: Python<'_>, name: &str) -> PyResult<Option<Duration>> {
        given.map(|Self(span)| span).transpose().map_err(|wrong| wrong.named(py, name))
    }
}

impl FromPyObject<'_, '_> for Span {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let no_duration = || Wrong::Value(format!("not a duration: {}", *given));
        Ok(Self(if let Ok(seconds) = given.extract::<f64>() {
            if seconds == f64::INFINITY {
                Ok(Duration::MAX)
            } else {
                Duration::try_from_secs_f64(seconds).map_err(|_| no_duration())
            }
        } else if given.is_instance(&given.py().import("datetime")?.getattr("timedelta")?)? {
            given.extract().map_err(|_: PyErr| no_duration())
        } else {
            Err(Wrong::class("seconds or a timedelta", given)?)
        }))
    }
}

/// A number of things.
pub struct Count(Result<u32, Wrong>);

impl Count {
    /// The number that was given for an argument, if one was.
    pub fn named(given: Option<Self>, py: Python<'_>, name: &str) -> PyResult<Option<u32>> {
        given.map(|Self(count)| count).transpose().map_err(|wrong| wrong.named(py, name))
    }
}

impl FromPyObject<'_, '_> for Count {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self(match given.extract() {
            Ok(count) => Ok(count),
            Err(_) if given.is_instance_of::<PyInt>() => Err(Wrong::Value(format!("out of range: {}", *given))),
            Err(_) => Err(Wrong::class("a whole number", given)?),
        }))
    }
}

/// A function of the caller's that hears of a call. One that gives a coroutine would never run.
pub struct Listening(pub Py<PyAny>);

impl FromPyObject<'_, '_> for Listening {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        given.py().import("aks_acr._ask")?.call_method1("check_listener", (given,))?;
        Ok(Self(given.to_owned().unbind()))
    }
}

/// Who may sign in to a cluster's nodes: who has the private half of a public key, or the pair in a file.
pub fn ssh_key(key: Option<String>, file: Option<PathBuf>) -> PyResult<Option<SshKey>> {
    match (key, file) {
        (None, None) => Ok(None),
        (Some(key), None) => Ok(Some(SshKey::Public(key))),
        (None, Some(file)) => Ok(Some(SshKey::Pair(file))),
        (Some(_), Some(_)) => Err(PyTypeError::new_err("ssh_key_file: give it or ssh_key, not both")),
    }
}

/// How Azure signs in to the source of an import: with a name and its password, or with a token.
pub fn credentials(username: Option<String>, password: Option<String>) -> PyResult<Option<ImportCredentials>> {
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some(ImportCredentials::user(username, password.into()))),
        (None, Some(token)) => Ok(Some(ImportCredentials::token(token.into()))),
        (Some(_), None) => Err(PyTypeError::new_err("a username needs a password")),
        (None, None) => Ok(None),
    }
}

/// Sets an option that was given; core has a default for the others.
pub fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}
