//! A cluster's identities.

use super::{Parts, span::Outcome};
use crate::{call::Call, cluster::ClusterRef, error::Result, identity::ClusterIdentities};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);

pub(crate) async fn identities(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<ClusterIdentities> {
    parts.identity_resolver.identities(cluster, call).await
}

impl Outcome for ClusterIdentities {}
