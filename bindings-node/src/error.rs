//! Errors on their way to JavaScript, where the class `AksAcrError` is.

use crate::{credential::Rejection, operations, words};
use aks_acr::ErrorKind;
use napi::{Env, JsValue, Unknown, bindgen_prelude::JsObjectValue};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::error::Error as StdError;

/// What a promise is rejected with: core's error, or an argument that could not be read.
pub enum Fault {
    /// Core's.
    Core(aks_acr::Error),
    /// An invalid argument: which one, and why.
    Argument(String),
}

pub type Result<T> = std::result::Result<T, Fault>;

impl From<aks_acr::Error> for Fault {
    fn from(err: aks_acr::Error) -> Self {
        Self::Core(err)
    }
}

/// Adds a fact that is known.
pub fn put<T: Serialize>(facts: &mut Map<String, Value>, name: &str, fact: Option<T>) {
    if let Some(fact) = fact {
        facts.insert(name.to_owned(), serde_json::json!(fact));
    }
}

/// What a value of core's is asked for, as JSON.
pub fn asked<C: DeserializeOwned, T: Serialize>(json: &str, ask: impl FnOnce(&C) -> Result<T>) -> Result<String> {
    let unreadable = |err: serde_json::Error| Fault::Argument(err.to_string());
    let given = ask(&serde_json::from_str(json).map_err(unreadable)?)?;
    serde_json::to_string(&given).map_err(unreadable)
}

impl Fault {
    fn message(&self) -> String {
        match self {
            Self::Core(err) => words::with_names_of_node(&format!("{err:#}")),
            Self::Argument(text) => text.clone(),
        }
    }

    /// The fields of `AksAcrError`; what is unknown is left out.
    fn fields(&self) -> Map<String, Value> {
        match self {
            Self::Core(err) => operations::facts(err),
            Self::Argument(_) => Map::from_iter([("code".to_owned(), ErrorKind::InvalidInput.as_str().into())]),
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
