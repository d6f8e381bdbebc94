//! Enums without fields: Python enums whose members are text, and that accept the text.

use crate::{argument::Text, error};
use pyo3::{prelude::*, types::PyDict};
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};

/// An enum of core that Python has under the same name.
pub trait Known: Copy + PartialEq + 'static {
    const NAME: &'static str;
    const WORDS: &'static [Self];
    fn word(self) -> &'static str;
}

macro_rules! known {
    ($($name:ident),*) => {
        $(impl $crate::word::Known for aks_acr::$name {
            const NAME: &'static str = stringify!($name);
            const WORDS: &'static [Self] = Self::ALL;

            fn word(self) -> &'static str {
                self.as_str()
            }
        })*

        /// The string values of every enum in core; a test checks that those in Python are the same.
        #[pyo3::pyfunction]
        pub fn words(py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Bound<'_, pyo3::types::PyDict>> {
            let words = pyo3::types::PyDict::new(py);
            $($crate::word::add::<aks_acr::$name>(&words)?;)*
            Ok(words)
        }
    };
}
pub(crate) use known;

/// Adds the words of an enum to the list.
pub fn add<T: Known>(words: &Bound<'_, PyDict>) -> PyResult<()> {
    words.set_item(T::NAME, T::WORDS.iter().map(|one| one.word()).collect::<Vec<_>>())
}

/// A word as a field or an argument.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Word<T>(pub T);

impl<T: Known> Eq for Word<T> {}

impl<T: Known> Hash for Word<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.word().hash(state);
    }
}

impl<'py, T: Known> IntoPyObject<'py> for Word<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        py.import("aks_acr._words")?.getattr(T::NAME)?.call1((self.0.word(),))
    }
}

impl<T: Known + std::str::FromStr<Err = aks_acr::Error>> FromPyObject<'_, '_> for Word<T> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let Text(text) = given.extract()?;
        text.parse().map(Self).map_err(|err| error::to_py(given.py(), &err))
    }
}
