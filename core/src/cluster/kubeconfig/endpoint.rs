//! What a client needs to reach a cluster, read from an accepted kubeconfig.

use super::{Kubeconfig, entries::LISTS};
use crate::error::Result;
use azure_core::credentials::Secret;
use serde_json::Value;

/// The address and credentials of a cluster's API. Certificate and key are in base64, as received.
pub(crate) struct Endpoint {
    pub server: String,
    /// The proxy in the kubeconfig.
    pub proxy: Option<String>,
    /// The certificates of the cluster's own authority.
    pub authority: Option<String>,
    pub certificate: Option<String>,
    pub key: Option<Secret>,
    pub token: Option<Secret>,
    /// Whether the kubeconfig names `kubelogin`, or the older `azure` provider.
    /// The token that they would acquire is acquired in this process.
    pub is_entra: bool,
}

impl Endpoint {
    /// The address alone.
    pub fn without_credentials(self) -> Self {
        Self { certificate: None, key: None, token: None, ..self }
    }
}

impl Kubeconfig {
    /// The endpoint of the current context.
    pub(crate) fn endpoint(&self) -> Result<Endpoint> {
        let entries = self.entries()?;
        let part = |list: &str, field: &str| -> Option<&Value> {
            let (_, key) = LISTS.iter().find(|(known, _)| *known == list)?;
            let entry = entries.all.iter().find(|entry| entry.list == list)?;
            entry.value.get(key)?.get(field).filter(|value| !value.is_null())
        };
        let text = |list: &str, field: &str| {
            part(list, field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Ok(Endpoint {
            server: self.server.clone(),
            proxy: text("clusters", "proxy-url"),
            authority: text("clusters", "certificate-authority-data"),
            certificate: text("users", "client-certificate-data"),
            key: text("users", "client-key-data").map(Secret::new),
            token: text("users", "token").map(Secret::new),
            is_entra: part("users", "exec").or_else(|| part("users", "auth-provider")).is_some(),
        })
    }
}
