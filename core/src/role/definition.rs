//! Roles: those that give pull, what a role allows, and the smallest that has an action.

use crate::{
    cluster,
    registry::{self, RoleAssignmentMode},
    role,
    words::words,
};
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

/// What a role allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoleDefinition {
    /// The role's name in Azure.
    pub name: String,
    /// Allowed actions, with `*` for anything.
    pub actions: Vec<String>,
    /// What is taken away from `actions`.
    pub not_actions: Vec<String>,
    /// Allowed actions on data.
    pub data_actions: Vec<String>,
    /// What is taken away from `data_actions`.
    pub not_data_actions: Vec<String>,
}

/// What a caller needs for a pull from a registry whose permissions are on the whole of it.
pub(crate) const PULL: &str = "Microsoft.ContainerRegistry/registries/pull/read";
/// What a caller needs, as a data action, where permissions are on repositories.
pub(crate) const READ_CONTENT: &str = "Microsoft.ContainerRegistry/registries/repositories/content/read";

impl RoleDefinition {
    /// Whether the role gives pull on a registry of this mode: the one honours actions, the other data actions.
    #[must_use]
    pub fn gives_pull(&self, mode: RoleAssignmentMode) -> bool {
        match mode {
            RoleAssignmentMode::LegacyRegistryPermissions => has(&self.actions, &self.not_actions, PULL),
            RoleAssignmentMode::AbacRepositoryPermissions => {
                has(&self.data_actions, &self.not_data_actions, READ_CONTENT)
            }
        }
    }
}

fn has(allowed: &[String], taken_away: &[String], action: &str) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
    any(allowed) && !any(taken_away)
}

/// Whether a pattern, in which `*` stands for anything, means an action. Azure compares without regard to case.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == action };
    let Some(mut rest) = action.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The smallest built-in role that has an action, for those that this library asks for.
/// See [built-in roles](https://learn.microsoft.com/azure/role-based-access-control/built-in-roles).
pub(crate) fn smallest_role(action: &str) -> Option<&'static str> {
    let role = match action {
        role::WRITE | role::DELETE => "Role Based Access Control Administrator",
        registry::IMPORT => "Container Registry Data Importer and Data Reader",
        cluster::WRITE_CLUSTER => "Azure Kubernetes Service Contributor Role",
        cluster::AS_USER => "Azure Kubernetes Service Cluster User Role",
        cluster::AS_ADMIN => "Azure Kubernetes Service Cluster Admin Role",
        registry::WRITE => "Contributor",
        register if register.ends_with("/register/action") => "Contributor",
        read if read.ends_with("/read") => "Reader",
        _ => return None,
    };
    Some(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for pattern in ["*", "*/read", "microsoft.containerregistry/*", "*/registries/*/read", PULL] {
            assert!(matches(pattern, PULL), "{pattern}");
        }
        for pattern in ["*/write", "Microsoft.ContainerRegistry/registries/read", "*/registries/*/write", ""] {
            assert!(!matches(pattern, PULL), "{pattern}");
        }
    }

    #[test]
    fn what_is_taken_away_is_not_given() {
        let mut role = RoleDefinition { actions: vec!["*".into()], ..RoleDefinition::default() };
        assert!(role.gives_pull(RoleAssignmentMode::LegacyRegistryPermissions));
        assert!(!role.gives_pull(RoleAssignmentMode::AbacRepositoryPermissions));
        role.not_actions = vec!["*/pull/*".into()];
        assert!(!role.gives_pull(RoleAssignmentMode::LegacyRegistryPermissions));
    }
}
