//! Changes of the role assignment mode: nobody loses access that the plan does not name, and the reverse restores everything. What a principal
//! can do is what the emulator's registry allows it, not what the library concludes.

use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene, deployment},
};
use aks_acr::{
    ApplyModeChangeOptions, CallOptions, CheckOptions, ErrorKind, FindingId, ModeChangeOptions, ModeChangeOutcome,
    ModeChangePlan, RegistryAccess, RoleAssignmentMode, RolloutOptions, Verdict, WorkloadRef,
};
use aks_acr_emulator::{Fault, RegistrySeed, RoleAssignment, RoleSeed, Timing};
use libtest_mimic::Failed;
use std::{collections::BTreeSet, time::Duration};

use RoleAssignmentMode::{AbacRepositoryPermissions as Abac, LegacyRegistryPermissions as Legacy};

const READER: &str = "Container Registry Repository Reader";
const WRITER: &str = "Container Registry Repository Writer";
const CONTRIBUTOR: &str = "Container Registry Repository Contributor";
const LISTER: &str = "Container Registry Repository Catalog Lister";
const REPOSITORIES: [&str; 3] = ["team/app", "team/web", "other"];

pub fn cases() -> Vec<Case> {
    cases! { "mode_change";
        everywhere: [];
        on_emulator: [
            nobody_loses_access_that_the_plan_does_not_name,
            nodes_pull_before_during_and_after_the_change,
            a_call_that_ends_anywhere_is_completed_by_the_next,
            somebody_who_came_later_is_not_locked_out,
            a_role_that_was_removed_since_keeps_the_reverse_back,
            access_is_not_lost_without_consent,
            a_deleted_principal_does_not_keep_the_change_back,
            without_optional_rights_the_plan_says_what_is_not_known,
            the_mode_changes_when_the_newest_role_is_ten_minutes_old,
            a_plan_for_the_mode_that_the_registry_has_grants_nothing,
            a_stored_plan_is_read_back,
            a_plan_expires_but_can_be_undone_later,
        ];
    }
}

/// Grants something to the principal with this object ID.
type Grants = fn(&Scene, &str);

fn at(scene: &Scene) -> String {
    scene.azure.registry_id(GROUP, REGISTRY)
}

fn grant(scene: &Scene, role: &str, who: &str) {
    scene.azure.grant(role, who, &at(scene));
}

fn grant_if(scene: &Scene, role: &str, who: &str, source: &str, comparison: &str) {
    let content = "Microsoft.ContainerRegistry/registries/repositories/content";
    let condition = format!(
        "((!(ActionMatches{{'{content}/read'}}) AND !(ActionMatches{{'{content}/write'}})) OR \
         (@{source}[Microsoft.ContainerRegistry/registries/repositories:name] {comparison}))"
    );
    scene.azure.grant_if(role, who, &at(scene), &condition);
}

fn custom(scene: &Scene, who: &str, role: RoleSeed) {
    let _ = scene.azure.clone().with_role(role);
    grant(scene, "custom", who);
}

fn grants() -> Vec<(&'static str, Grants)> {
    vec![
        ("nothing", |_, _| {}),
        ("AcrPull", |scene, who| grant(scene, "AcrPull", who)),
        ("AcrPush", |scene, who| grant(scene, "AcrPush", who)),
        ("AcrDelete", |scene, who| grant(scene, "AcrDelete", who)),
        ("AcrPull and AcrDelete", |scene, who| {
            grant(scene, "AcrPull", who);
            grant(scene, "AcrDelete", who);
        }),
        ("AcrPush and AcrDelete", |scene, who| {
            grant(scene, "AcrPush", who);
            grant(scene, "AcrDelete", who);
        }),
        ("Reader", |scene, who| grant(scene, "Reader", who)),
        ("Contributor", |scene, who| grant(scene, "Contributor", who)),
        ("Owner of the group", |scene, who| {
            scene.azure.grant("Owner", who, &format!("{}/resourceGroups/{GROUP}", scene.everything()));
        }),
        ("AcrPull on the subscription", |scene, who| {
            scene.azure.grant("AcrPull", who, &scene.everything().to_uppercase());
        }),
        ("Repository Reader", |scene, who| grant(scene, READER, who)),
        ("Repository Writer", |scene, who| grant(scene, WRITER, who)),
        ("Repository Contributor", |scene, who| grant(scene, CONTRIBUTOR, who)),
        ("Repository Contributor on the subscription", |scene, who| {
            scene.azure.grant(CONTRIBUTOR, who, &scene.everything());
        }),
        ("Catalog Lister", |scene, who| grant(scene, LISTER, who)),
        ("Repository Reader and Catalog Lister", |scene, who| {
            grant(scene, READER, who);
            grant(scene, LISTER, who);
        }),
        ("Repository Reader of one repository", |scene, who| {
            grant_if(scene, READER, who, "Request", "StringEqualsIgnoreCase 'team/app'");
        }),
        ("Repository Writer of a prefix", |scene, who| {
            grant_if(scene, WRITER, who, "Request", "StringStartsWithIgnoreCase 'team/'");
        }),
        ("Repository Reader, a condition on the resource", |scene, who| {
            grant_if(scene, READER, who, "Resource", "StringEquals 'team/app'");
        }),
        ("AcrPull, and Repository Reader of one repository", |scene, who| {
            grant(scene, "AcrPull", who);
            grant_if(scene, READER, who, "Request", "StringEquals 'team/app'");
        }),
        ("AcrPush, and Repository Writer of a prefix", |scene, who| {
            grant(scene, "AcrPush", who);
            grant_if(scene, WRITER, who, "Request", "StringStartsWith 'team/'");
        }),
        ("AcrPull and Repository Reader", |scene, who| {
            grant(scene, "AcrPull", who);
            grant(scene, READER, who);
        }),
        ("a custom role for pulling", |scene, who| {
            custom(
                scene,
                who,
                RoleSeed::new("custom").block(&["Microsoft.ContainerRegistry/registries/pull/read"], &[]),
            );
        }),
        ("a custom role with wildcards and an exception", |scene, who| {
            custom(
                scene,
                who,
                RoleSeed::new("custom").block(&["Microsoft.ContainerRegistry/*"], &["*/artifacts/delete"]),
            );
        }),
        ("a custom role for both modes", |scene, who| {
            let role = RoleSeed::new("custom").block(&["*/pull/read"], &[]);
            custom(scene, who, role.data_block(&["Microsoft.ContainerRegistry/registries/repositories/*/read"], &[]));
        }),
        ("a custom role for pushing to repositories", |scene, who| {
            let role = RoleSeed::new("custom");
            let content = "Microsoft.ContainerRegistry/registries/repositories/content";
            custom(scene, who, role.data_block(&[&format!("{content}/read"), &format!("{content}/write")], &[]));
        }),
        ("AcrPull, denied", |scene, who| {
            grant(scene, "AcrPull", who);
            scene.azure.add_deny_assignment("stack", &["*/pull/read"], &scene.everything(), &["owner"]);
        }),
    ]
}

/// Whose access is looked at, and who gets the grant.
const HOLDERS: [&str; 4] = ["kubelet", "robot", "person", "group"];

struct Cell {
    scene: Scene,
    /// The principal whose access is looked at.
    who: String,
    name: String,
}

impl Cell {
    fn new(holder: &str, (name, grants): (&str, Grants), mode: RoleAssignmentMode) -> Result<Self, Failed> {
        let scene = scene(mode)?;
        let azure = scene.azure.clone().with_caller("robot", &[]).with_user("person@example.com");
        let who = match holder {
            "kubelet" => azure.kubelet_object_id(GROUP, CLUSTER),
            "person" => azure.object_id_of("person@example.com"),
            _ => azure.object_id_of("robot"),
        };
        assert!(!who.is_empty(), "{holder}");
        if holder == "group" {
            let azure = azure.with_member("inner", "robot").with_member("robots", "inner");
            grants(&scene, &azure.group_id("robots"));
        } else {
            grants(&scene, &who);
        }
        Ok(Self { scene, who, name: format!("{name} for {holder} in {mode}") })
    }

    fn access(&self) -> BTreeSet<(String, &'static str)> {
        access(&self.scene, &[&self.who, &self.scene.azure.object_id_of("owner")])
    }
}

fn scene(mode: RoleAssignmentMode) -> Result<Scene, Failed> {
    let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
    let scene = Scene::with_registry(if mode == Abac { seed.abac() } else { seed })?;
    for repository in REPOSITORIES {
        scene.azure.push_image(&format!("{REGISTRY}.azurecr.io/{repository}:v1"), &["linux/amd64"]);
    }
    Ok(scene)
}

/// What principals can do, by the registry itself: who, in which repository, and what.
fn access(scene: &Scene, principals: &[&str]) -> BTreeSet<(String, &'static str)> {
    let mut all = BTreeSet::new();
    for who in principals {
        for repository in REPOSITORIES {
            for what in scene.azure.registry_access(who, &at(scene), repository) {
                all.insert((format!("{who} {repository}"), what));
            }
        }
    }
    all
}

fn word(access: RegistryAccess) -> &'static str {
    match access {
        RegistryAccess::Pull => "pull",
        RegistryAccess::Push => "push",
        RegistryAccess::Delete => "delete",
        _ => "list",
    }
}

fn assignments(scene: &Scene) -> Vec<RoleAssignment> {
    let mut all = scene.azure.role_assignments();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

async fn plan_of(
    scene: &Scene,
    mode: RoleAssignmentMode,
    options: ModeChangeOptions,
) -> aks_acr::Result<ModeChangePlan> {
    scene.client.plan_mode_change(&scene.by_id(), mode, options).await
}

async fn plan(scene: &Scene, mode: RoleAssignmentMode) -> aks_acr::Result<ModeChangePlan> {
    plan_of(scene, mode, ModeChangeOptions::default()).await
}

fn other(mode: RoleAssignmentMode) -> RoleAssignmentMode {
    if mode == Abac { Legacy } else { Abac }
}

async fn nobody_loses_access_that_the_plan_does_not_name() -> Checked {
    let (mut cells, mut with_loss) = (0, Vec::new());
    for mode in [Legacy, Abac] {
        for holder in HOLDERS {
            for grants in grants() {
                for allow_wider in [false, true] {
                    let cell = Cell::new(holder, grants, mode)?;
                    if is_kept(&cell, mode, allow_wider).await? {
                        with_loss.push(format!("{}, allow_wider {allow_wider}", cell.name));
                    }
                    cells += 1;
                }
            }
        }
    }
    assert_eq!(cells, 432);
    // With permission to grant more, only what a condition hides from everybody, and what is denied, is not kept.
    let lost: Vec<&String> = with_loss.iter().filter(|name| name.ends_with("allow_wider true")).collect();
    let is_expected = |name: &&&String| name.contains("a condition on the resource");
    assert_eq!(lost.iter().filter(|name| !is_expected(name)).collect::<Vec<_>>(), Vec::<&&String>::new());
    Ok(())
}

/// Changes the mode and back. Returns whether the plan named a loss.
async fn is_kept(cell: &Cell, mode: RoleAssignmentMode, allow_wider: bool) -> Result<bool, Failed> {
    let (scene, name) = (&cell.scene, &cell.name);
    let (before, roles) = (cell.access(), assignments(scene));
    let plan = plan_of(scene, other(mode), ModeChangeOptions::default().with_allow_wider(allow_wider)).await?;
    let options = ApplyModeChangeOptions::default().with_accept_loss(true).with_propagation_time(Duration::ZERO);
    let change = scene.client.apply_mode_change(&plan, options.clone()).await?;
    assert_eq!((change.outcome, change.mode), (ModeChangeOutcome::Changed, other(mode)), "{name}");
    let after = cell.access();
    let named = |changes: &[aks_acr::AccessChange], what: &str| {
        changes.iter().any(|one| one.access.iter().any(|access| word(*access) == what))
    };
    // The kubelet's listing is not kept: no node lists repositories.
    let kubelet = scene.kubelet()?.to_string();
    let is_unneeded = |place: &str, what: &str| what == "list" && place.starts_with(&kubelet);
    for (place, what) in before.difference(&after) {
        assert!(named(&plan.lost, what) || is_unneeded(place, what), "{name}: lost {what} in {place}\n{plan}");
    }
    let is_added = |what: &str| {
        plan.grants.iter().any(|one| one.adds.iter().any(|access| word(*access) == what))
            || (what == "list" && other(mode) == Legacy)
    };
    for (place, what) in after.difference(&before) {
        assert!(named(&plan.gained, what) || is_added(what), "{name}: gained {what} in {place}\n{plan}");
    }
    let back = scene.client.apply_mode_change(&plan, options.with_reverse(true)).await?;
    assert_eq!((back.outcome, back.mode), (ModeChangeOutcome::Changed, mode), "{name}");
    assert_eq!(cell.access(), before, "{name}: the reverse did not restore access\n{plan}");
    assert_eq!(assignments(scene), roles, "{name}: the reverse left other assignments\n{plan}");
    Ok(!plan.lost.is_empty())
}

/// Whether a new pod with an image pulls it. Each has its own image, so that none is on the node.
async fn runs(scene: &Scene, number: u32, minutes: u64) -> Result<bool, Failed> {
    let image = format!("{REGISTRY}.azurecr.io/pod{number}:v1");
    scene.azure.push_image(&image, &["linux/amd64"]);
    let name = format!("pod{number}");
    // On each node, so that each has a credential.
    scene.apply(&deployment(&name, &image, 6)).await?;
    let call = CallOptions::default().with_deadline(Duration::from_secs(minutes * 60));
    let options = RolloutOptions::default().with_call(call);
    match scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new(&name), options).await {
        Ok(_) => Ok(true),
        Err(err) if matches!(err.kind(), ErrorKind::PullFailed | ErrorKind::DeadlineExceeded) => Ok(false),
        Err(err) => Err(err.into()),
    }
}

async fn nodes_pull_before_during_and_after_the_change() -> Checked {
    let scene = scene(Legacy)?;
    // As in Azure, a role takes minutes.
    let mut timing = Timing::default();
    timing.propagation = Duration::from_secs(5 * 60);
    scene.azure.set_timing(timing);
    scene.grant_pull("AcrPull");
    assert!(runs(&scene, 1, 15).await?);
    let plan = plan(&scene, Abac).await?;
    let changed = scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    let said = changed.to_string();
    assert!(said.contains("nodes may be refused with 401 while they hold an older credential: those of dev"), "{said}");
    // The node holds its credential from before for up to an hour; that is said.
    let report = scene.client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
    let ids: Vec<&FindingId> = report.findings.iter().map(|finding| &finding.id).collect();
    assert_eq!(report.verdict, Verdict::CanPull);
    assert!(ids.contains(&&FindingId::CREDENTIALS_INVALIDATED), "{report}");
    assert!(!report.assumptions.iter().any(|one| one.contains("mode was not changed")), "{report}");
    scene.azure.push_image(&format!("{REGISTRY}.azurecr.io/late:v1"), &["linux/amd64"]);
    scene.apply(&deployment("late", &format!("{REGISTRY}.azurecr.io/late:v1"), 1)).await?;
    let call = CallOptions::default().with_deadline(Duration::from_secs(5 * 60));
    let options = RolloutOptions::default().with_call(call);
    let waited = scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("late"), options).await;
    let err = refused(waited, ErrorKind::DeadlineExceeded)?;
    let failure = some(err.pull_failure(), "a failed pull")?;
    assert_eq!(failure.finding.id, FindingId::CREDENTIALS_INVALIDATED, "{err}");
    // Within the hour it passes by itself.
    let an_hour = Duration::from_secs(70 * 60);
    let call = CallOptions::default().with_deadline(an_hour);
    let options = RolloutOptions::default().with_propagation_timeout(an_hour).with_call(call);
    scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("late"), options).await?;
    tokio::time::sleep(Duration::from_secs(10 * 60)).await;
    let report = scene.client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
    assert_eq!((report.verdict, report.findings.len()), (Verdict::CanPull, 0), "{report}");
    assert!(runs(&scene, 2, 15).await?);
    Ok(())
}

/// The n-th request fails with a status that is not retried; then the same plan is applied again.
async fn a_call_that_ends_anywhere_is_completed_by_the_next() -> Checked {
    for (method, part) in [
        ("GET", "roleAssignments"),
        ("PUT", "roleAssignments"),
        ("GET", "denyAssignments"),
        ("PATCH", "registries"),
        ("GET", "managedClusters"),
        ("DELETE", "roleAssignments"),
    ] {
        for reverse in [false, true] {
            let scene = scene(Legacy)?;
            for role in ["AcrPull", "AcrDelete"] {
                scene.grant_pull(role);
            }
            let (before, who) = (assignments(&scene), scene.kubelet()?.to_string());
            let wanted = access(&scene, &[&who]);
            let options = ModeChangeOptions::default().with_allow_wider(true);
            let plan = plan_of(&scene, Abac, options).await?;
            let options = ApplyModeChangeOptions::default();
            if reverse {
                scene.client.apply_mode_change(&plan, options.clone()).await?;
            }
            let options = options.with_reverse(reverse);
            scene.azure.fault(Fault::on(method, part).status(409).after_effect());
            let _ = scene.client.apply_mode_change(&plan, options.clone()).await;
            scene.client.apply_mode_change(&plan, options).await?;
            let named = format!("{method} {part}, reverse {reverse}");
            if reverse {
                assert_eq!((assignments(&scene), access(&scene, &[&who])), (before, wanted), "{named}");
            } else {
                assert!(access(&scene, &[&who]).iter().any(|(_, what)| *what == "delete"), "{named}");
            }
        }
    }
    Ok(())
}

async fn somebody_who_came_later_is_not_locked_out() -> Checked {
    let scene = scene(Legacy)?;
    let plan = plan(&scene, Abac).await?;
    scene.grant_pull("AcrPull");
    let (before, options) = (assignments(&scene), ApplyModeChangeOptions::default());
    let err = refused(scene.client.apply_mode_change(&plan, options).await, ErrorKind::Conflict)?;
    assert!(err.to_string().contains(&scene.kubelet()?.to_string()), "{err}");
    assert_eq!(assignments(&scene), before);
    assert_eq!(scene.writes().iter().filter(|one| one.method == "PATCH").count(), 0);
    Ok(())
}

async fn a_role_that_was_removed_since_keeps_the_reverse_back() -> Checked {
    let scene = scene(Legacy)?;
    let name = scene.azure.grant("AcrPull", &scene.kubelet()?.to_string(), &at(&scene));
    let plan = plan(&scene, Abac).await?;
    scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    assert!(scene.azure.revoke(&name));
    let options = ApplyModeChangeOptions::default().with_reverse(true);
    let err = refused(scene.client.apply_mode_change(&plan, options).await, ErrorKind::Conflict)?;
    assert!(err.to_string().contains("nothing was written"), "{err}");
    assert_eq!(access(&scene, &[&scene.kubelet()?.to_string()]).len(), 3);
    Ok(())
}

async fn access_is_not_lost_without_consent() -> Checked {
    let scene = scene(Legacy)?;
    scene.grant_pull("AcrDelete");
    let plan = plan(&scene, Abac).await?;
    assert_eq!(plan.lost.len(), 1);
    let sent = scene.azure.requests().len();
    let refusal = scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await;
    let err = refused(refusal, ErrorKind::InvalidInput)?;
    assert!(err.to_string().contains("accept_loss") && err.to_string().contains("delete"), "{err}");
    assert_eq!(scene.azure.requests().len(), sent, "nothing is sent before the caller has agreed");
    let options = ModeChangeOptions::default().with_keep_inherited(false);
    let plan = plan_of(&scene, Abac, options).await?;
    assert_eq!(plan.lost.len(), 2, "the owner of the subscription, too: {plan}");
    Ok(())
}

async fn a_deleted_principal_does_not_keep_the_change_back() -> Checked {
    let scene = scene(Legacy)?;
    let gone = scene.azure.make_identity("gone");
    scene.azure.grant("AcrPull", &gone, &at(&scene));
    scene.grant_pull("AcrPull");
    scene.azure.forget_principal(&gone, Duration::from_secs(24 * 60 * 60));
    let plan = plan(&scene, Abac).await?;
    let change = scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    assert_eq!(change.gone, [gone.parse()?]);
    assert_eq!(change.outcome, ModeChangeOutcome::Changed);
    let kubelet = scene.kubelet()?;
    assert!(change.granted.iter().any(|one| one.principal_id == kubelet), "{change}");
    Ok(())
}

async fn without_optional_rights_the_plan_says_what_is_not_known() -> Checked {
    let scene = scene(Legacy)?;
    let role = RoleSeed::new("custom").block(&["Microsoft.ContainerRegistry/registries/pull/read"], &[]);
    custom(&scene, &scene.kubelet()?.to_string(), role);
    let client = scene.caller_who_may(&[
        "Microsoft.ContainerRegistry/registries/read",
        "Microsoft.Authorization/roleAssignments/read",
    ])?;
    let plan = client.plan_mode_change(&scene.by_id(), Abac, ModeChangeOptions::default()).await?;
    let kubelet = scene.kubelet()?;
    let lost = some(plan.lost.iter().find(|one| one.principal_id == kubelet), "the kubelet's access")?;
    assert_eq!(lost.reason.as_str(), "role_not_read");
    let parts: Vec<&str> = plan.unread.iter().map(|one| one.part.as_str()).collect();
    assert_eq!(parts, ["deny_assignments"], "{plan}");
    Ok(())
}

async fn the_mode_changes_when_the_newest_role_is_ten_minutes_old() -> Checked {
    let scene = scene(Legacy)?;
    scene.grant_pull("AcrPull");
    let plan = plan(&scene, Abac).await?;
    let begun = tokio::time::Instant::now();
    // The first call ends within the wait.
    let call = CallOptions::default().with_deadline(Duration::from_secs(4 * 60));
    let options = ApplyModeChangeOptions::default().with_call(call);
    refused(scene.client.apply_mode_change(&plan, options).await, ErrorKind::DeadlineExceeded)?;
    scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    assert!((10.0..11.0).contains(&minutes), "{minutes}");
    let again = scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    assert_eq!((again.outcome, again.credentials_until), (ModeChangeOutcome::AlreadyChanged, None));
    assert!(begun.elapsed().as_secs() < 11 * 60, "what is old enough is not waited for");
    Ok(())
}

async fn a_plan_for_the_mode_that_the_registry_has_grants_nothing() -> Checked {
    let scene = scene(Legacy)?;
    scene.grant_pull("AcrPull");
    let plan = plan(&scene, Legacy).await?;
    assert_eq!((plan.grants.len(), plan.lost.len(), plan.stopped.len()), (0, 0, 0));
    assert!(plan.to_string().starts_with("= registry myregistry has the mode LegacyRegistryPermissions"), "{plan}");
    let done = scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    assert_eq!(done.outcome, ModeChangeOutcome::AlreadyChanged);
    assert_eq!(scene.writes().len(), 0);
    Ok(())
}

async fn a_stored_plan_is_read_back() -> Checked {
    let scene = scene(Legacy)?;
    scene.grant_pull("AcrPull");
    grant_if(&scene, READER, &scene.kubelet()?.to_string(), "Request", "StringEquals 'team/app'");
    let plan = plan(&scene, Abac).await?;
    let text = serde_json::to_string(&plan)?;
    assert_eq!(serde_json::from_str::<ModeChangePlan>(&text)?, plan);
    let without = text.replace("\"replaces\":", "\"replaced\":");
    assert!(serde_json::from_str::<ModeChangePlan>(&without).is_err(), "a lost condition could not be restored");
    assert_eq!(plan.reverse().reverse().grants, plan.grants);
    Ok(())
}

async fn a_plan_expires_but_can_be_undone_later() -> Checked {
    let scene = scene(Legacy)?;
    scene.grant_pull("AcrPull");
    let (before, plan) = (assignments(&scene), plan(&scene, Abac).await?);
    let mut stored = serde_json::to_value(&plan)?;
    some(stored.as_object_mut().and_then(|plan| plan.remove("expires")), "the expiry")?;
    assert!(serde_json::from_value::<ModeChangePlan>(stored).is_err(), "a plan without an expiry would never expire");
    scene.client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    tokio::time::sleep(Duration::from_secs(3 * 3600)).await;
    for expired in [plan.clone(), plan.reverse()] {
        let applied = scene.client.apply_mode_change(&expired, ApplyModeChangeOptions::default()).await;
        let err = refused(applied, ErrorKind::Conflict)?;
        assert!(err.to_string().contains("expired"), "{err}");
    }
    let undo = ApplyModeChangeOptions::default().with_reverse(true);
    assert_eq!(scene.client.apply_mode_change(&plan, undo).await?.mode, Legacy);
    assert_eq!(assignments(&scene), before);
    Ok(())
}
