//! Create with attach: reads the registries first, then creates the cluster, and grants as soon as the identity is known.

use super::{CreateClusterOptions, CreatedCluster};
use crate::{
    call::{Call, Poll, Polling},
    cluster::{Cluster, ClusterCreation, ClusterRef, NewCluster},
    error::{Error, ErrorKind, Result},
    http::{MissingReads, Provisioned},
    id::ResourceId,
    identity::ClusterIdentities,
    operation::{
        Parts,
        attach::{Attachment, PrincipalAdvice, attach_found, principal},
        kubelet_identity::has_operator,
    },
    registry::RegistrySettings,
};
use futures::future::try_join_all;
use std::{collections::HashSet, time::Duration};
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60 * 60);
const STEP: &str = "waiting for the kubelet identity";
/// How many lists have to lack the control plane's role: about three seconds, as for a grant that is checked.
const OPERATOR_READS: u32 = 7;

pub(crate) async fn create(
    parts: &Parts,
    cluster: &ClusterRef,
    options: &CreateClusterOptions,
    call: &Call,
) -> Result<CreatedCluster> {
    let new = options.new_cluster(cluster.id(parts.subscription_id()))?;
    for registry in &options.registries {
        registry.check_cloud(parts.cloud())?;
    }
    // A missing registry is reported before a cluster is created for it.
    let registries = try_join_all(options.registries.iter().map(|one| parts.find_settings(one, call))).await?;
    let registries = each_once(registries);
    let new = NewCluster { has_operator_role: has_operator_role(parts, &new, call).await?, ..new };
    let creation = parts.cluster_deployer().start_create(&new, call).await?;
    let (is_new, differences) = (creation.is_new, creation.differences.clone());
    let correlation_id = creation.correlation_id.clone();
    let joined = join(parts, cluster, creation, &registries, call).await;
    // From here on there is one that costs, and an error has to say so.
    let (cluster, attachments) = joined.map_err(|err| if is_new { err.with_created(new.id.clone()) } else { err })?;
    Ok(CreatedCluster { cluster, is_new, differences, attachments, correlation_id })
}

/// Whether the control plane's own identity has its role on the own kubelet identity. What the caller may not read is left to the service,
/// and so is a missing identity.
async fn has_operator_role(parts: &Parts, new: &NewCluster, call: &Call) -> Result<bool> {
    let (Some(control_plane), Some(kubelet)) = (&new.control_plane_identity, &new.kubelet_identity) else {
        return Ok(false);
    };
    match operator_role(parts, (control_plane, kubelet), call).await {
        Err(err) if matches!(err.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Ok(false),
        found => found,
    }
}

/// A replica that lags lists no role right after it was assigned, and the creation would not wait for it to have an effect.
async fn operator_role(
    parts: &Parts,
    (control_plane, kubelet): (&ResourceId, &ResourceId),
    call: &Call,
) -> Result<bool> {
    let Some(found) = parts.identity_manager().find(control_plane, call).await? else { return Ok(false) };
    let missing_reads = MissingReads::brief(OPERATOR_READS);
    let poll = || async {
        let listed = parts.role_assigner().list(kubelet, call).await?;
        Ok(if has_operator(kubelet, found.principal_id, &listed) {
            Poll::Ready(true)
        } else {
            missing_reads.not_found().unwrap_or(Poll::Ready(false))
        })
    };
    call.poll_until(Polling::new("reading the control plane's role").quick(), poll).await
}

/// A registry given by name, login server and ID is one registry, and needs one grant.
fn each_once(registries: Vec<RegistrySettings>) -> Vec<RegistrySettings> {
    let mut seen = HashSet::new();
    registries.into_iter().filter(|one| seen.insert(one.registry.id.clone())).collect()
}

/// Waits for the creation and makes the grants in parallel, so that pods can pull once the nodes exist. A failed grant ends the call at
/// once; the creation continues in Azure.
async fn join(
    parts: &Parts,
    cluster: &ClusterRef,
    creation: ClusterCreation,
    registries: &[RegistrySettings],
    call: &Call,
) -> Result<(Cluster, Vec<Attachment>)> {
    let made = parts.cluster_deployer().finish_create(creation, call);
    if registries.is_empty() {
        return Ok((made.await?, Vec::new()));
    }
    let over = CancellationToken::new();
    let made = async {
        let made = made.await;
        over.cancel();
        made
    };
    futures::try_join!(made, attach_all(parts, cluster, registries, &over, call))
}

async fn attach_all(
    parts: &Parts,
    cluster: &ClusterRef,
    registries: &[RegistrySettings],
    over: &CancellationToken,
    call: &Call,
) -> Result<Vec<Attachment>> {
    let identities = match identities(parts, cluster, over, call).await {
        // Where time is up, the creation has more to say: what there is, and what to do next.
        Err(err) if err.kind() == ErrorKind::DeadlineExceeded => {
            let ended = async {
                over.cancelled().await;
                Err(err)
            };
            return call.run(STEP, ended).await;
        }
        found => found?,
    };
    let names = || registries.iter().map(|one| one.registry.id.name()).collect::<Vec<_>>().join(", ");
    principal(&identities, None, PrincipalAdvice::AttachWithPrincipal)
        .map_err(|err| explain(err, &identities, &names()))?;
    let grants = registries.iter().map(|settings| async {
        let attached = attach_found(parts, &identities, settings, call).await;
        let explain =
            |err| explain(err, &identities, settings.registry.id.name()).with_context("cluster", cluster.name());
        attached.map_err(|err| explain(err).with_context("hint", "call again to continue, or attach"))
    });
    try_join_all(grants).await
}

/// The cluster's identities, once it has a kubelet identity, or is created without one.
///
/// A state that is not part of a creation may mean that the creation failed. Only the creation's own result says why, so the call
/// waits for it to end. If it succeeded, the cluster is read again.
async fn identities(
    parts: &Parts,
    cluster: &ClusterRef,
    over: &CancellationToken,
    call: &Call,
) -> Result<ClusterIdentities> {
    let missing_reads = MissingReads::default();
    let poll = || async {
        loop {
            let is_over = over.is_cancelled();
            match parts.identity_resolver().identities(cluster, call).await {
                Err(err) if err.kind() == ErrorKind::NotFound => return missing_reads.not_found().ok_or(err),
                Ok(found) if found.kubelet.is_some() || is_over && is_settled(&found) => return Ok(Poll::Ready(found)),
                Ok(found) if is_settled(&found) => over.cancelled().await,
                Ok(_) => {
                    missing_reads.found();
                    return Ok(Poll::Pending { status: None, wait: None });
                }
                Err(err) => return Err(err),
            }
        }
    };
    call.poll_until(Polling::new(STEP), poll).await
}

/// Whether its state is the end of a creation, successful or not.
fn is_settled(found: &ClusterIdentities) -> bool {
    Provisioned::of(&found.state) != Provisioned::NotYet
}

/// Adds that the cluster exists, and what was not done.
fn explain(err: Error, identities: &ClusterIdentities, not_attached: &str) -> Error {
    err.with_context("not attached", not_attached)
        .with_context("the cluster exists, in state", identities.state.clone())
}
