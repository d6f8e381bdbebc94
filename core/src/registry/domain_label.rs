//! The label in a registry's login server after its name.

use crate::error::words;
use serde::{Deserialize, Serialize};

/// The scope of the label that Azure adds to a registry's name in its login server.
///
/// An example is `myregistry-e5f2d9a8b7c6h3j1.azurecr.io`. A registry that is created again with this name within the scope gets
/// the same login server; outside the scope it gets a different one. The scope cannot be changed after creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DomainNameLabelScope {
    /// The tenant.
    TenantReuse,
    /// The subscription.
    SubscriptionReuse,
    /// The resource group.
    ResourceGroupReuse,
    /// No scope: every creation gets a new label.
    NoReuse,
}

words!(
    DomainNameLabelScope, "domain label":
    TenantReuse => "TenantReuse",
    SubscriptionReuse => "SubscriptionReuse",
    ResourceGroupReuse => "ResourceGroupReuse",
    NoReuse => "NoReuse",
);
