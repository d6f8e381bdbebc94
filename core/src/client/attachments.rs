//! The façade of looking at what is attached, and at what there is.

use super::Client;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::{
    cluster::ClusterRef,
    error::Result,
    operation::{
        attachments::{self, AttachmentsOptions, ClusterAttachments, RegistryAttachments},
        span::{About, operation},
    },
    registry::RegistryRef,
};

impl Client {
    /// Which registries a cluster's nodes can pull from, and by which grants, inherited ones included.
    ///
    /// It looks in the client's subscription and the cluster's; name further ones in the options. What the identity has through
    /// Entra groups is among them. [`ask_directory`](AttachmentsOptions::ask_directory) has no effect here. Who pulls for a cluster with
    /// a service principal Azure does not tell: look at the registry, by [`attachments_of_registry`](Self::attachments_of_registry).
    /// It is 3 requests, 2 deep, for each subscription 2 more.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the cluster or its kubelet identity does not exist;
    /// [`Forbidden`](ErrorKind::Forbidden) if the caller may not read the cluster or not list role assignments in a subscription;
    /// [`Unsupported`](ErrorKind::Unsupported) for a cluster with a service principal.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOptions, AttachmentsOptions, Client, ClusterRef};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # let cluster = ClusterRef::new("group", "dev")?;
    /// # client.attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await?;
    /// let attachments = client.attachments_of_cluster(&cluster, AttachmentsOptions::default()).await?;
    /// assert_eq!(attachments.grants[0].registry.name(), "myregistry");
    /// # Ok(()) }
    /// ```
    pub async fn attachments_of_cluster(
        &self,
        cluster: &ClusterRef,
        options: AttachmentsOptions,
    ) -> Result<ClusterAttachments> {
        operation!(
            "attachments_of_cluster",
            self.parts,
            About::cluster(cluster),
            options.call.start(attachments::DEADLINE),
            attachments::of_cluster(&self.parts, cluster, &options)
        )
        .await
    }

    /// Who can pull from a registry, and by which grants, inherited ones included; the kubelet identities of clusters are named.
    ///
    /// Whether a principal still exists is known for those only, unless the directory is asked
    /// ([`AttachmentsOptions::ask_directory`]). By resource id it is 3 requests, 1 deep,
    /// one more for each subscription and for each role that is not one of the usual built-in ones.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the registry does not exist; [`Forbidden`](ErrorKind::Forbidden) if the caller may not
    /// read it or not list its role assignments, or may not ask the directory and it was to be asked.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOptions, AttachmentsOptions, Client, ClusterRef};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # let registry = "myregistry".parse()?;
    /// # client.attach(&ClusterRef::new("group", "dev")?, &registry, AttachOptions::default()).await?;
    /// let attachments = client.attachments_of_registry(&registry, AttachmentsOptions::default()).await?;
    /// assert_eq!(attachments.grants[0].clusters[0].name(), "dev");
    /// # Ok(()) }
    /// ```
    pub async fn attachments_of_registry(
        &self,
        registry: &RegistryRef,
        options: AttachmentsOptions,
    ) -> Result<RegistryAttachments> {
        operation!(
            "attachments_of_registry",
            self.parts,
            About::registry(registry),
            options.call.start(attachments::DEADLINE),
            attachments::of_registry(&self.parts, registry, &options)
        )
        .await
    }
}
