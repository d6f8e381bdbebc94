//! Deny assignments: what principals cannot do at a scope, whatever roles they have.

use super::{
    RegistryAccess, RoleAssignmentMode, RolePermissions,
    definition::{WirePermissions, any_has},
};
use crate::{
    action::READ_DENIALS,
    call::Call,
    error::Result,
    http::{Arm, ArmRequest},
    id::{PrincipalId, ResourceId},
};
use serde::{Deserialize, Serialize};

const API: &str = "2022-04-01";

/// The principal ID that stands for everyone.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// A deny assignment as reported by Azure.
///
/// Most are created by Azure, for deployment stacks and managed applications. See [Understand Azure deny
/// assignments](https://learn.microsoft.com/azure/role-based-access-control/deny-assignments).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DenyAssignment {
    /// Its resource ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its scope.
    pub scope: String,
    /// What it denies: what any of its blocks contains.
    pub permissions: Vec<RolePermissions>,
    /// The principals that it applies to.
    pub principals: Vec<DeniedPrincipal>,
    /// The principals that it does not apply to.
    pub exclude_principals: Vec<DeniedPrincipal>,
    /// The condition that restricts it, if any.
    pub condition: Option<String>,
    /// Whether it applies to its scope only, and not below.
    pub does_not_apply_to_child_scopes: bool,
}

/// A principal of a deny assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeniedPrincipal {
    /// Its object ID; zeros stand for everyone.
    pub id: String,
    /// Its type in Azure, such as `ServicePrincipal` or `Group`; for everyone `Everyone` or `SystemDefined`.
    pub kind: Option<String>,
}

impl DeniedPrincipal {
    fn is(&self, principal: PrincipalId) -> bool {
        self.id.eq_ignore_ascii_case(&principal.to_string())
    }

    fn is_group(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Group"))
    }
}

impl DenyAssignment {
    /// Whether it keeps a principal from pulling from a registry: see [`denies`](Self::denies).
    pub(crate) fn denies_pull(
        &self,
        registry: &ResourceId,
        mode: RoleAssignmentMode,
        principal: PrincipalId,
    ) -> Option<bool> {
        self.denies((registry, mode), RegistryAccess::Pull, principal)
    }

    /// Whether it keeps a principal from this in a registry of this mode. `None`: that depends on the members of a group, which are not
    /// known, or on a condition, which is not evaluated.
    pub(crate) fn denies(
        &self,
        (registry, mode): (&ResourceId, RoleAssignmentMode),
        access: RegistryAccess,
        principal: PrincipalId,
    ) -> Option<bool> {
        let is_elsewhere = self.does_not_apply_to_child_scopes && !registry.is(&self.scope);
        if is_elsewhere
            || !any_has(&self.permissions, access, mode)
            || self.exclude_principals.iter().any(|one| one.is(principal))
        {
            return Some(false);
        }
        let is_named = |one: &DeniedPrincipal| one.id == EVERYONE || one.is(principal);
        let applies = match self.principals.iter().any(is_named) {
            true => Some(true),
            false if self.principals.iter().any(DeniedPrincipal::is_group) => None,
            false => Some(false),
        };
        match applies {
            Some(true) if self.condition.is_some() => None,
            Some(true) if self.exclude_principals.iter().any(DeniedPrincipal::is_group) => None,
            applies => applies,
        }
    }
}

/// The deny assignments at a scope and above it. See [Deny
/// assignments](https://learn.microsoft.com/rest/api/authorization/deny-assignments/list-for-scope).
pub(crate) async fn list_denials(arm: &Arm, scope: &ResourceId, call: &Call) -> Result<Vec<DenyAssignment>> {
    let request = ArmRequest::get(format!("{scope}/providers/Microsoft.Authorization/denyAssignments"), API)
        .filter("atScope()".to_owned())
        .step("listing deny assignments")
        .needs(READ_DENIALS, scope.as_str());
    arm.list(request, "a list of deny assignments", call, |one: WireDenial| Ok(Some(one.into_denial()))).await
}

#[derive(Deserialize)]
struct WireDenial {
    id: String,
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    deny_assignment_name: Option<String>,
    permissions: Vec<WirePermissions>,
    scope: String,
    condition: Option<String>,
    do_not_apply_to_child_scopes: Option<bool>,
    principals: Vec<WirePrincipal>,
    exclude_principals: Option<Vec<WirePrincipal>>,
}

#[derive(Deserialize)]
struct WirePrincipal {
    id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl WireDenial {
    fn into_denial(self) -> DenyAssignment {
        let WireProperties { permissions, scope, principals, exclude_principals, condition, .. } = self.properties;
        let principal = |one: WirePrincipal| DeniedPrincipal { id: one.id, kind: one.kind };
        DenyAssignment {
            id: self.id,
            name: self.properties.deny_assignment_name.unwrap_or_default(),
            scope,
            permissions: permissions.into_iter().map(WirePermissions::into_permissions).collect(),
            principals: principals.into_iter().map(principal).collect(),
            exclude_principals: exclude_principals.unwrap_or_default().into_iter().map(principal).collect(),
            condition: condition.filter(|condition| !condition.is_empty()),
            // Unless it says so, it applies below, as role assignments do.
            does_not_apply_to_child_scopes: self.properties.do_not_apply_to_child_scopes.unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RoleAssignmentMode::{AbacRepositoryPermissions as Abac, LegacyRegistryPermissions as Legacy};

    const KUBELET: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const GROUP: &str = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g";

    fn denial(permissions: &str, principals: &str, excluded: &str, rest: &str) -> DenyAssignment {
        let text = format!(
            r#"{{"id":"x","properties":{{"denyAssignmentName":"n","scope":"{GROUP}","permissions":[{permissions}],
                "principals":[{principals}],"excludePrincipals":[{excluded}]{rest}}}}}"#
        );
        serde_json::from_str::<WireDenial>(&text).unwrap().into_denial()
    }

    fn denies(one: &DenyAssignment, mode: RoleAssignmentMode) -> Option<bool> {
        let registry = format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/myreg").parse().unwrap();
        one.denies_pull(&registry, mode, KUBELET.parse().unwrap())
    }

    #[test]
    fn everyone_but_those_excluded_is_denied() {
        let everyone = r#"{"id":"00000000-0000-0000-0000-000000000000","type":"Everyone"}"#;
        let kubelet = &format!(r#"{{"id":"{}","type":"ServicePrincipal"}}"#, KUBELET.to_uppercase());
        let system = r#"{"id":"00000000-0000-0000-0000-000000000000","type":"SystemDefined"}"#;
        let other = r#"{"id":"bbbbbbbb-0000-0000-0000-000000000001","type":"ServicePrincipal"}"#;
        let group = r#"{"id":"cccccccc-0000-0000-0000-000000000001","type":"Group"}"#;
        let all = r#"{"actions":["*"],"notActions":["*/other"],"dataActions":null}"#;
        for (principals, excluded, denied) in [
            (everyone, "", Some(true)),
            (system, "", Some(true)),
            (kubelet, "", Some(true)),
            (everyone, kubelet, Some(false)),
            (everyone, other, Some(true)),
            (other, "", Some(false)),
            (group, "", None),
            (everyone, group, None),
            (group, kubelet, Some(false)),
        ] {
            assert_eq!(denies(&denial(all, principals, excluded, ""), Legacy), denied, "{principals} but {excluded}");
            assert_eq!(denies(&denial(all, principals, excluded, ""), Abac), Some(false));
        }
        let of_parent = denial(all, everyone, "", r#","doNotApplyToChildScopes":true"#);
        assert_eq!(denies(&of_parent, Legacy), Some(false));
        let conditional = denial(all, everyone, "", r#","condition":"@Resource[x:y] StringEquals 'a'""#);
        assert_eq!((denies(&conditional, Legacy), denies(&conditional, Abac)), (None, Some(false)));
        assert_eq!(denies(&denial(all, everyone, "", r#","condition":"""#), Legacy), Some(true));
        let data = r#"{"actions":[],"dataActions":["Microsoft.ContainerRegistry/*"],"notDataActions":[]}"#;
        assert_eq!(denies(&denial(data, everyone, "", ""), Abac), Some(true));
        let but_pull = r#"{"actions":["*"],"notActions":["*/pull/read"]}"#;
        assert_eq!(denies(&denial(but_pull, everyone, "", ""), Legacy), Some(false));
    }

    #[test]
    fn a_denial_without_its_parts_is_unreadable() {
        for text in [
            r#"{"id":"x","properties":null}"#,
            r#"{"id":"x","properties":{"scope":"/","permissions":[]}}"#,
            r#"{"id":"x","properties":{"scope":"/","principals":[]}}"#,
        ] {
            assert!(serde_json::from_str::<WireDenial>(text).is_err(), "{text}");
        }
    }
}
