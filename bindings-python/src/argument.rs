//! Arguments: text that core reads, and durations.

use crate::error;
use aks_acr::{ImportCredentials, NewNodePool, RegistryCredential, SshKey};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyInt, PyMapping},
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

/// A type that core parses from text: a cluster, a registry, an image, a principal. Invalid text is an error here.
#[derive(Clone, Copy)]
pub struct Parsed<T>(pub T);

impl<T: FromStr<Err: Into<aks_acr::Error>>> FromPyObject<'_, '_> for Parsed<T> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let text: &str = given.extract()?;
        text.parse().map(Self).map_err(|err: T::Err| error::to_py(given.py(), &err.into()))
    }
}

/// An invalid duration or number. Only the operation knows the argument's name.
pub enum Wrong {
    Type(String),
    Value(String),
}

impl Wrong {
    fn class(expected: &str, given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self::Type(format!("must be {expected}, not {}", given.get_type().qualname()?)))
    }

    fn named(self, py: Python<'_>, name: &str) -> PyErr {
        match self {
            Self::Type(text) => PyTypeError::new_err(format!("{name}: {text}")),
            Self::Value(text) => error::invalid(py, format!("{name}: {text}")),
        }
    }
}

/// A duration: seconds (`inf` means no limit) or a `timedelta`.
pub struct Span(Result<Duration, Wrong>);

impl Span {
    /// The duration given for an argument, if any.
    pub fn named(given: Option<Self>, py: Python<'_>, name: &str) -> PyResult<Option<Duration>> {
        given.map(|Self(span)| span).transpose().map_err(|wrong| wrong.named(py, name))
    }
}

impl FromPyObject<'_, '_> for Span {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let no_duration = || Wrong::Value(format!("invalid duration: {}", *given));
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
    /// The number given for an argument, if any.
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

/// The caller's function that receives the events of a call. A coroutine function is rejected: it would never run.
pub struct Listening(pub Py<PyAny>);

impl FromPyObject<'_, '_> for Listening {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        given.py().import("aks_acr._ask")?.call_method1("check_listener", (given,))?;
        Ok(Self(given.to_owned().unbind()))
    }
}

/// The key that may sign in to a cluster's nodes: a public key, or a key pair in a file.
pub fn ssh_key(key: Option<String>, file: Option<PathBuf>) -> PyResult<Option<SshKey>> {
    match (key, file) {
        (None, None) => Ok(None),
        (Some(key), None) => Ok(Some(SshKey::Public(key))),
        (None, Some(file)) => Ok(Some(SshKey::Pair(file))),
        (Some(_), Some(_)) => Err(PyTypeError::new_err("ssh_key_file: cannot be combined with ssh_key")),
    }
}

/// The credentials of a pull secret, each a mapping. What is wrong is said without repeating a value.
pub struct RegistryCredentials(pub Vec<RegistryCredential>);

impl FromPyObject<'_, '_> for RegistryCredentials {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let wrong = || {
            PyTypeError::new_err("credentials: must be a list of mappings with 'registry', 'username' and 'password'")
        };
        if given.cast::<PyMapping>().is_ok() {
            return Err(wrong());
        }
        let one = |given: PyResult<Bound<'_, PyAny>>| {
            let given = given?;
            let mapping = given.cast::<PyMapping>().map_err(|_| wrong())?;
            let text =
                |name: &str| mapping.get_item(name).and_then(|value| value.extract::<String>()).map_err(|_| wrong());
            let (registry, username, password) = (text("registry")?, text("username")?, text("password")?);
            if mapping.len()? != 3 {
                return Err(wrong());
            }
            Ok(RegistryCredential::new(registry, username, password.into()))
        };
        given.try_iter().map_err(|_| wrong())?.map(one).collect::<PyResult<_>>().map(Self)
    }
}

/// The node pools of a cluster, each a mapping that core reads.
pub struct NodePools(pub Vec<NewNodePool>);

impl FromPyObject<'_, '_> for NodePools {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let wrong = || PyTypeError::new_err("node_pools: must be a list of mappings, each with a 'name'");
        if given.cast::<PyMapping>().is_ok() {
            return Err(wrong());
        }
        let (json, dict) = (py.import("json")?, py.import("builtins")?.getattr("dict")?);
        let one = |given: PyResult<Bound<'_, PyAny>>| {
            let given = given?;
            let mapping = given.cast::<PyMapping>().map_err(|_| wrong())?;
            let text: String = json.call_method1("dumps", (dict.call1((mapping,))?,))?.extract()?;
            text.parse().map_err(|err| error::to_py(py, &err))
        };
        given.try_iter().map_err(|_| wrong())?.map(one).collect::<PyResult<_>>().map(Self)
    }
}

/// How Azure signs in to the source registry of an import: with a username and password, or with a token.
pub fn credentials(username: Option<String>, password: Option<String>) -> PyResult<Option<ImportCredentials>> {
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some(ImportCredentials::user(username, password.into()))),
        (None, Some(token)) => Ok(Some(ImportCredentials::token(token.into()))),
        (Some(_), None) => Err(PyTypeError::new_err("username: requires a password")),
        (None, None) => Ok(None),
    }
}

/// Sets an option if it was given; otherwise core's default stays.
pub fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}
