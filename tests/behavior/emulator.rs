//! The emulator as a backend: a group, a cluster, a registry, and images to import.

use crate::{backend::Backend, case::Checked};
use aks_acr::{
    ApplyOptions, Client, ClusterRef, ImageReference, Manifest, PrincipalId, RegistryRef, ResourceId, WorkloadRef,
};
use aks_acr_emulator::{ClusterSeed, Emulator, From, RegistrySeed, Request};
use async_trait::async_trait;
use libtest_mimic::Failed;

pub const GROUP: &str = "group";
pub const CLUSTER: &str = "dev";
pub const REGISTRY: &str = "myregistry";
pub const NGINX: &str = "docker.io/library/nginx:latest";
pub const HELLO: &str = "mcr.microsoft.com/hello-world:latest";

/// An emulator, and a client of it whose caller is Owner of the subscription.
pub struct Scene {
    pub azure: Emulator,
    pub client: Client,
    pub cluster: ClusterRef,
    registry: ResourceId,
    principal: PrincipalId,
}

impl Scene {
    pub fn new() -> Result<Self, Failed> {
        Self::of(ClusterSeed::new(GROUP, CLUSTER), RegistrySeed::new(GROUP, REGISTRY))
    }

    pub fn with_cluster(cluster: ClusterSeed) -> Result<Self, Failed> {
        Self::of(cluster, RegistrySeed::new(GROUP, REGISTRY))
    }

    pub fn with_registry(registry: RegistrySeed) -> Result<Self, Failed> {
        Self::of(ClusterSeed::new(GROUP, CLUSTER), registry)
    }

    /// A cluster `group/dev` and a registry `myregistry` in that group, of the given makes.
    pub fn of(cluster: ClusterSeed, registry: RegistrySeed) -> Result<Self, Failed> {
        let azure = Emulator::new()
            .with_cluster_of(cluster)
            .with_registry_of(registry)
            .with_image(NGINX, &["linux/amd64", "linux/arm64"])
            .with_image(HELLO, &["linux/amd64"])
            .with_caller("nobody", &[]);
        Ok(Self {
            client: client(&azure, azure.credential())?,
            cluster: ClusterRef::new(GROUP, CLUSTER)?,
            registry: azure.registry_id(GROUP, REGISTRY).parse()?,
            principal: azure.object_id_of("nobody").parse()?,
            azure,
        })
    }

    /// A client whose caller has these roles at these scopes, and no others.
    pub fn caller(&self, roles: &[(&str, &str)]) -> aks_acr::Result<Client> {
        let azure = self.azure.clone().with_caller("caller", roles);
        client(&azure, azure.credential_of("caller"))
    }

    /// A client whose caller may do exactly this, anywhere in the subscription.
    pub fn caller_who_may(&self, actions: &[&str]) -> aks_acr::Result<Client> {
        let azure = self.azure.clone().with_custom_role("exactly", actions, &[]);
        let azure = azure.with_caller("caller", &[("exactly", &self.everything())]);
        client(&azure, azure.credential_of("caller"))
    }

    pub fn everything(&self) -> String {
        format!("/subscriptions/{}", self.azure.subscription())
    }

    pub fn by_id(&self) -> RegistryRef {
        self.registry.clone().try_into().expect("the id of a registry")
    }

    pub fn kubelet(&self) -> aks_acr::Result<PrincipalId> {
        self.azure.kubelet_object_id(GROUP, CLUSTER).parse()
    }

    /// Lets the cluster's nodes pull from the registry, as if it had been so for long.
    pub fn grant_pull(&self, role: &str) {
        self.azure.grant(role, &self.azure.kubelet_object_id(GROUP, CLUSTER), self.registry.as_str());
    }

    pub async fn apply(&self, manifests: &str) -> aks_acr::Result<Vec<aks_acr::Applied>> {
        self.apply_with(manifests, ApplyOptions::default()).await
    }

    pub async fn apply_with(&self, manifests: &str, options: ApplyOptions) -> aks_acr::Result<Vec<aks_acr::Applied>> {
        self.client.apply(&self.cluster, Manifest::parse_all(manifests)?, options).await
    }

    /// What the client sent so far that asks for a change.
    pub fn writes(&self) -> Vec<Request> {
        self.sent(Request::is_write)
    }

    /// What the client sent so far, of one kind.
    pub fn sent(&self, is_meant: impl Fn(&Request) -> bool) -> Vec<Request> {
        let sent = self.azure.requests().into_iter().filter(|request| request.from == From::Client);
        sent.filter(is_meant).collect()
    }
}

/// A client of an emulator, as a caller.
pub fn client(
    azure: &Emulator,
    credential: std::sync::Arc<dyn azure_core::credentials::TokenCredential>,
) -> aks_acr::Result<Client> {
    Client::builder(credential, azure.subscription())
        .transport(azure.transport())
        .kubernetes(azure.kubernetes())
        .build()
}

/// A deployment of one container, with as many replicas.
pub fn deployment(name: &str, image: &str, replicas: u32) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{replicas: {replicas}, \
         selector: {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, \
         spec: {{containers: [{{name: main, image: '{image}'}}]}}}}}}}}"
    )
}

#[async_trait]
impl Backend for Scene {
    fn client(&self) -> &Client {
        &self.client
    }

    fn cluster(&self) -> &ClusterRef {
        &self.cluster
    }

    fn registry(&self) -> &ResourceId {
        &self.registry
    }

    fn principal(&self) -> PrincipalId {
        self.principal
    }

    fn public_image(&self) -> ImageReference {
        ImageReference::parse(HELLO).unwrap_or_else(|err| panic!("{err}"))
    }

    fn free_registry(&self) -> String {
        crate::backend::random_name("made")
    }

    async fn running_deployment(&self) -> Result<WorkloadRef, Failed> {
        self.apply(&deployment("web", NGINX, 2)).await?;
        Ok(WorkloadRef::new("web"))
    }

    /// The emulator goes with the case.
    async fn clean_up(&self) -> Checked {
        Ok(())
    }
}
