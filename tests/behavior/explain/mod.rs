//! Explains from inside and from outside: the cause of a pod that cannot pull is that of a check, and the next step makes it run.

mod elsewhere;
mod secrets;
mod service_principal;

use crate::{
    case::{Case, Checked, cases, refused, some},
    check::{IMAGE, READER, attach_options, check, check_image, grants, registry, scene_of},
    emulator::{CLUSTER, GROUP, Scene, deployment},
};
use aks_acr::{
    Client, ClusterRef, ErrorKind, ExplainOptions, ExplainTarget, Explanation, FindingId, FindingStatus, PodGroup,
    PullRetry, RolloutBlockerKind, StageState, Verdict,
};
use aks_acr_emulator::{ClusterSeed, Fault, From, RoleSeed, Service};
use elsewhere::{
    a_registry_of_another_tenant_is_named_by_its_id, a_registry_that_is_given_by_its_name_is_searched,
    a_registry_with_another_login_server_is_refused,
};
use libtest_mimic::Failed;
use secrets::{
    a_foreign_registry_is_explained_without_azure, a_pull_secret_that_came_after_the_pod_is_named,
    a_pull_secret_whose_user_may_not_pull_is_not_called_wrong,
    an_image_on_the_node_is_pulled_again_for_other_credentials, beside_a_grant_a_pull_secret_is_a_warning,
    every_kind_of_pull_secret_is_explained, the_next_step_for_a_pull_secret_makes_the_pod_run,
};
use serde_json::{Value, json};
use service_principal::{an_ended_secret_is_explained, without_a_query_an_ended_secret_is_not_known};
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    cases! { "explain";
        everywhere: [];
        on_emulator: [
            every_kind_of_grant_is_explained_as_it_is_checked,
            every_network_is_explained_as_it_is_checked,
            every_image_is_explained_as_it_is_checked,
            every_kind_of_pull_secret_is_explained,
            a_pull_secret_whose_user_may_not_pull_is_not_called_wrong,
            beside_a_grant_a_pull_secret_is_a_warning,
            the_next_step_for_a_pull_secret_makes_the_pod_run,
            a_foreign_registry_is_explained_without_azure,
            a_pull_secret_that_came_after_the_pod_is_named,
            an_image_on_the_node_is_pulled_again_for_other_credentials,
            an_ended_secret_is_explained,
            without_a_query_an_ended_secret_is_not_known,
            a_registry_of_another_tenant_is_named_by_its_id,
            a_registry_with_another_login_server_is_refused,
            a_registry_that_is_given_by_its_name_is_searched,
            a_registry_that_throttles_is_named,
            many_pods_cost_few_requests,
            pods_are_grouped_by_what_decides,
            what_pods_wait_for_otherwise_is_named,
            pods_that_are_not_created_are_named,
            pods_that_a_policy_denies_are_a_finding,
            pods_of_every_kind_of_workload_are_named_if_they_are_denied,
            a_missing_permission_in_kubernetes_is_named,
            replica_sets_that_cannot_be_listed_are_named,
            a_workload_that_lacks_pods_and_cannot_be_read_is_named,
            a_right_that_is_missing_leaves_the_message,
            what_does_not_exist_is_named,
            a_host_that_no_registry_can_have_is_explained,
            the_pods_of_all_namespaces_are_explained,
            healthy_pods_cost_four_requests,
            a_cause_that_only_an_event_has_is_found,
            an_image_that_was_pushed_since_is_waited_for,
            names_cannot_give_orders_to_a_terminal,
            a_table_shows_causes_and_next_steps,
        ];
    }
}

/// Long enough for two tries to pull.
async fn some_time() {
    tokio::time::sleep(Duration::from_secs(45)).await;
}

async fn explain(scene: &Scene, target: &str) -> aks_acr::Result<Explanation> {
    scene.client.explain(&scene.cluster, &target.parse()?, ExplainOptions::default()).await
}

/// Deploys an image, and explains what came of it.
async fn deployed(scene: &Scene, image: &str) -> aks_acr::Result<Explanation> {
    scene.apply(&deployment("web", image, 2)).await?;
    some_time().await;
    explain(scene, "web").await
}

fn only(explanation: &Explanation) -> Result<&PodGroup, Failed> {
    assert_eq!(explanation.groups.len(), 1, "{explanation}");
    some(explanation.groups.first(), "a group")
}

/// The pods of a scene meet what a check found, and the explanation says the same. Returns whether they run.
async fn as_checked(name: &str, scene: &Scene, image: &str) -> Result<(bool, Explanation), Failed> {
    let report = check_image(scene, image).await?;
    let explanation = deployed(scene, image).await?;
    let read: Explanation = serde_json::from_str(&serde_json::to_string(&explanation)?)?;
    assert_eq!(read, explanation, "{name}");
    for group in &explanation.groups {
        assert_eq!(group.report.replayed()?, group.report, "{name}: its facts lead to the same report");
    }
    let runs = explanation.groups.is_empty();
    match report.verdict {
        Verdict::CannotPull => {
            assert_eq!(explanation.root_cause, report.root_cause, "{name}: {report}\n{}", only(&explanation)?);
            let group = only(&explanation)?;
            assert_eq!((group.pods.len(), explanation.healthy_pods), (2, 0), "{name}: {explanation}");
            let (here, there) = (&group.report.findings[0].next_step, &report.findings[0].next_step);
            assert_eq!(here, there, "{name}: the next step is the same");
            let evidence = &group.report.findings[0].evidence;
            assert!(evidence.iter().any(|one| one.source == "kubelet"), "{name}: {group}");
        }
        Verdict::CanPull => assert!(runs && explanation.healthy_pods == 2, "{name}: {report}\n{explanation}"),
        // What is not known from outside is known from inside.
        _ => assert!(runs || explanation.root_cause.is_some(), "{name}: {explanation}"),
    }
    Ok((runs, explanation))
}

async fn every_kind_of_grant_is_explained_as_it_is_checked() -> Checked {
    for is_abac in [false, true] {
        for (name, grant, ..) in grants::grants() {
            let name = format!("{name}, {is_abac}");
            let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(is_abac), &["linux/amd64"])?;
            grant(&scene);
            let (runs, explanation) = as_checked(&name, &scene, IMAGE).await?;
            if runs {
                continue;
            }
            let group = only(&explanation)?;
            for stage in group.report.stages.iter().filter(|stage| stage.name < aks_acr::PullStage::Identity) {
                assert_eq!(stage.state, StageState::Passed, "{name}: {group}");
            }
            if group.report.findings[0].next_step.operation.as_deref() == Some("attach") {
                attach(&scene, group).await?;
                // Nodes keep a credential for an hour, with the permissions of its time.
                tokio::time::sleep(Duration::from_secs(3960)).await;
                let explanation = explain(&scene, "web").await?;
                assert_eq!(
                    (explanation.healthy_pods, explanation.root_cause.clone()),
                    (2, None),
                    "{name}: {explanation}"
                );
            }
        }
    }
    Ok(())
}

/// Carries out the next step, with the arguments that it names.
async fn attach(scene: &Scene, group: &PodGroup) -> Checked {
    let step = &group.report.findings[0].next_step;
    let arguments = &step.arguments;
    let (cluster, registry) = (arguments["cluster"].parse()?, arguments["registry"].parse()?);
    scene.client.attach(&cluster, &registry, attach_options(step)?).await?;
    Ok(())
}

async fn every_network_is_explained_as_it_is_checked() -> Checked {
    const NODES: &str = "198.51.100.20";
    const CALLER: &str = "203.0.113.7";
    for (name, seed) in [
        ("rules with the nodes", registry(false).only_from(&[NODES, CALLER])),
        ("rules without the nodes", registry(false).only_from(&[CALLER])),
        ("no rules", registry(false).only_from(&[])),
        ("closed", registry(false).public_network_disabled()),
        ("a setting of the future", registry(false).property("publicNetworkAccess", "SecuredByPerimeter")),
    ] {
        for is_granted in [true, false] {
            let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), seed.clone(), &["linux/amd64"])?;
            if is_granted {
                scene.grant_pull("AcrPull");
            }
            as_checked(name, &scene, IMAGE).await?;
        }
    }
    Ok(())
}

async fn every_image_is_explained_as_it_is_checked() -> Checked {
    let arm = || ClusterSeed::new(GROUP, CLUSTER).node("aks-arm-1", "linux", "arm64");
    let intel = || ClusterSeed::new(GROUP, CLUSTER).node("aks-intel-1", "linux", "amd64");
    let digest = format!("myregistry.azurecr.io/team/app@sha256:{}", "1".repeat(64));
    let cells: &[(&str, ClusterSeed, &[&str], &str)] = &[
        ("an index on Arm", arm(), &["linux/amd64", "linux/arm64"], IMAGE),
        ("an index without Intel", intel(), &["linux/arm64", "linux/arm"], IMAGE),
        ("an index for Windows on Linux", intel(), &["windows/amd64", "windows/arm64"], IMAGE),
        ("another tag", intel(), &["linux/amd64"], "myregistry.azurecr.io/team/app:v2"),
        ("another repository", intel(), &["linux/amd64"], "myregistry.azurecr.io/team/web:v1"),
        ("another digest", intel(), &["linux/amd64"], &digest),
    ];
    for is_abac in [false, true] {
        for (name, cluster, platforms, image) in cells {
            let scene = scene_of(cluster.clone(), registry(is_abac), platforms)?;
            scene.grant_pull(if is_abac { READER } else { "AcrPull" });
            as_checked(name, &scene, image).await?;
        }
    }
    Ok(())
}

async fn a_registry_that_throttles_is_named() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    let words = json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "too many requests"}]});
    scene.azure.fault(Fault::on("HEAD", "/v2/team/app/manifests/").status(429).body(words).times(100));
    let explanation = deployed(&scene, IMAGE).await?;
    let group = only(&explanation)?;
    assert_eq!(explanation.root_cause, Some(FindingId::REGISTRY_THROTTLED), "{group}");
    assert_eq!(group.report.findings[0].retry, PullRetry::Transient);
    Ok(())
}

/// What the client has sent since, without sign-in at Entra ID.
fn sent(scene: &Scene, mark: aks_acr_emulator::Mark) -> Vec<aks_acr_emulator::Request> {
    let sent = scene.azure.requests_since(mark).into_iter();
    sent.filter(|one| one.from == From::Client && one.service != Service::Entra).collect()
}

fn image(number: usize) -> String {
    format!("myregistry.azurecr.io/team/app{number}:v1")
}

/// However many pods 20 workloads have: a request for each list, and two for each further image.
async fn many_pods_cost_few_requests() -> Checked {
    let index: &[&str] = &["linux/amd64", "linux/arm64"];
    let cost_of_check = {
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), index)?;
        let mark = scene.azure.mark();
        check(&scene).await?;
        sent(&scene, mark).len()
    };
    // How many images, and how many pods each of 20 workloads has.
    let mut costs = Vec::new();
    for (images, replicas) in [(3, 25), (1, 1), (3, 1), (6, 1)] {
        let nodes = (0..50)
            .fold(ClusterSeed::new(GROUP, CLUSTER), |seed, at| seed.node(&format!("aks-{at}"), "linux", "amd64"));
        let scene = scene_of(nodes, registry(false), index)?;
        for number in 0..images {
            scene.azure.push_image(&image(number), index);
        }
        let all = (0..20).map(|at| deployment(&format!("web{at}"), &image(at % images), replicas));
        scene.apply(&all.collect::<Vec<_>>().join("\n---\n")).await?;
        // A node pulls one image after the other.
        tokio::time::sleep(Duration::from_secs(if replicas == 1 { 20 } else { 4 })).await;
        let mark = scene.azure.mark();
        let explanation = explain(&scene, "").await?;
        let requests = sent(&scene, mark);
        assert_eq!(explanation.groups.len(), images, "{explanation}");
        let pods: usize = explanation.groups.iter().map(|group| group.pods.len()).sum();
        // Of 500 pods, some wait for their turn.
        let all = pods + usize::try_from(explanation.starting_pods)?;
        assert_eq!((all, explanation.root_cause), (usize::try_from(20 * replicas)?, Some(FindingId::GRANT_MISSING)));
        assert!(replicas > 1 || explanation.starting_pods == 0, "{images}: {}", explanation.starting_pods);
        costs.push(requests.len());
    }
    println!(
        "a check: {cost_of_check} requests; 500 pods with 3 images: {}; 20 with 1, 3, 6: {:?}",
        costs[0],
        &costs[1..]
    );
    assert!(costs[0] <= cost_of_check + 12, "{cost_of_check}, {costs:?}");
    assert_eq!((costs[2] - costs[1], costs[3] - costs[2]), (2 * 2, 3 * 2), "{costs:?}");
    Ok(())
}

async fn pods_are_grouped_by_what_decides() -> Checked {
    let cluster =
        ClusterSeed::new(GROUP, CLUSTER).node("aks-intel-1", "linux", "amd64").node("aks-arm-1", "linux", "arm64");
    let scene = scene_of(cluster, registry(false), &["linux/amd64"])?;
    let pod = |name: &str, architecture: &str, more: &str, image: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{nodeSelector: {{kubernetes.io/arch: {architecture}}}, {more}\
             containers: [{{name: main, image: '{image}'}}, {{name: side, image: '{image}'}}]}}}}"
        )
    };
    let secret = "imagePullSecrets: [{name: hub}], ";
    let other = "myregistry.azurecr.io/team/app:v2";
    for (name, architecture, more, image) in [
        ("a", "amd64", "", IMAGE),
        ("b", "amd64", "", IMAGE),
        ("c", "arm64", "", IMAGE),
        ("d", "amd64", secret, IMAGE),
        ("e", "amd64", "", other),
    ] {
        scene.apply(&pod(name, architecture, more, image)).await?;
    }
    some_time().await;
    let explanation = explain(&scene, "").await?;
    let groups: Vec<Vec<&str>> =
        explanation.groups.iter().map(|group| group.pods.iter().map(String::as_str).collect()).collect();
    // First the earliest stage, then the largest group.
    assert_eq!(
        groups,
        [vec!["default/d"], vec!["default/a", "default/b"], vec!["default/c"], vec!["default/e"]],
        "{explanation}"
    );
    let platforms: Vec<Option<&str>> = explanation.groups.iter().map(|one| one.architecture.as_deref()).collect();
    assert_eq!(platforms, [Some("amd64"), Some("amd64"), Some("arm64"), Some("amd64")]);
    assert_eq!(explanation.groups[0].pull_secrets, ["hub"]);
    let options = ExplainOptions::default().with_selector("app=none");
    let none = scene.client.explain(&scene.cluster, &ExplainTarget::Pods, options).await?;
    assert!(none.groups.is_empty() && none.root_cause.is_none(), "{none}");
    Ok(())
}

async fn what_pods_wait_for_otherwise_is_named() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    let pod =
        |name: &str, spec: &str| format!("{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{{spec}}}}}");
    let main = |more: &str| format!("containers: [{{name: main, image: '{IMAGE}'{more}}}]");
    let volume = "volumes: [{name: x, configMap: {name: nope}}], ";
    for (name, spec) in [
        ("crashing", main(", command: [sh, -c, 'exit 3']")),
        ("lonely", format!("nodeSelector: {{disk: fast}}, {}", main(""))),
        ("unmounted", format!("{volume}{}", main(", volumeMounts: [{name: x, mountPath: /x}]"))),
        ("running", main("")),
    ] {
        scene.apply(&pod(name, &spec)).await?;
    }
    some_time().await;
    let explanation = explain(&scene, "").await?;
    assert_eq!((explanation.root_cause.clone(), explanation.healthy_pods), (None, 1), "{explanation}");
    let causes: Vec<(RolloutBlockerKind, &str)> =
        explanation.other_causes.iter().map(|one| (one.kind, one.objects[0].as_str())).collect();
    let wanted = [
        (RolloutBlockerKind::MissingConfig, "Pod/unmounted"),
        (RolloutBlockerKind::CrashLoop, "Pod/crashing"),
        (RolloutBlockerKind::Unschedulable, "Pod/lonely"),
    ];
    assert_eq!(causes, wanted, "{explanation}");
    assert!(explanation.to_string().contains("Pod/unmounted in default: "), "{explanation}");
    Ok(())
}

async fn pods_that_are_not_created_are_named() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: '0'}}}").await?;
    scene.apply(&deployment("web", IMAGE, 1)).await?;
    some_time().await;
    for target in ["", "web"] {
        let explanation = explain(&scene, target).await?;
        let cause = some(explanation.other_causes.first(), "a cause")?;
        assert_eq!((cause.kind, cause.namespace.as_str()), (RolloutBlockerKind::Quota, "default"), "{explanation}");
        assert!(cause.objects[0].starts_with("ReplicaSet/web-"), "{explanation}");
        denied_by(&explanation, "ResourceQuota none")?;
    }
    Ok(())
}

fn denied_by(explanation: &Explanation, who: &str) -> Checked {
    assert_eq!(explanation.root_cause, Some(FindingId::ADMISSION_DENIED), "{explanation}");
    let cause = some(explanation.other_causes.first(), "a cause")?;
    let found = some(cause.finding.as_ref(), "its finding")?;
    assert!(found.message.starts_with(who), "{found:?}");
    assert_eq!((&found.evidence[0].field, &found.evidence[0].value), (&cause.reason, &cause.message));
    assert!(explanation.to_string().contains("[admission.denied]"), "{explanation}");
    Ok(())
}

async fn pods_that_a_policy_denies_are_a_finding() -> Checked {
    let restricted = "{apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {pod-security.kubernetes.io/enforce: restricted}}}";
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    scene.apply(restricted).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let manifest =
        deployment("web", IMAGE, 1).replacen("metadata: {name: web", "metadata: {namespace: team, name: web", 1);
    scene.apply(&manifest).await?;
    some_time().await;
    let options = ExplainOptions::default().with_namespace("team");
    let explanation = scene.client.explain(&scene.cluster, &"".parse()?, options).await?;
    denied_by(&explanation, "Pod Security level restricted")?;
    Ok(())
}

/// A `ReplicaSet` has a condition; the others have events only, which stay for an hour after the workload has its pods.
async fn pods_of_every_kind_of_workload_are_named_if_they_are_denied() -> Checked {
    let namespace = |enforce: &str| {
        format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: team, labels: {{pod-security.kubernetes.io/enforce: {enforce}}}}}}}"
        )
    };
    let template = format!(
        "template: {{metadata: {{labels: {{app: a}}}}, spec: {{restartPolicy: RESTART, containers: [{{name: main, image: '{IMAGE}'}}]}}}}"
    );
    for (kind, group, rest, restart) in [
        ("StatefulSet", "apps/v1", "serviceName: a, selector: {matchLabels: {app: a}}, ", "Always"),
        ("DaemonSet", "apps/v1", "selector: {matchLabels: {app: a}}, ", "Always"),
        ("Job", "batch/v1", "", "Never"),
    ] {
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
        scene.grant_pull("AcrPull");
        scene.apply(&namespace("restricted")).await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let spec = format!("{rest}{}", template.replace("RESTART", restart));
        let object =
            format!("{{apiVersion: {group}, kind: {kind}, metadata: {{namespace: team, name: db}}, spec: {{{spec}}}}}");
        scene.apply(&object).await?;
        some_time().await;
        let all = ExplainTarget::Pods;
        let one: ExplainTarget = format!("{kind}/db").parse()?;
        let options = || ExplainOptions::default().with_namespace("team");
        for target in [&all, &one] {
            let explanation = scene.client.explain(&scene.cluster, target, options()).await?;
            denied_by(&explanation, "Pod Security level restricted")?;
            assert_eq!(explanation.other_causes[0].objects, [format!("{kind}/db")], "{explanation}");
        }
        // Once the pods exist, the events say nothing about now.
        scene.apply(&namespace("privileged")).await?;
        tokio::time::sleep(Duration::from_secs(15 * 60)).await;
        for target in [&all, &one] {
            let explanation = scene.client.explain(&scene.cluster, target, options()).await?;
            assert_eq!((&explanation.root_cause, explanation.other_causes.len()), (&None, 0), "{kind}: {explanation}");
        }
    }
    Ok(())
}

fn rbac(roles: &[&str]) -> Result<(Scene, Client), Failed> {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER).azure_rbac(), registry(false), &["linux/amd64"])?;
    let owner = scene.azure.object_id_of("owner");
    scene.azure.grant("Azure Kubernetes Service RBAC Cluster Admin", &owner, &scene.everything());
    let everything = scene.everything();
    let roles: Vec<(&str, &str)> = roles.iter().map(|role| (*role, everything.as_str())).collect();
    let caller = scene.caller(&roles)?;
    Ok((scene, caller))
}

const ENTER: &str = "Azure Kubernetes Service Cluster User Role";

async fn a_missing_permission_in_kubernetes_is_named() -> Checked {
    let (scene, caller) = rbac(&[ENTER, "Reader", "AcrPull"])?;
    for target in ["", "web", "pod/web"] {
        let explained = caller.explain(&scene.cluster, &target.parse()?, ExplainOptions::default()).await;
        let err = refused(explained, ErrorKind::Forbidden)?;
        assert!(err.to_string().contains("Azure Kubernetes Service RBAC Reader"), "{err:#}");
    }
    // That role is enough, and what it lacks is named.
    let (scene, caller) = rbac(&[ENTER, "Reader", "AcrPull", "Azure Kubernetes Service RBAC Reader"])?;
    let secret = "imagePullSecrets: [{name: hub}], ";
    scene.apply(&deployment("web", IMAGE, 1).replace("containers:", &format!("{secret}containers:"))).await?;
    some_time().await;
    let explanation = caller.explain(&scene.cluster, &"web".parse()?, ExplainOptions::default()).await?;
    let needs: Vec<&str> = explanation.needs.iter().filter_map(|need| need.action.as_deref()).collect();
    assert_eq!(needs, ["Microsoft.ContainerService/managedClusters/nodes/read"], "{explanation}");
    assert!(explanation.to_string().contains("nodes/read on "), "{explanation}");
    let group = only(&explanation)?;
    assert_eq!(group.architecture, None);
    // It cannot read the secret, but the events, which say that there is none.
    assert_eq!(explanation.root_cause, Some(FindingId::PULL_SECRET_UNUSABLE), "{group}");
    let hub = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}, "type": "Opaque"});
    kubectl_apply(&scene, &hub).await?;
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    let explanation = caller.explain(&scene.cluster, &"web".parse()?, ExplainOptions::default()).await?;
    let group = only(&explanation)?;
    assert_eq!(explanation.root_cause, Some(FindingId::GRANT_MISSING), "{group}");
    let secret = some(group.report.findings.iter().find(|one| one.id == FindingId::PULL_SECRET_UNUSABLE), "it")?;
    assert_eq!(
        (secret.status, secret.needs[0].smallest_role.as_deref()),
        (FindingStatus::Unknown, Some("Azure Kubernetes Service RBAC Writer"))
    );
    Ok(())
}

/// Without the list of `ReplicaSets`, pods that are not created are unknown, and that is said even if all pods run.
async fn replica_sets_that_cannot_be_listed_are_named() -> Checked {
    let (scene, _) = rbac(&[])?;
    let actions = ["pods", "events", "nodes", "secrets"]
        .map(|part| format!("Microsoft.ContainerService/managedClusters/{part}/read"));
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    let _ = scene.azure.clone().with_role(RoleSeed::new("pods only").data_block(&actions, &[]));
    let everything = scene.everything();
    let caller = scene.caller(&[ENTER, "Reader", "AcrPull", "pods only"].map(|role| (role, everything.as_str())))?;
    for pods in [0, 1] {
        let explanation = caller.explain(&scene.cluster, &"".parse()?, ExplainOptions::default()).await?;
        assert_eq!(explanation.groups.iter().map(|group| group.pods.len()).sum::<usize>(), pods, "{explanation}");
        let needs: Vec<&str> = explanation.needs.iter().filter_map(|need| need.action.as_deref()).collect();
        assert_eq!(needs, ["Microsoft.ContainerService/managedClusters/apps/replicasets/read"], "{explanation}");
        assert_eq!(explanation.needs[0].smallest_role.as_deref(), Some("Azure Kubernetes Service RBAC Reader"));
        scene.apply(&deployment("web", IMAGE, 1)).await?;
        some_time().await;
    }
    Ok(())
}

async fn a_workload_that_lacks_pods_and_cannot_be_read_is_named() -> Checked {
    let (scene, _) = rbac(&[])?;
    let actions = ["pods", "events", "nodes", "secrets", "apps/replicasets"]
        .map(|part| format!("Microsoft.ContainerService/managedClusters/{part}/read"));
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    let _ = scene.azure.clone().with_role(RoleSeed::new("no stateful sets").data_block(&actions, &[]));
    let everything = scene.everything();
    let roles = [ENTER, "Reader", "AcrPull", "no stateful sets"].map(|role| (role, everything.as_str()));
    let caller = scene.caller(&roles)?;
    scene.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: none, namespace: default}, spec: {hard: {pods: 0}}}").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    scene.apply(&format!("{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: db}}, spec: {{serviceName: a, selector: {{matchLabels: {{app: a}}}}, template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{{name: main, image: '{IMAGE}'}}]}}}}}}}}")).await?;
    some_time().await;
    let explanation = caller.explain(&scene.cluster, &"".parse()?, ExplainOptions::default()).await?;
    let needs: Vec<&str> = explanation.needs.iter().filter_map(|need| need.action.as_deref()).collect();
    assert_eq!(needs, ["Microsoft.ContainerService/managedClusters/apps/statefulsets/read"], "{explanation}");
    Ok(())
}

async fn kubectl_apply(scene: &Scene, object: &Value) -> Checked {
    scene.apply(&object.to_string()).await?;
    Ok(())
}

/// Right by right: less is known, and never something else.
async fn a_right_that_is_missing_leaves_the_message() -> Checked {
    let rights = [
        "Microsoft.ContainerService/managedClusters/read",
        "Microsoft.ContainerRegistry/registries/read",
        "Microsoft.Authorization/roleAssignments/read",
        "Microsoft.Authorization/denyAssignments/read",
        "Microsoft.ContainerRegistry/registries/pull/read",
    ];
    for lacking in rights {
        let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
        scene.apply(&deployment("web", IMAGE, 1)).await?;
        some_time().await;
        let enter = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action";
        let all: Vec<&str> = rights.iter().copied().chain([enter]).filter(|right| *right != lacking).collect();
        let caller = scene.caller_who_may(&all)?;
        let explanation = caller.explain(&scene.cluster, &"web".parse()?, ExplainOptions::default()).await?;
        let group = only(&explanation)?;
        let from_message = [FindingId::NO_CREDENTIAL, FindingId::GRANT_MISSING];
        assert!(explanation.root_cause.as_ref().is_some_and(|id| from_message.contains(id)), "{lacking}: {group}");
        let needs: Vec<&str> =
            group.report.findings.iter().flat_map(|one| &one.needs).filter_map(|need| need.action.as_deref()).collect();
        // A registry that cannot be read is not listed, and so it is not visible.
        let is_invisible = lacking == "Microsoft.ContainerRegistry/registries/read";
        assert!(needs.contains(&lacking) || is_invisible, "{lacking}: {group}");
        let has_unseen = group.report.findings.iter().any(|one| one.id == FindingId::REGISTRY_NOT_VISIBLE);
        assert_eq!(has_unseen, is_invisible, "{lacking}: {group}");
    }
    Ok(())
}

async fn a_host_that_no_registry_can_have_is_explained() -> Checked {
    for host in ["abc.azurecr.io", "a-b.azurecr.io", "prod-registry.azurecr.io"] {
        let scene = Scene::new()?;
        scene.apply(&deployment("web", &format!("{host}/app:v1"), 1)).await?;
        some_time().await;
        assert_eq!(explain(&scene, "web").await?.root_cause, Some(FindingId::DNS_LOOKUP_FAILED), "{host}");
    }
    Ok(())
}

async fn what_does_not_exist_is_named() -> Checked {
    let scene = Scene::new()?;
    for (target, name) in [("pod/gone", "gone"), ("gone", "gone"), ("statefulset/gone", "gone"), ("job/gone", "gone")] {
        let err = refused(explain(&scene, target).await, ErrorKind::NotFound)?;
        assert!(err.to_string().contains(name), "{err:#}");
    }
    let options = ExplainOptions::default().with_namespace("team");
    let err = refused(scene.client.explain(&scene.cluster, &ExplainTarget::Pods, options).await, ErrorKind::NotFound)?;
    assert!(err.to_string().contains("no namespace 'team'"), "{err:#}");
    let cluster = ClusterRef::new(GROUP, "gone")?;
    let gone = scene.client.explain(&cluster, &ExplainTarget::Pods, ExplainOptions::default()).await;
    refused(gone, ErrorKind::NotFound)?;
    refused(explain(&scene, "cronjob/x").await, ErrorKind::Unsupported)?;
    Ok(())
}

async fn the_pods_of_all_namespaces_are_explained() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    for namespace in ["team", "batch"] {
        scene.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}")).await?;
        let web = deployment("web", IMAGE, 1)
            .replace("metadata: {name: web}", &format!("metadata: {{name: web, namespace: {namespace}}}"));
        scene.apply(&web).await?;
    }
    some_time().await;
    let all = ExplainOptions::default().with_all_namespaces(true);
    let explanation = scene.client.explain(&scene.cluster, &ExplainTarget::Pods, all).await?;
    let group = only(&explanation)?;
    assert!(group.pods[0].starts_with("batch/web-") && group.pods[1].starts_with("team/web-"), "{group}");
    assert_eq!(explanation.root_cause, Some(FindingId::GRANT_MISSING));
    let team = ExplainOptions::default().with_namespace("team");
    let explanation = scene.client.explain(&scene.cluster, &"web".parse()?, team).await?;
    assert_eq!(only(&explanation)?.pods.len(), 1, "{explanation}");
    Ok(())
}

async fn healthy_pods_cost_four_requests() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    assert_eq!(deployed(&scene, IMAGE).await?.healthy_pods, 2);
    let fresh = crate::emulator::client(&scene.azure, scene.azure.credential())?;
    let mark = scene.azure.mark();
    fresh.explain(&scene.cluster, &ExplainTarget::Pods, ExplainOptions::default()).await?;
    // The kubeconfig, the pods, the ReplicaSets, and the events about pods that were not created.
    assert_eq!(sent(&scene, mark).len(), 4);
    Ok(())
}

/// An older kubelet says only that it waits.
async fn a_cause_that_only_an_event_has_is_found() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER).version("1.29.0"), registry(false), &["linux/amd64"])?;
    let explanation = deployed(&scene, IMAGE).await?;
    let group = only(&explanation)?;
    assert_eq!(explanation.root_cause, Some(FindingId::GRANT_MISSING), "{group}");
    assert!(group.last_failed.is_some(), "{group:?}");
    Ok(())
}

async fn an_image_that_was_pushed_since_is_waited_for() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene.grant_pull("AcrPull");
    let image = "myregistry.azurecr.io/team/app:v2";
    assert_eq!(deployed(&scene, image).await?.root_cause, Some(FindingId::IMAGE_NOT_FOUND));
    scene.azure.push_image(image, &["linux/amd64"]);
    let explanation = explain(&scene, "web").await?;
    let found = &only(&explanation)?.report.findings[0];
    assert_eq!((&found.id, found.retry), (&FindingId::IMAGE_NOT_FOUND, PullRetry::Transient), "{explanation}");
    assert!(found.next_step.summary.contains("wait up to 5 minutes"), "{explanation}");
    tokio::time::sleep(Duration::from_secs(330)).await;
    assert_eq!(explain(&scene, "web").await?.healthy_pods, 2);
    Ok(())
}

async fn names_cannot_give_orders_to_a_terminal() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    scene
        .apply(
            &deployment("web", "bad\u{1b}[2Jname", 1)
                .replace('\u{1b}', "\\e")
                .replace("'bad", "\"bad")
                .replace("name'}", "name\"}"),
        )
        .await?;
    some_time().await;
    let explanation = explain(&scene, "web").await?;
    let group = only(&explanation)?;
    assert!(group.image.contains('\u{1b}'), "{:?}", group.image);
    for text in [explanation.to_string(), group.to_string(), group.report.to_string()] {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
    assert_eq!(explanation.root_cause, Some(FindingId::REFERENCE_INVALID));
    Ok(())
}

async fn a_table_shows_causes_and_next_steps() -> Checked {
    let scene = scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false), &["linux/amd64"])?;
    let text = deployed(&scene, IMAGE).await?.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "PODS   IMAGE                               CAUSE           NEXT STEP");
    assert_eq!(
        lines[1],
        "2      myregistry.azurecr.io/team/app:v1   grant.missing   attach registry myregistry to cluster dev"
    );
    assert_eq!(lines[2], "group/dev: 0 healthy, 0 starting, 2 without an image, 0 with another cause");
    Ok(())
}
