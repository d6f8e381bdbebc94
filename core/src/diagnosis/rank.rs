//! From facts to a report: each stage is judged, and the findings are ranked.

use super::{
    accounts, authorization, cluster,
    facts::Facts,
    finding::{Finding, FindingStatus},
    image, logs, network, nodes,
    outcome::Outcome,
    report::{Report, Stage, StageState, Verdict},
    service_principal,
    stored::{VERSION, stored},
    success,
};
use crate::{id::ResourceId, registry::RegistrySettings, role::RoleAssignmentMode};
use std::time::SystemTime;

/// Makes the report. No request is made here.
/// Not taken for granted where a finding is about it.
const RESOLVED: &str =
    "the nodes resolve the registry's name, and no firewall between them and the registry blocks it or inspects TLS";

pub(crate) fn diagnose(facts: &Facts, checked_at: SystemTime) -> Report {
    let outcomes = success::doubted(facts, outcomes(facts));
    let mut assumed = assumptions(facts);
    assumed.extend(success::assumptions(&outcomes));
    assumed.extend(cluster::assumption(facts));
    assumed.extend(logs::assumptions(facts));
    let mut findings: Vec<Finding> = outcomes.iter().flat_map(|outcome| outcome.findings().iter().cloned()).collect();
    let stages: Vec<Stage> = outcomes.into_iter().map(Outcome::into_stage).collect();
    findings.sort_by_key(|finding| (finding.status, finding.rank()));
    if findings.iter().any(|one| one.id.as_str().starts_with("dns.")) {
        assumed.retain(|one| one != RESOLVED);
    }
    Report {
        registry: facts.registry.as_ref().ok().and_then(Option::as_ref).map(|one| one.registry.id.clone()),
        image: facts.image.as_ref().map(|image| image.reference.to_string()),
        registry_logs: logs::events(facts),
        facts: stored(Some(facts), None),
        ..report_of(&facts.cluster_id, findings, stages, assumed, checked_at)
    }
}

/// Whether pulls that succeeded would decide what these facts leave open.
pub(crate) fn lacks_pulls(facts: &Facts) -> bool {
    facts.pulls.is_none() && success::would_decide(facts, &outcomes(facts))
}

/// Judges each stage, by pulls that succeeded too.
pub(super) fn outcomes(facts: &Facts) -> Vec<Outcome> {
    success::answered(facts, judged(facts))
}

/// Judges each stage from outside.
fn judged(facts: &Facts) -> Vec<Outcome> {
    let (network, layers) = network::network(facts);
    let mut outcomes = vec![
        cluster::cluster(facts),
        cluster::registry(facts),
        network,
        cluster::identity(facts),
        authorization::authorization(facts),
    ];
    if let Some(sign_in) = nodes::sign_in(facts) {
        let sign_in = if cluster::is_anonymous(facts) { sign_in.without_credentials() } else { sign_in };
        outcomes.insert(4, sign_in);
    }
    if facts.image.is_some() {
        outcomes.insert(0, image::reference(facts));
        outcomes.extend([image::image(facts), image::platform(facts)]);
        // A pool's disk may have room that is not known, so that it does not count as a stage unless it fails.
        outcomes.extend(image::disk(facts).filter(|outcome| !outcome.findings().is_empty()));
    }
    outcomes.extend(layers);
    outcomes
}

/// Whether the identity may pull from the registry, by its grants.
pub(crate) fn is_granted(facts: &Facts) -> bool {
    authorization::authorization(facts).passes()
}

/// A report of ranked findings, without its registry and its image.
pub(super) fn report_of(
    cluster: &ResourceId,
    findings: Vec<Finding>,
    stages: Vec<Stage>,
    assumptions: Vec<String>,
    checked_at: SystemTime,
) -> Report {
    let root = findings.first().filter(|finding| finding.status == FindingStatus::Failing);
    Report {
        version: VERSION,
        verdict: verdict(&stages),
        root_cause: root.map(|finding| finding.id.clone()),
        cluster: cluster.clone(),
        registry: None,
        image: None,
        findings,
        stages,
        assumptions,
        changes: Vec::new(),
        registry_logs: Vec::new(),
        checked_at,
        facts: None,
    }
}

fn verdict(stages: &[Stage]) -> Verdict {
    if stages.iter().any(|stage| stage.state == StageState::Failed) {
        return Verdict::CannotPull;
    }
    if stages.iter().all(|stage| stage.state == StageState::Passed) { Verdict::CanPull } else { Verdict::Unknown }
}

/// What only Kubernetes, or a pull, can say.
fn assumptions(facts: &Facts) -> Vec<String> {
    if facts.principal.is_none() {
        return Vec::new();
    }
    let mut assumed: Vec<String> = assumed_identity(facts).into_iter().chain(accounts::assumption(facts)).collect();
    assumed.extend([
        RESOLVED.to_owned(),
        "no pull secret of the pod takes precedence".to_owned(),
        "role assignments that were changed within the last hour are effective on every node".to_owned(),
    ]);
    assumed.push("the registry does not throttle the nodes".to_owned());
    if let Ok(Some(settings)) = &facts.registry {
        assumed.extend(of_settings(settings, facts.image.is_some()));
    }
    if facts.image.is_some() {
        assumed.push("each node has room on its disk for the image, and its image store is intact".to_owned());
    }
    if let Ok(Some(settings)) = &facts.registry
        && settings.registry.mode == RoleAssignmentMode::AbacRepositoryPermissions
        && !facts.is_mode_new
    {
        assumed.push("the registry's role assignment mode was not changed within the last hour".to_owned());
    }
    if service_principal::not_read(facts).is_some() {
        assumed
            .push("a secret of the cluster's service principal is valid; query_graph reads when they end".to_owned());
    }
    assumed
}

/// What a setting of the registry makes possible, and nobody reads.
fn of_settings(settings: &RegistrySettings, has_image: bool) -> Vec<String> {
    let mut assumed = Vec::new();
    if settings.customer_managed_key == Some(true) {
        assumed.push("the registry can use its customer-managed key".to_owned());
    }
    // Only this tier has replicas.
    if has_image && settings.registry.is_premium() {
        assumed.push("every replica of the registry has the image".to_owned());
    }
    assumed
}

/// That no node has a former identity of the cluster.
pub(super) fn assumed_identity(facts: &Facts) -> Option<String> {
    let principal = facts.principal.filter(|_| !nodes::are_current(facts) && !accounts::is_used(facts))?;
    Some(format!("every node pulls with identity {principal}"))
}
