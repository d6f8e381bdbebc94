//! The façade: one method an operation, no logic.

mod builder;
mod operations;
mod parts;

pub use builder::ClientBuilder;

use crate::operation::Parts;
use azure_core::credentials::TokenCredential;
use std::sync::Arc;

/// Joins registries and clusters of one Azure subscription, as one caller. Cheap to clone.
///
/// Dropping a future of it stops our waiting, not what Azure has begun.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
/// use aks_acr::{AttachOptions, AttachOutcome, Client, ClusterRef};
/// use aks_acr_emulator::Emulator;
///
/// let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
/// let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
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
    /// Begins a client for a subscription, as the caller whom the credential stands for.
    #[must_use]
    pub fn builder(credential: Arc<dyn TokenCredential>, subscription: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Some(credential), subscription.into())
    }
}
