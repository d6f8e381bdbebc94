//! The hosts of a registry: for firewalls, proxies and private DNS.

mod hosts;
mod result;

pub use result::{HostPurpose, HostUser, PrivateDnsRecord, RegistryEndpoints, RegistryHost};

use super::{
    Parts,
    right::{READ_THE_REGISTRY, RequiredRight, RightScope, needed},
    span::Outcome,
};
use crate::{
    action::READ_CLUSTER,
    call::{Call, CallOptions},
    cluster::ClusterRef,
    error::Result,
    inventory::ClusterSettings,
    registry::RegistryRef,
};
use futures::{future::OptionFuture, try_join};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    READ_THE_REGISTRY,
    needed(READ_CLUSTER, RightScope::Cluster, "to read whether its nodes reach public addresses, if it is given"),
];

/// Options for the hosts of a registry.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EndpointsOptions {
    /// The cluster that pulls. With it, the hosts of Microsoft's own registry are listed too, which every node needs.
    pub cluster: Option<ClusterRef>,
    /// Deadline (2 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl EndpointsOptions {
    /// Sets [`cluster`](Self::cluster).
    #[must_use]
    pub fn with_cluster(mut self, cluster: ClusterRef) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl Outcome for RegistryEndpoints {}

pub(crate) async fn endpoints(
    parts: &Parts,
    registry: &RegistryRef,
    options: &EndpointsOptions,
    call: &Call,
) -> Result<RegistryEndpoints> {
    registry.check_cloud(parts.cloud())?;
    let cluster = options.cluster.as_ref().map(|cluster| cluster.id(parts.subscription_id()));
    let read = OptionFuture::from(cluster.as_ref().map(|id| parts.inventory().cluster_settings(id, call)));
    let read = async { read.await.transpose() };
    let step = "reading the registry and the cluster";
    let (settings, nodes): (_, Option<ClusterSettings>) =
        call.step(step, async { try_join!(parts.registry_importer().settings(registry, call), read) }).await?;
    let settings = settings.ok_or_else(|| parts.no_such_registry(registry))?;
    Ok(hosts::of(&settings, cluster.zip(nodes)))
}
