//! References to registries.

use super::Registry;
use crate::{
    cloud::Cloud,
    error::{Error, Result},
    id::{ResourceId, SubscriptionId},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

pub(crate) const TYPE: &str = "Microsoft.ContainerRegistry/registries";

/// A reference to a registry: name, login server or resource ID.
///
/// A name or a login server is looked up among the registries of the client's subscription, or of the subscription that you name.
///
/// ```
/// use aks_acr::RegistryRef;
///
/// let by_name: RegistryRef = "myregistry".parse()?;
/// let by_login_server: RegistryRef = "myregistry-e5f2d9a8b7c6h3j1.azurecr.io".parse()?;
/// assert_ne!(by_name, by_login_server);
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct RegistryRef {
    pub(crate) by: By,
    subscription: Option<SubscriptionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum By {
    Name(String),
    LoginServer(String),
    Id(ResourceId),
}

/// A stored reference: the original text, and the subscription, if named.
#[derive(Serialize, Deserialize)]
struct Stored {
    subscription: Option<SubscriptionId>,
    registry: String,
}

impl TryFrom<Stored> for RegistryRef {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let read: Self = stored.registry.parse()?;
        Ok(match stored.subscription {
            Some(subscription) => read.in_subscription(subscription),
            None => read,
        })
    }
}

impl From<RegistryRef> for Stored {
    fn from(reference: RegistryRef) -> Self {
        Self { subscription: reference.subscription, registry: reference.as_str().to_owned() }
    }
}

impl RegistryRef {
    /// Looks the registry up in a subscription other than the client's.
    /// A resource ID is not changed: it contains its subscription.
    #[must_use]
    pub fn in_subscription(mut self, subscription: SubscriptionId) -> Self {
        if self.id().is_none() {
            self.subscription = Some(subscription);
        }
        self
    }

    /// The name, login server or resource ID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.by {
            By::Name(text) | By::LoginServer(text) => text,
            By::Id(id) => id.as_str(),
        }
    }

    pub(crate) fn subscription(&self, default: SubscriptionId) -> SubscriptionId {
        self.id().map(ResourceId::subscription).or(self.subscription).unwrap_or(default)
    }

    pub(crate) fn id(&self) -> Option<&ResourceId> {
        match &self.by {
            By::Id(id) => Some(id),
            By::Name(_) | By::LoginServer(_) => None,
        }
    }

    /// The login server, if the registry is given by it.
    pub(crate) fn login_server(&self) -> Option<&str> {
        match &self.by {
            By::LoginServer(host) => Some(host),
            By::Name(_) | By::Id(_) => None,
        }
    }

    /// The name, unless a label follows it in the login server: such a registry may exist while the name is free. `None` for an ID.
    pub(crate) fn plain_name(&self) -> Option<&str> {
        match &self.by {
            By::Name(name) => Some(name),
            By::LoginServer(host) => host.split('.').next().filter(|label| !label.contains('-')),
            By::Id(_) => None,
        }
    }

    /// Rejects a login server of another cloud before it is searched.
    pub(crate) fn check_cloud(&self, cloud: &Cloud) -> Result<()> {
        match &self.by {
            By::LoginServer(host) => cloud.check_login_server(host),
            By::Name(_) | By::Id(_) => Ok(()),
        }
    }

    /// Whether a login server can be this registry's: the name, possibly followed by a domain label, precedes the suffix.
    pub(crate) fn may_have_host(&self, host: &str) -> bool {
        let name = match &self.by {
            By::LoginServer(mine) => return mine.eq_ignore_ascii_case(host),
            By::Name(name) => name,
            By::Id(id) => id.name(),
        };
        host.split(['.', '-']).next().is_some_and(|first| first.eq_ignore_ascii_case(name))
    }

    pub(crate) fn of_id(id: ResourceId) -> Result<Self> {
        let id = id.of_type(TYPE, "registry")?;
        registry_name(id.name())?;
        Ok(Self { by: By::Id(id), subscription: None })
    }
}

/// Checks a registry's name: 5 to 50 ASCII letters and digits, as in the service's schema.
pub(crate) fn registry_name(text: &str) -> Result<String> {
    if (5..=50).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid("expected 5 to 50 letters and digits", "registry name", text))
}

/// A registry's name, possibly a dash and a domain label of 16 characters, and the suffix of a cloud, which only the client knows. A
/// regional host, `NAME.REGION.geo.azurecr.io`, stands for the registry's own.
fn login_server(text: &str) -> Result<String> {
    let wrong =
        || Error::invalid("expected the login server of a registry, such as myregistry.azurecr.io", "registry", text);
    let (label, ending) = text.split_once('.').ok_or_else(wrong)?;
    let name = label.split('-').next().unwrap_or_default();
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_plain(label) || label.ends_with('-') || !ending.split('.').all(is_plain) {
        return Err(wrong());
    }
    registry_name(name)?;
    let mut parts = ending.splitn(3, '.').skip(1);
    let own = match (parts.next(), parts.next()) {
        (Some(geo), Some(rest)) if geo.eq_ignore_ascii_case("geo") && rest.contains('.') => format!("{label}.{rest}"),
        _ => text.to_owned(),
    };
    Ok(own.to_ascii_lowercase())
}

impl FromStr for RegistryRef {
    type Err = Error;

    /// Parses a resource ID, which starts with a slash; a login server, which has a dot; or a name, which has neither. The last two may
    /// be preceded by a subscription ID and a slash.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with the expected format. Whether a login server belongs to the client's cloud
    /// is checked when it is used.
    fn from_str(text: &str) -> Result<Self> {
        if text.starts_with('/') {
            return Self::of_id(text.parse()?);
        }
        if let Some((subscription, rest)) = text.split_once('/') {
            let wanted = "expected a registry's name, login server or resource ID";
            let subscription: SubscriptionId =
                subscription.parse().map_err(|_| Error::invalid(wanted, "registry", text))?;
            if rest.contains('/') {
                return Err(Error::invalid(wanted, "registry", text));
            }
            return Ok(rest.parse::<Self>()?.in_subscription(subscription));
        }
        let by = if text.contains('.') { By::LoginServer(login_server(text)?) } else { By::Name(registry_name(text)?) };
        Ok(Self { by, subscription: None })
    }
}

impl TryFrom<ResourceId> for RegistryRef {
    type Error = Error;

    fn try_from(id: ResourceId) -> Result<Self> {
        Self::of_id(id)
    }
}

impl From<&Registry> for RegistryRef {
    fn from(registry: &Registry) -> Self {
        Self { by: By::Id(registry.id.clone()), subscription: None }
    }
}

/// The format that [`FromStr`] parses: the name, login server or resource ID, preceded by the subscription if named.
impl fmt::Display for RegistryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subscription {
            Some(subscription) => write!(f, "{subscription}/{}", self.as_str()),
            None => f.write_str(self.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_not_a_registry_is_rejected() {
        for text in ["my.azurecr.io", "myreg-.azurecr.io", "my_reg.azurecr.io", ".azurecr.io", "a/b.azurecr.io"] {
            assert!(text.parse::<RegistryRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_reference_is_read_back_as_it_was_stored() {
        let other = "22222222-2222-2222-2222-222222222222".parse().unwrap();
        let by_name = "myreg".parse::<RegistryRef>().unwrap().in_subscription(other);
        let id = format!("/subscriptions/{other}/resourceGroups/g/providers/{TYPE}/myreg");
        for one in [by_name, id.parse().unwrap(), "myreg.azurecr.io".parse().unwrap()] {
            assert_eq!(serde_json::from_value::<RegistryRef>(serde_json::to_value(&one).unwrap()).unwrap(), one);
            assert_eq!(one.to_string().parse::<RegistryRef>().unwrap(), one);
        }
    }

    #[test]
    fn a_regional_host_stands_for_the_registrys_own() {
        for own in ["myreg.azurecr.io", "myreg-e5f2d9a8b7c6h3j1.azurecr.io"] {
            let regional = own.replacen('.', ".WestEurope.geo.", 1);
            assert_eq!(regional.parse::<RegistryRef>().unwrap(), own.parse().unwrap());
        }
        assert_eq!("myreg.a.geo.io".parse::<RegistryRef>().unwrap().as_str(), "myreg.a.geo.io");
    }

    #[test]
    fn a_login_server_is_recognized_by_its_suffix_in_any_case() {
        assert_eq!("myreg.AZURECR.IO".parse::<RegistryRef>().unwrap(), "myreg.azurecr.io".parse().unwrap());
    }

    #[test]
    fn a_registry_is_not_named_by_its_group() {
        for text in ["shared/regone", "https://regone.azurecr.io", "regone.azurecr.io/app", "shared/regone/"] {
            let err = text.parse::<RegistryRef>().unwrap_err().to_string();
            assert!(err.contains("name, login server or resource ID"), "{err}");
        }
    }
}
