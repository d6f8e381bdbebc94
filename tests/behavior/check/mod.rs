//! Checks from outside: the verdict is what a pod of the same cluster then meets, and the next step works.

mod accounts;
mod bootstrap;
mod changes;
pub mod grants;
mod network;
mod redacted;
mod registry_logs;
pub mod service_principal;
mod success;
mod unserved;

use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{CLUSTER, GROUP, REGISTRY, Scene, deployment},
};
use accounts::{
    a_preview_that_is_refused_is_an_assumption, a_service_account_without_an_identity_pulls_without_a_credential,
    an_identity_that_is_not_bound_gives_no_token, service_accounts_of_one_name_may_have_different_identities,
    the_default_identity_of_service_accounts_needs_the_grant,
};
use aks_acr::{
    AttachOptions, CallOptions, CheckOptions, ClusterRef, ErrorKind, Finding, FindingId, FindingStatus,
    KubernetesReads, NextStep, PullRetry, PullStage, RegistryRef, Report, RolloutOptions, StageState, Verdict,
    WorkloadRef,
};
use aks_acr_emulator::{ClusterSeed, Fault, From, RegistrySeed, RoleSeed, Service, summary};
use bootstrap::{
    nodes_that_a_bootstrap_registry_refuses_join_after_the_next_steps,
    without_the_grant_a_reconciled_cluster_fails_again,
};
use changes::{
    a_firewall_rule_is_told_from_a_tag, changes_that_matter_stay, either_source_of_changes_may_fail,
    only_what_matters_is_a_change, who_has_removed_a_grant_is_shown,
    without_the_right_or_the_option_nothing_is_known_of_changes,
};
use grants::{conditional, custom, grants, kubelet, through_group};
use libtest_mimic::Failed;
use network::{
    a_command_for_another_subscription_names_it, a_linked_zone_without_a_record_fails_although_the_registry_is_open,
    a_missing_right_hides_a_part_of_the_private_path, a_private_path_costs_five_requests_more,
    a_pull_speaks_against_a_link_that_is_missing, a_zone_of_the_hub_decides_where_the_endpoints_own_is_not_linked,
    a_zone_of_the_index_is_read_before_it_decides, a_zone_that_is_not_linked_matters_only_to_a_private_registry,
    an_endpoint_that_waits_for_approval_is_a_warning, an_endpoint_without_a_zone_group_is_unknown_with_a_command,
    the_nearest_of_several_endpoints_counts,
};
use redacted::{
    a_redacted_explanation_has_no_name, a_redacted_message_leads_to_the_same_finding, a_redacted_report_has_no_name,
    a_table_in_html_is_only_a_table, an_error_of_a_gate_has_the_finding_and_the_report,
};
use registry_logs::{
    a_logged_pull_from_before_a_change_is_a_warning, a_partial_result_of_the_logs_is_an_assumption,
    a_pull_in_the_registrys_logs_proves_the_path_without_kubernetes,
    a_pull_of_a_shared_identity_proves_the_grant_and_not_the_path,
    a_registry_without_a_diagnostic_setting_says_how_to_log, an_address_that_the_firewall_refuses_is_in_the_logs,
    an_event_in_two_workspaces_is_one_event, the_registrys_logs_are_shown_in_every_form,
    what_hides_the_registrys_logs_is_an_assumption,
};
use serde_json::json;
use service_principal::{
    a_service_principal_is_judged_as_a_node_meets_it, an_id_that_the_options_name_is_not_judged,
    the_next_step_for_an_ended_secret_makes_the_pod_run, what_microsoft_graph_refuses_is_named,
    without_a_query_the_options_are_named,
};
use std::time::Duration;
use success::{
    a_healthy_cluster_takes_a_third_of_a_second, a_private_registry_that_a_node_pulled_from_today_can_be_pulled_from,
    a_pull_does_not_overrule_what_fails, a_pull_from_before_a_change_is_a_warning, a_pull_with_a_secret_is_no_grant,
    pods_that_cannot_be_read_are_named,
};
use unserved::{
    a_caller_who_cannot_list_deleted_images_is_told_the_role, a_deleted_image_is_restored,
    a_replica_that_lags_is_named_for_the_pods_of_its_region, a_rule_whose_source_lacks_the_image_is_in_the_message,
    an_image_in_quarantine_is_passed_by_a_scanner, an_image_that_is_not_served_costs_at_most_five_requests_more,
    an_upstream_that_refuses_a_cache_rule_is_named, reading_is_enabled_where_it_was_disabled,
    what_is_missing_is_named_with_its_nearest_tags,
};

pub const IMAGE: &str = "myregistry.azurecr.io/team/app:v1";
const PULL: &str = "Microsoft.ContainerRegistry/registries/pull/read";
const CONTENT: &str = "Microsoft.ContainerRegistry/registries/repositories/content/read";
pub const READER: &str = "Container Registry Repository Reader";

pub fn cases() -> Vec<Case> {
    cases! { "check";
        everywhere: [];
        on_emulator: [
            every_kind_of_grant_is_judged_as_a_node_meets_it,
            every_network_is_judged_as_a_node_meets_it,
            every_image_is_judged_as_a_node_meets_it,
            a_healthy_cluster_costs_few_requests,
            a_right_that_is_missing_makes_unknown_and_nothing_else,
            causes_disappear_in_the_order_in_which_they_are_named,
            without_an_image_a_condition_is_a_warning,
            a_group_is_named,
            a_cluster_is_judged_by_its_state,
            a_service_principal_is_judged_as_a_node_meets_it,
            the_next_step_for_an_ended_secret_makes_the_pod_run,
            without_a_query_the_options_are_named,
            what_microsoft_graph_refuses_is_named,
            an_id_that_the_options_name_is_not_judged,
            a_registry_that_is_missing_is_a_finding,
            a_registry_whose_name_is_taken_is_not_visible,
            a_registry_in_another_tenant_is_a_finding,
            a_cluster_that_is_missing_is_an_error,
            an_image_of_another_host_is_not_read,
            an_unreachable_registry_costs_three_seconds,
            a_firewall_that_keeps_the_caller_out_is_no_missing_role,
            a_registry_that_does_not_serve_is_no_missing_role,
            addresses_are_read_or_given,
            a_private_path_costs_five_requests_more,
            a_missing_right_hides_a_part_of_the_private_path,
            a_command_for_another_subscription_names_it,
            a_linked_zone_without_a_record_fails_although_the_registry_is_open,
            a_zone_that_is_not_linked_matters_only_to_a_private_registry,
            the_nearest_of_several_endpoints_counts,
            an_endpoint_without_a_zone_group_is_unknown_with_a_command,
            a_zone_of_the_hub_decides_where_the_endpoints_own_is_not_linked,
            a_zone_of_the_index_is_read_before_it_decides,
            a_pull_speaks_against_a_link_that_is_missing,
            an_endpoint_that_waits_for_approval_is_a_warning,
            who_has_removed_a_grant_is_shown,
            only_what_matters_is_a_change,
            without_the_right_or_the_option_nothing_is_known_of_changes,
            a_firewall_rule_is_told_from_a_tag,
            either_source_of_changes_may_fail,
            changes_that_matter_stay,
            a_pull_in_the_registrys_logs_proves_the_path_without_kubernetes,
            the_registrys_logs_are_shown_in_every_form,
            a_logged_pull_from_before_a_change_is_a_warning,
            a_registry_without_a_diagnostic_setting_says_how_to_log,
            what_hides_the_registrys_logs_is_an_assumption,
            an_address_that_the_firewall_refuses_is_in_the_logs,
            a_partial_result_of_the_logs_is_an_assumption,
            a_pull_of_a_shared_identity_proves_the_grant_and_not_the_path,
            an_event_in_two_workspaces_is_one_event,
            a_report_is_a_gate,
            what_is_missing_is_named_with_its_nearest_tags,
            a_deleted_image_is_restored,
            a_caller_who_cannot_list_deleted_images_is_told_the_role,
            an_image_in_quarantine_is_passed_by_a_scanner,
            reading_is_enabled_where_it_was_disabled,
            an_upstream_that_refuses_a_cache_rule_is_named,
            a_rule_whose_source_lacks_the_image_is_in_the_message,
            a_replica_that_lags_is_named_for_the_pods_of_its_region,
            an_image_that_is_not_served_costs_at_most_five_requests_more,
            a_stored_report_is_read_back,
            a_private_registry_that_a_node_pulled_from_today_can_be_pulled_from,
            a_pull_from_before_a_change_is_a_warning,
            a_healthy_cluster_takes_a_third_of_a_second,
            a_pull_does_not_overrule_what_fails,
            a_pull_with_a_secret_is_no_grant,
            pods_that_cannot_be_read_are_named,
            the_default_identity_of_service_accounts_needs_the_grant,
            a_service_account_without_an_identity_pulls_without_a_credential,
            an_identity_that_is_not_bound_gives_no_token,
            a_preview_that_is_refused_is_an_assumption,
            service_accounts_of_one_name_may_have_different_identities,
            nodes_that_a_bootstrap_registry_refuses_join_after_the_next_steps,
            without_the_grant_a_reconciled_cluster_fails_again,
            a_redacted_report_has_no_name,
            a_redacted_explanation_has_no_name,
            a_redacted_message_leads_to_the_same_finding,
            a_table_in_html_is_only_a_table,
            an_error_of_a_gate_has_the_finding_and_the_report,
        ];
    }
}

/// A scene whose caller may also read the images of a registry with repository permissions.
pub fn scene_of(cluster: ClusterSeed, registry: RegistrySeed, platforms: &[&str]) -> Result<Scene, Failed> {
    let scene = Scene::of(cluster, registry)?;
    scene.azure.push_image(IMAGE, platforms);
    scene.azure.grant(READER, &scene.azure.object_id_of("owner"), scene.by_id().as_str());
    Ok(scene)
}

pub fn registry(is_abac: bool) -> RegistrySeed {
    let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
    if is_abac { seed.abac() } else { seed }
}

pub async fn check(scene: &Scene) -> aks_acr::Result<Report> {
    check_image(scene, IMAGE).await
}

pub async fn check_image(scene: &Scene, image: &str) -> aks_acr::Result<Report> {
    let options = CheckOptions::default().with_image(image.parse()?);
    scene.client.check(&scene.cluster, &scene.by_id(), options).await
}

/// Whether a pod with the image runs on the cluster's nodes.
async fn runs(scene: &Scene, image: &str) -> Result<bool, Failed> {
    scene.apply(&deployment("web", image, 1)).await?;
    let call = CallOptions::default().with_deadline(Duration::from_secs(5 * 60));
    let options = RolloutOptions::default().with_call(call);
    match scene.client.wait_for_rollout(&scene.cluster, &WorkloadRef::new("web"), options).await {
        Ok(_) => Ok(true),
        Err(err) if matches!(err.kind(), ErrorKind::PullFailed | ErrorKind::DeadlineExceeded) => Ok(false),
        Err(err) => Err(err.into()),
    }
}

fn first(report: &Report) -> Result<&Finding, Failed> {
    some(report.findings.first(), "a finding")
}

/// The report of a scene has this first finding (or none), and is what a pod meets.
async fn judged(name: &str, scene: &Scene, image: &str, wanted: Found) -> Result<Report, Failed> {
    let report = check_image(scene, image).await?;
    let found = report.findings.first().map(|one| (one.status, one.id.clone()));
    assert_eq!(found, wanted, "{name}: {report}");
    assert_eq!(report.replayed()?, report, "{name}: its facts lead to the same report");
    let runs = runs(scene, image).await?;
    match report.verdict {
        Verdict::CanPull => assert!(runs, "{name}: {report}"),
        Verdict::CannotPull => assert!(!runs, "{name}: {report}"),
        _ => assert!(matches!(wanted, Some((FindingStatus::Unknown, _))), "{name}: {report}"),
    }
    assert_eq!(report.root_cause.is_some(), report.verdict == Verdict::CannotPull);
    Ok(report)
}

/// The first finding that is expected.
type Found = Option<(FindingStatus, FindingId)>;

#[expect(clippy::unnecessary_wraps, reason = "a finding may also be absent")]
fn failing(id: FindingId) -> Found {
    Some((FindingStatus::Failing, id))
}

#[expect(clippy::unnecessary_wraps, reason = "a finding may also be absent")]
fn warning(id: FindingId) -> Found {
    Some((FindingStatus::Warning, id))
}

#[expect(clippy::unnecessary_wraps, reason = "a finding may also be absent")]
fn unknown(id: FindingId) -> Found {
    Some((FindingStatus::Unknown, id))
}

async fn every_kind_of_grant_is_judged_as_a_node_meets_it() -> Checked {
    for is_abac in [false, true] {
        for (name, grant, legacy, abac) in grants() {
            let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(is_abac), &["linux/amd64"])?;
            grant(&scene);
            let wanted = if is_abac { abac } else { legacy };
            let report = judged(&format!("{name}, {is_abac}"), &scene, IMAGE, wanted).await?;
            let step = report.findings.first().map(|one| &one.next_step);
            let step = step.filter(|step| step.operation.as_deref() == Some("attach"));
            if let (Verdict::CannotPull, Some(step)) = (report.verdict, step) {
                scene.client.attach(&scene.cluster, &scene.by_id(), attach_options(step)?).await?;
                assert_eq!(check(&scene).await?.root_cause, None, "{name}: the next step works");
                // Nodes keep a credential for an hour, with the permissions of its time.
                tokio::time::sleep(Duration::from_secs(3660)).await;
                assert!(runs(&scene, IMAGE).await?, "{name}: the next step works");
            }
        }
        let open = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(is_abac).anonymous_pull(), &["linux/amd64"])?;
        judged("anonymous pull", &open, IMAGE, None).await?;
    }
    Ok(())
}

/// The options that a next step names.
pub fn attach_options(step: &NextStep) -> aks_acr::Result<AttachOptions> {
    let mut options = AttachOptions::default();
    options.condition = step.arguments.get("condition").cloned();
    if let Some(word) = step.arguments.get("on_condition_mismatch") {
        options.on_condition_mismatch = word.parse()?;
    }
    Ok(options)
}

fn endpoint(status: &str) -> serde_json::Value {
    json!([{"name": "one", "properties": {"privateLinkServiceConnectionState": {"status": status}}}])
}

async fn every_network_is_judged_as_a_node_meets_it() -> Checked {
    const NODES: &str = "198.51.100.20";
    const CALLER: &str = "203.0.113.7";
    let closed = || registry(false).public_network_disabled();
    let odd = || registry(false).property("publicNetworkAccess", "SecuredByPerimeter");
    for (name, seed, wanted) in [
        ("open", registry(false), None),
        ("rules with the nodes", registry(false).only_from(&[NODES, CALLER]), None),
        ("rules with their range", registry(false).only_from(&["198.51.100.0/24", "203.0.113.0/28"]), None),
        ("rules without the nodes", registry(false).only_from(&[CALLER]), failing(FindingId::OUTBOUND_IP_NOT_ALLOWED)),
        ("no rules", registry(false).only_from(&[]), failing(FindingId::OUTBOUND_IP_NOT_ALLOWED)),
        ("closed", closed(), failing(FindingId::PUBLIC_ACCESS_DISABLED)),
        (
            "an endpoint that waits",
            closed().property("privateEndpointConnections", endpoint("Pending")),
            failing(FindingId::PRIVATE_ENDPOINT_NOT_APPROVED),
        ),
        (
            "an endpoint",
            closed().property("privateEndpointConnections", endpoint("Approved")),
            unknown(FindingId::PRIVATE_PATH_UNKNOWN),
        ),
        (
            "an endpoint besides rules",
            registry(false).only_from(&[CALLER]).property("privateEndpointConnections", endpoint("Approved")),
            unknown(FindingId::PRIVATE_PATH_UNKNOWN),
        ),
        ("a setting of the future", odd(), unknown(FindingId::UNKNOWN_NETWORK)),
    ] {
        for is_granted in [true, false] {
            let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), seed.clone(), &["linux/amd64"])?;
            let missing = failing(FindingId::GRANT_MISSING);
            if is_granted {
                scene.grant_pull("AcrPull");
            }
            // What fails for certain comes first; of two failures, the earlier stage.
            let is_failing = matches!(wanted, Some((FindingStatus::Failing, _)));
            let wanted = if is_granted || is_failing { wanted.clone() } else { missing };
            judged(name, &scene, IMAGE, wanted).await?;
        }
    }
    Ok(())
}

/// A name, the cluster, the image's platforms, the reference that is checked, and the result.
type ImageCell<'a> = (&'a str, ClusterSeed, &'a [&'a str], &'a str, Found);

async fn every_image_is_judged_as_a_node_meets_it() -> Checked {
    let arm = || ClusterSeed::new(GROUP, CLUSTER).node("aks-arm-1", "linux", "arm64");
    let intel = || ClusterSeed::new(GROUP, CLUSTER).node("aks-intel-1", "linux", "amd64");
    let mixed = || intel().node("aks-arm-1", "linux", "arm64");
    let windows = || intel().node("akswin1", "windows", "amd64");
    let missing = || failing(FindingId::PLATFORM_MISSING);
    let two_arms: &[&str] = &["linux/arm64", "linux/arm"];
    let some_lack = || warning(FindingId::PLATFORM_MISSING);
    let absent = || failing(FindingId::IMAGE_NOT_FOUND);
    let index: &[&str] = &["linux/amd64", "linux/arm64"];
    let cells: Vec<ImageCell> = vec![
        ("an index on Intel", intel(), index, IMAGE, None),
        ("an index on Arm", arm(), index, IMAGE, None),
        ("an index on both", mixed(), index, IMAGE, None),
        ("an index beside Windows", windows(), index, IMAGE, some_lack()),
        ("Intel on Intel", intel(), &["linux/amd64"], IMAGE, None),
        ("an index without Intel on Intel", intel(), two_arms, IMAGE, missing()),
        ("an index without Intel on both", mixed(), two_arms, IMAGE, some_lack()),
        ("an index for Windows on Linux", intel(), &["windows/amd64", "windows/arm64"], IMAGE, missing()),
        // containerd does not compare the platform of an image that has only one.
        ("Intel on Arm", arm(), &["linux/amd64"], IMAGE, some_lack()),
        ("Arm on both", mixed(), &["linux/arm64"], IMAGE, some_lack()),
        ("Windows on Linux", intel(), &["windows/amd64"], IMAGE, some_lack()),
        ("another tag", intel(), index, "myregistry.azurecr.io/team/app:v2", absent()),
        ("another repository", intel(), index, "myregistry.azurecr.io/team/web:v1", absent()),
        ("another digest", intel(), index, &DIGEST, absent()),
    ];
    for is_abac in [false, true] {
        for (name, cluster, platforms, image, wanted) in &cells {
            let scene = scene_of(cluster.clone(), registry(is_abac), platforms)?;
            scene.grant_pull(if is_abac { READER } else { "AcrPull" });
            judged(name, &scene, image, wanted.clone()).await?;
        }
    }
    Ok(())
}

static DIGEST: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| format!("myregistry.azurecr.io/team/app@sha256:{}", "1".repeat(64)));

/// Requests and depth of what the client has sent, without sign-in at Entra ID.
async fn cost(scene: &Scene, options: CheckOptions, registry: &RegistryRef) -> Result<(usize, usize), Failed> {
    let mark = scene.azure.mark();
    let report = scene.client.check(&scene.cluster, registry, options).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    let sent = scene.azure.requests_since(mark);
    let sent: Vec<_> =
        sent.into_iter().filter(|one| one.from == From::Client && one.service != Service::Entra).collect();
    let summary = summary(&sent);
    Ok((summary.count, summary.depth))
}

async fn a_healthy_cluster_costs_few_requests() -> Checked {
    let image = |name: &str| Ok::<_, aks_acr::Error>(CheckOptions::default().with_image(name.parse()?));
    for platforms in [&["linux/amd64", "linux/arm64"][..], &["linux/amd64"]] {
        for is_abac in [false, true] {
            let fresh = || -> Result<Scene, Failed> {
                let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(is_abac), platforms)?;
                scene.grant_pull(if is_abac { READER } else { "AcrPull" });
                Ok(scene)
            };
            let scene = fresh()?;
            assert_eq!(cost(&scene, CheckOptions::default(), &scene.by_id()).await?, (4, 1));
            let more = usize::from(platforms.len() == 1);
            assert_eq!(cost(&fresh()?, image(IMAGE)?, &scene.by_id()).await?, (7 + more, 3 + more));
            let by_name: RegistryRef = REGISTRY.parse()?;
            assert_eq!(cost(&fresh()?, CheckOptions::default(), &by_name).await?, (4, 2));
            assert_eq!(cost(&fresh()?, image("team/app:v1")?, &scene.by_id()).await?, (7 + more, 4 + more));
        }
    }
    Ok(())
}

/// Right by right: the verdict becomes unknown, and names the action.
async fn a_right_that_is_missing_makes_unknown_and_nothing_else() -> Checked {
    let rights = [
        ("Microsoft.ContainerService/managedClusters/read", FindingId::UNKNOWN_CLUSTER),
        ("Microsoft.ContainerRegistry/registries/read", FindingId::UNKNOWN_REGISTRY),
        ("Microsoft.Authorization/roleAssignments/read", FindingId::UNKNOWN_ROLE_ASSIGNMENTS),
        ("Microsoft.Authorization/denyAssignments/read", FindingId::UNKNOWN_ROLE_ASSIGNMENTS),
        ("Microsoft.Authorization/roleDefinitions/read", FindingId::UNKNOWN_ROLE_DEFINITION),
        ("Microsoft.Network/publicIPAddresses/read", FindingId::OUTBOUND_IP_UNKNOWN),
        (PULL, FindingId::UNKNOWN_IMAGE),
    ];
    for (lacking, id) in rights.clone() {
        let seed = registry(false).only_from(&["198.51.100.20", "203.0.113.7"]);
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), seed, &["linux/amd64"])?;
        custom(&scene, RoleSeed::new("custom").block(&[PULL], &[]));
        let all: Vec<&str> = rights.iter().map(|(right, _)| *right).filter(|right| *right != lacking).collect();
        let caller = scene.caller_who_may(&all)?;
        let options = CheckOptions::default().with_image(IMAGE.parse()?);
        let report = caller.check(&scene.cluster, &scene.by_id(), options).await?;
        assert_eq!(report.verdict, Verdict::Unknown, "{lacking}: {report}");
        let found = first(&report)?;
        assert_eq!((found.status, &found.id), (FindingStatus::Unknown, &id), "{lacking}: {report}");
        let need = some(found.needs.iter().find(|need| need.action.is_some()), "a right")?;
        assert_eq!(need.action.as_deref(), Some(lacking), "{report}");
        assert!(need.scope.is_some() && need.smallest_role.is_some(), "{report}");
        assert!(report.to_string().contains(lacking), "{report}");
        let err = refused(report.require(), ErrorKind::Forbidden)?;
        assert_eq!(err.missing_action(), Some(lacking));
    }
    Ok(())
}

async fn causes_disappear_in_the_order_in_which_they_are_named() -> Checked {
    let scene = scene_of(
        ClusterSeed::new(GROUP, CLUSTER),
        registry(false).public_network_disabled(),
        &["linux/arm64", "linux/arm"],
    )?;
    let report = check(&scene).await?;
    let failing: Vec<&str> =
        report.findings.iter().filter(|one| one.status == FindingStatus::Failing).map(|one| one.id.as_str()).collect();
    // The registry lets nobody in, so that the image could not be read either.
    assert_eq!(failing, ["network.public_access_disabled", "grant.missing"], "{report}");
    scene.azure.set_registry(GROUP, REGISTRY, |seed| seed.property("publicNetworkAccess", "Enabled"));
    assert_eq!(check(&scene).await?.root_cause, Some(FindingId::GRANT_MISSING));
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    assert_eq!(check(&scene).await?.root_cause, Some(FindingId::PLATFORM_MISSING));
    scene.azure.push_image(IMAGE, &["linux/amd64"]);
    let report = check(&scene).await?;
    assert_eq!((report.verdict, report.root_cause), (Verdict::CanPull, None));
    assert!(runs(&scene, IMAGE).await?);
    Ok(())
}

async fn without_an_image_a_condition_is_a_warning() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(true), &["linux/amd64"])?;
    conditional(&scene, "Request", "StringEquals 'team/app'");
    let report = scene.client.check(&scene.cluster, &scene.by_id(), CheckOptions::default()).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    let found = first(&report)?;
    assert_eq!((found.status, &found.id), (FindingStatus::Warning, &FindingId::LIMITED_TO_REPOSITORIES));
    assert!(found.evidence.iter().any(|one| one.value.contains("team/app")), "{report}");
    assert!(report.stages.iter().all(|stage| stage.name != PullStage::Image));
    Ok(())
}

async fn a_group_is_named() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    through_group(&scene, "group/dev");
    let report = check(&scene).await?;
    assert_eq!(report.verdict, Verdict::CanPull, "{report}");
    assert!(first(&report)?.message.contains(&scene.azure.group_id("pullers")), "{report}");
    let stage = some(report.stages.iter().find(|stage| stage.name == PullStage::Authorization), "the stage")?;
    assert!(stage.by.as_ref().is_some_and(|by| by.starts_with("AcrPull through group")), "{stage:?}");
    Ok(())
}

async fn a_cluster_is_judged_by_its_state() -> Checked {
    let seed = || ClusterSeed::new(GROUP, CLUSTER);
    for (cluster, wanted) in [
        (seed().property("powerState", json!({"code": "Stopped"})), failing(FindingId::CLUSTER_STOPPED)),
        (seed().state("Deleting"), failing(FindingId::CLUSTER_NOT_READY)),
        (seed().state("Failed"), warning(FindingId::CLUSTER_NOT_READY)),
        (seed().state("Updating"), None),
        (seed().without_kubelet_identity(), failing(FindingId::IDENTITY_MISSING)),
        (seed().service_principal(), unknown(FindingId::UNKNOWN_PRINCIPAL)),
    ] {
        let scene = scene_of(cluster, registry(false), &["linux/amd64"])?;
        if !kubelet(&scene).is_empty() {
            scene.grant_pull("AcrPull");
        }
        let report = check(&scene).await?;
        assert_eq!(report.findings.first().map(|one| (one.status, one.id.clone())), wanted, "{report}");
    }
    let scene = scene_of(seed().service_principal(), registry(false), &["linux/amd64"])?;
    let named = CheckOptions::default().with_principal_id("aaaaaaaa-0000-0000-0000-000000000001".parse()?);
    let report = scene.client.check(&scene.cluster, &scene.by_id(), named).await?;
    assert_eq!(report.root_cause, Some(FindingId::GRANT_MISSING), "{report}");
    Ok(())
}

async fn a_registry_that_is_missing_is_a_finding() -> Checked {
    let scene = Scene::new()?;
    let id = scene.azure.registry_id(GROUP, "otherregistry");
    let in_no_group = id.replace("/resourceGroups/group/", "/resourceGroups/gone/");
    let in_no_subscription = id.replace(scene.azure.subscription(), "33333333-3333-3333-3333-333333333333");
    for (registry, wanted) in [
        (id.as_str(), failing(FindingId::REGISTRY_NOT_FOUND)),
        (&in_no_group, failing(FindingId::REGISTRY_NOT_FOUND)),
        (&in_no_subscription, unknown(FindingId::UNKNOWN_REGISTRY)),
        ("otherregistry", failing(FindingId::REGISTRY_NOT_FOUND)),
        ("otherregistry.azurecr.io", failing(FindingId::REGISTRY_NOT_FOUND)),
        // A registry of this name may exist with another label.
        ("otherregistry-e5f2d9a8b7c6h3j1.azurecr.io", unknown(FindingId::REGISTRY_NOT_VISIBLE)),
    ] {
        let options = CheckOptions::default().with_image("team/app:v1".parse()?);
        let report = scene.client.check(&scene.cluster, &registry.parse()?, options).await?;
        assert_eq!(report.findings.first().map(|one| (one.status, one.id.clone())), wanted, "{report}");
        assert_eq!(report.registry, None);
        // An image without a host is one of that registry, whether it was found or not.
        let host = if registry.contains("azurecr.io") { registry } else { "otherregistry.azurecr.io" };
        assert_eq!(report.image, Some(format!("{host}/team/app:v1")), "{report}");
        // The caller means a host, or a name that has one.
        let is_assumed = report.assumptions.iter().any(|one| one.contains("domain label"));
        assert_eq!(is_assumed, registry == "otherregistry", "{report}");
        assert_eq!(report.replayed()?, report);
    }
    Ok(())
}

/// A name that is taken is a registry that the caller cannot see, and so may be one of whose name nothing could be read.
async fn a_registry_whose_name_is_taken_is_not_visible() -> Checked {
    let other = "00000000-0000-0000-0000-00000000d0d0";
    let name = "Microsoft.ContainerRegistry/checkNameAvailability/read";
    let rights: [(&[&str], &str); 2] = [(&[], "can see"), (&[name], "the name is taken")];
    for (rights, text) in rights {
        let scene = Scene::new()?;
        let azure = scene.azure.clone().with_subscription(other).with_group("far", "westeurope");
        let _azure = azure.with_registry_of(RegistrySeed::new("far", "farregistry").in_subscription(other));
        let read = ["Microsoft.ContainerService/managedClusters/read", "Microsoft.ContainerRegistry/registries/read"];
        let caller = scene.caller_who_may(&[rights, &read].concat())?;
        let before = scene.azure.requests().len();
        let report = caller.check(&scene.cluster, &"farregistry".parse()?, CheckOptions::default()).await?;
        assert_eq!(scene.azure.requests().len() - before, 4, "{report}");
        let found = report.findings.iter().find(|one| one.id == FindingId::REGISTRY_NOT_VISIBLE);
        let found = found.ok_or("the registry is visible")?;
        assert!(found.message.ends_with(text), "{found:?}");
        let is_named = found.needs.iter().any(|need| need.action.as_deref() == Some(name));
        assert_eq!(is_named, rights.is_empty(), "{found:?}");
        assert_eq!(report.verdict, Verdict::Unknown, "{report}");
        assert_eq!(report.replayed()?, report);
    }
    Ok(())
}

async fn a_registry_in_another_tenant_is_a_finding() -> Checked {
    let scene = Scene::new()?;
    let foreign = "33333333-3333-3333-3333-333333333333";
    let azure = scene.azure.clone().with_foreign_subscription(foreign, "44444444-4444-4444-4444-444444444444");
    let registry = azure.registry_id(GROUP, REGISTRY).replace(azure.subscription(), foreign);
    let report = scene.client.check(&scene.cluster, &registry.parse()?, CheckOptions::default()).await?;
    assert_eq!(report.root_cause, Some(FindingId::REGISTRY_OTHER_TENANT), "{report}");
    assert_eq!(report.verdict, Verdict::CannotPull, "{report}");
    Ok(())
}

async fn a_cluster_that_is_missing_is_an_error() -> Checked {
    let scene = Scene::new()?;
    let cluster = ClusterRef::new(GROUP, "other")?;
    refused(scene.client.check(&cluster, &scene.by_id(), CheckOptions::default()).await, ErrorKind::NotFound)?;
    let options = CheckOptions::default().with_outbound_address("somewhere");
    let err = refused(scene.client.check(&scene.cluster, &scene.by_id(), options).await, ErrorKind::InvalidInput)?;
    assert!(err.to_string().contains("outbound_addresses"), "{err}");
    let foreign = "myregistry.azurecr.cn".parse()?;
    refused(scene.client.check(&scene.cluster, &foreign, CheckOptions::default()).await, ErrorKind::InvalidInput)?;
    Ok(())
}

/// A report whose facts lead to the same report.
async fn replayed(scene: &Scene, image: Option<&str>, kubernetes: KubernetesReads) -> Result<Report, Failed> {
    let options = CheckOptions::default().with_kubernetes(kubernetes);
    let options = match image {
        Some(image) => options.with_image(image.parse()?),
        None => options,
    };
    let report = scene.client.check(&scene.cluster, &scene.by_id(), options).await?;
    assert_eq!(report.replayed()?, report, "its facts lead to the same report");
    Ok(report)
}

/// The caller's token is not sent to a host that is not the registry's.
async fn an_image_of_another_host_is_not_read() -> Checked {
    for image in [
        "otherregistry.azurecr.io/team/app:v1",
        "myregistry-e5f2d9a8b7c6h3j1.azurecr.io/team/app:v1",
        "myregistry.azurecr.cn/team/app:v1",
        "myregistry.example.com/team/app:v1",
        "ghcr.io/team/app:v1",
    ] {
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
        scene.grant_pull("AcrPull");
        let report = check_image(&scene, image).await?;
        assert_eq!(report.root_cause, Some(FindingId::OTHER_REGISTRY), "{report}");
        assert!(first(&report)?.next_step.summary.contains("myregistry.azurecr.io/"), "{report}");
        let elsewhere = scene.sent(|request| !matches!(request.service, Service::Arm | Service::Entra));
        assert!(elsewhere.is_empty(), "{image}: {elsewhere:?}");
    }
    Ok(())
}

async fn an_unreachable_registry_costs_three_seconds() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    scene.azure.fault(Fault::on("POST", "/oauth2/exchange").silent().times(100));
    let begun = tokio::time::Instant::now();
    let report = check(&scene).await?;
    assert!(begun.elapsed() <= Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!((report.verdict, &first(&report)?.id), (Verdict::Unknown, &FindingId::UNKNOWN_IMAGE), "{report}");
    refused(report.require(), ErrorKind::Unavailable)?;
    Ok(())
}

/// The nodes are admitted, and the machine that checks is not: waiting does not help.
async fn a_firewall_that_keeps_the_caller_out_is_no_missing_role() -> Checked {
    let seed = registry(false).sku("Premium").only_from(&["198.51.100.20"]);
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), seed, &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    let report = check(&scene).await?;
    let found = first(&report)?;
    assert_eq!((report.verdict, &found.id), (Verdict::Unknown, &FindingId::UNKNOWN_IMAGE), "{report}");
    assert!(found.message.contains("firewall does not admit this machine's address 203.0.113.7"), "{report}");
    let words = found.evidence.iter().find(|one| one.field == "message").map(|one| one.value.as_str());
    assert!(
        words.is_some_and(|words| words.contains("client with IP '203.0.113.7' is not allowed access")),
        "{report}"
    );
    assert!(!found.next_step.summary.contains("role"), "{report}");
    let err = refused(report.require(), ErrorKind::Unavailable)?;
    assert!(!err.is_transient(), "{err:?}");
    Ok(())
}

async fn a_registry_that_does_not_serve_is_no_missing_role() -> Checked {
    for (part, status) in
        [("/manifests/v1", 429), ("/manifests/v1", 503), ("/oauth2/token", 429), ("/oauth2/exchange", 503)]
    {
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
        scene.grant_pull("AcrPull");
        scene.azure.fault(Fault::on("*", part).status(status).times(100));
        let report = check(&scene).await?;
        let found = first(&report)?;
        assert_eq!((report.verdict, &found.id), (Verdict::Unknown, &FindingId::UNKNOWN_IMAGE), "{part}: {report}");
        assert!(found.message.contains(&status.to_string()), "{part}: {report}");
        assert_eq!((found.retry, found.next_step.summary.as_str()), (PullRetry::Transient, "check again later"));
        assert!(refused(report.require(), ErrorKind::Unavailable)?.is_transient());
    }
    Ok(())
}

async fn addresses_are_read_or_given() -> Checked {
    let routed = || {
        let network = json!({"networkPlugin": "azure", "outboundType": "userDefinedRouting"});
        ClusterSeed::new(GROUP, CLUSTER).property("networkProfile", network)
    };
    let scene = scene_of(routed(), registry(false).only_from(&["198.51.100.20", "203.0.113.7"]), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    let report = check(&scene).await?;
    assert_eq!((report.verdict, &first(&report)?.id), (Verdict::Unknown, &FindingId::OUTBOUND_IP_UNKNOWN), "{report}");
    assert_eq!(first(&report)?.needs[0].option.as_deref(), Some("outbound_addresses"));
    let with = |addresses: &[&str]| {
        addresses.iter().fold(CheckOptions::default(), |options, one| options.with_outbound_address(*one))
    };
    for (addresses, wanted) in [
        (&["198.51.100.20"][..], None),
        (&["198.51.100.21"], failing(FindingId::OUTBOUND_IP_NOT_ALLOWED)),
        (&["198.51.100.20", "198.51.100.21"], warning(FindingId::OUTBOUND_IP_NOT_ALLOWED)),
    ] {
        let report = scene.client.check(&scene.cluster, &scene.by_id(), with(addresses)).await?;
        assert_eq!(report.findings.first().map(|one| (one.status, one.id.clone())), wanted, "{report}");
    }
    let proxy = json!({"httpsProxy": "http://10.0.0.9:3128", "enabled": true});
    let subnet = json!([{"name": "one", "count": 1, "vmSize": "Standard_D2s_v5", "osType": "Linux", "vnetSubnetID": "/subscriptions/s"}]);
    let seed = || ClusterSeed::new(GROUP, CLUSTER);
    for (cluster, wanted) in [
        (seed().property("httpProxyConfig", proxy), unknown(FindingId::OUTBOUND_IP_UNKNOWN)),
        (seed().property("agentPoolProfiles", subnet), unknown(FindingId::SUBNET_RULES_NOT_VISIBLE)),
        (seed(), failing(FindingId::OUTBOUND_IP_NOT_ALLOWED)),
    ] {
        let scene = scene_of(cluster, registry(false).only_from(&["203.0.113.7"]), &["linux/amd64"])?;
        scene.grant_pull("AcrPull");
        let report = check(&scene).await?;
        assert_eq!(report.findings.first().map(|one| (one.status, one.id.clone())), wanted, "{report}");
    }
    let none = json!({"networkPlugin": "azure", "outboundType": "none"});
    let scene =
        scene_of(ClusterSeed::new(GROUP, CLUSTER).property("networkProfile", none), registry(false), &["linux/amd64"])?;
    assert_eq!(check(&scene).await?.root_cause, Some(FindingId::NO_EGRESS));
    Ok(())
}

async fn a_report_is_a_gate() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    let err = refused(check(&scene).await?.require(), ErrorKind::PullFailed)?;
    assert!(err.context().any(|(name, value)| (name, value) == ("finding", "grant.missing")), "{err}");
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    check(&scene).await?.require()?;
    Ok(())
}

async fn a_stored_report_is_read_back() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    let report = check(&scene).await?;
    let read: Report = serde_json::from_str(&serde_json::to_string(&report)?)?;
    assert_eq!(read, report);
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("CANNOT PULL  {IMAGE} from myregistry by group/dev"));
    assert!(lines[1].starts_with("  fails: ") && lines[1].ends_with("[grant.missing]"), "{text}");
    for part in [
        "next step: attach registry myregistry to cluster dev",
        "az role assignment create",
        "passed: reference, cluster",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(report.stages.iter().any(|stage| stage.state == StageState::Failed));
    Ok(())
}
