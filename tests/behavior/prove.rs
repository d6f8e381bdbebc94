//! Proofs by a real pull: what a node of each pool says, and what is left behind.

use crate::{
    case::{Case, Checked, cases, refused, some},
    check::{IMAGE, registry, scene_of},
    emulator::{CLUSTER, GROUP, Scene},
};
use aks_acr::{
    ApplyOptions, AttachOptions, CallOptions, ErrorKind, ExplainOptions, FindingId, Manifest, NodeIdentityState,
    PodSelection, ProofOutcome, ProvePullOptions, PullProof, PullProofKind, PullProofVia, RolloutOptions,
};
use aks_acr_emulator::{ClusterSeed, Service, Timing};
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    cases! { "prove";
        everywhere: [];
        on_emulator: [
            a_pull_is_proven_and_nothing_is_left,
            without_a_grant_the_proof_fails_at_once_and_says_why,
            a_grant_that_becomes_effective_is_waited_for,
            a_pool_of_another_platform_is_skipped,
            a_cause_of_several_pools_is_shown_once,
            an_image_that_was_pulled_before_proves_less,
            a_call_that_was_dropped_is_completed_by_the_next,
            two_calls_at_once_both_prove,
            pods_that_are_rejected_prove_nothing,
            a_service_account_that_is_missing_is_named_at_once,
            taints_of_a_pool_are_tolerated,
            without_nodes_less_is_proven,
            several_nodes_of_a_pool_are_proven_each_by_its_own_pull,
            several_nodes_are_not_chosen_without_a_list,
            the_callers_token_proves_nothing_about_nodes,
            what_the_callers_token_does_not_get_is_no_proof,
            wrong_options_are_rejected_before_the_first_request,
            nodes_with_a_former_identity_are_found,
            a_changed_identity_counts_once_the_nodes_are_renewed,
        ];
    }
}

fn scene(seed: ClusterSeed, platforms: &[&str]) -> Result<Scene, libtest_mimic::Failed> {
    scene_of(seed, registry(false), platforms)
}

async fn attach(scene: &Scene) -> Checked {
    scene.client.attach(&scene.cluster, &scene.by_id(), AttachOptions::default()).await?;
    Ok(())
}

async fn prove(scene: &Scene, options: ProvePullOptions) -> aks_acr::Result<PullProof> {
    scene.client.prove_pull(&scene.cluster, &IMAGE.parse()?, options).await
}

/// The Jobs and pods in the namespace.
async fn left(scene: &Scene) -> Result<usize, libtest_mimic::Failed> {
    let pods = scene.client.pods(&scene.cluster, &PodSelection::default(), CallOptions::default()).await?;
    Ok(pods.pods.len())
}

async fn a_pull_is_proven_and_nothing_is_left() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
    attach(&scene).await?;
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    assert_eq!((proof.outcome, proof.cleaned_up), (ProofOutcome::Proven, true), "{proof}");
    let pool = some(proof.pools.first(), "a pool")?;
    assert_eq!(pool.proof, Some(PullProofKind::KubeletPulledLayers), "{proof}");
    assert!(pool.image_id.as_ref().is_some_and(|id| id.contains("@sha256:")), "{pool:?}");
    assert!(pool.message.as_ref().is_some_and(|text| text.starts_with("Successfully pulled image")), "{pool:?}");
    let kubelet = some(scene.client.identities(&scene.cluster, CallOptions::default()).await?.kubelet, "an identity")?;
    assert_eq!(pool.identity_client_id, kubelet.client_id);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(left(&scene).await?, 0);
    let read: PullProof = serde_json::from_str(&serde_json::to_string(&proof)?)?;
    assert_eq!(read, proof);
    Ok(())
}

async fn without_a_grant_the_proof_fails_at_once_and_says_why() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
    let begun = tokio::time::Instant::now();
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    assert_eq!((proof.outcome, proof.cleaned_up), (ProofOutcome::Failed, true), "{proof}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let report = some(proof.pools[0].report.as_ref(), "a report")?;
    assert_eq!(report.root_cause, Some(FindingId::GRANT_MISSING), "{proof}");
    assert_eq!(report.findings[0].next_step.operation.as_deref(), Some("attach"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(left(&scene).await?, 0);
    Ok(())
}

/// Nothing is started, and no request goes to Kubernetes: the cluster has no grant, and that is not seen.
async fn the_callers_token_proves_nothing_about_nodes() -> Checked {
    let seed =
        ClusterSeed::new(GROUP, CLUSTER).node("aks-amd-0", "linux", "amd64").node("aks-win-0", "windows", "amd64");
    let scene = scene(seed, &["linux/amd64"])?;
    let mark = scene.azure.mark();
    let proof = prove(&scene, ProvePullOptions::default().with_via(PullProofVia::CallerToken)).await?;
    assert_eq!((proof.outcome, proof.cleaned_up), (ProofOutcome::Inconclusive, true), "{proof}");
    let pools: Vec<_> = proof.pools.iter().map(|pool| (pool.pool.as_str(), pool.outcome, pool.proof)).collect();
    let exchanged = Some(PullProofKind::CallerTokenExchange);
    let wanted = [("amd", ProofOutcome::Inconclusive, exchanged), ("win", ProofOutcome::Skipped, None)];
    assert_eq!(pools, wanted, "{proof}");
    let shown = "caller_token_exchange: the registry gave the image to the caller's token; the nodes were not tried";
    assert!(proof.to_string().contains(shown), "{proof}");
    let sent = scene.azure.requests_since(mark);
    assert!(sent.iter().all(|one| one.service != Service::Kubernetes), "{sent:#?}");
    assert!(sent.iter().all(|one| !one.path.contains("listCluster")), "{sent:#?}");
    let read: PullProof = serde_json::from_str(&serde_json::to_string(&proof)?)?;
    assert_eq!(read, proof);
    Ok(())
}

async fn what_the_callers_token_does_not_get_is_no_proof() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
    let options = || ProvePullOptions::default().with_via(PullProofVia::CallerToken);
    let missing = "myregistry.azurecr.io/team/app:none".parse()?;
    let proof = scene.client.prove_pull(&scene.cluster, &missing, options()).await?;
    assert_eq!((proof.outcome, proof.pools[0].proof), (ProofOutcome::Failed, None), "{proof}");
    let foreign = "ghcr.io/team/app:v1".parse()?;
    refused(scene.client.prove_pull(&scene.cluster, &foreign, options()).await, ErrorKind::Unsupported)?;
    // A caller that reads the cluster only.
    let kind = "providers/Microsoft.ContainerService/managedClusters";
    let cluster = format!("{}/resourceGroups/{GROUP}/{kind}/{CLUSTER}", scene.everything());
    let azure = scene.azure.clone().with_caller("reader", &[("Reader", &cluster)]);
    let client = crate::emulator::client(&azure, azure.credential_of("reader"))?;
    refused(client.prove_pull(&scene.cluster, &IMAGE.parse()?, options()).await, ErrorKind::Forbidden)?;
    Ok(())
}

async fn a_grant_that_becomes_effective_is_waited_for() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
    scene.azure.set_timing(Timing::none().with_propagation(Duration::from_secs(120)));
    attach(&scene).await?;
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    assert_eq!(proof.outcome, ProofOutcome::Proven, "{proof}");
    Ok(())
}

async fn a_pool_of_another_platform_is_skipped() -> Checked {
    let seed = ClusterSeed::new(GROUP, CLUSTER)
        .node("aks-amd-0", "linux", "amd64")
        .node("aks-arm-0", "linux", "arm64")
        .node("aks-win-0", "windows", "amd64");
    let scene = scene(seed, &["linux/amd64"])?;
    attach(&scene).await?;
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    let outcomes: Vec<_> = proof.pools.iter().map(|pool| (pool.pool.as_str(), pool.outcome)).collect();
    let (proven, skipped) = (ProofOutcome::Proven, ProofOutcome::Skipped);
    assert_eq!(outcomes, [("amd", proven), ("arm", skipped), ("win", skipped)], "{proof}");
    assert_eq!(proof.outcome, ProofOutcome::Proven);
    let reason = proof.pools[1].reason.as_deref();
    assert_eq!(reason, Some("the image has no manifest for linux/arm64; it has linux/amd64"));
    // A pool that is named and skipped proves nothing.
    let proof = prove(&scene, ProvePullOptions::default().with_pool("arm")).await?;
    assert_eq!((proof.outcome, proof.pools.len()), (ProofOutcome::Inconclusive, 1), "{proof}");
    Ok(())
}

/// Pools that fail for the same reason have one report in the text, with their names.
async fn a_cause_of_several_pools_is_shown_once() -> Checked {
    let seed = ClusterSeed::new(GROUP, CLUSTER).node("aks-one-0", "linux", "amd64").node("aks-two-0", "linux", "amd64");
    let scene = scene(seed, &["linux/amd64"])?;
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    let text = proof.to_string();
    assert!(text.contains("pools one, two:"), "{text}");
    assert_eq!(text.matches("[grant.missing]").count(), 1, "{text}");
    Ok(())
}

async fn an_image_that_was_pulled_before_proves_less() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER).node("aks-one-0", "linux", "amd64"), &["linux/amd64"])?;
    attach(&scene).await?;
    for wanted in [PullProofKind::KubeletPulledLayers, PullProofKind::KubeletResolvedManifest] {
        let proof = prove(&scene, ProvePullOptions::default()).await?;
        assert_eq!(proof.pools[0].proof, Some(wanted), "{proof}");
    }
    Ok(())
}

/// Dropped at many moments; the next call ends as one that was not preceded, and leaves nothing.
async fn a_call_that_was_dropped_is_completed_by_the_next() -> Checked {
    for grants in [true, false] {
        for tenths in (0..60).step_by(3) {
            let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
            if grants {
                attach(&scene).await?;
            }
            let dropped = prove(&scene, ProvePullOptions::default());
            let ended = tokio::time::timeout(Duration::from_millis(100 * tenths), dropped).await;
            let proof = prove(&scene, ProvePullOptions::default()).await?;
            let wanted = if grants { ProofOutcome::Proven } else { ProofOutcome::Failed };
            assert_eq!((proof.outcome, proof.cleaned_up), (wanted, true), "{tenths} {}: {proof}", ended.is_ok());
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert_eq!(left(&scene).await?, 0, "{tenths}");
        }
    }
    // Without a next call, Kubernetes removes it.
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
    let options = ProvePullOptions::default().with_call(CallOptions::default().with_deadline(Duration::from_secs(60)));
    let ended = tokio::time::timeout(Duration::from_millis(500), prove(&scene, options)).await;
    assert!(ended.is_err());
    assert_eq!(left(&scene).await?, 1);
    tokio::time::sleep(Duration::from_secs(60 + 60 + 10)).await;
    assert_eq!(left(&scene).await?, 0);
    Ok(())
}

async fn two_calls_at_once_both_prove() -> Checked {
    for delay in [0, 500, 1500, 2500, 3500] {
        let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
        attach(&scene).await?;
        let late = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            prove(&scene, ProvePullOptions::default()).await
        };
        let (one, other) = futures::join!(prove(&scene, ProvePullOptions::default()), late);
        assert_eq!((one?.outcome, other?.outcome), (ProofOutcome::Proven, ProofOutcome::Proven), "{delay}");
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(left(&scene).await?, 0, "{delay}");
    }
    Ok(())
}

async fn pods_that_are_rejected_prove_nothing() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
    attach(&scene).await?;
    let quota = "{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: '0'}}}";
    scene.client.apply(&scene.cluster, Manifest::parse_all(quota)?, ApplyOptions::default()).await?;
    let options = ProvePullOptions::default().with_propagation_timeout(Duration::from_secs(20));
    let proof = prove(&scene, options).await?;
    assert_eq!((proof.outcome, proof.cleaned_up), (ProofOutcome::Inconclusive, true), "{proof}");
    let reason = proof.pools[0].reason.as_deref().unwrap_or_default();
    assert!(reason.contains("ResourceQuota"), "{reason}");
    Ok(())
}

/// Kubernetes creates the Job and no pod, and says so only in an event.
async fn a_service_account_that_is_missing_is_named_at_once() -> Checked {
    let options = ProvePullOptions::default;
    let all = [
        (options().with_service_account("robot"), "serviceaccount \"robot\" not found"),
        (options().with_priority_class("high"), "no PriorityClass with name high was found"),
    ];
    for (options, why) in all {
        let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
        attach(&scene).await?;
        let begun = tokio::time::Instant::now();
        let proof = prove(&scene, options).await?;
        assert_eq!((proof.outcome, proof.cleaned_up), (ProofOutcome::Inconclusive, true), "{proof}");
        assert!(proof.pools[0].reason.as_ref().is_some_and(|one| one.contains(why)), "{proof}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert_eq!(left(&scene).await?, 0);
    }
    Ok(())
}

async fn taints_of_a_pool_are_tolerated() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER).node("aks-gpu-0", "linux", "amd64"), &["linux/amd64"])?;
    attach(&scene).await?;
    scene.apply("{apiVersion: v1, kind: Node, metadata: {name: aks-gpu-0}, spec: {taints: [{key: sku, value: gpu, effect: NoSchedule}]}}").await?;
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    assert_eq!(proof.outcome, ProofOutcome::Proven, "{proof}");
    Ok(())
}

async fn without_nodes_less_is_proven() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER).azure_rbac(), &["linux/amd64"])?;
    attach(&scene).await?;
    let everything = scene.everything();
    let roles = |kubernetes: &'static str| {
        ["Azure Kubernetes Service Cluster User Role", kubernetes, "Reader"].map(|role| (role, everything.as_str()))
    };
    let client = scene.caller(&roles("Azure Kubernetes Service RBAC Writer"))?;
    let proof = client.prove_pull(&scene.cluster, &IMAGE.parse()?, ProvePullOptions::default()).await?;
    assert_eq!(proof.outcome, ProofOutcome::Proven, "{proof}");
    assert_eq!(proof.pools[0].proof, Some(PullProofKind::KubeletResolvedManifest), "{proof}");
    // A reader may not create Jobs, and asks once.
    let scene = self::scene(ClusterSeed::new(GROUP, CLUSTER).azure_rbac(), &["linux/amd64"])?;
    let client = scene.caller(&roles("Azure Kubernetes Service RBAC Reader"))?;
    refused(
        client.prove_pull(&scene.cluster, &IMAGE.parse()?, ProvePullOptions::default()).await,
        ErrorKind::Forbidden,
    )?;
    let sent: Vec<String> =
        scene.writes().into_iter().filter(|one| one.service == Service::Kubernetes).map(|one| one.method).collect();
    assert_eq!(sent, ["PATCH"]);
    let err = refused(client.node_identities(&scene.cluster, CallOptions::default()).await, ErrorKind::Forbidden)?;
    assert!(format!("{err:#}").contains("RBAC Cluster Admin"), "{err:#}");
    Ok(())
}

/// Those that do not have the image yet come first, and each has its own taints.
async fn several_nodes_of_a_pool_are_proven_each_by_its_own_pull() -> Checked {
    let names = ["aks-one-0", "aks-one-1", "aks-one-2"];
    let seed = names.iter().fold(ClusterSeed::new(GROUP, CLUSTER), |seed, name| seed.node(name, "linux", "amd64"));
    let scene = scene(seed.node("aks-arm-0", "linux", "arm64"), &["linux/amd64"])?;
    attach(&scene).await?;
    scene.apply("{apiVersion: v1, kind: Node, metadata: {name: aks-one-2}, spec: {taints: [{key: sku, value: gpu, effect: NoSchedule}]}}").await?;
    let first = prove(&scene, ProvePullOptions::default().with_pool("one")).await?;
    let first = some(first.pools[0].node.clone(), "a node")?;
    // A node lists a new image within a minute.
    tokio::time::sleep(Duration::from_secs(61)).await;
    let proof = prove(&scene, ProvePullOptions::default().with_nodes_per_pool(2)).await?;
    let pools: Vec<_> = proof.pools.iter().map(|one| (one.pool.as_str(), one.outcome, one.node.as_deref())).collect();
    let others: Vec<_> = names.into_iter().filter(|name| *name != first).collect();
    let (proven, skipped) = (ProofOutcome::Proven, ProofOutcome::Skipped);
    let wanted = [("arm", skipped, None), ("one", proven, Some(others[0])), ("one", proven, Some(others[1]))];
    assert_eq!(pools, wanted, "{proof}");
    assert!(proof.pools[1..].iter().all(|one| one.proof == Some(PullProofKind::KubeletPulledLayers)), "{proof}");
    // A node that is cordoned takes no new pods.
    let cordon = "{apiVersion: v1, kind: Node, metadata: {name: aks-one-1}, spec: {unschedulable: BOOL}}";
    scene.apply(&cordon.replace("BOOL", "true")).await?;
    let proof = prove(&scene, ProvePullOptions::default().with_pool("one").with_nodes_per_pool(9)).await?;
    let nodes: Vec<_> = proof.pools.iter().filter_map(|one| one.node.as_deref()).collect();
    assert_eq!((nodes.as_slice(), proof.outcome), ([names[0], names[2]].as_slice(), proven), "{proof}");
    scene.apply(&cordon.replace("BOOL", "false")).await?;
    let proof = prove(&scene, ProvePullOptions::default().with_pool("one").with_nodes_per_pool(9)).await?;
    let nodes: Vec<_> = proof.pools.iter().filter_map(|one| one.node.as_deref()).collect();
    assert_eq!((nodes.as_slice(), proof.outcome, proof.cleaned_up), (names.as_slice(), proven, true), "{proof}");
    assert!(names.iter().all(|name| proof.to_string().contains(name)), "{proof}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(left(&scene).await?, 0);
    Ok(())
}

async fn several_nodes_are_not_chosen_without_a_list() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER).azure_rbac(), &["linux/amd64"])?;
    attach(&scene).await?;
    let everything = scene.everything();
    let roles = ["Azure Kubernetes Service Cluster User Role", "Azure Kubernetes Service RBAC Writer", "Reader"];
    let client = scene.caller(&roles.map(|role| (role, everything.as_str())))?;
    let options = ProvePullOptions::default().with_nodes_per_pool(2);
    let err = refused(client.prove_pull(&scene.cluster, &IMAGE.parse()?, options).await, ErrorKind::Forbidden)?;
    assert!(format!("{err:#}").contains("nodes"), "{err:#}");
    assert!(scene.writes().iter().all(|one| one.service != Service::Kubernetes));
    Ok(())
}

async fn wrong_options_are_rejected_before_the_first_request() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER), &["linux/amd64"])?;
    let options = ProvePullOptions::default;
    let mark = scene.azure.mark();
    for (wrong, part) in [
        (options().with_namespace("Team"), "namespace"),
        (options().with_nodes_per_pool(0), "nodes_per_pool"),
        (options().with_service_account("a b"), "service_account"),
        (options().with_pull_secret(""), "pull_secrets"),
        (options().with_priority_class("../x"), "priority_class"),
        (options().with_toleration("key:Never"), "tolerations"),
    ] {
        let err = refused(prove(&scene, wrong).await, ErrorKind::InvalidInput)?;
        assert!(format!("{err:#}").contains(part), "{part}: {err:#}");
    }
    assert!(scene.azure.requests_since(mark).is_empty());
    let err = refused(prove(&scene, options().with_pool("none")).await, ErrorKind::NotFound)?;
    assert!(format!("{err:#}").contains("nodepool1"), "{err:#}");
    Ok(())
}

async fn nodes_with_a_former_identity_are_found() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER).outdated_nodes(), &["linux/amd64"])?;
    attach(&scene).await?;
    let identities = scene.client.node_identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!(identities.pools[0].state, NodeIdentityState::Outdated, "{identities}");
    assert_eq!(identities.pools[0].outdated_nodes.len(), 2);
    assert!(identities.to_string().contains("az aks nodepool upgrade --node-image-only"), "{identities}");
    let options = ProvePullOptions::default().with_propagation_timeout(Duration::from_secs(60));
    let proof = prove(&scene, options).await?;
    assert_eq!(proof.outcome, ProofOutcome::Failed, "{proof}");
    let report = some(proof.pools[0].report.as_ref(), "a report")?;
    assert_eq!(report.root_cause, Some(FindingId::NODES_OUTDATED), "{proof}");
    let shown = serde_json::to_string(&proof.redacted()?)?;
    let node = some(proof.pools[0].node.clone(), "a node")?;
    for name in [IMAGE, "myregistry", "nodepool1", &node, &scene.kubelet()?.to_string()] {
        assert!(!shown.contains(name), "{name} in {shown}");
    }
    assert!(shown.contains("identity.nodes_outdated") && shown.contains("\"failed\""), "{shown}");
    // A rollout says the same, at once, and so does an explanation, pool by pool.
    scene.apply(&crate::emulator::deployment("web", IMAGE, 1)).await?;
    let begun = tokio::time::Instant::now();
    let waiting = scene.client.wait_for_rollout(&scene.cluster, &"web".parse()?, RolloutOptions::default()).await;
    let err = refused(waiting, ErrorKind::PullFailed)?;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let failure = some(err.pull_failure(), "a failure")?;
    assert_eq!(failure.finding.id, FindingId::NODES_OUTDATED, "{err:#}");
    let step = some(failure.finding.next_step.command.as_deref(), "a command")?;
    assert!(step.starts_with("az aks nodepool upgrade --node-image-only") && step.ends_with("nodepool1"), "{step}");
    let explained = scene.client.explain(&scene.cluster, &"web".parse()?, ExplainOptions::default()).await?;
    assert_eq!(explained.groups[0].pool.as_deref(), Some("nodepool1"), "{explained}");
    assert!(explained.groups[0].to_string().contains("on nodes of pool nodepool1"), "{}", explained.groups[0]);
    let mut twice = explained.clone();
    twice.groups.push(twice.groups[0].clone());
    assert!(!explained.to_string().contains("(pool ") && twice.to_string().contains("(pool nodepool1)"), "{twice}");
    scene.azure.renew_nodes(GROUP, CLUSTER, "nodepool1");
    let identities = scene.client.node_identities(&scene.cluster, CallOptions::default()).await?;
    assert!(identities.is_current(), "{identities}");
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    assert_eq!(proof.outcome, ProofOutcome::Proven, "{proof}");
    Ok(())
}

/// As `az aks update --assign-kubelet-identity` does: the cluster has the new identity at once, and its nodes keep the old one.
async fn a_changed_identity_counts_once_the_nodes_are_renewed() -> Checked {
    let scene = scene(ClusterSeed::new(GROUP, CLUSTER).user_assigned(), &["linux/amd64"])?;
    attach(&scene).await?;
    let other = scene.azure.change_kubelet_identity(GROUP, CLUSTER, "other");
    assert_eq!(other, scene.azure.kubelet_object_id(GROUP, CLUSTER));
    let identities = scene.client.node_identities(&scene.cluster, CallOptions::default()).await?;
    assert_eq!(identities.pools[0].state, NodeIdentityState::Outdated, "{identities}");
    // The old identity still has its grant.
    assert_eq!(prove(&scene, ProvePullOptions::default()).await?.outcome, ProofOutcome::Proven);
    scene.azure.renew_nodes(GROUP, CLUSTER, "nodepool1");
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    assert_eq!(proof.outcome, ProofOutcome::Failed, "{proof}");
    attach(&scene).await?;
    let proof = prove(&scene, ProvePullOptions::default()).await?;
    assert_eq!(proof.outcome, ProofOutcome::Proven, "{proof}");
    Ok(())
}
