//! Why a pod's image is not pulled.

use crate::{value::through_json, values::PullCause, word::Word};
use aks_acr::PullRetry;
use pyo3::prelude::*;

#[pymethods]
impl PullCause {
    /// Whether waiting can help.
    #[getter]
    fn retry(&self) -> PyResult<Word<PullRetry>> {
        Ok(Word(through_json::<aks_acr::PullCause>(self)?.retry()))
    }
}
