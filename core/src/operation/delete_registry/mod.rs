//! Deletes a registry. Its plan says what would be lost, and who pulls from it.

mod plan;

pub(crate) use plan::write_unread;
pub use plan::{ApplyDeleteRegistryOptions, DeleteRegistryPlan, RegistryPart, UnreadPart};

use super::{
    Parts,
    attach::{GOOD_FOR, check_before, check_is_current},
    attachments,
    right::{READ_ROLES, RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{DELETE_REGISTRY, LIST_REPOSITORIES, PULL, READ_CLUSTER, READ_GRANTS, READ_REGISTRY},
    call::{Call, CallOptions},
    error::{Error, ErrorKind, Result, words},
    id::{ResourceId, SubscriptionId},
    registry::{Registry, RegistryRef},
    role::RoleAssignment,
};
use plan::VERSION;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(10 * 60);
/// How long an optional read may take.
const OPTIONAL_TIMEOUT: Duration = Duration::from_secs(3);
/// How long counting repositories may take, including the caller's own sign-in, which may be a program or a person.
const LONGEST_COUNT: Duration = Duration::from_secs(30);

const READ: RequiredRight =
    needed(READ_REGISTRY, RightScope::Registry, "to read what would be deleted, and whether it is gone");
const DELETE: RequiredRight = needed(DELETE_REGISTRY, RightScope::Registry, "to delete it");
pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ,
    DELETE,
    useful(READ_GRANTS, RightScope::Registry, "to report how many role assignments on the registry are lost"),
];
pub(crate) const PLAN_RIGHTS: &[RequiredRight] = &[
    READ,
    useful(READ_GRANTS, RightScope::Registry, "to list who can pull from the registry"),
    READ_ROLES,
    useful(READ_CLUSTER, RightScope::Subscription, "to find the clusters that use a grant"),
    useful(PULL, RightScope::Registry, "to count the repositories of a registry with registry-wide permissions"),
    RequiredRight {
        is_data_action: true,
        ..useful(
            LIST_REPOSITORIES,
            RightScope::Registry,
            "to count the repositories of a registry with repository permissions",
        )
    },
];
pub(crate) const APPLY_RIGHTS: &[RequiredRight] = &[
    READ,
    DELETE,
    needed(
        READ_GRANTS,
        RightScope::Registry,
        "to check that the plan lists every role assignment that would be lost; not needed if the plan could not list them",
    ),
];

/// Options for deleting a registry.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DeleteRegistryOptions {
    /// Deadline (10 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl DeleteRegistryOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// The result of deleting a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegistryDeletion {
    /// What the call found or did.
    pub outcome: DeletionOutcome,
    /// The registry. `None` if no registry was found by the given name or login server.
    pub registry: Option<ResourceId>,
    /// How many role assignments had the registry itself as their scope. They are lost with it: a registry of the same name starts
    /// without them. `None` if they could not be listed, or nothing was deleted.
    pub role_assignments: Option<u32>,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log.
    /// `None` if nothing was written, or its response was lost.
    pub correlation_id: Option<String>,
}

/// What the call found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeletionOutcome {
    /// This call deleted the registry or cluster. It is gone.
    Deleted,
    /// The registry or cluster was not found, or Azure was already deleting it and it is gone now. This call deleted nothing.
    NothingToDelete,
}

words!(DeletionOutcome, "outcome": Deleted => "deleted", NothingToDelete => "nothing_to_delete");

impl fmt::Display for RegistryDeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.registry.as_ref().map_or("no registry of this name", ResourceId::name);
        match (self.outcome, self.role_assignments) {
            (DeletionOutcome::Deleted, None) => write!(f, "deleted {name}"),
            (DeletionOutcome::Deleted, Some(lost)) => write!(f, "deleted {name}, with {lost} role assignments on it"),
            (DeletionOutcome::NothingToDelete, _) => write!(f, "nothing to delete: {name}"),
        }
    }
}

impl Outcome for RegistryDeletion {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

/// What was read.
struct Observed {
    registry: Registry,
    /// The role assignments at the registry and above it, or why they could not be listed.
    assignments: Result<Vec<RoleAssignment>>,
}

pub(crate) async fn delete(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<RegistryDeletion> {
    // They are only counted.
    let found = gather(parts, registry, OPTIONAL_TIMEOUT, call).await?;
    let Some(Observed { registry: found, assignments }) = found else { return Ok(nothing(registry.id().cloned())) };
    carry_out(parts, &found, assignments.ok().as_deref(), call).await
}

pub(crate) async fn plan(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<DeleteRegistryPlan> {
    let step = "reading the registry, its role assignments and the clusters";
    call.step(step, gather_plan(parts, registry, call)).await
}

pub(crate) async fn apply_plan(parts: &Parts, plan: &DeleteRegistryPlan, call: &Call) -> Result<RegistryDeletion> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let found = match gather(parts, &RegistryRef::of_id(plan.registry.clone())?, Duration::MAX, call).await {
        // The registry existed when the plan was made: it is gone with its group.
        Err(err) if err.code() == Some("ResourceGroupNotFound") => None,
        read => read?,
    };
    check_is_current(plan.expires, parts.time())?;
    let Some(Observed { registry, assignments }) = found else { return Ok(nothing(Some(plan.registry.clone()))) };
    if registry.created != Some(plan.created) {
        let text = "the registry was deleted and created again since the plan was made; nothing was deleted";
        return Err(Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string()));
    }
    if plan.has_role_assignments() {
        let listed = assignments?;
        let unplanned = listed.iter().find(|one| registry.id.is(&one.scope) && !plan.lists(one));
        if let Some(one) = unplanned {
            let text = "a role assignment that the plan does not list would be lost; nothing was deleted";
            let err = Error::new(ErrorKind::Conflict, text).with_context("role assignment", &one.id);
            return Err(err.with_context("planned", plan.to_string()));
        }
        return carry_out(parts, &registry, Some(&listed), call).await;
    }
    carry_out(parts, &registry, assignments.ok().as_deref(), call).await
}

/// Two reads: in parallel, unless the registry is given by its name. The list of role assignments may take as long as `limit`.
async fn gather(parts: &Parts, registry: &RegistryRef, limit: Duration, call: &Call) -> Result<Option<Observed>> {
    registry.check_cloud(parts.cloud())?;
    let (found, listed) = match registry.id() {
        Some(id) => {
            let (found, listed) =
                futures::join!(parts.registry_importer().find(registry, call), list(parts, id, limit, call));
            (found?, Some(listed))
        }
        None => (parts.registry_importer().find(registry, call).await?, None),
    };
    let Some(registry) = found else { return Ok(None) };
    let assignments = match listed {
        Some(listed) => listed,
        None => list(parts, &registry.id, limit, call).await,
    };
    Ok(Some(Observed { registry, assignments }))
}

async fn list(parts: &Parts, registry: &ResourceId, limit: Duration, call: &Call) -> Result<Vec<RoleAssignment>> {
    parts.role_assigner().list(registry, &call.at_most(limit)).await
}

async fn gather_plan(parts: &Parts, registry: &RegistryRef, call: &Call) -> Result<DeleteRegistryPlan> {
    let own = registry.subscription(parts.subscription_id());
    let clusters = attachments::find_clusters(parts, own, &[], call);
    let (found, (subscriptions, clusters)) =
        futures::try_join!(gather(parts, registry, Duration::MAX, call), clusters)?;
    let Some(Observed { registry: found, assignments }) = found else { return Err(parts.no_such_registry(registry)) };
    let mut unread = Vec::new();
    let assignments = match assignments {
        Err(err) if err.kind() == ErrorKind::Forbidden => {
            unread.push(UnreadPart::of(RegistryPart::RoleAssignments, &err));
            None
        }
        listed => Some(listed?),
    };
    let grants = async {
        match &assignments {
            Some(assignments) => attachments::grants_of(parts, &found, assignments, &clusters, call).await,
            None => Ok(Vec::new()),
        }
    };
    let (grants, counted) = futures::try_join!(grants, count(parts, &found, call))?;
    unread.extend(counted.as_ref().err().map(|err| UnreadPart::of(RegistryPart::Repositories, err)));
    let wanted = BTreeSet::from([parts.subscription_id(), own]);
    unread.extend(wanted.iter().filter(|one| !subscriptions.contains(one)).map(unlisted));
    Ok(DeleteRegistryPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        created: found.created.ok_or_else(|| ageless(&found.id))?,
        repositories: counted.ok(),
        role_assignments: assignments.into_iter().flatten().filter(|one| found.id.is(&one.scope)).collect(),
        registry: found.id,
        login_server: found.login_server,
        sku: found.sku,
        grants,
        subscriptions,
        unread,
    })
}

/// Without its time, another registry of the same ID could be deleted.
fn ageless(registry: &ResourceId) -> Error {
    let text = "Azure did not report when the registry was created, so no plan can be made; delete it without a plan";
    Error::new(ErrorKind::Unexpected, text).with_context("registry", registry.name())
}

/// Reads the number of repositories, or why it is not known. Only the end of the whole call is an error.
async fn count(parts: &Parts, registry: &Registry, call: &Call) -> Result<Result<u32>> {
    let limited = call.at_most(LONGEST_COUNT).with_registry_timeout(OPTIONAL_TIMEOUT);
    match parts.registry_importer().repository_count(registry, &limited).await {
        Err(err) if err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO => Err(err),
        counted => Ok(counted),
    }
}

/// How many of the assignments have the registry itself as their scope.
fn count_on(registry: &ResourceId, assignments: &[RoleAssignment]) -> Option<u32> {
    u32::try_from(assignments.iter().filter(|one| registry.is(&one.scope)).count()).ok()
}

impl UnreadPart {
    pub(crate) fn of(part: RegistryPart, err: &Error) -> Self {
        Self { part, missing_action: err.missing_action().map(str::to_owned), reason: err.to_string() }
    }
}

pub(crate) fn unlisted(subscription: &SubscriptionId) -> UnreadPart {
    UnreadPart {
        part: RegistryPart::Clusters,
        missing_action: Some(READ_CLUSTER.to_owned()),
        reason: format!("the caller cannot list the clusters of subscription {subscription}"),
    }
}

fn nothing(registry: Option<ResourceId>) -> RegistryDeletion {
    let outcome = DeletionOutcome::NothingToDelete;
    RegistryDeletion { outcome, registry, role_assignments: None, correlation_id: None }
}

async fn carry_out(
    parts: &Parts,
    registry: &Registry,
    assignments: Option<&[RoleAssignment]>,
    call: &Call,
) -> Result<RegistryDeletion> {
    let ended = parts.registry_importer().delete(registry, call).await?;
    if !ended.deleted {
        return Ok(nothing(Some(registry.id.clone())));
    }
    Ok(RegistryDeletion {
        outcome: DeletionOutcome::Deleted,
        registry: Some(registry.id.clone()),
        role_assignments: assignments.and_then(|all| count_on(&registry.id, all)),
        correlation_id: ended.correlation_id,
    })
}
