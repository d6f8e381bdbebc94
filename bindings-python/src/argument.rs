//! Arguments: text that core reads, and durations.

use crate::error;
use aks_acr::SshKey;
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};
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

/// A duration: seconds, of which `inf` is for ever, or a `timedelta`.
pub struct Span(pub Duration);

impl FromPyObject<'_, '_> for Span {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let Ok(seconds) = given.extract::<f64>() else { return given.extract().map(Self) };
        if seconds == f64::INFINITY {
            return Ok(Self(Duration::MAX));
        }
        let span = Duration::try_from_secs_f64(seconds);
        span.map(Self).map_err(|err| PyValueError::new_err(format!("not a duration in seconds: {seconds}: {err}")))
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

/// Sets an option that was given; core has a default for the others.
pub fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}
