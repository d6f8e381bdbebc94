//! Removes what was created from a plan of an own kubelet identity, and nothing else.

use super::{
    KubeletIdentityPlan, PartState, PlannedIdentity,
    plan::VERSION,
    run::{list, operator, pull},
};
use crate::{
    action::{DELETE_GRANT, DELETE_IDENTITY, READ_CLUSTER, READ_GRANTS, READ_IDENTITY, READ_REGISTRY},
    call::{Call, CallOptions, Poll, Polling},
    error::{Error, ErrorKind, Result, words},
    http::MissingReads,
    id::{PrincipalId, ResourceId},
    identity::{IDENTITIES, MARK, ManagedIdentity},
    inventory::ClusterFilter,
    operation::{
        Parts,
        right::{RequiredRight, RightScope, needed, useful},
        span::Outcome,
    },
    registry::RegistryRef,
    role::{Grant, is_our_description},
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

pub(crate) const REMOVE_DEADLINE: Duration = Duration::from_secs(5 * 60);
pub(crate) const REMOVE_RIGHTS: &[RequiredRight] = &[
    needed(READ_IDENTITY, RightScope::ResourceGroup, "to check that an identity was created from the plan"),
    useful(
        READ_CLUSTER,
        RightScope::Subscription,
        "to check that no cluster uses the identities: Azure does not list the clusters that the caller cannot read",
    ),
    needed(READ_GRANTS, RightScope::ResourceGroup, "to find the control plane's role on the kubelet identity"),
    needed(READ_REGISTRY, RightScope::Registry, "to read its mode, if the plan has a registry"),
    useful(READ_GRANTS, RightScope::Registry, "to find the grant: required if the plan created one"),
    needed(DELETE_GRANT, RightScope::ResourceGroup, "to remove the control plane's role"),
    useful(DELETE_GRANT, RightScope::Registry, "to remove the grant: required if the plan created one"),
    needed(DELETE_IDENTITY, RightScope::ResourceGroup, "to delete the identities"),
];

/// Options for removing what was created from a plan.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RemoveKubeletIdentityOptions {
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl RemoveKubeletIdentityOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// What was removed of an own kubelet identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KubeletIdentityRemoval {
    /// What this call removed.
    pub removed: Vec<IdentityPart>,
}

/// A part that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdentityPart {
    /// What it was.
    pub part: IdentityPartKind,
    /// ID of the identity or the role assignment, or object ID of the group.
    pub id: String,
}

/// A part of an own kubelet identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdentityPartKind {
    /// One of the two identities.
    Identity,
    /// A role assignment: the control plane's, or one on a registry.
    RoleAssignment,
    /// The membership in the Entra group.
    Membership,
}

words!(
    IdentityPartKind, "part":
    Identity => "identity",
    RoleAssignment => "role_assignment",
    Membership => "membership",
);

impl fmt::Display for IdentityPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "- {} {}", self.part.as_str().replace('_', " "), crate::quoted::Complete(&self.id))
    }
}

impl fmt::Display for KubeletIdentityRemoval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.removed.is_empty() {
            return f.write_str("nothing to remove");
        }
        let lines: Vec<String> = self.removed.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Outcome for KubeletIdentityRemoval {
    fn outcome(&self) -> &'static str {
        if self.removed.is_empty() { "nothing_to_remove" } else { "removed" }
    }
}

/// The roles and the membership first: they are found by the identity's principal.
pub(crate) async fn remove(parts: &Parts, plan: &KubeletIdentityPlan, call: &Call) -> Result<KubeletIdentityRemoval> {
    if plan.version != VERSION {
        let text = "the plan has an unknown format version";
        return Err(Error::invalid(text, "version", plan.version.to_string()));
    }
    let (kubelet, control_plane) = find_both(parts, plan, call).await?;
    let mut removed = Vec::new();
    let whole = [(&plan.kubelet, &kubelet), (&plan.control_plane, &control_plane)];
    let doomed: Vec<&ManagedIdentity> =
        whole.iter().filter_map(|(planned, found)| ours(planned, found.as_ref())).collect();
    check_unused(parts, &doomed, call).await?;
    // A role whose state was unknown may have existed, made by an earlier call of this library. A group's role stays: other members
    // of the group may use it.
    let revocable = plan.pulls.iter().filter(|one| one.state == PartState::Missing && plan.membership.is_none());
    if let Some(kubelet) = planned(&plan.kubelet, kubelet.as_ref()) {
        for one in revocable {
            let reference = RegistryRef::of_id(one.registry.clone())?;
            let Some(registry) = parts.registry_importer().find(&reference, call).await? else { continue };
            revoke(parts, &pull(&registry, kubelet.principal_id, false), &mut removed, call).await?;
        }
    }
    if let (Some(kubelet), Some(control_plane)) =
        (planned(&plan.kubelet, kubelet.as_ref()), planned(&plan.control_plane, control_plane.as_ref()))
        && plan.operator_role == PartState::Missing
    {
        revoke(parts, &operator(&kubelet.id, control_plane.principal_id), &mut removed, call).await?;
    }
    if let (Some(one), Some(kubelet)) = (&plan.membership, planned(&plan.kubelet, kubelet.as_ref()))
        && one.state == PartState::Missing
    {
        leave(parts, one.group, kubelet.principal_id, &mut removed, call).await?;
    }
    for identity in doomed {
        let step = format!("deleting the identity {}", identity.id.name());
        if call.step(&step, parts.identity_manager().delete(&identity.id, call)).await? {
            removed.push(IdentityPart { part: IdentityPartKind::Identity, id: identity.id.to_string() });
        }
    }
    Ok(KubeletIdentityRemoval { removed })
}

/// The two identities. They are created together: where only one is found, a replica may lag that was asked for the other.
async fn find_both(
    parts: &Parts,
    plan: &KubeletIdentityPlan,
    call: &Call,
) -> Result<(Option<ManagedIdentity>, Option<ManagedIdentity>)> {
    let kubelet = plan.kubelet.id.clone().of_type(IDENTITIES, "managed identity")?;
    let control_plane = plan.control_plane.id.clone().of_type(IDENTITIES, "managed identity")?;
    let manager = parts.identity_manager();
    match futures::try_join!(manager.find(&kubelet, call), manager.find(&control_plane, call))? {
        (None, Some(found)) => Ok((find_again(parts, &kubelet, call).await?, Some(found))),
        (Some(found), None) => Ok((Some(found), find_again(parts, &control_plane, call).await?)),
        both => Ok(both),
    }
}

/// Reads an identity that one read did not return, until enough reads agree.
async fn find_again(parts: &Parts, id: &ResourceId, call: &Call) -> Result<Option<ManagedIdentity>> {
    let missing_reads = MissingReads::default();
    let poll = || async {
        let found = parts.identity_manager().find(id, call).await?;
        Ok(if found.is_some() { Poll::Ready(found) } else { missing_reads.not_found().unwrap_or(Poll::Ready(None)) })
    };
    call.poll_until(Polling::new(format!("reading the identity {}", id.name())), poll).await
}

/// The identity of the plan, and not another of its name.
fn planned<'a>(planned: &PlannedIdentity, found: Option<&'a ManagedIdentity>) -> Option<&'a ManagedIdentity> {
    found.filter(|found| planned.principal_id.is_none_or(|principal| principal == found.principal_id))
}

/// An identity that was missing in the plan and that this library has created since.
fn ours<'a>(planned: &PlannedIdentity, found: Option<&'a ManagedIdentity>) -> Option<&'a ManagedIdentity> {
    let is_ours = |one: &&ManagedIdentity| one.tags.get(MARK).is_some_and(|mark| is_our_description(mark));
    found.filter(|_| planned.principal_id.is_none()).filter(is_ours)
}

/// Nodes whose identity is deleted can no longer pull.
async fn check_unused(parts: &Parts, doomed: &[&ManagedIdentity], call: &Call) -> Result<()> {
    let Some(first) = doomed.first() else { return Ok(()) };
    let subscriptions = [first.id.subscription()];
    let listed = parts.inventory().clusters(&subscriptions, &ClusterFilter::default(), call).await?;
    if let Some(unread) = listed.unreadable.into_iter().next() {
        return Err(unread.error.with_context("while", "checking that no cluster uses the identities"));
    }
    let uses = |principal: PrincipalId| {
        listed.items.iter().find(|one| {
            let kubelet = one.identities.kubelet.as_ref().map(|kubelet| kubelet.object_id);
            kubelet == Some(principal) || one.identities.control_plane.contains(&principal)
        })
    };
    match doomed.iter().find_map(|one| uses(one.principal_id).map(|cluster| (one, &cluster.id))) {
        Some((identity, cluster)) => {
            let text = "a cluster uses the identity; delete the cluster first. Nothing was removed";
            let err = Error::new(ErrorKind::Conflict, text).with_context("identity", identity.id.name());
            Err(err.with_context("cluster", cluster.to_string()))
        }
        None => Ok(()),
    }
}

/// Removes the role assignment if this library created it.
async fn revoke(parts: &Parts, grant: &Grant, removed: &mut Vec<IdentityPart>, call: &Call) -> Result<()> {
    let scope: &ResourceId = &grant.scope;
    let listed = list(parts, scope, call).await?.ok_or_else(|| {
        let text = "the caller lacks the permission to list role assignments";
        Error::new(ErrorKind::Forbidden, text).with_missing_action(READ_GRANTS, scope.as_str())
    })?;
    for one in listed.iter().filter(|one| one.is_for(grant) && one.is_ours()) {
        let step = format!("removing a role on {} from {}", scope.name(), grant.principal_id);
        let revoked = call.step(&step, parts.role_assigner().revoke(&one.id, call)).await?;
        parts.recent_grants.remove(scope, grant.principal_id);
        if revoked.was_there {
            removed.push(IdentityPart { part: IdentityPartKind::RoleAssignment, id: one.id.clone() });
        }
    }
    Ok(())
}

async fn leave(
    parts: &Parts,
    group: PrincipalId,
    principal: PrincipalId,
    removed: &mut Vec<IdentityPart>,
    call: &Call,
) -> Result<()> {
    let step = format!("removing {principal} from the Entra group {group}");
    if call.step(&step, parts.identity_manager().remove_member(group, principal, call)).await? {
        removed.push(IdentityPart { part: IdentityPartKind::Membership, id: group.to_string() });
    }
    Ok(())
}
