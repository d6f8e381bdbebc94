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
    /// What it allows: all that any of these blocks allows.
    pub permissions: Vec<RolePermissions>,
}

/// One block of a role's permissions. What it excludes, another block may allow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RolePermissions {
    /// Allowed actions, with `*` for anything.
    pub actions: Vec<String>,
    /// Excluded from `actions` of this block.
    pub not_actions: Vec<String>,
    /// Allowed actions on data.
    pub data_actions: Vec<String>,
    /// Excluded from `data_actions` of this block.
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
        self.permissions.iter().any(|block| match mode {
            RoleAssignmentMode::LegacyRegistryPermissions => has(&block.actions, &block.not_actions, PULL),
            RoleAssignmentMode::AbacRepositoryPermissions => {
                has(&block.data_actions, &block.not_data_actions, READ_CONTENT)
            }
        })
    }
}

fn has(allowed: &[String], excluded: &[String], action: &str) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
    any(allowed) && !any(excluded)
}

/// Whether a pattern, in which `*` stands for anything, means an action. Azure compares without regard to case. A star between two
/// slashes may stand for nothing: the built-in Managed Identity Operator reads identities by `userAssignedIdentities/*/read`.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.trim().to_ascii_lowercase(), action.to_ascii_lowercase());
    fits(&pattern, &action) || (pattern.contains("/*/") && fits(&pattern.replacen("/*/", "/", 1), &action))
}

fn fits(pattern: &str, action: &str) -> bool {
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
    fn a_star_between_slashes_may_stand_for_nothing() {
        assert!(matches("Microsoft.ContainerRegistry/registries/pull/*/read", PULL));
        assert!(!matches("Microsoft.ContainerRegistry/registries/push/*/read", PULL));
    }

    use RoleAssignmentMode::{AbacRepositoryPermissions as Abac, LegacyRegistryPermissions as Legacy};

    fn block(actions: &[&str], not_actions: &[&str], data: &[&str], not_data: &[&str]) -> RolePermissions {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        RolePermissions {
            actions: owned(actions),
            not_actions: owned(not_actions),
            data_actions: owned(data),
            not_data_actions: owned(not_data),
        }
    }

    fn role(permissions: Vec<RolePermissions>) -> RoleDefinition {
        RoleDefinition { name: "custom".to_owned(), permissions }
    }

    #[test]
    fn what_a_block_excludes_it_does_not_allow() {
        let all = role(vec![block(&["*"], &[], &[], &[])]);
        assert!(all.gives_pull(Legacy) && !all.gives_pull(Abac));
        assert!(!role(vec![block(&["*"], &["*/pull/*"], &[], &[])]).gives_pull(Legacy));
        assert!(!role(vec![block(&[], &[], &["*"], &["*/Content/READ"])]).gives_pull(Abac));
    }

    #[test]
    fn what_one_block_excludes_another_may_allow() {
        let (narrow, wide) = (block(&[PULL], &[], &[READ_CONTENT], &[]), block(&["*"], &[PULL], &["*"], &["*/read"]));
        for blocks in [vec![narrow.clone(), wide.clone()], vec![wide.clone(), narrow]] {
            let role = role(blocks);
            assert!(role.gives_pull(Legacy) && role.gives_pull(Abac));
        }
        assert!(!role(vec![wide.clone(), wide]).gives_pull(Legacy));
    }
}
