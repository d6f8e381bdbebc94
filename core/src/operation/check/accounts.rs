//! Reads what nodes pull with on behalf of service accounts.

use super::ended::unless_ended;
use crate::{
    action::READ_ACCOUNTS,
    call::Call,
    cluster::ClusterRef,
    diagnosis::facts::{AccountFacts, Read},
    error::Result,
    id::ResourceId,
    inventory::ClusterSettings,
    operation::Parts,
};
use futures::join;
use std::time::Duration;

/// The answers are optional.
const TIMEOUT: Duration = Duration::from_secs(5);

/// One request, and two more if the nodes pull as service accounts. `None`: the cluster has no kubelet identity that they could replace.
pub(crate) async fn read(
    parts: &Parts,
    cluster: &ClusterRef,
    (id, settings): (&ResourceId, &ClusterSettings),
    namespace: Option<&str>,
    call: &Call,
) -> Result<Option<Read<Option<AccountFacts>>>> {
    if settings.identities.kubelet.is_none() {
        return Ok(None);
    }
    let limited = &call.at_most(TIMEOUT);
    let pulls = unless_ended(parts.inventory().service_account_pulls(id, limited).await, call)?;
    let pulls = match pulls {
        Ok(Some(pulls)) => pulls,
        Ok(None) => return Ok(Some(Ok(None))),
        Err(unread) => return Ok(Some(Err(unread))),
    };
    let (bound, annotated) = join!(
        parts.inventory().identity_bindings(id, limited),
        parts.cluster_deployer().service_accounts(cluster, namespace, limited)
    );
    let mut annotated = unless_ended(annotated, call)?;
    if let Err(unread) = &mut annotated
        && unread.status == Some(403)
    {
        unread.name_action(READ_ACCOUNTS, Some(id));
    }
    Ok(Some(Ok(Some(AccountFacts { pulls, bound: unless_ended(bound, call)?, annotated, account: None }))))
}
