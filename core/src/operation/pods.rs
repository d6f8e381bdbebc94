//! The pods of a cluster: as a list, and as they change.

use super::{
    Parts,
    right::{RequiredRight, TALK},
    span::Outcome,
};
use crate::{
    call::Call,
    cluster::{ClusterRef, PodSelection, Pods},
    error::Result,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[TALK];

pub(crate) async fn pods(parts: &Parts, cluster: &ClusterRef, selection: &PodSelection, call: &Call) -> Result<Pods> {
    parts.cluster_deployer.pods(cluster, selection, call).await
}

impl Outcome for Pods {}
