//! Writes: how each looks before it is sent, and what can prevent it.

use crate::{
    error::{Error, ErrorKind, Result, words},
    refusal::RefusalKind,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// A request that changes something, before it is sent.
///
/// A request that only reads is not a write, whatever its HTTP method: for example, a POST that gets a kubeconfig, or a dry-run apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Write {
    /// The service that would receive it.
    pub service: WriteService,
    /// The HTTP method, such as `PUT`.
    pub method: String,
    /// The resource ID; the cluster's resource ID and the path in its API; or the path in Microsoft Graph.
    /// Without the query, which may contain a signature.
    pub target: String,
    /// The action that Azure checks. `None` for Kubernetes and Microsoft Graph.
    pub action: Option<String>,
    /// The step that it belongs to.
    pub step: String,
    /// The body without secrets: for Azure and Microsoft Graph the body with secret values replaced, for Kubernetes the object's kind, name and namespace.
    pub body: Option<Value>,
}

/// The service that receives a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WriteService {
    /// Azure Resource Manager.
    Azure,
    /// The API of a cluster.
    Kubernetes,
    /// Microsoft Graph: Entra ID.
    Graph,
}

words!(WriteService, "service": Azure => "azure", Kubernetes => "kubernetes", Graph => "graph");

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.target, self.step)
    }
}

/// A hook that is called before each write is sent, and can reject it. It must return at once.
pub trait WriteHook: Send + Sync + 'static {
    /// Checks a write.
    /// An error prevents it from being sent, and its text becomes part of the caller's error.
    ///
    /// # Errors
    /// The reason for the rejection.
    fn before(&self, write: &Write) -> std::result::Result<(), String>;
}

impl<F> WriteHook for F
where
    F: Fn(&Write) -> std::result::Result<(), String> + Send + Sync + 'static,
{
    fn before(&self, write: &Write) -> std::result::Result<(), String> {
        self(write)
    }
}

/// Prevents writes from being sent.
#[derive(Clone, Default)]
pub(crate) struct Guard {
    pub read_only: bool,
    pub hook: Option<Arc<dyn WriteHook>>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_hook = self.hook.is_some();
        f.debug_struct("Guard").field("read_only", &self.read_only).field("has_hook", &has_hook).finish()
    }
}

impl Guard {
    /// Rejects a write that must not be sent.
    pub fn check(&self, write: &Write) -> Result<()> {
        self.check_read_only(write)?;
        let Some(hook) = &self.hook else { return Ok(()) };
        hook.before(write).map_err(|reason| {
            let err = refused(RefusalKind::WriteHook, "the write hook rejected the request; it was not sent", write);
            err.with_context("reason", reason)
        })
    }

    /// Rejects every write of a read-only client.
    pub fn check_read_only(&self, write: &Write) -> Result<()> {
        if self.read_only {
            let text = "this client is read-only; the request was not sent";
            return Err(refused(RefusalKind::ReadOnlyClient, text, write));
        }
        Ok(())
    }
}

fn refused(kind: RefusalKind, text: &str, write: &Write) -> Error {
    Error::new(ErrorKind::Forbidden, text)
        .with_context("while", &write.step)
        .with_context("request", format!("{} {}", write.method, write.target))
        .with_refusal(kind)
}

/// What a request does, declared by its sender.
#[derive(Clone, Debug)]
pub(crate) enum Intent {
    Read,
    Write(Write),
}

/// A body without secrets. Names decide: a field is shown unless its name may mean a secret, so the list of names is broad.
pub(crate) fn without_secrets(body: &Value) -> Value {
    const SECRET: [&str; 5] = ["password", "secret", "token", "credential", "privatekey"];
    match body {
        Value::Object(fields) => {
            let shown = fields.iter().map(|(name, value)| {
                let lower = name.to_ascii_lowercase();
                let is_secret = SECRET.iter().any(|word| lower.contains(word)) && !value.is_null();
                (name.clone(), if is_secret { Value::from("(secret)") } else { without_secrets(value) })
            });
            Value::Object(shown.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_secrets).collect()),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_secret_by_its_name_is_not_shown_however_deep() {
        let body = json!({"source": {"credentials": {"username": "u", "password": "p"}, "sourceImage": "a"},
            "list": [{"adminPassword": "p", "clientSecret": "s", "name": "n"}]});
        let shown = without_secrets(&body).to_string();
        assert!(!shown.contains("\"p\"") && !shown.contains("\"s\"") && !shown.contains("\"u\""), "{shown}");
        assert!(shown.contains("sourceImage") && shown.contains("\"n\""), "{shown}");
    }
}
