//! Arguments: text that core reads, and durations.

use crate::error;
use pyo3::{exceptions::PyValueError, prelude::*};
use std::{str::FromStr, time::Duration};

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

/// A duration: seconds, or a `timedelta`.
pub struct Span(pub Duration);

impl FromPyObject<'_, '_> for Span {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let Ok(seconds) = given.extract::<f64>() else { return given.extract().map(Self) };
        let span = Duration::try_from_secs_f64(seconds);
        span.map(Self).map_err(|err| PyValueError::new_err(format!("not a duration in seconds: {seconds}: {err}")))
    }
}

/// Sets an option that was given; core has a default for the others.
pub fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}
