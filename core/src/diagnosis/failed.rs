//! The report about a pull that has failed on a node: what the kubelet's message proves, and what is known from outside.

use super::{
    catalogue::{FindingId, PullRetry},
    facts::{Facts, FailedPull},
    finding::{Finding, FindingStatus},
    outcome::Outcome,
    rank::{assumed_identity, outcomes, report_of},
    report::{Report, Stage, StageState},
    secrets, service_principal,
    stage::PullStage,
    text::NextStep,
};
use crate::id::ResourceId;
use std::time::SystemTime;

/// Who said that a stage passed.
const NODE: &str = "the node's pull got further";
/// The kubelet waits at most five minutes before it tries again.
const WAIT: &str = "wait up to 5 minutes for the kubelet's next try, or delete the pod";

/// Makes the report. `facts` are those of the image's registry, if it is one of Azure's that was found. No request is made here.
///
/// The kubelet's message proves that the stages before its own passed. So the root cause is the first failing finding that explains the
/// message; without one it is the message's own.
pub(crate) fn diagnose_failed(
    cluster: &ResourceId,
    facts: Option<&Facts>,
    pull: &FailedPull<'_>,
    checked_at: SystemTime,
) -> Report {
    let own = of_text(pull);
    let mut known = facts.map_or_else(|| vec![Outcome::of(PullStage::Reference)], outcomes);
    let is_allowed = known.iter().any(|one| one.stage() == PullStage::Authorization && one.passes());
    let identity = facts.and_then(|facts| node_identity(cluster, facts, pull));
    let is_current = identity.as_ref().is_some_and(Outcome::passes);
    if depends_on_credentials(&own.id) {
        if let Some(former) = identity.filter(|one| !one.passes()) {
            known.retain(|one| one.stage() != PullStage::Identity);
            known.push(former);
        }
        known.push(secrets::outcome(pull, is_allowed && own.id != FindingId::PULL_SECRET_EXPIRED));
    }
    let proven = first_open(&own.id);
    let mut findings: Vec<Finding> = known.iter().flat_map(|outcome| outcome.findings().iter().cloned()).collect();
    // What a pull got past is not unknown, and does not fail for every node. What the caller could not read stays named.
    let is_answered = |one: &Finding| one.stage == PullStage::Network || one.needs.is_empty();
    findings.retain(|one| one.status != FindingStatus::Unknown || one.stage >= proven || !is_answered(one));
    for one in findings.iter_mut().filter(|one| one.status == FindingStatus::Failing && one.stage < proven) {
        one.status = FindingStatus::Warning;
        one.evidence.extend(own.evidence.iter().cloned());
    }
    if own.id == FindingId::GRANT_MISSING {
        findings.extend(facts.and_then(service_principal::not_read));
    }
    findings.sort_by_key(|one| (one.status, one.id.rank()));
    let explains = |one: &Finding| one.status == FindingStatus::Failing && explains(&own.id, one);
    let named = findings.iter().position(explains).or_else(|| findings.iter().position(|one| one.id == own.id));
    let root = match named {
        Some(at) => {
            let mut found = findings.remove(at);
            // Some nodes lack what this one lacks.
            found.status = if found.status == FindingStatus::Warning { own.status } else { found.status };
            found.evidence.extend(own.evidence);
            found
        }
        None => seen_from_outside(own, &known, facts),
    };
    let root = or_by_grant(root, &findings);
    let stages = stages(known, &root, &findings, proven);
    findings.insert(0, root);
    let assumed = facts.filter(|_| !is_current).and_then(assumed_identity).into_iter().collect();
    Report {
        cluster: cluster.clone(),
        registry: facts.and_then(|facts| facts.registry.as_ref().ok()?.as_ref()).map(|one| one.registry.id.clone()),
        image: Some(pull.image.map_or_else(|| pull.failure.image.clone(), ToString::to_string)),
        ..report_of(cluster, findings, stages, assumed, checked_at)
    }
}

/// Whether the node pulls with the identity that the cluster has now. `None` if the node, or the cluster, does not say.
fn node_identity(cluster: &ResourceId, facts: &Facts, pull: &FailedPull<'_>) -> Option<Outcome> {
    let (found, pool) = pull.node?;
    let kubelet = facts.cluster.as_ref().ok()?.identities.kubelet.as_ref()?;
    let wanted = kubelet.client_id.as_deref()?;
    let outcome = Outcome::of(PullStage::Identity);
    if found.eq_ignore_ascii_case(wanted) {
        return Some(outcome.passed_by(format!("the node's identity {found}")));
    }
    let (group, name) = (cluster.group(), cluster.name());
    let found = Finding::failing(FindingId::NODES_OUTDATED)
        .seen("node", "kubernetes.azure.com/kubelet-identity-client-id", found)
        .seen("cluster", "identityProfile.kubeletidentity.clientId", wanted)
        .run(format!(
            "az aks nodepool upgrade --node-image-only --resource-group {group} --cluster-name {name} --name {pool}"
        ));
    Some(outcome.with(found))
}

/// A pull secret for an Azure registry is not needed: a grant that is missing beside it is the step that can be carried out as it stands,
/// since the kubelet tries the nodes' identity after the secret.
fn or_by_grant(mut root: Finding, others: &[Finding]) -> Finding {
    let is_secret = root.stage == PullStage::SignIn && root.next_step.operation.is_none();
    let grants = others.iter().filter(|one| one.status == FindingStatus::Failing).map(|one| &one.next_step);
    if let Some(grant) = grants.into_iter().find(|step| is_secret && step.operation.is_some()) {
        let summary = format!("{}, or {}", grant.summary, root.next_step.summary);
        root.next_step = NextStep { summary, ..grant.clone() };
    }
    root
}

/// The finding that the message itself leads to.
fn of_text(pull: &FailedPull<'_>) -> Finding {
    let found = Finding::of_failure(pull.failure);
    match pull.platform {
        Some(platform) if found.id == FindingId::PLATFORM_MISSING => {
            let message = format!("{}, {platform}", found.message);
            found.saying(message)
        }
        _ => found,
    }
}

/// Whether credentials decide, so that pull secrets matter.
fn depends_on_credentials(text: &FindingId) -> bool {
    [
        FindingId::NO_CREDENTIAL,
        FindingId::GRANT_MISSING,
        FindingId::PULL_SECRET_EXPIRED,
        FindingId::PULL_SECRET_UNUSABLE,
        FindingId::IMAGE_PRIVATE_OR_MISSING,
    ]
    .contains(text)
}

/// The first stage that the message does not prove to have passed. A registry's 401 says nothing of the identity and of the sign-in, and it
/// throttles at any stage.
fn first_open(text: &FindingId) -> PullStage {
    match text.stage() {
        _ if depends_on_credentials(text) => PullStage::Identity,
        _ if *text == FindingId::CAUSE_UNKNOWN => PullStage::Reference,
        Some(stage) => stage,
        None => PullStage::Reference,
    }
}

/// Whether a finding from outside is the cause of such a message.
fn explains(text: &FindingId, found: &Finding) -> bool {
    if *text == found.id || *text == FindingId::CAUSE_UNKNOWN {
        return true;
    }
    if depends_on_credentials(text) {
        return matches!(found.stage, PullStage::Identity | PullStage::SignIn | PullStage::Authorization);
    }
    let is_one_of = |all: &[FindingId]| all.contains(text);
    match found.stage {
        // A closed registry answers 403 to every public address; without a way out, nothing answers.
        PullStage::Network if found.id == FindingId::NO_EGRESS => {
            is_one_of(&[FindingId::ADDRESS_TIMEOUT, FindingId::DNS_LOOKUP_FAILED, FindingId::DATA_ENDPOINT_BLOCKED])
        }
        PullStage::Network => is_one_of(&[FindingId::OUTBOUND_IP_NOT_ALLOWED]),
        PullStage::Reference | PullStage::Registry => {
            is_one_of(&[FindingId::DNS_LOOKUP_FAILED, FindingId::HOST_MISSPELLED, FindingId::OTHER_REGISTRY])
        }
        PullStage::Image => is_one_of(&[FindingId::IMAGE_NOT_FOUND, FindingId::IMAGE_READ_DISABLED]),
        PullStage::Platform => is_one_of(&[FindingId::PLATFORM_MISSING, FindingId::WINDOWS_VERSION_MISMATCH]),
        _ => false,
    }
}

/// The message's own finding where nothing from outside explains it: what it says may have changed since.
fn seen_from_outside(own: Finding, known: &[Outcome], facts: Option<&Facts>) -> Finding {
    let passes = |stage: PullStage| known.iter().any(|one| one.stage() == stage && one.passes());
    let by = |stage: PullStage| known.iter().find(|one| one.stage() == stage).and_then(Outcome::by);
    if facts.is_none() {
        return own;
    }
    let is_refused = own.id == FindingId::NO_CREDENTIAL || own.id == FindingId::GRANT_MISSING;
    if is_refused && passes(PullStage::Authorization) {
        let warned = |id: &FindingId| known.iter().any(|one| one.findings().iter().any(|found| found.id == *id));
        let id = if warned(&FindingId::GRANT_THROUGH_GROUP) {
            FindingId::GRANT_THROUGH_GROUP
        } else if warned(&FindingId::CREDENTIALS_INVALIDATED) {
            FindingId::CREDENTIALS_INVALIDATED
        } else {
            FindingId::GRANT_NOT_EFFECTIVE_YET
        };
        let found = Finding { evidence: own.evidence, ..Finding::failing(id) };
        return match by(PullStage::Authorization) {
            Some(by) => found.seen("registry", "grant", by),
            None => found,
        };
    }
    let stage = match own.stage {
        PullStage::Network if own.id == FindingId::OUTBOUND_IP_NOT_ALLOWED => PullStage::Network,
        stage @ (PullStage::Image | PullStage::Platform) => stage,
        _ => return own,
    };
    if !passes(stage) {
        return own;
    }
    let mut found = match by(stage) {
        Some(by) => own.seen("registry", "now", by),
        None => own,
    };
    found.retry = PullRetry::Transient;
    found.next_step = NextStep::new(format!("by now this stage passes: {WAIT}"));
    found
}

/// All stages that were checked, by the registry's settings or by the pull itself.
fn stages(known: Vec<Outcome>, root: &Finding, findings: &[Finding], proven: PullStage) -> Vec<Stage> {
    let mut stages: Vec<Stage> = known.into_iter().map(Outcome::into_stage).collect();
    let is_known = |stages: &[Stage], name: PullStage| stages.iter().any(|stage| stage.name == name);
    for name in PullStage::ALL.iter().copied().filter(|name| *name <= root.stage) {
        if !is_known(&stages, name) {
            stages.push(Stage { name, state: StageState::NotChecked, by: None });
        }
    }
    stages.sort_by_key(|stage| stage.name);
    for stage in &mut stages {
        let of_stage = |status| findings.iter().any(|one| one.stage == stage.name && one.status == status);
        let is_root = stage.name == root.stage && root.status == FindingStatus::Failing;
        let state = if is_root || of_stage(FindingStatus::Failing) {
            StageState::Failed
        } else if stage.name < proven {
            stage.by.get_or_insert_with(|| NODE.to_owned());
            StageState::Passed
        } else {
            stage.state
        };
        if state != StageState::Passed {
            stage.by = None;
        }
        stage.state = state;
    }
    stages
}
