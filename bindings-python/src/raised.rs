//! Reads the exception of the caller's credential, for core to classify.

use aks_acr::CredentialFailure;
use pyo3::{prelude::*, types::PyTuple};

/// How many causes are read: an exception may be its own cause.
const MOST_CAUSES: usize = 8;

/// The texts of an exception and its causes. An attribute that cannot be read is skipped: it must not hide the exception.
pub fn failure(error: &Bound<'_, PyAny>) -> CredentialFailure {
    let chain: Vec<_> = std::iter::successors(Some(error.clone()), cause).take(MOST_CAUSES).collect();
    let behind = |inner: Option<CredentialFailure>, error: &Bound<'_, PyAny>| Some(read(error, inner));
    chain.iter().rev().fold(None, behind).unwrap_or_default()
}

/// The `__cause__`, or else the `__context__`, as Python's traceback shows it.
fn cause<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let get = |name: &str| error.getattr(name).ok().filter(|value| !value.is_none());
    let is_hidden = || get("__suppress_context__").is_some_and(|hidden| hidden.is_truthy().unwrap_or(false));
    get("__cause__").or_else(|| if is_hidden() { None } else { get("__context__") })
}

fn read(error: &Bound<'_, PyAny>, cause: Option<CredentialFailure>) -> CredentialFailure {
    let response = error.getattr("response").ok();
    // azure-core, then aiohttp and urllib, then requests and httpx.
    let status = ["status_code", "status"].into_iter().find_map(|name| number(error, name));
    let of_response = || ["status_code", "status"].into_iter().find_map(|name| number(response.as_ref()?, name));
    let headers = response.as_ref().and_then(headers).or_else(|| headers(error));
    CredentialFailure {
        classes: classes(&error.get_type().mro()),
        message: error.str().map(|text| text.to_string()).unwrap_or_default(),
        codes: Vec::new(),
        status: status.or_else(of_response),
        headers: headers.unwrap_or_default(),
        causes: cause.into_iter().collect(),
    }
}

fn classes(mro: &Bound<'_, PyTuple>) -> Vec<String> {
    mro.iter().filter_map(|class| class.getattr("__name__").ok()?.extract().ok()).collect()
}

fn number(of: &Bound<'_, PyAny>, name: &str) -> Option<u16> {
    of.getattr(name).ok()?.extract().ok()
}

fn headers(of: &Bound<'_, PyAny>) -> Option<Vec<(String, String)>> {
    let items = of.getattr("headers").ok()?.call_method0("items").ok()?;
    Some(items.try_iter().ok()?.filter_map(|item| item.ok()?.extract().ok()).collect())
}
