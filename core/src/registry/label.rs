//! What a registry's login server has beside the registry's name.

use crate::error::words;
use serde::{Deserialize, Serialize};

/// How far the label reaches that Azure puts behind a registry's name in its login server, as in
/// `myregistry-e5f2d9a8b7c6h3j1.azurecr.io`: who in that reach makes a registry of this name again gets the same login server,
/// and nobody else does. It is chosen at the creation for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DomainNameLabelScope {
    /// The tenant.
    TenantReuse,
    /// The subscription.
    SubscriptionReuse,
    /// The resource group.
    ResourceGroupReuse,
    /// Nobody: each creation gets another.
    NoReuse,
}

words!(
    DomainNameLabelScope, "domain label":
    TenantReuse => "TenantReuse",
    SubscriptionReuse => "SubscriptionReuse",
    ResourceGroupReuse => "ResourceGroupReuse",
    NoReuse => "NoReuse",
);
