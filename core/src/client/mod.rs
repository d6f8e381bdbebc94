//! The public entry point: one method per operation, no logic.

mod builder;
mod operations;
mod parts;

pub use builder::ClientBuilder;

use crate::operation::Parts;
use azure_core::credentials::TokenCredential;
use std::sync::Arc;

/// The entry point: gives clusters access to registries, in one Azure subscription. Cheap to clone.
///
/// Dropping a future stops waiting; operations that Azure has already started keep running.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
/// use aks_acr::{AttachOptions, AttachOutcome, Client, ClusterRef};
/// use aks_acr_emulator::Emulator;
///
/// let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
/// let client = Client::builder(azure.credential(), azure.subscription())
///     .transport(azure.transport())
///     .kubernetes(azure.kubernetes())
///     .build()?;
/// let cluster = ClusterRef::new("group", "dev")?;
/// let attachment = client.attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await?;
/// assert_eq!(attachment.outcome, AttachOutcome::Granted);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    parts: Arc<Parts>,
}

impl Client {
    /// Creates a builder for a subscription and a credential.
    #[must_use]
    pub fn builder(credential: Arc<dyn TokenCredential>, subscription: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Some(credential), subscription.into())
    }
}
