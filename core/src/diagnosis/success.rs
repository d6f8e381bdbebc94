//! Success is evidence: a node that has pulled from the registry proves what cannot be read from outside.
//!
//! It answers what is unknown, and overrules nothing that was read as failing: that may have changed since.

use super::{
    accounts,
    catalogue::FindingId,
    facts::{Facts, SeenPull, Unread},
    finding::{self, Finding, FindingStatus},
    image::platform_of,
    logs::{self, LoggedPull},
    outcome::Outcome,
    report::Report,
    stage::PullStage,
};
use crate::{
    cluster::{ObservedNode, ObservedPods},
    image::ImageReference,
    inventory::{ChangedProperty, ClusterSettings, NodePool},
    registry::RegistrySettings,
    role::RoleAssignmentMode,
    stored_time,
};
use std::{collections::BTreeMap, time::SystemTime};

/// What a successful pull proves of its own time. What the registry has may change without a trace, so an image counts only where nobody
/// else can say.
const PROVEN: [PullStage; 6] = [
    PullStage::Network,
    PullStage::Identity,
    PullStage::Authorization,
    PullStage::Image,
    PullStage::Platform,
    PullStage::Layers,
];

/// The pulls from a registry's host, from pods that were read.
pub(crate) fn seen(observed: &ObservedPods, host: &str) -> Vec<SeenPull> {
    let nodes: BTreeMap<&str, &ObservedNode> = observed.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let pods = observed.pods.iter().filter_map(|pod| Some((pod, pod.pod.node.as_deref()?)));
    let each = pods.flat_map(|(pod, name)| pod.pulls.iter().map(move |pull| (pod, name, pull)));
    each.filter_map(|(pod, name, pull)| {
        let image = ImageReference::parse(&pull.image).ok().filter(|one| one.registry().eq_ignore_ascii_case(host))?;
        let node = nodes.get(name);
        Some(SeenPull {
            image,
            pod: format!("{}/{}", pod.pod.namespace, pod.pod.name),
            node: name.to_owned(),
            pool: node.and_then(|node| node.pool.clone()),
            identity: node.and_then(|node| node.identity_client_id.clone()),
            has_secrets: !pod.pull_secrets.is_empty(),
            // A name that was used before: then the container is older than its node, and says nothing of it.
            since: if pull.is_pulled {
                Some(pull.at)
            } else {
                node.and_then(|node| node.created).filter(|at| *at <= pull.at)
            },
        })
    })
    .collect()
}

/// Whether pulls that succeeded could decide: all that is not known is what they prove.
pub(super) fn would_decide(facts: &Facts, outcomes: &[Outcome]) -> bool {
    let Ok(Some(settings)) = &facts.registry else { return false };
    let may_be_answered = |one: &Outcome| one.passes() || is_open(facts, settings, one) || is_by_absence(one);
    outcomes.iter().all(may_be_answered) && !outcomes.iter().all(Outcome::passes)
}

/// Whether a stage fails only because no zone is seen that the nodes' network is linked to: one that the caller cannot read may be.
fn is_by_absence(outcome: &Outcome) -> bool {
    let mut failing = outcome.findings().iter().filter(|one| one.status == FindingStatus::Failing).peekable();
    failing.peek().is_some() && failing.all(|one| one.id == FindingId::PRIVATE_ZONE_NOT_LINKED)
}

/// Answers what the pulls prove.
pub(super) fn answered(facts: &Facts, outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let (Ok(Some(settings)), Ok(cluster)) = (&facts.registry, &facts.cluster) else { return outcomes };
    let evidence = Evidence { facts, settings, cluster, pulls: proofs(facts) };
    let mut is_warned = false;
    let each = outcomes.into_iter().map(|one| {
        if one.passes() || !is_open(facts, settings, &one) {
            return one;
        }
        let answered = evidence.answer(one, &mut is_warned);
        match &facts.pulls {
            Some(Err(unread)) => answered.needing(&unread.need),
            _ => answered,
        }
    });
    each.collect()
}

/// Doubts what only the absence of a link says, where nodes have pulled. A pull that has failed on a node answers it in another way: by its text.
pub(super) fn doubted(facts: &Facts, outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let (Ok(Some(settings)), Ok(cluster)) = (&facts.registry, &facts.cluster) else { return outcomes };
    let evidence = Evidence { facts, settings, cluster, pulls: proofs(facts) };
    outcomes.into_iter().map(|one| if is_by_absence(&one) { evidence.doubt(one) } else { one }).collect()
}

/// Whether a stage is open in a way that a pull answers. What a missing permission hides stays named: when it last changed is not known.
fn is_open(facts: &Facts, settings: &RegistrySettings, outcome: &Outcome) -> bool {
    if !PROVEN.contains(&outcome.stage()) || outcome.has(FindingStatus::Failing) {
        return false;
    }
    match outcome.stage() {
        PullStage::Authorization => facts.grants.is_ok() && facts.denials.is_ok() && settings.updated.is_some(),
        PullStage::Image | PullStage::Platform => {
            let lacks =
                |unread: &Unread| unread.need.action.is_some() || unread.status.is_some_and(|status| status != 403);
            facts.image.as_ref().is_some_and(|image| match &image.details {
                Some(Err(unread)) => !lacks(unread),
                other => other.is_none(),
            })
        }
        _ => settings.updated.is_some(),
    }
}

/// The newest change of the registry, or of a role assignment.
struct Newest {
    at: SystemTime,
    /// Whether it is of a role assignment. Of the registry, only the time of its last change is known: that may be any setting, or a tag.
    is_grant: bool,
}

struct Evidence<'a> {
    facts: &'a Facts,
    settings: &'a RegistrySettings,
    cluster: &'a ClusterSettings,
    pulls: Vec<Proof<'a>>,
}

/// A pull that has succeeded, by Kubernetes or by the registry's resource logs.
enum Proof<'a> {
    Seen(&'a SeenPull),
    Logged(LoggedPull<'a>),
}

fn proofs(facts: &Facts) -> Vec<Proof<'_>> {
    let seen = facts.pulls.iter().flatten().flatten().map(Proof::Seen);
    seen.chain(logs::pulls(facts).into_iter().map(Proof::Logged)).collect()
}

/// When a pull from the registry has last succeeded, at the earliest.
pub(crate) fn last_success(facts: &Facts) -> Option<SystemTime> {
    proofs(facts).iter().filter_map(Proof::since).max()
}

impl Proof<'_> {
    fn since(&self) -> Option<SystemTime> {
        match self {
            Self::Seen(pull) => pull.since,
            Self::Logged(pull) => Some(pull.at()),
        }
    }

    fn image(&self) -> &ImageReference {
        match self {
            Self::Seen(pull) => &pull.image,
            Self::Logged(pull) => &pull.image,
        }
    }

    /// The node's pool, if it is known.
    fn pool(&self) -> Option<&str> {
        match self {
            Self::Seen(pull) => pull.pool.as_deref(),
            Self::Logged(_) => None,
        }
    }

    /// The pull in one line.
    fn shown(&self) -> String {
        match self {
            Self::Seen(pull) => shown(pull),
            Self::Logged(pull) => pull.shown(),
        }
    }

    /// Where it was read.
    fn source(&self) -> &'static str {
        match self {
            Self::Seen(_) => "pod",
            Self::Logged(_) => "registry log",
        }
    }
}

impl Evidence<'_> {
    /// A node has pulled through a zone that is not seen, or the link was removed since: which one is not known.
    fn doubt(&self, outcome: Outcome) -> Outcome {
        let current = self.changed(outcome.stage()).map(|change| {
            self.pulls
                .iter()
                .filter(|pull| {
                    self.proves(outcome.stage(), pull) && pull.since().is_some_and(|since| since >= change.at)
                })
                .max_by_key(|pull| pull.since())
        });
        match current.flatten() {
            Some(pull) => outcome.doubted(&pull.shown()),
            None => outcome,
        }
    }

    fn answer(&self, outcome: Outcome, is_warned: &mut bool) -> Outcome {
        let stage = outcome.stage();
        let Some(change) = self.changed(stage) else { return outcome };
        let proofs: Vec<&Proof<'_>> = self.pulls.iter().filter(|pull| self.proves(stage, pull)).collect();
        let current: Vec<&Proof<'_>> =
            proofs.iter().copied().filter(|pull| pull.since().is_some_and(|since| since >= change.at)).collect();
        let newest = |pulls: &[&Proof<'_>]| {
            let newest = pulls.iter().max_by_key(|pull| pull.since());
            newest.map(|pull| (pull.source(), pull.shown()))
        };
        match (newest(&current), newest(&proofs)) {
            (Some((_, by)), _) if self.covers(stage, &current) => outcome.answered(by),
            (_, Some(by)) if !*is_warned && current.is_empty() => {
                *is_warned = true;
                outcome.with(Finding { stage, ..outdated(&by, self.settings, &change) })
            }
            _ => outcome,
        }
    }

    /// Whether a pull says anything of a stage.
    fn proves(&self, stage: PullStage, pull: &Proof<'_>) -> bool {
        let wanted = self.facts.image.as_ref().map(|image| &image.reference);
        let is_logged_elsewhere = match (pull, stage) {
            // The log has the pull of a manifest: not what the node made of it.
            (Proof::Logged(_), PullStage::Platform | PullStage::Layers) => true,
            (Proof::Logged(_), PullStage::Authorization | PullStage::Image) | (Proof::Seen(_), _) => false,
            // Nodes of another cluster may have the same identity.
            (Proof::Logged(pull), _) => !pull.is_own,
        };
        match stage {
            _ if is_logged_elsewhere => false,
            PullStage::Image | PullStage::Platform => wanted == Some(pull.image()) && pull.since().is_some(),
            PullStage::Identity | PullStage::Authorization => {
                let is_registry_wide = self.settings.registry.mode == RoleAssignmentMode::LegacyRegistryPermissions;
                let is_same = wanted.is_none_or(|wanted| wanted.repository() == pull.image().repository());
                let is_by_identity = match pull {
                    Proof::Seen(pull) => !pull.has_secrets && self.is_current(pull),
                    // Only pulls by the cluster's identity are among these.
                    Proof::Logged(_) => true,
                };
                // Which service account a pod has is not known here.
                is_by_identity
                    && !accounts::is_used(self.facts)
                    && (is_same || is_registry_wide || stage == PullStage::Identity)
            }
            _ => true,
        }
    }

    /// Whether the node pulls with the cluster's identity. Without its label, that is not known, and not doubted.
    fn is_current(&self, pull: &SeenPull) -> bool {
        let wanted = self.cluster.identities.kubelet.as_ref().and_then(|kubelet| kubelet.client_id.as_deref());
        match (pull.identity.as_deref(), wanted) {
            (Some(found), Some(wanted)) => found.eq_ignore_ascii_case(wanted),
            _ => true,
        }
    }

    /// The newest change of what a stage depends on. `None`: not known.
    fn changed(&self, stage: PullStage) -> Option<Newest> {
        let registry = Newest { at: self.settings.updated?, is_grant: false };
        if !matches!(stage, PullStage::Identity | PullStage::Authorization) {
            return Some(registry);
        }
        // What Azure does not list yet has changed last.
        let grants = self.facts.grants.as_ref().ok().filter(|one| !one.is_recent && !self.facts.is_mode_new)?;
        let groups = grants.groups.held.iter().chain(&grants.groups.unchecked);
        let own = grants.assignments.iter().filter(|one| self.facts.principal.is_none_or(|id| one.is_of(id)));
        own.chain(groups).try_fold(registry, |newest, one| match one.updated? {
            at if at > newest.at => Some(Newest { at, is_grant: true }),
            _ => Some(newest),
        })
    }

    /// Whether the pulls speak for all pools: nodes of one subnet have one way to the registry, and an image has a variant for a platform.
    fn covers(&self, stage: PullStage, pulls: &[&Proof<'_>]) -> bool {
        match stage {
            PullStage::Network | PullStage::Layers => self.covers_by(pulls, |pool| pool.subnet.clone()),
            PullStage::Platform => self.covers_by(pulls, |pool| {
                platform_of(pool).map(|one| format!("{one} {}", one.os_version.as_deref().unwrap_or_default()))
            }),
            _ => true,
        }
    }

    fn covers_by(&self, pulls: &[&Proof<'_>], kind: impl Fn(&NodePool) -> Option<String>) -> bool {
        let pools: BTreeMap<&str, Option<String>> =
            self.cluster.node_pools.iter().map(|pool| (pool.name.as_str(), kind(pool))).collect();
        let first = pools.values().next();
        if pools.values().all(|one| Some(one) == first) {
            return true;
        }
        let covered: Vec<&Option<String>> = pulls.iter().filter_map(|pull| pools.get(pull.pool()?)).collect();
        pools.values().all(|one| covered.contains(&one))
    }
}

/// What an answer takes for granted.
pub(super) fn assumptions(outcomes: &[Outcome]) -> Vec<String> {
    let is_by_pull = |stage: PullStage| outcomes.iter().any(|one| one.stage() == stage && one.is_by_pull());
    let mut assumed = Vec::new();
    if is_by_pull(PullStage::Network) {
        assumed.push("the network between the nodes and the registry is as it was when a node pulled".to_owned());
    }
    if is_by_pull(PullStage::Authorization) {
        assumed.push("no role assignment was removed since a node pulled".to_owned());
    }
    if is_by_pull(PullStage::Image) {
        assumed.push("the registry still has the image that a node pulled".to_owned());
    }
    assumed
}

/// A pull in one line.
fn shown(pull: &SeenPull) -> String {
    let when = pull.since.map_or_else(|| "at an unknown time".to_owned(), |at| format!("at {}", stored_time::text(at)));
    format!("node {} pulled {} for pod {} {when}", pull.node, pull.image, pull.pod)
}

/// Where the time of the registry's last change is: see [system
/// data](https://learn.microsoft.com/rest/api/container-registry/registries/get#systemdata).
const MODIFIED: (&str, &str) = ("registry", "systemData.lastModifiedAt");

fn outdated((source_of, by): &(&str, String), settings: &RegistrySettings, change: &Newest) -> Finding {
    let (name, at) = (settings.registry.id.name(), stored_time::text(change.at));
    let found = Finding::warning(FindingId::SUCCEEDED_BEFORE_CHANGE);
    let (source, field, text) = if change.is_grant {
        ("role assignment", "updatedOn", format!("{} since a role assignment was changed at {at}", before(name)))
    } else {
        let text = "Azure shows only the time: it may be a setting that pulls depend on, another one, or a tag";
        (MODIFIED.0, MODIFIED.1, format!("{} since it was changed at {at}; {text}", before(name)))
    };
    found.saying(text).seen(source, field, at).seen(source_of, "pull", by)
}

fn before(registry: &str) -> String {
    format!("nodes have pulled from registry {registry}, but no pull is known")
}

/// Says in the warning of a pull from before a change what was changed, where that was read.
pub(crate) fn name_changes(report: &mut Report) {
    let Some(registry) = &report.registry else { return };
    let changes = report.changes.iter().filter(|one| registry.is(&one.resource));
    let properties: Vec<&ChangedProperty> = changes.flat_map(|one| &one.properties).collect();
    let warned = report.findings.iter_mut().filter(|one| one.id == FindingId::SUCCEEDED_BEFORE_CHANGE);
    for finding in warned.filter(|_| !properties.is_empty()) {
        let modified = finding.evidence.iter().find(|one| (one.source.as_str(), one.field.as_str()) == MODIFIED);
        if let Some(at) = modified.map(|one| one.value.clone()) {
            let mut names: Vec<&str> = properties.iter().map(|one| one.property.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let (before, names) = (before(registry.name()), names.join(", "));
            finding.message = format!("{before} since it was changed at {at}; what Azure has recorded: {names}");
        }
        for one in &properties {
            let value = one.values().unwrap_or_else(|| "changed".to_owned());
            finding.evidence.push(finding::Evidence {
                source: MODIFIED.0.to_owned(),
                field: one.property.clone(),
                value,
            });
        }
    }
}
