//! The rights that operations need.

use crate::{
    error::to_py,
    value::{Several, through_json},
    values::RequiredRight,
    word::Word,
};
use aks_acr::Operation;
use pyo3::prelude::*;

/// The rights that these operations need, each once. A right that one of them requires is required.
#[pyfunction]
pub fn required_rights(operations: Several<Word<Operation>>) -> PyResult<Vec<RequiredRight>> {
    let operations: Vec<Operation> = operations.0.into_iter().map(|Word(operation)| operation).collect();
    through_json(&aks_acr::required_rights(&operations))
}

/// A custom role with exactly these rights, as JSON for `az role definition create --role-definition @file`. It includes rights
/// that are not required; remove those that you do not want from `rights`.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "values from Python are owned")]
pub fn custom_role_json(
    py: Python<'_>,
    name: &str,
    rights: Several<RequiredRight>,
    assignable_scopes: Vec<String>,
) -> PyResult<String> {
    let find = |right: &RequiredRight| aks_acr::RequiredRight::find(&right.action, right.is_data_action);
    let rights: Vec<_> = rights.0.iter().map(find).collect::<Result<_, _>>().map_err(|err| to_py(py, &err))?;
    let scopes: Vec<&str> = assignable_scopes.iter().map(String::as_str).collect();
    Ok(aks_acr::custom_role_json(name, &rights, &scopes))
}
