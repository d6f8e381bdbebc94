//! What a role allows in a registry, besides pulling.

use super::RoleAssignmentMode;
use crate::{
    action::{DELETE_ARTIFACTS, DELETE_CONTENT, PULL, PUSH, READ_CONTENT, WRITE_CONTENT},
    error::words,
};
use serde::{Deserialize, Serialize};

/// What a principal can do with the content of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RegistryAccess {
    /// Pull images.
    Pull,
    /// Push images.
    Push,
    /// Delete images.
    Delete,
    /// List the names of the repositories. Nodes do not need it.
    ListRepositories,
}

words!(
    RegistryAccess, "access":
    Pull => "pull",
    Push => "push",
    Delete => "delete",
    ListRepositories => "list_repositories",
);

impl RegistryAccess {
    /// The action that a registry of this mode checks: a data action where permissions are on repositories.
    pub(crate) const fn action(self, mode: RoleAssignmentMode) -> &'static str {
        match (mode, self) {
            (RoleAssignmentMode::LegacyRegistryPermissions, Self::Pull) => PULL,
            (RoleAssignmentMode::LegacyRegistryPermissions, Self::Push) => PUSH,
            (RoleAssignmentMode::LegacyRegistryPermissions, Self::Delete) => DELETE_ARTIFACTS,
            (RoleAssignmentMode::AbacRepositoryPermissions, Self::Pull) => READ_CONTENT,
            (RoleAssignmentMode::AbacRepositoryPermissions, Self::Push) => WRITE_CONTENT,
            (RoleAssignmentMode::AbacRepositoryPermissions, Self::Delete) => DELETE_CONTENT,
            (mode, Self::ListRepositories) => mode.catalog_action(),
        }
    }
}
