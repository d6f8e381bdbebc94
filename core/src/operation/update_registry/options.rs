//! Options for updating a registry.

use crate::{
    call::CallOptions,
    error::{Error, Result},
    registry::{NetworkAction, Sku},
};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// Options for updating a registry. What is not set stays as it is.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UpdateRegistryOptions {
    /// The service tier.
    pub sku: Option<Sku>,
    /// Whether the admin user, who has full access with a password, is enabled.
    pub admin_user: Option<bool>,
    /// Whether everyone can pull without a credential. Needs `Standard` or `Premium`.
    pub anonymous_pull: Option<bool>,
    /// Whether public addresses have access. Turning it off needs `Premium`; only private endpoints have access then.
    pub public_network_access: Option<bool>,
    /// What the firewall does with an address that no rule allows. `Deny` needs `Premium`.
    pub default_action: Option<NetworkAction>,
    /// The IPv4 addresses and ranges in CIDR notation that the firewall allows, all of them: others are removed. Needs `Premium`, and a
    /// [`default_action`](Self::default_action) of `Deny`: otherwise every address is allowed, and the call is rejected.
    pub allowed_addresses: Option<Vec<String>>,
    /// Whether the registry has its own data endpoints, such as `myregistry.westeurope.data.azurecr.io`. Needs `Premium`.
    pub data_endpoint: Option<bool>,
    /// Tags to set; a tag without a value is removed. Other tags stay.
    pub tags: BTreeMap<String, Option<String>>,
    /// Whether tags that [`tags`](Self::tags) does not name are removed; off by default.
    pub replace_tags: bool,
    /// Deadline (10 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl UpdateRegistryOptions {
    /// Sets [`sku`](Self::sku).
    #[must_use]
    pub fn with_sku(mut self, sku: Sku) -> Self {
        self.sku = Some(sku);
        self
    }

    /// Sets [`admin_user`](Self::admin_user).
    #[must_use]
    pub fn with_admin_user(mut self, enabled: bool) -> Self {
        self.admin_user = Some(enabled);
        self
    }

    /// Sets [`anonymous_pull`](Self::anonymous_pull).
    #[must_use]
    pub fn with_anonymous_pull(mut self, enabled: bool) -> Self {
        self.anonymous_pull = Some(enabled);
        self
    }

    /// Sets [`public_network_access`](Self::public_network_access).
    #[must_use]
    pub fn with_public_network_access(mut self, enabled: bool) -> Self {
        self.public_network_access = Some(enabled);
        self
    }

    /// Sets [`default_action`](Self::default_action).
    #[must_use]
    pub fn with_default_action(mut self, action: NetworkAction) -> Self {
        self.default_action = Some(action);
        self
    }

    /// Sets [`allowed_addresses`](Self::allowed_addresses).
    #[must_use]
    pub fn with_allowed_addresses(mut self, addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_addresses = Some(addresses.into_iter().map(Into::into).collect());
        self
    }

    /// Sets [`data_endpoint`](Self::data_endpoint).
    #[must_use]
    pub fn with_data_endpoint(mut self, enabled: bool) -> Self {
        self.data_endpoint = Some(enabled);
        self
    }

    /// Adds one of the [`tags`](Self::tags).
    #[must_use]
    pub fn with_tag(mut self, name: impl Into<String>, value: Option<&str>) -> Self {
        self.tags.insert(name.into(), value.map(str::to_owned));
        self
    }

    /// Sets [`replace_tags`](Self::replace_tags).
    #[must_use]
    pub fn with_replace_tags(mut self, replace_tags: bool) -> Self {
        self.replace_tags = replace_tags;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }

    /// Rejects invalid options before the first request.
    pub(super) fn check(&self) -> Result<()> {
        for address in self.allowed_addresses.iter().flatten() {
            // Azure's rules are for IPv4 only: NetworkRuleSet in the specification of Microsoft.ContainerRegistry.
            if address.parse::<Ipv4Addr>().is_err() && address.parse::<ipnet::Ipv4Net>().is_err() {
                let text = "expected an IPv4 address or a range in CIDR notation, such as 203.0.113.0/24";
                return Err(Error::invalid(text, "allowed_addresses", address.as_str()));
            }
        }
        crate::tag::check(self.tags.keys().map(String::as_str))
    }
}
