//! Creates a cluster: read, write if it is missing, wait.

use super::{
    cause,
    existing::ExistingCluster,
    wire::{STEP, put_cluster},
};
use crate::{
    action::REGISTER_CLUSTERS,
    call::{Call, Poll, Polling},
    cluster::{Cluster, ClusterCreation, NewCluster, about, get_cluster},
    error::{Error, ErrorKind, Result},
    http::{Answer, Arm, CORRELATION_ID, MissingReads, Operation, Provider, Provisioned, group_location, shown},
    id::ResourceId,
};
use backon::{BackoffBuilder, ExponentialBuilder};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

pub(crate) const PROVIDER: Provider = Provider { namespace: "Microsoft.ContainerService", register: REGISTER_CLUSTERS };
const ASK: &str = "starting to create the cluster";
const TRIES: usize = 10;
/// How long a new role assignment may take to have an effect.
const LONGEST_PROPAGATION: Duration = Duration::from_secs(5 * 60);
/// What Azure answers if the control plane's identity lacks its role on the kubelet identity.
const NO_OPERATOR_ROLE: &str = "CustomKubeletIdentityMissingPermissionError";

/// The result of a try to create a cluster.
enum Begun {
    Accepted(Answer),
    /// The cluster exists: created by an earlier try of this call whose response was lost, or by another caller.
    There {
        cluster: ExistingCluster,
        is_ours: bool,
    },
}

/// Makes Azure begin, unless there is a cluster already.
pub(in crate::cluster) async fn start(arm: &Arm, new: &NewCluster, call: &Call) -> Result<ClusterCreation> {
    let (there, location) = futures::join!(read_cluster(arm, &new.id, call), location(arm, new, call));
    if let Some(there) = there? {
        return found(new, &there, false);
    }
    let location = location?;
    arm.check_read_only(&put_cluster(new, &location, None))?;
    let ssh_key = call.run("reading the SSH key", new.ssh_key.public_key()).await?;
    let begun = begin_when_permitted(arm, new, (&location, ssh_key.as_deref()), call);
    match call.step(ASK, begun).await.map_err(cause::explain)? {
        Begun::Accepted(answer) => {
            let operation = Operation::begun_by(arm, &answer, STEP)?;
            let link = operation.map(|operation| operation.link().to_owned());
            let correlation_id = answer.header(CORRELATION_ID).map(str::to_owned);
            Ok(ClusterCreation { correlation_id, link, ..ClusterCreation::new(new.id.clone(), true) })
        }
        Begun::There { cluster, is_ours } => found(new, &cluster, is_ours),
    }
}

/// Waits for a new role of the control plane on the kubelet identity to have an effect, if it is known to exist.
async fn begin_when_permitted(arm: &Arm, new: &NewCluster, body: (&str, Option<&str>), call: &Call) -> Result<Begun> {
    let limit = if new.has_operator_role { LONGEST_PROPAGATION } else { Duration::ZERO };
    let poll = || async {
        match begin(arm, new, body, call).await {
            Err(err) if err.code() == Some(NO_OPERATOR_ROLE) => {
                let hint = "the control plane's identity needs the role Managed Identity Operator on the kubelet identity, \
                            and a new role assignment takes minutes to have an effect";
                Ok(Poll::Failed(err.with_context("hint", hint)))
            }
            begun => begun.map(Poll::Ready),
        }
    };
    call.poll_until(Polling::new(STEP).at_most(limit), poll).await
}

/// Sends the write until it is accepted. If no response came, it may have been accepted, so the cluster is read before the write
/// is sent again, and an existing one is not overwritten.
async fn begin(arm: &Arm, new: &NewCluster, body: (&str, Option<&str>), call: &Call) -> Result<Begun> {
    let (location, ssh_key) = body;
    let waits = ExponentialBuilder::default().with_min_delay(Duration::from_secs(2)).with_max_times(TRIES).build();
    let is_passing = |err: &Error| err.status() == Some(429) || err.kind() == ErrorKind::Unavailable;
    let may_be_there = AtomicBool::new(false);
    let attempt = || async {
        if may_be_there.load(Ordering::Relaxed)
            && let Some(cluster) = read_cluster(arm, &new.id, call).await?
        {
            return Ok(Begun::There { cluster, is_ours: true });
        }
        let write = || put_cluster(new, location, ssh_key);
        let whose = (PROVIDER, new.id.subscription());
        match arm.send_registered(write, whose, new.register_providers, call).await {
            Ok(answer) => Ok(Begun::Accepted(answer)),
            Err(err) if err.kind() == ErrorKind::Conflict => {
                let is_ours = may_be_there.load(Ordering::Relaxed);
                // A replica may not know yet of the cluster that Azure reports as existing, or that an earlier try of this call has
                // created.
                let exists = is_ours || err.status() == Some(412);
                let there = if exists {
                    read_again(arm, &new.id, call).await?
                } else {
                    read_cluster(arm, &new.id, call).await?
                };
                there.map(|cluster| Begun::There { cluster, is_ours }).ok_or(err)
            }
            Err(err) => {
                may_be_there.fetch_or(err.kind() == ErrorKind::Unavailable, Ordering::Relaxed);
                Err(err)
            }
        }
    };
    call.retry(STEP, waits, is_passing, attempt).await
}

/// What to do about an existing cluster.
fn found(new: &NewCluster, there: &ExistingCluster, is_ours: bool) -> Result<ClusterCreation> {
    check_state(there, &new.id)?;
    let differences = if is_ours { Vec::new() } else { there.differences(new)? };
    let creation = ClusterCreation::new(new.id.clone(), is_ours).with_differences(differences);
    let is_made = there.provisioned() == Provisioned::Yes;
    Ok(if is_made { creation.with_made(there.read(&new.id)?) } else { creation })
}

/// Waits until the cluster is created: by its operation, if known, otherwise by reading the cluster.
pub(in crate::cluster) async fn finish(arm: &Arm, creation: ClusterCreation, call: &Call) -> Result<Cluster> {
    if let Some(made) = creation.made {
        return Ok(made);
    }
    call.step(STEP, wait(arm, &creation, call)).await
}

async fn wait(arm: &Arm, creation: &ClusterCreation, call: &Call) -> Result<Cluster> {
    let id = &creation.cluster;
    if let Some(link) = &creation.link
        && let Err(err) = Operation::resume(arm, link, STEP)?.wait(arm, call).await
    {
        return Err(name_state(arm, id, cause::explain(err), call).await);
    }
    let missing_reads = MissingReads::default();
    let poll = || async {
        let Some(cluster) = read_cluster(arm, id, call).await? else {
            return missing_reads.not_found().ok_or_else(|| {
                Error::new(ErrorKind::Conflict, "the cluster was deleted while it was being created")
                    .with_context("cluster", id.name())
                    .with_nothing_created()
            });
        };
        missing_reads.found();
        check_state(&cluster, id)?;
        if cluster.provisioned() == Provisioned::Yes {
            return cluster.read(id).map(Poll::Ready);
        }
        Ok(Poll::Pending { status: Some(shown(cluster.state())), wait: None })
    };
    call.poll_until(Polling::new(STEP), poll).await
}

/// Adds the existing cluster to the error of a failed creation or wait: it continues to exist and to cost money.
async fn name_state(arm: &Arm, id: &ResourceId, err: Error, call: &Call) -> Error {
    let err = err.with_context("cluster", id.name());
    match read_again(arm, id, call).await {
        Ok(Some(left)) => {
            let hint = if left.provisioned() == Provisioned::Failed {
                "the cluster exists; delete it, then retry"
            } else {
                "the cluster exists; call again to wait for it"
            };
            err.with_context("state", left.state().to_owned()).with_context("hint", hint)
        }
        Ok(None) => err.with_context("state", "gone").with_nothing_created(),
        Err(_) => err,
    }
}

fn check_state(cluster: &ExistingCluster, id: &ResourceId) -> Result<()> {
    let is_deleting = cluster.provisioned() == Provisioned::Deleting;
    let (kind, text) = if cluster.provisioned() == Provisioned::Failed {
        (ErrorKind::OperationFailed, "the cluster exists, but its last operation failed; repair or delete it")
    } else if is_deleting {
        (ErrorKind::Conflict, "the cluster is being deleted; retry after the deletion")
    } else {
        return Ok(());
    };
    let err = Error::new(kind, text).with_context("cluster", id.name()).with_context("state", cluster.state());
    Err(err.with_transient(is_deleting))
}

/// The cluster, if it exists: see [`read_cluster`].
pub(in crate::cluster) async fn find(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Option<Cluster>> {
    read_cluster(arm, id, call).await?.map(|found| found.read(id)).transpose()
}

/// `None` if the cluster itself is absent. A missing resource group or subscription, or a missing permission to read the cluster,
/// is an error.
async fn read_cluster(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Option<ExistingCluster>> {
    match arm.send(get_cluster(id), call).await {
        Ok(answer) => Ok(Some(ExistingCluster::new(answer.read("a cluster")?))),
        Err(err) if err.status() == Some(404) && matches!(err.code(), Some("ResourceNotFound" | "NotFound")) => {
            Ok(None)
        }
        Err(err) if err.kind() == ErrorKind::NotFound => Err(err.with_context("resource group", id.group())),
        Err(err) => Err(about(err, id)),
    }
}

/// The same for a cluster that existed, or may have existed: consecutive reads must agree that it is missing.
async fn read_again(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Option<ExistingCluster>> {
    let missing_reads = MissingReads::default();
    let poll = || async {
        Ok(match read_cluster(arm, id, call).await? {
            None => missing_reads.not_found().unwrap_or(Poll::Ready(None)),
            there => Poll::Ready(there),
        })
    };
    call.poll_until(Polling::new("reading the cluster"), poll).await
}

async fn location(arm: &Arm, new: &NewCluster, call: &Call) -> Result<String> {
    match &new.location {
        Some(location) => Ok(location.clone()),
        None => group_location(arm, &new.id, call).await,
    }
}
