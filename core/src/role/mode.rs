//! The role that allows pulling, and the registry's mode that determines it.

use crate::{
    action::{LIST_REPOSITORIES, PULL},
    error::words,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The role that allows pulling. Each registry mode honours only one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PullRole {
    /// `AcrPull`, for registries with registry-wide permissions.
    AcrPull,
    /// `Container Registry Repository Reader`, for registries with repository permissions.
    #[serde(rename = "Container Registry Repository Reader")]
    RepositoryReader,
}

words!(PullRole, "role": AcrPull => "AcrPull", RepositoryReader => "Container Registry Repository Reader");

impl PullRole {
    /// The role definition's ID, the same in every subscription and cloud.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::AcrPull => Uuid::from_u128(0x7f95_1dda_4ed3_4680_a7ca_43fe_172d_538d),
            Self::RepositoryReader => Uuid::from_u128(0xb93a_a761_3e63_49ed_ac28_beff_a264_f7ac),
        }
    }
}

/// Whether a registry's permissions apply to all of it or to its repositories: `roleAssignmentMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RoleAssignmentMode {
    /// Registry-wide permissions: `LegacyRegistryPermissions`. This is also the value if the service reports no mode.
    #[default]
    LegacyRegistryPermissions,
    /// Repository permissions: `AbacRepositoryPermissions`. `AcrPull` has no effect here.
    AbacRepositoryPermissions,
}

words!(
    RoleAssignmentMode, "role assignment mode":
    LegacyRegistryPermissions => "LegacyRegistryPermissions",
    AbacRepositoryPermissions => "AbacRepositoryPermissions",
);

impl RoleAssignmentMode {
    /// The role that allows pulling from a registry of this mode.
    #[must_use]
    pub const fn pull_role(self) -> PullRole {
        match self {
            Self::LegacyRegistryPermissions => PullRole::AcrPull,
            Self::AbacRepositoryPermissions => PullRole::RepositoryReader,
        }
    }

    /// The action that allows listing the repositories of a registry of this mode.
    pub(crate) const fn catalog_action(self) -> &'static str {
        match self {
            Self::LegacyRegistryPermissions => PULL,
            Self::AbacRepositoryPermissions => LIST_REPOSITORIES,
        }
    }
}
