//! Refusals: each kind is distinguished, reported after one try, and says what lifts it.

use crate::{
    backend::Backend,
    case::{Case, Checked, cases, refused},
    emulator::{Scene, client},
};
use aks_acr::{AttachOptions, CreateRegistryOptions, DetachOptions, Error, ErrorKind, RefusalKind};
use aks_acr_emulator::Fault;
use libtest_mimic::Failed;

const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const ASSIGNMENTS: &str = "Microsoft.Authorization/roleAssignments";
const REGISTRIES: &str = "Microsoft.ContainerRegistry/registries";
const ADMINISTRATOR: &str = "Role Based Access Control Administrator";
/// Roles may be given to users only: never to a kubelet identity.
const USERS_ONLY: &str = "(!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR \
    (@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'User')";
const ACR_PULL_ONLY: &str = "(!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR \
    (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals \
    {7f951dda-4ed3-4680-a7ca-43fe172d538d})";

pub fn cases() -> Vec<Case> {
    cases! { "refusal";
        everywhere: [];
        on_emulator: [
            a_missing_right_names_the_action_and_the_smallest_role,
            a_role_that_can_be_activated_is_named_and_helps,
            a_role_that_may_not_contain_the_action_is_not_promised_to_help,
            a_read_of_eligible_roles_that_fails_leaves_the_refusal,
            a_policy_is_named_and_no_role_is_recommended,
            every_policy_that_is_in_the_way_of_a_registry_is_named,
            a_lock_that_makes_read_only_refuses_the_grant,
            a_lock_against_deletion_refuses_the_detach_and_not_the_attach,
            a_deny_assignment_goes_before_an_owners_role,
            a_condition_on_the_callers_own_role_is_told_apart_from_a_missing_one,
            a_condition_that_lists_the_role_lets_it_be_granted,
            conditional_access_that_gives_no_token_is_told_apart_from_a_wrong_secret,
            a_challenge_for_more_claims_is_conditional_access,
        ];
    }
}

/// Attaches as the owner, who has every right; the error, and that one request was refused.
async fn attach(scene: &Scene) -> Result<Error, Failed> {
    let err = refused(
        scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await,
        ErrorKind::Forbidden,
    )?;
    assert_eq!(scene.writes().len(), 1, "a refusal is reported after one");
    Ok(err)
}

fn is(err: &Error, kind: RefusalKind, code: &str, status: u16) {
    assert_eq!((err.refusal(), err.code(), err.status()), (Some(kind), Some(code), Some(status)), "{err:#}");
    assert_eq!((err.missing_action(), err.smallest_role()), (None, None), "more rights do not help: {err}");
    assert!(err.to_string().contains("refused by: "), "{err}");
    assert!(err.correlation_id().is_some());
}

async fn a_missing_right_names_the_action_and_the_smallest_role() -> Checked {
    let scene = Scene::new()?;
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    let result = reader.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await;
    let err = refused(result, ErrorKind::Forbidden)?;
    assert_eq!((err.refusal(), err.missing_action()), (Some(RefusalKind::MissingRight), Some(WRITE)));
    assert_eq!((err.smallest_role(), err.policies().len()), (Some(ADMINISTRATOR), 0));
    Ok(())
}

/// One read after the one refused write, and once the role is active, the same call succeeds.
async fn a_role_that_can_be_activated_is_named_and_helps() -> Checked {
    let scene = Scene::new()?;
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    let other = format!("{}/resourceGroups/other", scene.everything());
    scene.azure.add_eligible_role("caller", "Contributor", scene.registry().as_str());
    scene.azure.add_eligible_role("caller", ADMINISTRATOR, &scene.everything());
    scene.azure.add_eligible_role("caller", "Owner", &other);
    // Azure lists it, and it does not contain the scope.
    scene.azure.add_eligible_role("caller", "Owner", &format!("{}/tokens/one", scene.registry()));
    scene.azure.add_eligible_role("nobody", "Owner", &scene.everything());
    let mark = scene.azure.mark();
    let result = reader.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await;
    let err = refused(result, ErrorKind::Forbidden)?;
    let roles: Vec<(&str, &str)> =
        err.eligible_roles().iter().map(|one| (one.role.as_str(), one.scope.as_str())).collect();
    let everything = scene.everything();
    assert_eq!(roles, [(ADMINISTRATOR, everything.as_str()), ("Contributor", scene.registry().as_str())]);
    let text = err.to_string();
    assert!(text.contains(&format!("eligible for: {ADMINISTRATOR}")) && text.contains("activate the role"), "{text}");
    let sent = scene.azure.requests_since(mark);
    let reads: Vec<_> = sent.iter().filter(|one| one.path.contains("roleEligibilityScheduleInstances")).collect();
    assert_eq!((reads.len(), sent.iter().filter(|one| one.is_write()).count()), (1, 1), "{sent:#?}");
    scene.azure.grant(ADMINISTRATOR, &scene.azure.object_id_of("caller"), &everything);
    reader.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    Ok(())
}

/// Whether another role than the smallest one contains the action was not read, and is not promised.
async fn a_role_that_may_not_contain_the_action_is_not_promised_to_help() -> Checked {
    let scene = Scene::new()?;
    let reader = scene.caller(&[("Reader", &scene.everything())])?;
    scene.azure.add_eligible_role("caller", "Contributor", scene.registry().as_str());
    let result = reader.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await;
    let text = refused(result, ErrorKind::Forbidden)?.to_string();
    assert!(text.contains("eligible for: Contributor, next step: if one of these roles contains the action"), "{text}");
    Ok(())
}

/// Within three seconds, and never another error.
async fn a_read_of_eligible_roles_that_fails_leaves_the_refusal() -> Checked {
    const PART: &str = "roleEligibilityScheduleInstances";
    for fault in
        [Fault::on("GET", PART).silent(), Fault::on("GET", PART).status(403), Fault::on("GET", PART).status(500)]
    {
        let scene = Scene::new()?;
        let reader = scene.caller(&[("Reader", &scene.everything())])?;
        scene.azure.add_eligible_role("caller", ADMINISTRATOR, &scene.everything());
        scene.azure.fault(fault.times(100));
        let begun = tokio::time::Instant::now();
        let result = reader.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await;
        let err = refused(result, ErrorKind::Forbidden)?;
        assert_eq!((err.missing_action(), err.eligible_roles().len()), (Some(WRITE), 0), "{err:#}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(4), "{:?}", begun.elapsed());
    }
    Ok(())
}

async fn a_policy_is_named_and_no_role_is_recommended() -> Checked {
    let scene = Scene::new()?;
    scene.azure.add_policy("no-grants", ASSIGNMENTS, &scene.everything());
    let err = attach(&scene).await?;
    is(&err, RefusalKind::Policy, "RequestDisallowedByPolicy", 403);
    let [policy] = err.policies() else { return Err(format!("{err:?}").into()) };
    assert_eq!(policy.name, "no-grants");
    assert!(
        policy.assignment_id.as_deref().is_some_and(|id| id.ends_with("/policyAssignments/no-grants")),
        "{policy:?}"
    );
    assert!(err.to_string().contains("policy: no-grants"), "{err}");
    Ok(())
}

async fn every_policy_that_is_in_the_way_of_a_registry_is_named() -> Checked {
    let scene = Scene::new()?;
    for name in ["one", "two"] {
        scene.azure.add_policy(name, REGISTRIES, &scene.everything());
    }
    let result = scene.client.create_registry("group", "another", CreateRegistryOptions::default()).await;
    let err = refused(result, ErrorKind::Forbidden)?;
    is(&err, RefusalKind::Policy, "RequestDisallowedByPolicy", 403);
    assert_eq!(err.policies().iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    Ok(())
}

async fn a_lock_that_makes_read_only_refuses_the_grant() -> Checked {
    let scene = Scene::new()?;
    scene.azure.lock("keep", &scene.everything(), "ReadOnly");
    let err = attach(&scene).await?;
    is(&err, RefusalKind::Lock, "ScopeLocked", 409);
    assert_eq!(err.scope(), Some(scene.registry().as_str()));
    Ok(())
}

async fn a_lock_against_deletion_refuses_the_detach_and_not_the_attach() -> Checked {
    let scene = Scene::new()?;
    scene.azure.lock("keep", scene.registry().as_str(), "CanNotDelete");
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    let result = scene.client.detach(&scene.cluster, &scene.by_id(), DetachOptions::default()).await;
    is(&refused(result, ErrorKind::Forbidden)?, RefusalKind::Lock, "ScopeLocked", 409);
    Ok(())
}

async fn a_deny_assignment_goes_before_an_owners_role() -> Checked {
    let scene = Scene::new()?;
    scene.azure.add_deny_assignment("stack", &["*/write"], scene.registry().as_str(), &[]);
    is(&attach(&scene).await?, RefusalKind::DenyAssignment, "DenyAssignmentAuthorizationFailed", 403);
    Ok(())
}

/// As a caller who may read all, and grant under a condition.
async fn as_delegate(condition: &str) -> Result<aks_acr::Result<aks_acr::Attachment>, Failed> {
    let scene = Scene::new()?;
    let delegate = scene.caller(&[("Reader", &scene.everything())])?;
    scene.azure.grant_if(ADMINISTRATOR, &scene.azure.object_id_of("caller"), scene.registry().as_str(), condition);
    Ok(delegate.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await)
}

async fn a_condition_on_the_callers_own_role_is_told_apart_from_a_missing_one() -> Checked {
    let err = refused(as_delegate(USERS_ONLY).await?, ErrorKind::Forbidden)?;
    is(&err, RefusalKind::ConstrainedDelegation, "AuthorizationFailed", 403);
    Ok(())
}

async fn a_condition_that_lists_the_role_lets_it_be_granted() -> Checked {
    assert!(as_delegate(ACR_PULL_ONLY).await?.is_ok());
    Ok(())
}

async fn conditional_access_that_gives_no_token_is_told_apart_from_a_wrong_secret() -> Checked {
    let scene = Scene::new()?;
    scene.azure.block_sign_in("owner", true);
    let result = scene.client.identities(&scene.cluster, aks_acr::CallOptions::default()).await;
    let err = refused(result, ErrorKind::Unauthenticated)?;
    assert_eq!(err.refusal(), Some(RefusalKind::ConditionalAccess), "{err:#}");
    let stranger = client(&scene.azure, scene.azure.credential_of("nobody at all"))?;
    let result = stranger.identities(&scene.cluster, aks_acr::CallOptions::default()).await;
    assert_eq!(refused(result, ErrorKind::Unauthenticated)?.refusal(), None);
    Ok(())
}

async fn a_challenge_for_more_claims_is_conditional_access() -> Checked {
    let scene = Scene::new()?;
    let challenge = "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJ9\"";
    let fault = Fault::on("GET", "/managedClusters/").status(401).header("www-authenticate", challenge).times(5);
    scene.azure.fault(fault);
    let result = scene.client.identities(&scene.cluster, aks_acr::CallOptions::default()).await;
    let err = refused(result, ErrorKind::Unauthenticated)?;
    assert_eq!(err.refusal(), Some(RefusalKind::ConditionalAccess));
    Ok(())
}
