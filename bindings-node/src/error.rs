//! Errors on their way to JavaScript, where the class `AksAcrError` is.

use crate::{credential::Rejection, words};
use aks_acr::ErrorKind;
use napi::{Env, JsValue, Unknown, bindgen_prelude::JsObjectValue};
use serde::Serialize;
use std::error::Error as StdError;

/// What a promise is rejected with: core's error, or an argument that could not be read.
pub enum Fault {
    /// Core's.
    Core(aks_acr::Error),
    /// The argument's fault: which one, and what was wanted.
    Argument(String),
}

pub type Result<T> = std::result::Result<T, Fault>;

impl From<aks_acr::Error> for Fault {
    fn from(err: aks_acr::Error) -> Self {
        Self::Core(err)
    }
}

/// The fields of `AksAcrError`; what is not known is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    code: &'static str,
    is_transient: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_action: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest_role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_failure: Option<&'a aks_acr::PullFailure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_side: Option<aks_acr::ImportSide>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<aks_acr::RefusalKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<&'a [aks_acr::DenyingPolicy]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
}

impl Fault {
    fn message(&self) -> String {
        match self {
            Self::Core(err) => words::with_names_of_node(&format!("{err:#}")),
            Self::Argument(text) => text.clone(),
        }
    }

    fn fields(&self) -> Fields<'_> {
        let (code, err) = match self {
            Self::Core(err) => (err.kind().as_str(), Some(err)),
            Self::Argument(_) => (ErrorKind::InvalidInput.as_str(), None),
        };
        Fields {
            code,
            is_transient: err.is_some_and(aks_acr::Error::is_transient),
            created: err.and_then(aks_acr::Error::created),
            status: err.and_then(aks_acr::Error::status),
            service_code: err.and_then(aks_acr::Error::code),
            request_id: err.and_then(aks_acr::Error::request_id),
            correlation_id: err.and_then(aks_acr::Error::correlation_id),
            missing_action: err.and_then(aks_acr::Error::missing_action),
            scope: err.and_then(aks_acr::Error::scope),
            smallest_role: err.and_then(aks_acr::Error::smallest_role),
            retry_after_ms: err.and_then(aks_acr::Error::retry_after).map(|wait| wait.as_secs_f64() * 1000.0),
            pull_failure: err.and_then(aks_acr::Error::pull_failure),
            failed_side: err.and_then(aks_acr::Error::failed_side),
            refusal: err.and_then(aks_acr::Error::refusal),
            policies: err.map(aks_acr::Error::policies).filter(|policies| !policies.is_empty()),
            claims: err.and_then(aks_acr::Error::claims),
        }
    }

    /// What the caller's credential threw, if that is what lies behind it.
    fn rejection(&self) -> Option<&Rejection> {
        let Self::Core(err) = self else { return None };
        let mut behind = err.source();
        while let Some(err) = behind {
            if let Some(rejection) = err.downcast_ref() {
                return Some(rejection);
            }
            behind = err.source();
        }
        None
    }

    /// An error object with the message, `fields` and `cause`. It must be made on the JavaScript thread.
    pub fn into_object(self, env: &Env) -> napi::Result<Unknown<'_>> {
        let mut object = env.create_error(napi::Error::from_reason(self.message()))?;
        object.set_named_property("fields", env.to_js_value(&self.fields())?)?;
        if let Some(cause) = self.rejection().and_then(Rejection::thrown) {
            object.set_named_property("cause", cause)?;
        }
        Ok(object.to_unknown())
    }

    /// The same, to be thrown.
    pub fn into_js(self, env: &Env) -> napi::Error {
        self.into_object(env).map_or_else(|err| err, napi::Error::from)
    }
}
