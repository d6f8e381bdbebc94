//! A cluster's kubeconfig: as a value, and as entries of a file.

mod accept;
mod edit;
#[cfg(feature = "kubernetes")]
mod endpoint;
mod entries;
mod file;
mod in_place;
mod layout;
mod merge;
mod place;
mod private_file;
mod write;

#[cfg(feature = "kubernetes")]
pub(crate) use endpoint::Endpoint;
pub use merge::{MergeKubeconfigOptions, MergeOutcome, MergedKubeconfig, OnExistingEntry};
pub(crate) use place::Places;

use crate::{
    call::CallOptions,
    error::{Error, ErrorKind, Result, words},
};
use azure_core::credentials::Secret;
use entries::Entries;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The kind of access to a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// As a user: with the caller's own identity if the cluster uses Entra ID, otherwise with the certificate of the cluster's user
    /// account.
    #[default]
    User,
    /// With the certificate of the cluster's administrator, which bypasses Entra ID.
    /// Fails if local accounts are disabled.
    Admin,
}

words!(Access, "access": User => "user", Admin => "admin");

/// Options for a kubeconfig.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KubeconfigOptions {
    /// The kind of access; `user` by default.
    pub access: Access,
    /// Whether a private cluster is addressed by its public name; off by default.
    /// Azure ignores it for other clusters.
    pub public_fqdn: bool,
    /// The name of the context and of the cluster entry; by default, Azure's names are kept. Azure's names are the cluster's name, and for
    /// the user entry a name that contains the resource group. If you set this option, your name is appended to Azure's name of the user
    /// entry. In a merged file, an administrator's context is named with your name followed by `-admin`, unless your name already ends in
    /// `-admin`.
    pub context: Option<String>,
    /// Deadline (2 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl KubeconfigOptions {
    /// Sets [`access`](Self::access).
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets [`public_fqdn`](Self::public_fqdn).
    #[must_use]
    pub fn with_public_fqdn(mut self, public_fqdn: bool) -> Self {
        self.public_fqdn = public_fqdn;
        self
    }

    /// Sets [`context`](Self::context).
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// A kubeconfig of a cluster. It contains keys: printing or logging it does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Kubeconfig {
    text: Secret,
    server: String,
    context: String,
    /// Proxies in it that are the caller's own.
    proxies: Vec<String>,
}

impl Kubeconfig {
    /// Parses a kubeconfig.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the text is invalid, or its current context refers to no cluster.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        // Only the entries of the current context are read: everything else in the file may have any format.
        let file = edit::values(&text).map_err(|_| wrong("it is not YAML with the fields of a kubeconfig"))?;
        let context = file.get("current-context").and_then(plain).filter(|name| !name.is_empty());
        let context = context.ok_or_else(|| wrong("it has no current context"))?;
        let inner = content(&file, "contexts", "context", &context);
        let cluster = inner.and_then(|inner| plain(inner.get("cluster")?));
        let cluster = cluster.ok_or_else(|| wrong("its current context names no cluster"))?;
        let inner = content(&file, "clusters", "cluster", &cluster);
        let server = inner.and_then(|inner| plain(inner.get("server")?));
        let server = server.ok_or_else(|| wrong("its current context refers to a missing cluster"))?;
        if !server.starts_with("https://") {
            return Err(wrong("its server is not https"));
        }
        Ok(Self { text: text.into(), server, context, proxies: Vec::new() })
    }

    /// The same with a context of this name. Only the entries that the context refers to are kept.
    pub(crate) fn with_context(&self, name: &str) -> Result<Self> {
        let file = self.entries()?.named(name).file();
        let text = edit::yaml(&file).map_err(|_| wrong("it cannot be written as YAML"))?;
        Ok(Self { proxies: self.proxies.clone(), ..Self::parse(text)? })
    }

    fn entries(&self) -> Result<Entries> {
        Entries::of(&self.file()?, &self.context).ok_or_else(|| wrong("its current context refers to missing entries"))
    }

    fn file(&self) -> Result<Value> {
        edit::values(self.text()).map_err(|_| wrong("it is not YAML with the fields of a kubeconfig"))
    }

    /// The complete text. It is a secret.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.secret()
    }

    /// Address of the Kubernetes API.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Name of the current context.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubeconfig")
            .field("server", &self.server)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("invalid kubeconfig: {why}"))
}

/// The content of a list entry.
fn content<'a>(file: &'a Value, list: &str, key: &str, name: &str) -> Option<&'a Value> {
    let mut entries = file.get(list)?.as_array()?.iter();
    entries.find(|entry| entry.get("name").and_then(plain).as_deref() == Some(name))?.get(key)
}

/// A scalar's text: a name of digits may be written without quotes.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(word) => Some(word.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "apiVersion: v1\nkind: Config\ncurrent-context: dev\ncontexts:\n- name: dev\n  context: {cluster: dev, user: u}\n\
        clusters:\n- name: dev\n  cluster: {server: 'https://dev.example:443'}\nusers:\n- name: u\n  user: {token: top-secret}\n";

    #[test]
    fn a_kubeconfig_shows_its_server_and_hides_its_keys() {
        let kubeconfig = Kubeconfig::parse(GOOD).unwrap();
        assert_eq!((kubeconfig.server(), kubeconfig.context()), ("https://dev.example:443", "dev"));
        assert!(!format!("{kubeconfig:?}").contains("top-secret"));
    }

    #[test]
    fn what_the_current_context_does_not_lead_to_may_be_of_any_form() {
        let text = GOOD
            .replace("contexts:", "contexts:\n- name: half\n- {context: null}\n- text")
            .replace("clusters:", "clusters:\n- name: half\n  cluster: text\n- name: [1]\n  cluster: {server: {}}");
        assert_eq!(Kubeconfig::parse(text).unwrap().server(), "https://dev.example:443");
        let digits = GOOD.replace("context: dev", "context: 123").replace("name: dev", "name: 123");
        assert_eq!(Kubeconfig::parse(digits.replace("cluster: dev", "cluster: 123")).unwrap().context(), "123");
        assert!(Kubeconfig::parse("current-context: a\ncontexts: null\nclusters:").is_err());
    }

    #[test]
    fn an_invalid_kubeconfig_is_rejected_without_being_quoted() {
        let elsewhere = GOOD.replace("current-context: dev", "current-context: prod");
        let plain = GOOD.replace("https://", "http://");
        for text in ["", "top-secret", "a: [top-secret", "contexts: top-secret", &elsewhere, &plain] {
            let err = Kubeconfig::parse(text).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput);
            assert!(!format!("{err:#} {err:?}").contains("top-secret"), "{text}");
        }
    }
}
