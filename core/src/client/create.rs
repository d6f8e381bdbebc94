//! What makes things: a registry, a cluster.

use super::Client;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::{
    cluster::ClusterRef,
    error::Result,
    operation::{
        create_cluster::{self, CreateClusterOptions, CreatedCluster},
        create_registry::{self, CreateRegistryOptions},
        span::{About, operation},
    },
    registry::CreatedRegistry,
};

impl Client {
    /// Makes a registry, unless there is one of that name in the group: that one is left as it is, and
    /// [`differences`](CreatedRegistry::differences) say in what it is not what was asked for.
    ///
    /// Its login server is the one that Azure gives. Nobody gets in without an identity: the admin user and anonymous pull stay off.
    ///
    /// A name that is taken and a registry that is being deleted are both [`Conflict`](ErrorKind::Conflict): the one has the
    /// [`code`](crate::Error::code) `RegistryNameAlreadyInUse` and wants another name, the other has no code and wants waiting.
    /// A quota that is used up has no kind of its own: see [`create_cluster`](Self::create_cluster).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a name that cannot be one; [`Conflict`](ErrorKind::Conflict) if the name is
    /// taken elsewhere in the cloud, or the registry is being deleted; [`NotFound`](ErrorKind::NotFound) if there is no such group;
    /// [`NotRegistered`](ErrorKind::NotRegistered) if the subscription has not registered the resource provider, and
    /// [`register`](CreateRegistryOptions::register) does not ask for it; [`Forbidden`](ErrorKind::Forbidden) if the caller may
    /// not; [`OperationFailed`](ErrorKind::OperationFailed) if Azure could not, now or at an earlier try.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{Client, CreateRegistryOptions};
    /// # let azure = aks_acr_emulator::Emulator::new().with_group("group", "westeurope");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// let created = client.create_registry("group", "myregistry", CreateRegistryOptions::default()).await?;
    /// assert!(created.is_new);
    /// # Ok(()) }
    /// ```
    pub async fn create_registry(
        &self,
        group: &str,
        name: &str,
        options: CreateRegistryOptions,
    ) -> Result<CreatedRegistry> {
        operation!(
            "create_registry",
            self.parts,
            About::registry(&format_args!("{group}/{name}")),
            options.call.start(create_registry::DEADLINE),
            create_registry::create(&self.parts, group, name, &options)
        )
        .await
    }

    /// Makes a cluster whose nodes can pull from the registries in the options, unless there is one of that name in the group: that
    /// one is left as it is, its registries are attached, and [`differences`](CreatedCluster::differences) say in what it is not
    /// what was asked for.
    ///
    /// The grants are made as soon as the cluster shows its kubelet identity, beside the creation. Called again while the cluster is
    /// being made, it waits for that one. An existing cluster is never written. Dropping the future stops our waiting; Azure goes on.
    ///
    /// A quota that is used up, or a size that a region does not have, is no kind of its own. What Azure refuses at once has the kind of
    /// its status, [`InvalidInput`](ErrorKind::InvalidInput), [`Forbidden`](ErrorKind::Forbidden) without a
    /// [`missing_action`](crate::Error::missing_action), or [`Conflict`](ErrorKind::Conflict); what it finds at work is
    /// [`OperationFailed`](ErrorKind::OperationFailed). Azure's own word is the [`code`](crate::Error::code), such as `QuotaExceeded` or
    /// `SkuNotAvailable`; no such answer was recorded, so the list is not complete.
    ///
    /// The caller's right to make the grants shows only when they are made, beside the cluster: Azure has no way to ask for it that
    /// would not write. The cluster is there then, and the same call again goes on.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for options that cannot be, and from the service for a size or a version that it
    /// does not have; [`NotFound`](ErrorKind::NotFound) for an absent group or registry, before anything is made;
    /// [`Conflict`](ErrorKind::Conflict) if the cluster is being deleted; [`OperationFailed`](ErrorKind::OperationFailed) if Azure
    /// could not make it, now or at an earlier try, with its state; [`NotRegistered`](ErrorKind::NotRegistered) if the
    /// subscription has not registered the resource provider, and [`register`](CreateClusterOptions::register) does not ask for it;
    /// [`Forbidden`](ErrorKind::Forbidden) if the caller may not. Where Azure has begun a cluster by then, which costs, an error says so
    /// by [`created`](crate::Error::created).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOutcome, Client, ClusterRef, CreateClusterOptions};
    /// # let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # tokio::time::pause();
    /// let options = CreateClusterOptions::default().with_registry("myregistry".parse()?).with_node_count(2);
    /// let created = client.create_cluster(&ClusterRef::new("group", "dev")?, options).await?;
    /// assert_eq!((created.is_new, created.cluster.state.as_str()), (true, "Succeeded"));
    /// assert_eq!(created.attachments[0].outcome, AttachOutcome::Granted);
    /// # Ok(()) }
    /// ```
    pub async fn create_cluster(&self, cluster: &ClusterRef, options: CreateClusterOptions) -> Result<CreatedCluster> {
        let about = About::cluster(cluster).with_registries(&options.registries);
        operation!(
            "create_cluster",
            self.parts,
            about,
            options.call.start(create_cluster::DEADLINE),
            create_cluster::create(&self.parts, cluster, &options)
        )
        .await
    }
}
