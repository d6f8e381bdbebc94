//! Results as Python values: frozen, comparable, hashable, picklable, and fit for `match`.
//!
//! A result's JSON form is core's contract, the same in every language, so results are converted through it: a class here reads what
//! core writes, strictly, so a field that is missing in a class fails the tests.

use crate::error::invalid;
use pyo3::{
    IntoPyObjectExt as _,
    conversion::FromPyObjectOwned,
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyTuple, PyType},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::SystemTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Converts a value of core to one of ours, or back. By the text, as it is stored: the code to read it exists once for each type.
pub fn through_json<T: DeserializeOwned>(value: &impl Serialize) -> PyResult<T> {
    from_json(&to_json(value)?)
}

pub fn to_json(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|err| PyValueError::new_err(err.to_string()))
}

/// A stored value may come from another program: another form is rejected.
pub fn from_json<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|err| PyValueError::new_err(format!("invalid JSON form: {err}")))
}

/// A stored form that has a version.
#[derive(Deserialize)]
struct Versioned {
    #[serde(rename = "version")]
    _version: serde_json::Value,
}

/// The same for a text of the caller's. A form with a version is read by the type of the core, too, which knows the versions that there are.
pub fn from_stored<C: DeserializeOwned, T: DeserializeOwned>(class: &Bound<'_, PyType>, text: &str) -> PyResult<T> {
    let wrong = |err| Ok(invalid(class.py(), format!("text: not the JSON form of {}: {err}", class.qualname()?)));
    let is_versioned = serde_json::from_str::<Versioned>(text).is_ok();
    let read = serde_json::from_str(text)
        .and_then(|read| if is_versioned { serde_json::from_str::<C>(text).map(|_| read) } else { Ok(read) });
    read.map_err(|err| wrong(err).unwrap_or_else(|err: PyErr| err))
}

/// The word that names the variant.
pub fn kind_of(value: &impl Serialize) -> PyResult<String> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    Ok(through_json::<Kind>(value)?.kind)
}

/// As a Python call that constructs the value.
pub fn repr(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let class = value.get_type();
    let names: Vec<String> = class.getattr("__match_args__")?.extract()?;
    let mut fields = Vec::new();
    for name in names {
        fields.push(format!("{name}={}", value.getattr(&*name)?.repr()?));
    }
    Ok(format!("{}({})", class.qualname()?, fields.join(", ")))
}

/// A copy with other values for some fields.
pub fn replace<'py>(value: &Bound<'py, PyAny>, changes: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
    let class = value.get_type();
    let fields = PyDict::new(value.py());
    for name in class.getattr("__match_args__")?.extract::<Vec<String>>()? {
        fields.set_item(&name, value.getattr(&*name)?)?;
    }
    if let Some(changes) = changes {
        fields.update(changes.as_mapping())?;
    }
    class.call((), Some(&fields))
}

/// Core's text for a value. For a value that only a test can construct, its `repr`.
pub fn line<C: DeserializeOwned + ToString>(value: &impl Serialize, shown: &Bound<'_, PyAny>) -> PyResult<String> {
    through_json::<C>(value).map(|value| value.to_string()).or_else(|_| repr(shown))
}

/// Pickled by its JSON form: no field can be forgotten.
pub fn reduce<'py>(value: &Bound<'py, PyAny>, class: &str, json: &str) -> PyResult<Bound<'py, PyTuple>> {
    let py = value.py();
    (py.import("aks_acr._native")?.getattr("load")?, (class, json)).into_pyobject(py)
}

/// Restores a value of a class from its JSON form; for pickle.
#[pyfunction]
pub fn load<'py>(py: Python<'py>, class_name: &str, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("aks_acr._native")?.getattr(class_name)?.call_method1("from_json", (json,))
}

/// A time: RFC 3339 in JSON, an aware `datetime` in Python.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(String);

impl Time {
    /// A time of core's, if it can be written.
    pub fn of(at: SystemTime) -> Option<Self> {
        OffsetDateTime::from(at).format(&Rfc3339).ok().map(Self)
    }
}

impl<'py> IntoPyObject<'py> for Time {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let at = OffsetDateTime::parse(&self.0, &Rfc3339).map_err(|err| PyValueError::new_err(err.to_string()))?;
        Ok(SystemTime::from(at).into_pyobject(py)?.into_any())
    }
}

impl FromPyObject<'_, '_> for Time {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        // In a zone to the west, the last hours of the year 9999 are in the year 10000 in UTC.
        let far = || PyValueError::new_err("must be a time between the years 1970 and 9999 in UTC");
        let after = given.extract::<SystemTime>()?.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| far())?;
        let after = time::Duration::try_from(after).map_err(|_| far())?;
        let at = OffsetDateTime::UNIX_EPOCH.checked_add(after).ok_or_else(far)?;
        Ok(Self(at.format(&Rfc3339).map_err(|_| far())?))
    }
}

/// Several values: a tuple in Python, since results do not change.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Several<T>(pub Vec<T>);

impl<'py, T: IntoPyObject<'py>> IntoPyObject<'py> for Several<T> {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let items: PyResult<Vec<_>> = self.0.into_iter().map(|item| item.into_bound_py_any(py)).collect();
        PyTuple::new(py, items?)
    }
}

impl<'a, 'py, T: FromPyObjectOwned<'py>> FromPyObject<'a, 'py> for Several<T> {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut items = Vec::new();
        for item in given.try_iter()? {
            items.push(item?.extract().map_err(Into::into)?);
        }
        Ok(Self(items))
    }
}

/// Any JSON: dicts, lists and plain values in Python.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(serde_json::Value);

impl<'py> IntoPyObject<'py> for Json {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        py.import("json")?.call_method1("loads", (to_json(&self)?,))
    }
}

impl FromPyObject<'_, '_> for Json {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let text: String = given.py().import("json")?.call_method1("dumps", (given,))?.extract()?;
        from_json(&text)
    }
}

/// A result with fields.
macro_rules! value {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$meta])*
        #[pyo3::pyclass(frozen, eq, hash, get_all, from_py_object, module = "aks_acr")]
        #[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        $crate::value::methods! { $name;
            #[new]
            #[pyo3(signature = (*, $($field),*))]
            fn new($($field: $type),*) -> Self {
                Self { $($field),* }
            }

            /// A copy with other values for some fields; for `copy.replace`.
            #[pyo3(signature = (/, **changes))]
            fn __replace__<'py>(
                this: &pyo3::Bound<'py, Self>,
                changes: Option<&pyo3::Bound<'py, pyo3::types::PyDict>>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                $crate::value::replace(this.as_any(), changes)
            }

            #[classattr]
            fn __match_args__() -> $crate::value::Several<&'static str> {
                $crate::value::Several(vec![$(stringify!($field)),*])
            }
        }
    };
}

/// A result that has one of several forms: a class for each, under one base, distinguished by `match` or by `.kind`.
macro_rules! variants {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? },)*
        }
    ) => {
        $(#[$meta])*
        #[pyo3::pyclass(frozen, eq, hash, from_py_object, module = "aks_acr")]
        #[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
        pub enum $name {
            $($(#[$variant_meta])* $variant { $($(#[$field_meta])* $field: $type),* },)*
        }

        $crate::value::methods! { $name;
            /// The name of this variant, the same word in every language.
            #[getter]
            fn kind(&self) -> pyo3::PyResult<String> {
                $crate::value::kind_of(self)
            }
        }
    };
}

/// The methods of all results, and those of one.
macro_rules! methods {
    ($name:ident; $($own:tt)*) => {
        #[pyo3::pymethods]
        impl $name {
            $($own)*

            fn __repr__(this: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<String> {
                $crate::value::repr(this.as_any())
            }

            fn __reduce__<'py>(
                this: &pyo3::Bound<'py, Self>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::types::PyTuple>> {
                $crate::value::reduce(this.as_any(), stringify!($name), &this.get().to_json()?)
            }

            /// One readable line, or a table.
            fn __str__(this: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<String> {
                $crate::value::line::<aks_acr::$name>(this.get(), this.as_any())
            }

            /// Its JSON form, the same in every language.
            fn to_json(&self) -> pyo3::PyResult<String> {
                $crate::value::to_json(self)
            }

            /// Reads its JSON form.
            #[classmethod]
            fn from_json(class: &pyo3::Bound<'_, pyo3::types::PyType>, text: &str) -> pyo3::PyResult<Self> {
                $crate::value::from_stored::<aks_acr::$name, Self>(class, text)
            }
        }
    };
}

pub(crate) use {methods, value, variants};
