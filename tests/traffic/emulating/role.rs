//! Role assignments and definitions.

use super::{
    compare::{Rule, compare},
    scene::{SUBSCRIPTION, ask, ask_as, azure, group, place, registry},
};
use crate::exchange::{Case, Exchange};
use aks_acr_emulator::{Emulator, Timing};
use aks_acr_tests::data::paused;
use libtest_mimic::Failed;
use std::time::Duration;

const DEFINITION: Rule = Rule {
    reads: &["/value/*/properties/permissions/*/dataActions", "/value/*/properties/assignableScopes"],
    same: &[
        "/value/0/id",
        "/value/0/name",
        "/value/0/type",
        "/value/0/properties/roleName",
        "/value/0/properties/type",
        "/value/0/properties/permissions",
    ],
    beyond: &[],
    headers: &[],
    types: &[],
};

/// All that a client reads of an assignment has the recorded value.
const ASSIGNMENT: Rule = Rule {
    reads: &["/properties/condition", "/properties/createdOn", "/properties/updatedBy"],
    same: &[
        "/id",
        "/name",
        "/type",
        "/properties/roleDefinitionId",
        "/properties/principalId",
        "/properties/principalType",
        "/properties/scope",
    ],
    beyond: &[],
    headers: &[],
    types: &[],
};

/// Found by a name in lower case, and under the subscription that was asked.
pub(super) fn definition(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = at_resource(&case.exchange)?;
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &DEFINITION)
    })
}

/// The resource that a role is given at, or a group for it where it is of a kind that is not emulated.
fn at_resource(exchange: &Exchange) -> Result<Emulator, Failed> {
    let id = exchange.resource()?;
    if id.contains("Microsoft.ContainerRegistry") {
        return Ok(azure().with_registry_of(registry(&id)?));
    }
    if id.contains("userAssignedIdentities") {
        return Ok(azure().with_identity(&id));
    }
    Ok(group(azure(), place(&id)?.0))
}

/// The answer says everything as it was sent, the principal's id without the directory having been asked for it.
pub(super) fn granted(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = ask(&at_resource(&case.exchange)?, &case.exchange).await?;
        assert_eq!(got.body["properties"]["createdBy"], case.exchange.body["properties"]["createdBy"]);
        compare(&case.exchange, &got, &ASSIGNMENT)
    })
}

/// Under a new name, after the recorded grant.
pub(super) fn exists(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = at_resource(&case.exchange)?;
        assert_eq!(ask(&azure, &case.other("aks/02-role-assignment-put-201")?).await?.status, 201);
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &Rule::default())
    })
}

/// At a group, and without the principal's type: the directory is asked, and does not know it.
pub(super) fn unknown_principal(case: &Case) -> Result<(), Failed> {
    paused(async {
        let path = case.exchange.path()?;
        let name = path.split('/').nth(4).unwrap_or_default();
        let azure = group(azure(), name);
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &Rule::default())
    })
}

/// The principal is one that the emulator's directory has, and the role one that the emulator has: of neither does the
/// refusal depend on more than its kind.
pub(super) fn unmatched_type(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = azure();
        let mut request = case.exchange.clone();
        request.sent["properties"]["principalId"] = azure.make_identity("identity").into();
        request.sent["properties"]["roleDefinitionId"] = pull_role().into();
        compare(&case.exchange, &ask(&azure, &request).await?, &Rule::default())
    })
}

fn pull_role() -> String {
    let role = aks_acr::PullRole::AcrPull.id();
    format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}")
}

/// A caller without rights. Who it is stands in the text, which is therefore put in the recorded place.
pub(super) fn refused(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = at_resource(&case.exchange)?.with_caller("nobody", &[]);
        let mut got = ask_as(&azure, azure.credential_of("nobody"), &case.exchange).await?;
        let said = got.text("/error/message")?;
        let caller = said.split('\'').nth(1).unwrap_or_default();
        let recorded = case.exchange.text("/error/message")?.split('\'').nth(1).unwrap_or_default();
        got.body["error"]["message"] = said.replacen(caller, recorded, 1).into();
        compare(&case.exchange, &got, &Rule::default())
    })
}

/// The recorded principal holds a role at the registry; another holds the same.
fn with_grant(exchange: &Exchange, principal: &str) -> Result<(Emulator, String), Failed> {
    let azure = at_resource(exchange)?;
    let scope = exchange.resource()?;
    azure.grant("AcrPull", "99999999-0000-0000-0000-000000000000", &scope);
    let name = azure.grant("AcrPull", principal, &scope);
    Ok((azure, name))
}

pub(super) fn listed_by_principal(case: &Case) -> Result<(), Failed> {
    paused(async {
        let principal = case.exchange.text("/value/0/properties/principalId")?;
        let (azure, _) = with_grant(&case.exchange, principal)?;
        let got = ask(&azure, &case.exchange).await?;
        assert_eq!(got.body["value"].as_array().map(Vec::len), Some(1));
        let rule = Rule {
            reads: &[
                "/value/*/id",
                "/value/*/name",
                "/value/*/properties/scope",
                "/value/*/properties/roleDefinitionId",
            ],
            same: &["/value/0/properties/principalId", "/value/0/properties/principalType", "/value/0/type"],
            ..Rule::default()
        };
        compare(&case.exchange, &got, &rule)
    })
}

/// The name of the assignment is the emulator's. Who made it is not known of one that was always there.
pub(super) fn revoked(case: &Case) -> Result<(), Failed> {
    paused(async {
        let (azure, name) = with_grant(&case.exchange, case.exchange.text("/properties/principalId")?)?;
        let mut request = case.exchange.clone();
        request.url = case.exchange.url.replace(case.exchange.text("/name")?, &name);
        let got = ask(&azure, &request).await?;
        assert_eq!(got.text("/name")?, name);
        let rule = Rule {
            reads: &["/id", "/properties/roleDefinitionId", "/properties/scope"],
            same: &["/properties/principalId", "/properties/principalType", "/type"],
            ..Rule::default()
        };
        compare(&case.exchange, &got, &rule)?;
        assert_eq!(ask(&azure, &request).await?.status, 204, "it is gone");
        Ok::<_, Failed>(())
    })
}

const LIST: Rule = Rule {
    reads: &[
        "/value/*/id",
        "/value/*/name",
        "/value/*/type",
        "/value/*/properties/scope",
        "/value/*/properties/principalId",
        "/value/*/properties/principalType",
        "/value/*/properties/roleDefinitionId",
    ],
    same: &[],
    beyond: &[],
    headers: &[],
    types: &[],
};

/// One assignment to the caller and one to a group that it is in, as the two that were recorded; one to another principal.
pub(super) fn listed_by_assignee(case: &Case) -> Result<(), Failed> {
    paused(async {
        let scope = format!("/subscriptions/{SUBSCRIPTION}");
        let azure = azure().with_caller("member", &[("Owner", &scope)]).with_member("group", "member");
        azure.grant("Owner", &azure.group_id("group"), &scope);
        let recorded = case.exchange.url.split('\'').nth(1).unwrap_or_default();
        let mut request = case.exchange.clone();
        request.url = request.url.replace(recorded, &azure.object_id_of("member"));
        let got = ask(&azure, &request).await?;
        let kinds = |body: &serde_json::Value| {
            let items = body["value"].as_array().into_iter().flatten();
            items.filter(|item| item["properties"]["principalType"] == "Group").count()
        };
        assert_eq!(got.body["value"].as_array().map(Vec::len), Some(2), "{}", got.body);
        assert_eq!(kinds(&got.body), 1);
        assert!(kinds(&case.exchange.body) > 0, "the recording has one through a group");
        compare(&case.exchange, &got, &LIST)
    })
}

/// One above the scope and one at it, as they were recorded; one below it, which must not be listed.
pub(super) fn listed_at_scope(case: &Case) -> Result<(), Failed> {
    paused(async {
        let principal = "99999999-0000-0000-0000-000000000000";
        let azure = group(azure(), "group");
        azure.grant("User Access Administrator", principal, "");
        azure.grant("AcrPull", principal, &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/group"));
        let got = ask(&azure, &case.exchange).await?;
        let scopes = |body: &serde_json::Value| {
            let items = body["value"].as_array().into_iter().flatten();
            let mut scopes: Vec<_> = items.map(|item| item["properties"]["scope"].to_string()).collect();
            scopes.sort();
            scopes.dedup();
            scopes
        };
        assert_eq!(scopes(&got.body), ["\"/\"".to_owned(), format!("\"/subscriptions/{SUBSCRIPTION}\"")]);
        assert!(scopes(&got.body).iter().all(|scope| scopes(&case.exchange.body).contains(scope)));
        compare(&case.exchange, &got, &LIST)
    })
}

/// An identity that was made a moment ago, named without its type: as long as the directory does not know it, and after.
async fn with_new_identity(case: &Case, after: Duration) -> Result<(Exchange, super::scene::Got), Failed> {
    let azure = at_resource(&case.exchange)?;
    azure.set_timing(Timing::none().with_principal(Duration::from_secs(15)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut request = case.exchange.clone();
    request.sent["properties"]["principalId"] = azure.make_identity("identity").into();
    tokio::time::sleep(after).await;
    let got = ask(&azure, &request).await?;
    // The recording's own ids were replaced; those of the emulator take their place.
    if request.body["properties"].is_object() {
        request.body["properties"]["principalId"] = request.sent["properties"]["principalId"].clone();
    }
    Ok((request, got))
}

pub(super) fn new_identity(case: &Case) -> Result<(), Failed> {
    paused(async {
        let (recorded, got) = with_new_identity(case, Duration::from_secs(5)).await?;
        compare(&recorded, &got, &Rule::default())
    })
}

pub(super) fn known_identity(case: &Case) -> Result<(), Failed> {
    paused(async {
        let (recorded, got) = with_new_identity(case, Duration::from_secs(20)).await?;
        compare(&recorded, &got, &ASSIGNMENT)
    })
}
