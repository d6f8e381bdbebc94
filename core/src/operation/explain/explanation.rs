//! The result: groups of pods with their reports, and what other pods wait for.

use super::{gather::Gathered, group::Group};
use crate::{
    action::{
        READ_ACCOUNTS, READ_DAEMON_SETS, READ_EVENTS, READ_JOBS, READ_NODES, READ_REPLICA_SETS, READ_STATEFUL_SETS,
        smallest_role,
    },
    cluster::{ObservedPods, RolloutBlockerKind, UnreadObjects},
    diagnosis::{
        admission,
        catalogue::FindingId,
        facts::FailedPull,
        failed::diagnose_failed,
        finding::{Finding, Need},
        redact,
        report::Report,
        stored::VERSION,
        text::PullFailure,
    },
    error::Result,
    id::ResourceId,
};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeMap, time::SystemTime};

/// Why pods do not run: what keeps their images from being pulled, and what else they wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The version of this form. A stored form of another version is rejected.
    #[serde(deserialize_with = "crate::diagnosis::stored::version")]
    pub version: u32,
    /// The cluster.
    pub cluster: ResourceId,
    /// The cause of the first group: what to fix first. Without a group of a known cause, that of pods that admission denies.
    pub root_cause: Option<FindingId>,
    /// Pods whose images are not pulled, grouped by their cause: the earliest stage of a pull first, then the largest group.
    pub groups: Vec<PodGroup>,
    /// What other pods wait for. It is named, not diagnosed.
    pub other_causes: Vec<OtherCause>,
    /// The number of pods that are ready or have completed.
    pub healthy_pods: u32,
    /// The number of pods that are starting, or are not ready for a reason that Kubernetes does not report.
    pub starting_pods: u32,
    /// What the caller could not read in Kubernetes.
    pub needs: Vec<Need>,
    /// When it was read, by Azure's clock.
    #[serde(with = "crate::stored_time")]
    pub checked_at: SystemTime,
}

impl Explanation {
    /// The same with pseudonyms instead of names, IDs, hosts and addresses, to be shown to others, for example in an issue.
    ///
    /// Equal values have equal pseudonyms, in all groups. The IDs of findings, the stages and the times stay. Words that neither this
    /// library nor a node's own messages have are replaced too, wherever they stand.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if it has no JSON form.
    pub fn redacted(&self) -> Result<Self> {
        redact::same(self)
    }
}

/// Pods that cannot pull the same image for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PodGroup {
    /// The pods, as `namespace/name`.
    pub pods: Vec<String>,
    /// The image as the pods name it.
    pub image: String,
    /// The operating system of their nodes, such as `linux`, if it could be read.
    pub os: Option<String>,
    /// The architecture of their nodes, such as `amd64`, if it could be read.
    pub architecture: Option<String>,
    /// The node pool of their nodes, if it could be read.
    #[serde(default)]
    pub pool: Option<String>,
    /// Their service account.
    pub service_account: String,
    /// The names of their pull secrets.
    pub pull_secrets: Vec<String>,
    /// The first pod's failure, with the kubelet's message.
    pub failure: PullFailure,
    /// When a pull last failed, if events say it.
    #[serde(default, with = "crate::stored_time::option")]
    pub last_failed: Option<SystemTime>,
    /// Why the pull fails, and the next step.
    pub report: Report,
}

/// What pods wait for, other than an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OtherCause {
    /// The namespace.
    pub namespace: String,
    /// The kind of the cause.
    pub kind: RolloutBlockerKind,
    /// Kubernetes' reason, such as `CrashLoopBackOff`.
    pub reason: String,
    /// Kubernetes' message.
    pub message: String,
    /// What is blocked, such as `Pod/web-6d4cf56db6-x7k2p`.
    pub objects: Vec<String>,
    /// What to do about it, if known.
    pub next_step: Option<String>,
    /// The finding, if admission denies the pods.
    #[serde(default)]
    pub finding: Option<Finding>,
}

/// Composes the result. No request is made here.
pub(super) fn explained(
    cluster: ResourceId,
    observed: &ObservedPods,
    groups: Vec<Group>,
    mut gathered: Gathered,
    checked_at: SystemTime,
) -> Explanation {
    let mut groups: Vec<PodGroup> =
        groups.into_iter().map(|group| report(&cluster, observed, group, &mut gathered, checked_at)).collect();
    groups.sort_by_key(|group| {
        let rank = group.report.root_cause.as_ref().map(FindingId::rank);
        (rank.is_none(), rank, Reverse(group.pods.len()), group.image.clone())
    });
    let (mut healthy, mut starting) = (0, 0);
    for pod in observed.pods.iter().filter(|pod| pod.failures.is_empty() && pod.blocker.is_none()) {
        *(if pod.is_healthy { &mut healthy } else { &mut starting }) += 1;
    }
    let others = other_causes(observed);
    Explanation {
        version: VERSION,
        root_cause: groups
            .first()
            .and_then(|group| group.report.root_cause.clone())
            .or_else(|| others.iter().find_map(|cause| cause.finding.as_ref().map(|found| found.id.clone()))),
        groups,
        other_causes: others,
        healthy_pods: healthy,
        starting_pods: starting,
        needs: observed.unread.iter().map(|unread| need(&cluster, unread)).collect(),
        cluster,
        checked_at,
    }
}

fn report(
    cluster: &ResourceId,
    observed: &ObservedPods,
    group: Group,
    gathered: &mut Gathered,
    checked_at: SystemTime,
) -> PodGroup {
    let (secrets, later) = (group.secrets(observed), group.later_secrets(observed));
    let pull = FailedPull {
        failure: &group.failure,
        image: group.image.as_ref(),
        platform: group.platform.as_ref(),
        node: group.node.as_ref().map(|(identity, pool)| (identity.as_str(), pool.as_str())),
        secrets: &secrets,
        later: &later,
        pulled_again: group.pulled_again.as_ref().map(|(node, version)| (node.as_str(), version.as_str())),
        last_failed: group.last_failed,
    };
    let report = gathered.with_image(&group, |facts| diagnose_failed(cluster, facts, &pull, checked_at));
    let (os, architecture) = group.platform.map(|one| (one.os, one.architecture)).unzip();
    PodGroup {
        pods: group.pods,
        image: group.failure.image.clone(),
        os,
        architecture,
        pool: group.node.map(|(_, pool)| pool),
        service_account: group.service_account,
        pull_secrets: group.pull_secrets,
        failure: group.failure,
        last_failed: group.last_failed,
        report,
    }
}

/// The causes that are no pull, each once for a namespace: first those that cannot end without a change.
fn other_causes(observed: &ObservedPods) -> Vec<OtherCause> {
    let of_pods = observed.pods.iter().filter_map(|pod| Some((&pod.pod.namespace, pod.blocker.as_ref()?)));
    let not_created = observed.not_created.iter().map(|one| (&one.namespace, &one.blocker));
    let mut causes: BTreeMap<(u8, &str, &str, &str), OtherCause> = BTreeMap::new();
    for (namespace, blocker) in not_created.chain(of_pods) {
        let key = (blocker.rank(), namespace.as_str(), blocker.reason.as_str(), blocker.message.as_str());
        let cause = causes.entry(key).or_insert_with(|| OtherCause {
            namespace: namespace.clone(),
            kind: blocker.kind,
            reason: blocker.reason.clone(),
            message: blocker.message.clone(),
            objects: Vec::new(),
            next_step: blocker.hint().map(str::to_owned),
            finding: admission::finding(blocker),
        });
        cause.objects.push(blocker.object.clone());
    }
    causes.into_values().collect()
}

fn need(cluster: &ResourceId, unread: &UnreadObjects) -> Need {
    let action = match unread.resource.as_str() {
        "nodes" => Some(READ_NODES),
        "events" => Some(READ_EVENTS),
        "replicasets" => Some(READ_REPLICA_SETS),
        "statefulsets" => Some(READ_STATEFUL_SETS),
        "daemonsets" => Some(READ_DAEMON_SETS),
        "jobs" => Some(READ_JOBS),
        "serviceaccounts" => Some(READ_ACCOUNTS),
        _ => None,
    };
    Need {
        action: action.map(str::to_owned),
        scope: Some(cluster.to_string()),
        smallest_role: action.and_then(smallest_role).map(str::to_owned),
        option: None,
        reason: format!("the {} could not be read: {}", unread.resource, unread.error),
    }
}
