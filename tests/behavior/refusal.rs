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
