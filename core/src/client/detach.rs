//! The façade of detaching.

use super::Client;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::{
    cluster::ClusterRef,
    error::Result,
    operation::{
        detach::{self, ApplyDetachOptions, DetachOptions, DetachPlan, Detachment},
        span::{About, operation},
    },
    registry::RegistryRef,
};

impl Client {
    /// Takes back what lets a cluster's nodes pull from a registry: the direct grants of the two roles that
    /// [`attach`](Self::attach) gives. The cluster is never written, and nothing above the registry is touched.
    ///
    /// Each of the grants is tried, also where another is refused: an error names those that are gone, and running it again goes on with the rest.
    /// What still gives access is in the answer. Where there is nothing to remove, nothing is written and the outcome says so. With a
    /// registry by resource id it is 3 requests, 2 deep; again it is 2, 1 deep.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the cluster, its kubelet identity or the registry does not exist: a deleted cluster's
    /// grants are removed by [`DetachOptions::with_principal_id`]; [`Forbidden`](ErrorKind::Forbidden) if the caller may not list the
    /// grants or not remove one, with the missing action, or if a lock keeps one ([`RefusalKind::Lock`](crate::RefusalKind::Lock));
    /// [`Unsupported`](ErrorKind::Unsupported) for a cluster with a service principal whose object id is not given.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOptions, Client, ClusterRef, DetachOptions, DetachOutcome};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// let (cluster, registry) = (ClusterRef::new("group", "dev")?, "myregistry".parse()?);
    /// client.attach(&cluster, &registry, AttachOptions::default()).await?;
    /// let detachment = client.detach(&cluster, &registry, DetachOptions::default()).await?;
    /// assert_eq!((detachment.outcome, detachment.removed.len()), (DetachOutcome::Removed, 1));
    /// assert!(detachment.remaining.is_empty());
    /// let again = client.detach(&cluster, &registry, DetachOptions::default()).await?;
    /// assert_eq!(again.outcome, DetachOutcome::NothingToRemove);
    /// # Ok(()) }
    /// ```
    pub async fn detach(
        &self,
        cluster: &ClusterRef,
        registry: &RegistryRef,
        options: DetachOptions,
    ) -> Result<Detachment> {
        operation!(
            "detach",
            self.parts,
            About::both(cluster, registry),
            options.call.start(detach::DEADLINE),
            detach::detach(&self.parts, cluster, registry, &options)
        )
        .await
    }

    /// Says what [`detach`](Self::detach) would remove, and writes nothing. It needs read rights only.
    ///
    /// # Errors
    /// Those of [`detach`](Self::detach), but for a refusal to write.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{ApplyDetachOptions, AttachOptions, Client, ClusterRef, DetachOptions};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # let (cluster, registry) = (ClusterRef::new("group", "dev")?, "myregistry".parse()?);
    /// # client.attach(&cluster, &registry, AttachOptions::default()).await?;
    /// let plan = client.plan_detach(&cluster, &registry, DetachOptions::default()).await?;
    /// assert!(plan.to_string().starts_with("- AcrPull on myregistry for group/dev (kubelet "));
    /// client.apply_detach(&plan, ApplyDetachOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    pub async fn plan_detach(
        &self,
        cluster: &ClusterRef,
        registry: &RegistryRef,
        options: DetachOptions,
    ) -> Result<DetachPlan> {
        operation!(
            "plan_detach",
            self.parts,
            About::both(cluster, registry),
            options.call.start(detach::DEADLINE),
            detach::plan(&self.parts, cluster, registry, &options)
        )
        .await
    }

    /// Removes what a plan says, after another look: what is gone by then is no hindrance, but if more would be removed, nothing is.
    /// The plan carries the options that it was made with; it is good for an hour. Each grant is tried, also where another is refused: an
    /// error names those that are gone, and running it again goes on with the rest.
    ///
    /// # Errors
    /// Those of [`detach`](Self::detach); [`Conflict`](ErrorKind::Conflict) if the plan has expired or more would be removed;
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is of another version.
    ///
    /// # Examples
    /// See [`plan_detach`](Self::plan_detach).
    pub async fn apply_detach(&self, plan: &DetachPlan, options: ApplyDetachOptions) -> Result<Detachment> {
        operation!(
            "apply_detach",
            self.parts,
            About::both(&plan.cluster, &plan.registry),
            options.call.start(detach::DEADLINE),
            detach::apply_plan(&self.parts, plan, &options)
        )
        .await
    }
}
