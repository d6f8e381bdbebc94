//! The role that gives pull, and the registry's mode that decides which one it is.

use crate::error::words;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The role that gives pull. Which one depends on the registry's mode: each is without effect in the other mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PullRole {
    /// `AcrPull`, for registries with permissions on the whole registry.
    AcrPull,
    /// `Container Registry Repository Reader`, for registries with permissions on repositories.
    #[serde(rename = "Container Registry Repository Reader")]
    RepositoryReader,
}

words!(PullRole, "role": AcrPull => "AcrPull", RepositoryReader => "Container Registry Repository Reader");

impl PullRole {
    /// The role definition's id, the same in every subscription and cloud.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::AcrPull => Uuid::from_u128(0x7f95_1dda_4ed3_4680_a7ca_43fe_172d_538d),
            Self::RepositoryReader => Uuid::from_u128(0xb93a_a761_3e63_49ed_ac28_beff_a264_f7ac),
        }
    }
}

/// Whether a registry's permissions are given on the whole of it or on its repositories: `roleAssignmentMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RoleAssignmentMode {
    /// On the whole registry: `LegacyRegistryPermissions`. Also where the service names none.
    #[default]
    LegacyRegistryPermissions,
    /// On repositories: `AbacRepositoryPermissions`. `AcrPull` has no effect here.
    AbacRepositoryPermissions,
}

words!(
    RoleAssignmentMode, "role assignment mode":
    LegacyRegistryPermissions => "LegacyRegistryPermissions",
    AbacRepositoryPermissions => "AbacRepositoryPermissions",
);

impl RoleAssignmentMode {
    /// The role that gives pull on a registry of this mode.
    #[must_use]
    pub const fn pull_role(self) -> PullRole {
        match self {
            Self::LegacyRegistryPermissions => PullRole::AcrPull,
            Self::AbacRepositoryPermissions => PullRole::RepositoryReader,
        }
    }
}
