//! The object ID of a cluster's service principal, which only Microsoft Graph knows.

use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    id::PrincipalId,
    identity::ClusterIdentities,
    operation::Parts,
};

/// The principal that the options name, or the cluster's service principal if Microsoft Graph is to be queried. `None`: the kubelet
/// identity, or nothing that is known.
pub(crate) async fn find_principal(
    parts: &Parts,
    identities: &ClusterIdentities,
    (named, query_graph): (Option<PrincipalId>, bool),
    call: &Call,
) -> Result<Option<PrincipalId>> {
    let Some(client_id) = identities.service_principal.as_ref().filter(|_| is_found(identities, (named, query_graph)))
    else {
        return Ok(named);
    };
    let hint = "or pass the object ID of the service principal as principal_id";
    let found = call.step("reading the service principal", parts.identity_manager().service_principal(client_id, call));
    match found.await.map_err(|err| err.with_context("hint", hint))? {
        Some(found) => Ok(Some(found.object_id)),
        None => Err(Error::new(ErrorKind::NotFound, "the cluster's service principal does not exist in its tenant")
            .with_context("cluster", identities.cluster.name())
            .with_context("application id", client_id.clone())),
    }
}

/// Whether the principal comes from Microsoft Graph.
pub(crate) fn is_found(identities: &ClusterIdentities, (named, query_graph): (Option<PrincipalId>, bool)) -> bool {
    query_graph && named.is_none() && identities.kubelet.is_none() && identities.service_principal.is_some()
}
