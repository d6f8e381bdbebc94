//! Types of principals.

use crate::error::words;
use serde::{Deserialize, Serialize};

/// The type of a principal that can have a role: Azure's `principalType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PrincipalType {
    /// A service principal, or a managed identity.
    ServicePrincipal,
    /// An Entra group.
    Group,
    /// A person.
    User,
    /// A group of another tenant.
    ForeignGroup,
    /// A device.
    Device,
}

words!(
    PrincipalType, "principal type":
    ServicePrincipal => "ServicePrincipal",
    Group => "Group",
    User => "User",
    ForeignGroup => "ForeignGroup",
    Device => "Device",
);

impl PrincipalType {
    /// The type that an answer of Azure names. `None` for a word that is not known.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str().eq_ignore_ascii_case(word))
    }
}
