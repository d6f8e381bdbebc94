//! A kubeconfig on its way to the class that hides its text.

use crate::error::Fault;
use napi::Env;
use serde::Serialize;

/// The text of a kubeconfig's context and server, without its keys.
#[napi_derive::napi]
pub fn describe_kubeconfig(env: &Env, text: String) -> napi::Result<String> {
    let read = aks_acr::Kubeconfig::parse(text).map(|kubeconfig| kubeconfig.to_string());
    read.map_err(|err| Fault::from(err).into_js(env))
}

/// Its parts.
#[derive(Serialize)]
pub struct Shown {
    server: String,
    context: String,
    text: String,
}

impl From<aks_acr::Kubeconfig> for Shown {
    fn from(of: aks_acr::Kubeconfig) -> Self {
        Self { server: of.server().to_owned(), context: of.context().to_owned(), text: of.text().to_owned() }
    }
}
