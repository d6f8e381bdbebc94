//! Roles: those that allow pulling, and role definitions.

use super::{RegistryAccess, RoleAssignmentMode};
use serde::{Deserialize, Serialize};

/// A role definition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoleDefinition {
    /// The role's name in Azure.
    pub name: String,
    /// Its permission blocks: the role allows what any of them allows.
    pub permissions: Vec<RolePermissions>,
    /// Whether it is a custom role of the tenant, and no built-in one.
    #[serde(default)]
    pub is_custom: bool,
}

/// One block of a role's permissions. Another block may allow what this one excludes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RolePermissions {
    /// Allowed actions, with `*` for anything.
    pub actions: Vec<String>,
    /// Excluded from `actions` of this block.
    pub not_actions: Vec<String>,
    /// Allowed data actions.
    pub data_actions: Vec<String>,
    /// Excluded from `data_actions` of this block.
    pub not_data_actions: Vec<String>,
}

impl RoleDefinition {
    /// Whether the role allows pulling from a registry of this mode: one mode honours actions, the other data actions.
    #[must_use]
    pub fn gives_pull(&self, mode: RoleAssignmentMode) -> bool {
        self.allows(RegistryAccess::Pull, mode)
    }

    /// Whether the role allows this in a registry of this mode.
    pub(crate) fn allows(&self, access: RegistryAccess, mode: RoleAssignmentMode) -> bool {
        any_has(&self.permissions, access, mode)
    }
}

/// Whether one of the blocks, of a role or of a deny assignment, contains this in a registry of this mode.
pub(super) fn any_has(blocks: &[RolePermissions], access: RegistryAccess, mode: RoleAssignmentMode) -> bool {
    let action = access.action(mode);
    blocks.iter().any(|block| match mode {
        RoleAssignmentMode::LegacyRegistryPermissions => has(&block.actions, &block.not_actions, action),
        RoleAssignmentMode::AbacRepositoryPermissions => has(&block.data_actions, &block.not_data_actions, action),
    })
}

/// A block in Azure Resource Manager's format. Null is an empty list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WirePermissions {
    actions: Option<Vec<String>>,
    not_actions: Option<Vec<String>>,
    data_actions: Option<Vec<String>>,
    not_data_actions: Option<Vec<String>>,
}

impl WirePermissions {
    pub(super) fn into_permissions(self) -> RolePermissions {
        RolePermissions {
            actions: self.actions.unwrap_or_default(),
            not_actions: self.not_actions.unwrap_or_default(),
            data_actions: self.data_actions.unwrap_or_default(),
            not_data_actions: self.not_data_actions.unwrap_or_default(),
        }
    }
}

fn has(allowed: &[String], excluded: &[String], action: &str) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| action_matches(pattern, action));
    any(allowed) && !any(excluded)
}

/// Whether a pattern with `*` matches an action. Azure compares case-insensitively. A star between two slashes may match nothing: the
/// built-in Managed Identity Operator reads identities by `userAssignedIdentities/*/read`.
pub(crate) fn action_matches(pattern: &str, action: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{PULL, READ_CONTENT};

    #[test]
    fn a_star_stands_for_anything() {
        for pattern in ["*", "*/read", "microsoft.containerregistry/*", "*/registries/*/read", PULL] {
            assert!(action_matches(pattern, PULL), "{pattern}");
        }
        for pattern in ["*/write", "Microsoft.ContainerRegistry/registries/read", "*/registries/*/write", ""] {
            assert!(!action_matches(pattern, PULL), "{pattern}");
        }
    }

    #[test]
    fn a_star_between_slashes_may_stand_for_nothing() {
        assert!(action_matches("Microsoft.ContainerRegistry/registries/pull/*/read", PULL));
        assert!(!action_matches("Microsoft.ContainerRegistry/registries/push/*/read", PULL));
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
        RoleDefinition { name: "custom".to_owned(), permissions, is_custom: true }
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
