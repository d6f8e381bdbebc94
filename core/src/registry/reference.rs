//! Which registry is meant.

use crate::{
    cloud::{Cloud, is_registry_host},
    error::{Error, Result},
    id::{ResourceId, SubscriptionId},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

pub(crate) const TYPE: &str = "Microsoft.ContainerRegistry/registries";

/// A registry, by name, login server or resource id.
///
/// A name or a login server is looked up among the registries of the client's subscription, or of another that is named.
///
/// ```
/// use aks_acr::RegistryRef;
///
/// let by_name: RegistryRef = "myregistry".parse()?;
/// let by_login_server: RegistryRef = "myregistry-e5f2d9a8b7c6h3j1.azurecr.io".parse()?;
/// assert_ne!(by_name, by_login_server);
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRef {
    pub(crate) by: By,
    subscription: Option<SubscriptionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    Name(String),
    LoginServer(String),
    Id(ResourceId),
}

impl RegistryRef {
    /// Looks in a subscription that is not the client's. A resource id has its own and keeps it.
    #[must_use]
    pub fn in_subscription(mut self, subscription: SubscriptionId) -> Self {
        self.subscription = Some(subscription);
        self
    }

    pub(crate) fn subscription(&self, default: SubscriptionId) -> SubscriptionId {
        self.subscription.unwrap_or(default)
    }

    pub(crate) fn id(&self) -> Option<&ResourceId> {
        match &self.by {
            By::Id(id) => Some(id),
            By::Name(_) | By::LoginServer(_) => None,
        }
    }

    pub(crate) fn check_cloud(&self, cloud: &Cloud) -> Result<()> {
        match &self.by {
            By::LoginServer(host) => cloud.check_registry_host(host, "registry"),
            By::Name(_) | By::Id(_) => Ok(()),
        }
    }
}

/// Checks a registry's name: 5 to 50 ASCII letters and digits, as the service's own schema says.
pub(crate) fn registry_name(text: &str) -> Result<String> {
    if (5..=50).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid("wanted 5 to 50 letters and digits", "registry name", text))
}

/// A registry's name, a dash and 16 characters where the registry has a domain label, and the ending of a cloud.
fn login_server(text: &str) -> Result<String> {
    let wrong =
        || Error::invalid("wanted the login server of a registry, such as myregistry.azurecr.io", "registry", text);
    let (label, _) = text.split_once('.').ok_or_else(wrong)?;
    let name = label.split('-').next().unwrap_or_default();
    let is_label = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !label.ends_with('-');
    if !is_registry_host(text) || !is_label {
        return Err(wrong());
    }
    registry_name(name)?;
    Ok(text.to_ascii_lowercase())
}

impl FromStr for RegistryRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let by = if text.starts_with('/') {
            let id = text.parse::<ResourceId>()?.of_type(TYPE, "registry")?;
            registry_name(id.name())?;
            By::Id(id)
        } else if text.contains('.') {
            By::LoginServer(login_server(text)?)
        } else {
            By::Name(registry_name(text)?)
        };
        Ok(Self { by, subscription: None })
    }
}

impl From<ResourceId> for RegistryRef {
    fn from(id: ResourceId) -> Self {
        Self { by: By::Id(id), subscription: None }
    }
}

impl fmt::Display for RegistryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            By::Name(text) | By::LoginServer(text) => f.write_str(text),
            By::Id(id) => f.write_str(id.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_no_registry_is_refused() {
        for text in [
            "myreg.docker.io",
            "my.azurecr.io",
            "myreg-.azurecr.io",
            "my_reg.azurecr.io",
            ".azurecr.io",
            "a/b.azurecr.io",
        ] {
            assert!(text.parse::<RegistryRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_login_server_is_known_by_its_ending_whatever_its_case() {
        assert_eq!("myreg.AZURECR.IO".parse::<RegistryRef>().unwrap(), "myreg.azurecr.io".parse().unwrap());
    }
}
