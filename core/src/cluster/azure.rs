//! Clusters through Azure Resource Manager and their Kubernetes APIs.

use super::{
    Applied, ApplyOptions, Cluster, ClusterCreation, ClusterDeployer, ClusterRef, DeletedCluster, Kubeconfig,
    KubeconfigOptions, Manifest, NewCluster, ObservedNode, ObservedPods, ObservedServiceAccount, PodListener, PodScope,
    PodSelection, Pods, PullSecretState, RolloutListener, WorkloadRef, create, credentials, delete,
    kubernetes::Kubernetes,
};
use crate::{call::Call, connection::Connection, error::Result, http::Arm, id::SubscriptionId, image::ImageReference};
use async_trait::async_trait;

/// The [`ClusterDeployer`](crate::ClusterDeployer) for Azure.
#[derive(Clone, Debug)]
pub struct AzureClusterDeployer {
    arm: Arm,
    kubernetes: Kubernetes,
    subscription: SubscriptionId,
}

impl AzureClusterDeployer {
    /// Makes the part from a connection: see [`Connection`].
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self {
            arm: connection.arm.clone(),
            kubernetes: Kubernetes::new(connection),
            subscription: connection.subscription,
        }
    }
}

#[async_trait]
impl ClusterDeployer for AzureClusterDeployer {
    async fn find(&self, cluster: &ClusterRef, call: &Call) -> Result<Option<Cluster>> {
        create::find(&self.arm, &cluster.id(self.subscription), call).await
    }

    async fn delete(&self, cluster: &Cluster, call: &Call) -> Result<DeletedCluster> {
        delete::delete(&self.arm, cluster, call).await
    }

    async fn start_create(&self, cluster: &NewCluster, call: &Call) -> Result<ClusterCreation> {
        create::start(&self.arm, cluster, call).await
    }

    async fn finish_create(&self, creation: ClusterCreation, call: &Call) -> Result<Cluster> {
        create::finish(&self.arm, creation, call).await
    }

    async fn kubeconfig(&self, cluster: &ClusterRef, options: &KubeconfigOptions, call: &Call) -> Result<Kubeconfig> {
        let is_own = |host: &str, proxy: &str| self.kubernetes.names_proxy(host, proxy);
        credentials::kubeconfig(&self.arm, &cluster.id(self.subscription), options, &is_own, call).await
    }

    async fn apply(
        &self,
        cluster: &ClusterRef,
        manifests: &[Manifest],
        options: &ApplyOptions,
        call: &Call,
    ) -> Result<Vec<Applied>> {
        self.kubernetes.apply(&cluster.id(self.subscription), manifests, options, call).await
    }

    async fn pull_secret(
        &self,
        cluster: &ClusterRef,
        secret: (&str, &str),
        service_accounts: &[String],
        call: &Call,
    ) -> Result<PullSecretState> {
        self.kubernetes.pull_secret(&cluster.id(self.subscription), secret, service_accounts, call).await
    }

    async fn link_pull_secret(
        &self,
        cluster: &ClusterRef,
        secret: (&str, &str),
        service_account: &str,
        call: &Call,
    ) -> Result<bool> {
        self.kubernetes.link_pull_secret(&cluster.id(self.subscription), secret, service_account, call).await
    }

    async fn watch_rollout(
        &self,
        cluster: &ClusterRef,
        workload: &WorkloadRef,
        listener: &mut RolloutListener<'_>,
        call: &Call,
    ) -> Result<()> {
        self.kubernetes.watch_rollout(&cluster.id(self.subscription), workload, listener, call).await
    }

    async fn pods(&self, cluster: &ClusterRef, selection: &PodSelection, call: &Call) -> Result<Pods> {
        self.kubernetes.pods(&cluster.id(self.subscription), selection, call).await
    }

    async fn observe_pods(&self, cluster: &ClusterRef, scope: &PodScope, call: &Call) -> Result<ObservedPods> {
        self.kubernetes.observe_pods(&cluster.id(self.subscription), scope, call).await
    }

    async fn nodes(
        &self,
        cluster: &ClusterRef,
        image: Option<&ImageReference>,
        call: &Call,
    ) -> Result<Vec<ObservedNode>> {
        self.kubernetes.nodes(&cluster.id(self.subscription), image, call).await
    }

    async fn service_accounts(
        &self,
        cluster: &ClusterRef,
        namespace: Option<&str>,
        call: &Call,
    ) -> Result<Vec<ObservedServiceAccount>> {
        self.kubernetes.service_accounts(&cluster.id(self.subscription), namespace, call).await
    }

    async fn delete_job(&self, cluster: &ClusterRef, job: (&str, &str), call: &Call) -> Result<bool> {
        self.kubernetes.delete_job(&cluster.id(self.subscription), job, call).await
    }

    async fn watch(
        &self,
        cluster: &ClusterRef,
        selection: &PodSelection,
        listener: &mut PodListener<'_>,
        call: &Call,
    ) -> Result<()> {
        self.kubernetes.watch(&cluster.id(self.subscription), selection, listener, call).await
    }
}
