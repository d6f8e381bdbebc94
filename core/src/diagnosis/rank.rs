//! From facts to a report: each stage is judged, and the findings are ranked.

use super::{
    authorization, cluster,
    facts::Facts,
    finding::{Finding, FindingStatus},
    image, network,
    outcome::Outcome,
    report::{Report, Stage, StageState, VERSION, Verdict},
    service_principal,
};
use crate::id::ResourceId;
use std::time::SystemTime;

/// Makes the report. No request is made here.
pub(crate) fn diagnose(facts: &Facts, checked_at: SystemTime) -> Report {
    let outcomes = outcomes(facts);
    let mut findings: Vec<Finding> = outcomes.iter().flat_map(|outcome| outcome.findings().iter().cloned()).collect();
    let stages: Vec<Stage> = outcomes.into_iter().map(Outcome::into_stage).collect();
    findings.sort_by_key(|finding| (finding.status, finding.id.rank()));
    Report {
        registry: facts.registry.as_ref().ok().and_then(Option::as_ref).map(|one| one.registry.id.clone()),
        image: facts.image.as_ref().map(|image| image.reference.to_string()),
        ..report_of(&facts.cluster_id, findings, stages, assumptions(facts), checked_at)
    }
}

/// Judges each stage.
pub(super) fn outcomes(facts: &Facts) -> Vec<Outcome> {
    let mut outcomes = vec![
        cluster::cluster(facts),
        cluster::registry(facts),
        network::network(facts),
        cluster::identity(facts),
        authorization::authorization(facts),
    ];
    if facts.image.is_some() {
        outcomes.insert(0, image::reference(facts));
        outcomes.extend([image::image(facts), image::platform(facts)]);
    }
    outcomes
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
        checked_at,
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
    let Some(identity) = assumed_identity(facts) else { return Vec::new() };
    let mut assumed = vec![
        identity,
        "the nodes resolve the registry's name, and no firewall between them and the registry blocks it".to_owned(),
        "no pull secret of the pod takes precedence".to_owned(),
        "role assignments that were changed within the last hour are effective on every node".to_owned(),
    ];
    if service_principal::not_read(facts).is_some() {
        assumed
            .push("a secret of the cluster's service principal is valid; query_graph reads when they end".to_owned());
    }
    assumed
}

/// That no node has a former identity of the cluster.
pub(super) fn assumed_identity(facts: &Facts) -> Option<String> {
    facts.principal.map(|principal| format!("every node pulls with identity {principal}"))
}
