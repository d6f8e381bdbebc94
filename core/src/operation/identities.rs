//! A cluster's identities.

use super::{
    Parts,
    right::{RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{action::READ_CLUSTER, call::Call, cluster::ClusterRef, error::Result, identity::ClusterIdentities};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[needed(READ_CLUSTER, RightScope::Cluster, "to read the cluster")];

pub(crate) async fn identities(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<ClusterIdentities> {
    parts.identity_resolver.identities(cluster, call).await
}

impl Outcome for ClusterIdentities {}
