//! Role assignments through Azure Resource Manager.

use super::{
    Grant, Granted, Revoked, RoleAssigner, RoleAssignment, RoleDefinition, assignment_name, definition::WirePermissions,
};
use crate::{
    action::{DELETE_GRANT, READ_GRANTS, READ_ROLE, WRITE_GRANT},
    call::{Call, Poll, Polling},
    connection::Connection,
    error::{Error, ErrorKind, Result},
    http::{Answer, Arm, ArmRequest, CORRELATION_ID},
    id::{PrincipalId, ResourceId, SubscriptionId},
    stored_time,
};
use async_trait::async_trait;
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const API: &str = "2022-04-01";
const PROVIDER: &str = "providers/Microsoft.Authorization";

/// The prefix of the descriptions of assignments that this library created.
const DESCRIBED_BY_US: &str = "aks-acr ";

/// How long a new identity may stay unknown to Entra ID. Half a minute was recorded.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(120);
/// How long a list may lag behind a write.
const LONGEST_LAG: Duration = Duration::from_secs(15);

/// The [`RoleAssigner`](crate::RoleAssigner) for Azure.
#[derive(Clone, Debug)]
pub struct AzureRoleAssigner {
    arm: Arm,
}

impl AzureRoleAssigner {
    /// Makes the part from a connection: see [`Connection`].
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { arm: connection.arm.clone() }
    }

    async fn put(&self, grant: &Grant, call: &Call) -> Result<Answer> {
        let answer = self.arm.send(put_assignment(grant)?, call).await;
        answer.map_err(|err| err.with_context("principal", grant.principal_id.to_string()))
    }

    /// Retries only while Entra ID does not know the principal yet.
    async fn put_when_known(&self, grant: &Grant, call: &Call) -> Result<Answer> {
        let poll = || async {
            match self.put(grant, call).await {
                Err(err) if is_unknown_principal(&err) => Ok(Poll::Failed(err)),
                put => put.map(Poll::Ready),
            }
        };
        let put = call.poll_until(Polling::new("granting the role").at_most(LONGEST_UNKNOWN), poll).await;
        put.map_err(explain_unknown_principal)
    }

    /// The assignment that made Azure report that one exists. A list may lag behind a write for a short time.
    async fn existing(&self, grant: &Grant, call: &Call) -> Result<Granted> {
        let poll = || async {
            match self.find(grant, call).await {
                Err(err) if err.kind() == ErrorKind::Conflict => Ok(Poll::Failed(err)),
                found => found.map(Poll::Ready),
            }
        };
        let polling = Polling::new("reading the role assignment").at_most(LONGEST_LAG);
        let found = call.poll_until(polling, poll).await;
        let assignment = match found {
            // Azure has reported that it exists; without the permission to list, no more is known.
            Err(err) if err.kind() == ErrorKind::Forbidden => None,
            found => Some(found?),
        };
        Ok(Granted { assignment, is_new: false, correlation_id: None })
    }

    async fn find(&self, grant: &Grant, call: &Call) -> Result<RoleAssignment> {
        let found = self.list(&grant.scope, call).await?.into_iter().find(|one| one.is_for(grant));
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                "Azure reports that the role assignment exists, but does not list it; retry",
            )
            .with_context("principal", grant.principal_id.to_string())
            .with_transient(true)
        })
    }
}

fn is_unknown_principal(err: &Error) -> bool {
    err.code() == Some("PrincipalNotFound")
}

fn explain_unknown_principal(err: Error) -> Error {
    if !is_unknown_principal(&err) {
        return err;
    }
    err.with_context(
        "hint",
        "Entra ID does not know this principal; pass its object ID, not its client or application ID",
    )
}

#[async_trait]
impl RoleAssigner for AzureRoleAssigner {
    async fn grant(&self, grant: &Grant, call: &Call) -> Result<Granted> {
        match self.put_when_known(grant, call).await {
            Ok(answer) => {
                let correlation_id = answer.header(CORRELATION_ID).map(str::to_owned);
                // An earlier try whose response was lost has created what the retry finds.
                let is_new =
                    answer.status == 201 || answer.is_repeated || grant.is_unlisted || grant.replaces.is_some();
                let assignment = answer.read::<WireAssignment>("a role assignment")?.into_assignment();
                Ok(Granted { assignment, is_new, correlation_id })
            }
            Err(err) if err.code() == Some("RoleAssignmentExists") => self.existing(grant, call).await,
            Err(err) => Err(err),
        }
    }

    async fn revoke(&self, assignment_id: &str, call: &Call) -> Result<Revoked> {
        let id = checked_assignment_id(assignment_id)?;
        let request = ArmRequest::new(Method::Delete, id, API)
            .step("removing the role assignment")
            .needs(DELETE_GRANT, scope_of_assignment(id));
        let answer = self.arm.send_opt(request, call).await?;
        Ok(Revoked {
            was_there: answer.as_ref().is_some_and(|answer| answer.status != 204 || answer.is_repeated),
            correlation_id: answer.and_then(|answer| answer.header(CORRELATION_ID).map(str::to_owned)),
        })
    }

    async fn list(&self, scope: &ResourceId, call: &Call) -> Result<Vec<RoleAssignment>> {
        list_filtered(&self.arm, scope.as_str(), "atScope()".to_owned(), "listing role assignments", call).await
    }

    async fn list_assigned_to(
        &self,
        scope: &ResourceId,
        principal: PrincipalId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>> {
        let filter = format!("atScope() and assignedTo('{principal}')");
        list_filtered(
            &self.arm,
            scope.as_str(),
            filter,
            "listing the principal's direct and group role assignments",
            call,
        )
        .await
    }

    async fn definition(&self, scope: &str, role: Uuid, call: &Call) -> Result<RoleDefinition> {
        let scope = checked_scope(scope)?;
        let request = ArmRequest::get(format!("{scope}/{PROVIDER}/roleDefinitions/{role}"), API)
            .step("reading a role definition")
            .needs(READ_ROLE, if scope.is_empty() { "/" } else { scope });
        self.arm
            .send(request, call)
            .await?
            .read::<WireDefinition>("a role definition")
            .map(WireDefinition::into_definition)
    }
}

/// A principal's assignments in a subscription, above it and below it, direct or through groups. A filter on `principalId` would leave
/// out those of its groups.
pub(crate) async fn list_of_principal(
    arm: &Arm,
    principal: PrincipalId,
    subscription: SubscriptionId,
    call: &Call,
) -> Result<Vec<RoleAssignment>> {
    let filter = format!("assignedTo('{principal}')");
    list_filtered(arm, &subscription.path(), filter, "listing the principal's role assignments", call).await
}

async fn list_filtered(
    arm: &Arm,
    scope: &str,
    filter: String,
    step: &'static str,
    call: &Call,
) -> Result<Vec<RoleAssignment>> {
    let request = ArmRequest::get(format!("{scope}/{PROVIDER}/roleAssignments"), API)
        .filter(filter)
        .step(step)
        .needs(READ_GRANTS, scope);
    let read = |assignment: WireAssignment| Ok(assignment.into_assignment());
    arm.list(request, "a list of role assignments", call, read).await
}

/// See [Role assignments](https://learn.microsoft.com/rest/api/authorization/role-assignments/create).
fn put_assignment(grant: &Grant) -> Result<ArmRequest> {
    let derived = assignment_name(grant.scope.as_str(), grant.principal_id, grant.role_definition_id);
    let name = if grant.is_unlisted { Uuid::new_v4() } else { derived };
    let own = format!("{}/{PROVIDER}/roleAssignments/{name}", grant.scope);
    let id = checked_assignment_id(grant.replaces.as_deref().unwrap_or(&own))?;
    let mut properties = json!({
        "roleDefinitionId": format!("{}/{PROVIDER}/roleDefinitions/{}", grant.scope.subscription().path(), grant.role_definition_id),
        "principalId": grant.principal_id,
    });
    // Spares Azure the look-up in the directory that fails for a new identity.
    if let Some(kind) = grant.principal_type {
        properties["principalType"] = json!(kind.as_str());
    }
    // A PUT sets all properties: one that takes the place of another keeps what its maker wrote about it.
    let description = if grant.replaces.is_some() { grant.description.clone() } else { Some(our_description()) };
    if let Some(description) = description {
        properties["description"] = json!(description);
    }
    if let Some(condition) = &grant.condition {
        properties["condition"] = json!(condition);
        properties["conditionVersion"] = json!("2.0");
    }
    Ok(ArmRequest::new(Method::Put, id, API)
        .body(json!({ "properties": properties }))
        .step("granting the role")
        .needs(WRITE_GRANT, grant.scope.as_str()))
}

/// The description of an assignment that this version creates.
pub(crate) fn our_description() -> String {
    format!("{DESCRIBED_BY_US}{}", env!("CARGO_PKG_VERSION"))
}

/// Whether a description was written by a version of this library, exactly: other descriptions may start with our name.
pub(crate) fn is_our_description(text: &str) -> bool {
    let Some(version) = text.strip_prefix(DESCRIBED_BY_US) else { return false };
    let (numbers, suffix) =
        version.split_once('-').map_or((version, None), |(numbers, suffix)| (numbers, Some(suffix)));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    numbers.split('.').count() == 3 && numbers.split('.').all(is_number) && suffix.is_none_or(is_plain)
}

/// The scope of a listed assignment, for a path: the root's is empty.
fn checked_scope(scope: &str) -> Result<&str> {
    let trimmed = scope.trim_end_matches('/');
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.()/".contains(letter);
    let is_one =
        trimmed.is_empty() || (trimmed.starts_with('/') && !trimmed.contains("..") && trimmed.chars().all(is_plain));
    if is_one { Ok(trimmed) } else { Err(Error::invalid("expected the scope of a role assignment", "scope", scope)) }
}

/// An ID from Azure that a caller may have stored: it must still be valid.
fn checked_assignment_id(id: &str) -> Result<&str> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.()/".contains(letter);
    let is_one = id.starts_with('/') && id.to_ascii_lowercase().contains("/roleassignments/") && !id.contains("..");
    if is_one && id.chars().all(is_plain) {
        return Ok(id);
    }
    Err(Error::invalid("expected the id of a role assignment", "assignment id", id))
}

/// The scope of the assignment with this ID: the part before the provider. Empty for an ID of something else.
pub(crate) fn scope_of_assignment(id: &str) -> &str {
    let end = id.to_ascii_lowercase().rfind("/providers/microsoft.authorization/roleassignments/");
    end.map_or("", |end| &id[..end])
}

#[derive(Deserialize)]
struct WireAssignment {
    #[serde(default)]
    id: String,
    properties: Option<WireProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    role_definition_id: Option<String>,
    principal_id: Option<String>,
    principal_type: Option<String>,
    scope: Option<String>,
    condition: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "crate::lenient::word")]
    updated_on: Option<String>,
}

impl WireAssignment {
    /// `None` without a role, a principal or a scope: it cannot be a grant.
    fn into_assignment(self) -> Option<RoleAssignment> {
        let properties = self.properties?;
        let role = properties.role_definition_id?;
        Some(RoleAssignment {
            id: self.id,
            scope: properties.scope?,
            principal_id: properties.principal_id?,
            principal_type: properties.principal_type,
            role_definition_id: Uuid::try_parse(role.rsplit('/').next()?).ok()?,
            condition: properties.condition.filter(|condition| !condition.is_empty()),
            description: properties.description.filter(|description| !description.is_empty()),
            updated: properties.updated_on.as_deref().and_then(stored_time::parse),
        })
    }
}

impl RoleAssignment {
    /// Whether it has the same scope, principal and role. The condition may differ.
    pub(crate) fn is_for(&self, grant: &Grant) -> bool {
        self.gives(grant) && grant.scope.is(&self.scope)
    }

    /// Whether it has the same principal and role, at any scope.
    pub(crate) fn gives(&self, grant: &Grant) -> bool {
        self.role_definition_id == grant.role_definition_id && self.is_of(grant.principal_id)
    }

    /// Whether it is this principal's.
    pub(crate) fn is_of(&self, principal: PrincipalId) -> bool {
        self.principal_id.eq_ignore_ascii_case(&principal.to_string())
    }

    /// Whether this library created it, according to its description. The library never writes that on other assignments.
    pub(crate) fn is_ours(&self) -> bool {
        self.description.as_deref().is_some_and(is_our_description)
    }

    /// Whether its principal is a person.
    pub(crate) fn is_of_user(&self) -> bool {
        self.principal_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("User"))
    }

    /// Whether it is an Entra group's, and so applies to each of its members.
    pub(crate) fn is_of_group(&self) -> bool {
        self.principal_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Group"))
    }
}

#[derive(Deserialize)]
struct WireDefinition {
    properties: DefinitionProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionProperties {
    role_name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// If missing, the role's permissions are unknown, not empty.
    permissions: Vec<WirePermissions>,
}

impl WireDefinition {
    fn into_definition(self) -> RoleDefinition {
        RoleDefinition {
            name: self.properties.role_name.unwrap_or_default(),
            permissions: self.properties.permissions.into_iter().map(WirePermissions::into_permissions).collect(),
            is_custom: self.properties.kind.is_some_and(|kind| kind.eq_ignore_ascii_case("CustomRole")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_version_of_this_library_wrote_is_its_own() {
        for ours in [our_description().as_str(), "aks-acr 0.1.0", "aks-acr 12.0.3-rc.1"] {
            assert!(is_our_description(ours), "{ours}");
        }
        for others in
            ["", "aks-acr", "aks-acr ", "aks-acr permissions", "aks-acr 0.1", "aks-acr 0.1.0 by Bicep", "Aks-Acr 0.1.0"]
        {
            assert!(!is_our_description(others), "{others}");
        }
    }

    #[test]
    fn an_unreadable_scope_is_refused() {
        assert_eq!(checked_scope("/").unwrap(), "");
        assert_eq!(checked_scope("/subscriptions/x/").unwrap(), "/subscriptions/x");
        for odd in ["subscriptions/x", "/a/../b", "/a?b", "/a b"] {
            assert!(checked_scope(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_definition_without_permissions_is_unreadable() {
        assert!(serde_json::from_str::<WireDefinition>(r#"{"properties":{"roleName":"x"}}"#).is_err());
        assert!(serde_json::from_str::<WireDefinition>(r#"{"properties":null}"#).is_err());
        let text = r#"{"properties":{"roleName":null,"permissions":[{"actions":["*"],"notActions":null}]}}"#;
        let read = serde_json::from_str::<WireDefinition>(text).unwrap().into_definition();
        assert_eq!(read.permissions[0].actions, ["*"]);
    }
}
