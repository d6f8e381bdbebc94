//! Azure's role-based access control: what a principal may do where, and which assignment allows it.

pub(crate) mod built_in;
pub(crate) mod condition;

use std::sync::LazyLock;

use tokio::time::Instant;

use condition::{Condition, Facts};

/// A role definition with its permissions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) built_in: bool,
    pub(crate) actions: Vec<String>,
    pub(crate) not_actions: Vec<String>,
    pub(crate) data_actions: Vec<String>,
    pub(crate) not_data_actions: Vec<String>,
    /// Blocks of permissions besides the one above.
    pub(crate) further: Vec<Role>,
    /// Where a custom role may be assigned; empty: in every subscription.
    pub(crate) assignable: Vec<String>,
}

impl Role {
    /// What one block excludes, another may allow.
    fn allows(&self, wanted: &Wanted<'_>) -> bool {
        std::iter::once(self).chain(&self.further).any(|block| block.block_allows(wanted))
    }

    fn block_allows(&self, wanted: &Wanted<'_>) -> bool {
        let (allowed, excluded) =
            if wanted.data { (&self.data_actions, &self.not_data_actions) } else { (&self.actions, &self.not_actions) };
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, wanted.action));
        any(allowed) && !any(excluded)
    }

    /// Whether it exists at a scope: a custom role does at and below its assignable scopes. (Without any, it does in all subscriptions.)
    pub(crate) fn is_assignable(&self, scope: &str) -> bool {
        self.built_in || self.assignable.is_empty() || self.assignable.iter().any(|one| within(scope, one))
    }
}

/// A role assignment as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    /// The scope as the request that made it wrote it.
    pub(crate) scope: String,
    pub(crate) principal: String,
    pub(crate) principal_type: String,
    pub(crate) role: String,
    pub(crate) condition: Option<String>,
    pub(crate) condition_version: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_by: Option<String>,
    /// From when on it has an effect.
    pub(crate) effective: Instant,
    /// Until when it has one, once it was deleted.
    pub(crate) fades: Option<Instant>,
    /// From when on lists have it.
    pub(crate) listed: Instant,
    /// Until when lists have it, once it was deleted.
    pub(crate) unlisted: Option<Instant>,
}

impl Assignment {
    /// Whether a list has it: lists may lag behind writes.
    pub(crate) fn is_listed(&self, now: Instant) -> bool {
        self.listed <= now && self.unlisted.is_none_or(|until| now < until)
    }

    fn holds(&self, now: Instant) -> bool {
        self.effective <= now && self.fades.is_none_or(|fades| now < fades)
    }

    /// Same scope, principal and role: Azure keeps no second one.
    pub(crate) fn is_for(&self, scope: &str, principal: &str, role: &str) -> bool {
        same_scope(&self.scope, scope)
            && self.principal.eq_ignore_ascii_case(principal)
            && self.role.eq_ignore_ascii_case(role)
    }
}

/// What a caller wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) action: &'a str,
    /// Whether it is a data action.
    pub(crate) data: bool,
    pub(crate) scope: &'a str,
    /// The attributes that conditions speak of.
    pub(crate) facts: &'a [(&'a str, &'a str)],
}

impl<'a> Wanted<'a> {
    pub(crate) fn action(action: &'a str, scope: &'a str) -> Self {
        Self { action, data: false, scope, facts: &[] }
    }

    pub(crate) fn data(action: &'a str, scope: &'a str, facts: &'a [(&'a str, &'a str)]) -> Self {
        Self { action, data: true, scope, facts }
    }
}

/// All role definitions and assignments.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) roles: Vec<Role>,
    pub(crate) assignments: Vec<Assignment>,
    /// Whether registries know `@Resource` attributes of repositories.
    pub(crate) knows_repositories: bool,
}

impl Access {
    pub(crate) fn new() -> Self {
        Self { roles: built_in::roles(), assignments: Vec::new(), knows_repositories: false }
    }

    /// The role with this GUID, in whatever case.
    pub(crate) fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id.eq_ignore_ascii_case(id))
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name.eq_ignore_ascii_case(name))
    }

    /// The assignments that were not deleted.
    pub(crate) fn standing(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.iter().filter(|assignment| assignment.fades.is_none())
    }

    /// Whether one of these principals (a caller and its groups) may do it.
    pub(crate) fn permits(&self, principals: &[String], wanted: &Wanted<'_>, now: Instant) -> bool {
        self.granting(principals, wanted, now).any(|one| self.holds(one, wanted))
    }

    /// Whether an assignment's condition holds. One that cannot be read grants nothing.
    fn holds(&self, assignment: &Assignment, wanted: &Wanted<'_>) -> bool {
        let Some(condition) = &assignment.condition else { return true };
        let facts =
            Facts { action: wanted.action, attributes: wanted.facts, knows_repositories: self.knows_repositories };
        Condition::parse(condition).is_some_and(|condition| condition.holds(&facts))
    }

    /// Whether they might, if it were not for the conditions.
    pub(crate) fn permits_but_for_conditions(&self, principals: &[String], wanted: &Wanted<'_>, now: Instant) -> bool {
        self.granting(principals, wanted, now).next().is_some()
    }

    /// The assignments that give it, whatever their conditions.
    fn granting<'a>(
        &'a self,
        principals: &'a [String],
        wanted: &'a Wanted<'_>,
        now: Instant,
    ) -> impl Iterator<Item = &'a Assignment> {
        self.assignments.iter().filter(move |assignment| {
            principals.iter().any(|principal| principal.eq_ignore_ascii_case(&assignment.principal))
                && assignment.holds(now)
                && within(wanted.scope, &assignment.scope)
                && self.role(&assignment.role).is_some_and(|role| role.allows(wanted))
        })
    }
}

/// Whether `scope` is `outer` or lies below it. Above every subscription is the tenant's root management group, the one that is here,
/// and above that the root.
pub(crate) fn within(scope: &str, outer: &str) -> bool {
    let (scope, outer) = (normal(scope), normal(outer));
    scope == outer
        || scope.strip_prefix(&outer).is_some_and(|rest| rest.starts_with('/'))
        || (scope.starts_with("/subscriptions/") && outer == *ROOT_MANAGEMENT_GROUP)
}

/// Where a scope is a management group: whether that one is here.
pub(crate) fn has_management_group(scope: &str) -> Option<bool> {
    let scope = normal(scope);
    scope.starts_with(MANAGEMENT_GROUPS).then(|| scope == *ROOT_MANAGEMENT_GROUP)
}

const MANAGEMENT_GROUPS: &str = "/providers/microsoft.management/managementgroups/";

/// It has the tenant's id as its name.
static ROOT_MANAGEMENT_GROUP: LazyLock<String> =
    LazyLock::new(|| format!("{MANAGEMENT_GROUPS}{}", crate::principal::stable_id("tenant")));

pub(crate) fn same_scope(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

fn normal(scope: &str) -> String {
    scope.trim_end_matches('/').to_ascii_lowercase()
}

/// Whether an action is one that a pattern with `*` means, in whatever case.
///
/// A star between two slashes may stand for nothing: Managed Identity Operator reads identities by `…/*/read`.
pub(crate) fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    fits(&pattern, &action) || (pattern.contains("/*/") && fits(&pattern.replacen("/*/", "/", 1), &action))
}

fn fits(pattern: &str, action: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = action.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let middle: Vec<&str> = parts.collect();
    let Some((last, middle)) = middle.split_last() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_an_action() {
        assert!(matches("*", "Microsoft.A/b/read"));
        assert!(matches("*/read", "Microsoft.ContainerRegistry/registries/pull/read"));
        assert!(matches("Microsoft.Authorization/*/Write", "microsoft.authorization/roleAssignments/write"));
        assert!(!matches("*/read", "Microsoft.ContainerRegistry/registries/write"));
        assert!(!matches("a/b", "a/b/c"));
        assert!(matches("Microsoft.ManagedIdentity/x/*/read", "Microsoft.ManagedIdentity/x/read"));
    }

    #[test]
    fn a_scope_is_inherited_along_whole_segments_only() {
        assert!(within("/subscriptions/s/resourceGroups/g", "/Subscriptions/S"));
        assert!(within("/subscriptions/s", "/"));
        assert!(!within("/subscriptions/s/resourceGroups/group2", "/subscriptions/s/resourceGroups/group"));
    }

    #[test]
    fn the_tenants_root_management_group_is_between_the_root_and_the_subscriptions() {
        let group =
            format!("/providers/Microsoft.Management/managementGroups/{}", crate::principal::stable_id("tenant"));
        assert!(within("/subscriptions/s/resourceGroups/g", &group));
        assert!(within(&group, "/"));
        assert!(!within("/", &group) && !within(&group, "/subscriptions/s"));
        assert!(!within("/subscriptions/s", "/providers/Microsoft.Management/managementGroups/another"));
    }

    #[test]
    fn a_contributor_may_do_all_but_change_rights() {
        let access = Access::new();
        let role = access.role_named("contributor").unwrap();
        assert!(role.allows(&Wanted::action("Microsoft.ContainerRegistry/registries/write", "/")));
        assert!(!role.allows(&Wanted::action("Microsoft.Authorization/roleAssignments/write", "/")));
        assert!(role.allows(&Wanted::action("Microsoft.Authorization/roleAssignments/read", "/")));
    }

    #[test]
    fn an_owner_has_no_data_actions() {
        let access = Access::new();
        let wanted = Wanted::data("Microsoft.ContainerRegistry/registries/repositories/content/read", "/", &[]);
        assert!(!access.role_named("Owner").unwrap().allows(&wanted));
    }
}
