//! The built-in roles for the content of a registry, by what they are for.

use super::{PullRole, REPOSITORY_WRITER, RegistryAccess, RoleAssignmentMode, Wanted, built_in::ACR_PUSH};
use crate::error::words;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a principal gets in a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccessRole {
    /// Pull images: `AcrPull`, or `Container Registry Repository Reader` on a registry with repository permissions.
    #[default]
    Pull,
    /// Push and pull images: `AcrPush`, or `Container Registry Repository Writer` on a registry with repository permissions.
    Push,
}

words!(AccessRole, "role": Pull => "pull", Push => "push");

impl AccessRole {
    /// The built-in role in a registry of this mode.
    #[must_use]
    pub const fn in_mode(self, mode: RoleAssignmentMode) -> RegistryRole {
        match (self, mode) {
            (Self::Pull, RoleAssignmentMode::LegacyRegistryPermissions) => RegistryRole::AcrPull,
            (Self::Pull, RoleAssignmentMode::AbacRepositoryPermissions) => RegistryRole::RepositoryReader,
            (Self::Push, RoleAssignmentMode::LegacyRegistryPermissions) => RegistryRole::AcrPush,
            (Self::Push, RoleAssignmentMode::AbacRepositoryPermissions) => RegistryRole::RepositoryWriter,
        }
    }

    /// What another role has to allow, to make it unnecessary.
    pub(crate) const fn wanted(self) -> Wanted {
        match self {
            Self::Pull => Wanted::PULL,
            Self::Push => Wanted::All(&[RegistryAccess::Pull, RegistryAccess::Push]),
        }
    }
}

/// A built-in role that `grant_access` assigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RegistryRole {
    /// `AcrPull`, for registries with registry-wide permissions.
    AcrPull,
    /// `AcrPush`, for registries with registry-wide permissions. It allows pulling, too.
    AcrPush,
    /// `Container Registry Repository Reader`, for registries with repository permissions.
    #[serde(rename = "Container Registry Repository Reader")]
    RepositoryReader,
    /// `Container Registry Repository Writer`, for registries with repository permissions. It allows pulling, too.
    #[serde(rename = "Container Registry Repository Writer")]
    RepositoryWriter,
}

words!(
    RegistryRole, "role":
    AcrPull => "AcrPull",
    AcrPush => "AcrPush",
    RepositoryReader => "Container Registry Repository Reader",
    RepositoryWriter => "Container Registry Repository Writer",
);

impl RegistryRole {
    /// The role definition's ID, the same in every subscription and cloud.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::AcrPull => PullRole::AcrPull.id(),
            Self::AcrPush => ACR_PUSH,
            Self::RepositoryReader => PullRole::RepositoryReader.id(),
            Self::RepositoryWriter => REPOSITORY_WRITER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::{BuiltIn, Effect, Roles};

    #[test]
    fn a_role_allows_what_it_is_granted_for_in_its_mode_only() {
        let allows = |role: RegistryRole, mode, access: AccessRole| {
            Roles::default().effect_of(role.id(), Some(mode), access.wanted()) == Effect::Allows
        };
        for mode in RoleAssignmentMode::ALL {
            for access in AccessRole::ALL {
                let role = access.in_mode(*mode);
                assert_eq!(BuiltIn::of(role.id()).map(|known| known.name), Some(role.as_str()));
                let modes: Vec<_> = RoleAssignmentMode::ALL.iter().filter(|of| allows(role, **of, *access)).collect();
                assert_eq!(modes, [mode], "{role}");
            }
            assert!(!allows(AccessRole::Pull.in_mode(*mode), *mode, AccessRole::Push), "never wider than asked");
        }
    }
}
