//! The rights that operations need.

use crate::{
    argument::{self, Text},
    error::{Fault, Result},
};
use aks_acr::{Operation, RequiredRight};
use napi::{Env, Unknown};
use napi_derive::napi;
use serde::Deserialize;

/// By these two core's right is found again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Right {
    action: String,
    is_data_action: bool,
}

/// The rights that these operations need.
#[napi]
pub fn required_rights<'env>(env: &'env Env, operations: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    let operations: Result<Vec<Text<Operation>>> = argument::list("operations", operations);
    let operations = operations.map_err(|fault| fault.into_js(env))?;
    let operations: Vec<Operation> = operations.into_iter().map(|operation| operation.0).collect();
    env.to_js_value(&aks_acr::required_rights(&operations))
}

/// A custom role that has exactly these rights.
#[napi]
pub fn custom_role_json(
    env: &Env,
    name: Unknown<'_>,
    rights: Unknown<'_>,
    assignable_scopes: Unknown<'_>,
) -> napi::Result<String> {
    let build = || -> Result<String> {
        let name = argument::text("name", name)?;
        let rights: Vec<Right> = argument::list("rights", rights)?;
        let find = |right: &Right| RequiredRight::find(&right.action, right.is_data_action);
        let found: aks_acr::Result<Vec<RequiredRight>> = rights.iter().map(find).collect();
        let rights = found.map_err(|err| Fault::Argument(format!("rights: {err}")))?;
        let scopes: Vec<String> = argument::list("assignableScopes", assignable_scopes)?;
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        Ok(aks_acr::custom_role_json(&name, &rights, &scopes))
    };
    build().map_err(|fault| fault.into_js(env))
}
