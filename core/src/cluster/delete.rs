//! Deletes a cluster, and waits until Azure no longer returns it.

use super::{CLUSTER_API, Cluster, create::find};
use crate::{
    action::DELETE_CLUSTER,
    call::Call,
    error::{Error, Result},
    http::{Arm, ArmRequest, Deletion, Provisioned, Seen, shown},
};
use azure_core::http::Method;

const STEP: &str = "deleting the cluster";

/// The result of [`ClusterDeployer::delete`](crate::ClusterDeployer::delete).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedCluster {
    /// Whether this call deleted it.
    /// This includes the case where the response was lost and the cluster is gone.
    pub deleted: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl DeletedCluster {
    /// A cluster that was deleted, or did not exist.
    #[must_use]
    pub fn new(deleted: bool) -> Self {
        Self { deleted, correlation_id: None }
    }
}

pub(super) async fn delete(arm: &Arm, cluster: &Cluster, call: &Call) -> Result<DeletedCluster> {
    let deletion = Deletion {
        arm,
        step: STEP,
        kind: "cluster",
        id: &cluster.id,
        state: &cluster.state,
        // Without it, a new cluster of the same name could not be distinguished from this one.
        is_known: cluster.uid.is_some(),
        request: &|| delete_cluster(cluster),
        look: &|| Box::pin(look(arm, cluster, call)),
    };
    let done = deletion.run(call).await.map_err(changed)?;
    Ok(DeletedCluster { deleted: done.deleted, correlation_id: done.correlation_id })
}

async fn look(arm: &Arm, cluster: &Cluster, call: &Call) -> Result<Seen> {
    let found = match find(arm, &cluster.id, call).await {
        Err(err) if err.code() == Some("ResourceGroupNotFound") => return Ok(Seen::Gone),
        read => read?,
    };
    let Some(found) = found else { return Ok(Seen::Gone) };
    let is_other = found.uid.as_ref().zip(cluster.uid.as_ref()).is_some_and(|(found, known)| found != known);
    Ok(match Provisioned::of(&found.state) {
        _ if is_other => Seen::Gone,
        Provisioned::Deleting => Seen::Deleting,
        _ => Seen::There(shown(&found.state)),
    })
}

/// See [Delete](https://learn.microsoft.com/rest/api/aks/managed-clusters/delete): 202, or 204 if it does not exist. The header makes
/// Azure reject it if the cluster is no longer the one that was read.
fn delete_cluster(cluster: &Cluster) -> ArmRequest {
    let request = ArmRequest::new(Method::Delete, cluster.id.as_str(), CLUSTER_API);
    let request = match &cluster.etag {
        Some(etag) => request.header("if-match", etag.clone()),
        None => request,
    };
    request.step(STEP).needs(DELETE_CLUSTER, cluster.id.as_str()).once()
}

fn changed(err: Error) -> Error {
    if err.status() != Some(412) {
        return err;
    }
    err.with_context("hint", "the cluster was changed meanwhile, and was not deleted; retry")
}
