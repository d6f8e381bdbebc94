//! Deletes a cluster. Its plan says what goes with it, and which grants stay behind.

mod plan;

pub use plan::{ApplyDeleteClusterOptions, ClusterPart, DeleteClusterPlan, UnreadClusterPart};

use super::{
    Parts,
    attach::{GOOD_FOR, check_before, check_is_current},
    attachments::{self, AttachmentsOptions, GroupMembership, PullGrant},
    delete_registry::DeletionOutcome,
    right::{READ_ROLES, RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{DELETE_CLUSTER, READ_CLUSTER, READ_GRANTS, READ_REGISTRY},
    call::{Call, CallOptions},
    cluster::{Cluster, ClusterRef},
    error::{Error, ErrorKind, Result},
    id::{ResourceId, SubscriptionId},
    missing,
};
use plan::VERSION;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30 * 60);

const READ: RequiredRight =
    needed(READ_CLUSTER, RightScope::Cluster, "to read what would be deleted, and whether it is gone");
pub(crate) const RIGHTS: &[RequiredRight] = &[READ, needed(DELETE_CLUSTER, RightScope::Cluster, "to delete it")];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[
    READ,
    useful(READ_GRANTS, RightScope::Subscription, "to list the grants of the kubelet identity"),
    useful(READ_REGISTRY, RightScope::Subscription, "to find the registries that an inherited grant covers"),
    READ_ROLES,
];

/// Options for deleting a cluster.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DeleteClusterOptions {
    /// Deadline (30 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl DeleteClusterOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// The result of deleting a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterDeletion {
    /// What the call found or did.
    pub outcome: DeletionOutcome,
    /// The cluster.
    pub cluster: ResourceId,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log.
    /// `None` if nothing was written, or its response was lost.
    pub correlation_id: Option<String>,
}

impl fmt::Display for ClusterDeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.cluster.name();
        match self.outcome {
            DeletionOutcome::Deleted => write!(f, "deleted {name}"),
            DeletionOutcome::NothingToDelete => write!(f, "nothing to delete: {name}"),
        }
    }
}

impl Outcome for ClusterDeletion {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

pub(crate) async fn delete(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<ClusterDeletion> {
    match parts.cluster_deployer().find(cluster, call).await? {
        Some(found) => carry_out(parts, &found, call).await,
        None => Ok(ClusterDeletion::nothing(cluster.id(parts.subscription_id()))),
    }
}

pub(crate) async fn plan(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<DeleteClusterPlan> {
    let step = "reading the cluster and its grants";
    call.step(step, gather(parts, cluster, call)).await
}

pub(crate) async fn apply_plan(parts: &Parts, plan: &DeleteClusterPlan, call: &Call) -> Result<ClusterDeletion> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let cluster: ClusterRef = plan.cluster.to_string().parse()?;
    let found = match parts.cluster_deployer().find(&cluster, call).await {
        // The cluster existed when the plan was made: it is gone with its group.
        Err(err) if err.code() == Some("ResourceGroupNotFound") => None,
        read => read?,
    };
    check_is_current(plan.expires, parts.time())?;
    let Some(found) = found else { return Ok(ClusterDeletion::nothing(plan.cluster.clone())) };
    if found.uid.as_ref() != Some(&plan.uid) {
        let text = "the cluster was deleted and created again since the plan was made; nothing was deleted";
        return Err(Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string()));
    }
    carry_out(parts, &found, call).await
}

async fn gather(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<DeleteClusterPlan> {
    let id = cluster.id(parts.subscription_id());
    let (found, grants) = futures::join!(parts.cluster_deployer().find(cluster, call), grants(parts, cluster, call));
    let found =
        found?.ok_or_else(|| missing::explain(Error::new(ErrorKind::NotFound, "no such cluster"), "cluster", &id))?;
    let (grants, subscriptions, unread) = match grants {
        Ok((grants, subscriptions)) => (grants, subscriptions, Vec::new()),
        Err(err) if is_optional(&err) => (Vec::new(), Vec::new(), vec![unread(&err)]),
        Err(err) => return Err(err),
    };
    Ok(DeleteClusterPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        uid: found.uid.ok_or_else(|| nameless(&found.id))?,
        cluster: found.id,
        host: found.host,
        kubernetes_version: found.kubernetes_version,
        node_resource_group: found.node_resource_group,
        grants,
        subscriptions,
        unread,
    })
}

/// Those of the identity itself, as a group keeps its grants for its other members; and the subscriptions that were searched.
async fn grants(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<(Vec<PullGrant>, Vec<SubscriptionId>)> {
    let found = attachments::of_cluster(parts, cluster, &AttachmentsOptions::default(), call).await?;
    let is_own = |grant: &PullGrant| grant.membership == GroupMembership::None;
    Ok((found.grants.into_iter().filter(is_own).collect(), found.subscriptions))
}

/// The caller may not read them, or the cluster has no kubelet identity: because of a service principal, or because its creation failed.
fn is_optional(err: &Error) -> bool {
    matches!(err.kind(), ErrorKind::Forbidden | ErrorKind::Unsupported | ErrorKind::NotFound)
}

fn unread(err: &Error) -> UnreadClusterPart {
    UnreadClusterPart {
        part: ClusterPart::Grants,
        missing_action: err.missing_action().map(str::to_owned),
        reason: err.to_string(),
    }
}

/// Without its UID, another cluster of the same ID could be deleted.
fn nameless(cluster: &ResourceId) -> Error {
    let text = "Azure did not report the cluster's resourceUID, so no plan can be made; delete it without a plan";
    Error::new(ErrorKind::Unexpected, text).with_context("cluster", cluster.name())
}

async fn carry_out(parts: &Parts, cluster: &Cluster, call: &Call) -> Result<ClusterDeletion> {
    let ended = parts.cluster_deployer().delete(cluster, call).await?;
    let cluster = cluster.id.clone();
    if !ended.deleted {
        return Ok(ClusterDeletion::nothing(cluster));
    }
    Ok(ClusterDeletion { outcome: DeletionOutcome::Deleted, cluster, correlation_id: ended.correlation_id })
}

impl ClusterDeletion {
    fn nothing(cluster: ResourceId) -> Self {
        Self { outcome: DeletionOutcome::NothingToDelete, cluster, correlation_id: None }
    }
}
