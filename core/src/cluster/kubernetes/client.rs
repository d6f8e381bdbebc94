//! A client of `kube` for a cluster, for the length of one call.

use super::{pool::Pool, session::Session};
use crate::{
    call::Call,
    connection::{Clusters, Connection},
    error::Result,
    id::ResourceId,
    write::Guard,
};
use kube::Client;

/// The APIs of all clusters.
#[derive(Clone, Debug)]
pub(crate) struct Kubernetes {
    pool: Pool,
    pub(super) guard: Guard,
}

impl Kubernetes {
    pub fn new(connection: &Connection) -> Self {
        let Connection { arm, tokens, clusters: Clusters { connector, network, guard }, .. } = connection.clone();
        Self { pool: Pool::new(connector, network, arm, tokens), guard }
    }

    /// A client for the cluster within one call. Each request uses the current connection and token.
    pub async fn client(&self, cluster: &ResourceId, call: &Call) -> Result<Client> {
        self.pool.connection(cluster, call).await?;
        Ok(Client::new(Session::new(self.pool.clone(), cluster.clone(), call.clone()), "default"))
    }

    /// Whether a proxy in a kubeconfig is the one that the caller configured for that host.
    pub fn names_proxy(&self, host: &str, proxy: &str) -> bool {
        self.pool.names_proxy(host, proxy)
    }
}
