//! What takes grants back, and what looks at them.

use super::Calls;
use crate::{
    argument::{Listening, Parsed, Span, set},
    attachments::{ClusterAttachments, RegistryAttachments},
    call::Call,
    detach::{DetachPlan, Detachment},
    value::through_json,
};
use aks_acr::{
    ApplyDetachOptions, AttachmentsOptions, ClusterRef, DetachOptions, PrincipalId, RegistryRef, SubscriptionId,
};
use pyo3::prelude::*;

#[pymethods]
impl Calls {
    /// Takes back what lets a cluster's nodes pull from a registry: the direct grants of the two roles that `attach` gives.
    /// The cluster is never written, and nothing above the registry is touched.
    ///
    /// What still gives access is in the answer. Where there is nothing to remove, nothing is written and the outcome says so.
    ///
    /// `principal_id` is whose grant is removed, where that is not the cluster's kubelet identity; the cluster is not looked at
    /// then, so it can be one that was deleted. `only_created_by_aks_acr` leaves alone what others made, such as Terraform. The deadline is
    /// 5 minutes by default.
    ///
    /// Raises:
    ///     NotFoundError: If the cluster, its kubelet identity or the registry does not exist.
    ///     ForbiddenError: If the caller may not list the grants or not remove one, with `missing_action`; or a lock keeps one.
    ///     UnsupportedError: If the cluster has a service principal whose object id is not given.
    #[pyo3(signature = (cluster, registry, *, principal_id = None, only_created_by_aks_acr = None, deadline = None, on_progress = None))]
    fn detach(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal_id: Option<Parsed<PrincipalId>>,
        only_created_by_aks_acr: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = detach_options(principal_id, only_created_by_aks_acr);
        Ok(Call::new::<Detachment, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.detach(&cluster.0, &registry.0, options.with_call(call)).await
        }))
    }

    /// Says what `detach` would remove, and writes nothing. It needs read rights only.
    ///
    /// Its arguments are those of `detach`.
    ///
    /// Raises:
    ///     AksAcrError: Those of `detach`, but for a refusal to write.
    #[pyo3(signature = (cluster, registry, *, principal_id = None, only_created_by_aks_acr = None, deadline = None, on_progress = None))]
    fn plan_detach(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal_id: Option<Parsed<PrincipalId>>,
        only_created_by_aks_acr: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = detach_options(principal_id, only_created_by_aks_acr);
        Ok(Call::new::<DetachPlan, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.plan_detach(&cluster.0, &registry.0, options.with_call(call)).await
        }))
    }

    /// Removes what a plan says, after another look: what is gone by then is no hindrance, but if more would be removed,
    /// nothing is.
    ///
    /// The plan carries the options that it was made with; it is good for an hour. Each grant is tried, also where another is
    /// refused; running it again goes on with the rest. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     ConflictError: If the plan has expired or more would be removed.
    ///     InvalidInputError: If it is of another version.
    ///     AksAcrError: Those of `detach`.
    #[pyo3(signature = (plan, *, deadline = None, on_progress = None))]
    fn apply_detach(
        &self,
        py: Python<'_>,
        plan: &Bound<'_, DetachPlan>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let plan: aks_acr::DetachPlan = through_json(plan.get())?;
        let options = ApplyDetachOptions::default();
        Ok(Call::new::<Detachment, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.apply_detach(&plan, options.with_call(call)).await
        }))
    }

    /// Which registries a cluster's nodes can pull from, and by which grants, inherited ones included.
    ///
    /// It looks in the client's subscription, the cluster's and `subscriptions`. What the identity has through Entra
    /// groups is among them. `query_graph` has no effect here. Who pulls for a cluster with a service principal Azure does not
    /// tell: look at the registry, by `attachments_of_registry`. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     NotFoundError: If the cluster or its kubelet identity does not exist.
    ///     ForbiddenError: If the caller may not read the cluster or not list role assignments in a subscription.
    ///     UnsupportedError: If the cluster has a service principal.
    #[pyo3(signature = (cluster, *, subscriptions = None, query_graph = None, deadline = None, on_progress = None))]
    fn attachments_of_cluster(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        subscriptions: Option<Vec<Parsed<SubscriptionId>>>,
        query_graph: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attachments_options(subscriptions, query_graph);
        Ok(Call::new::<ClusterAttachments, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.attachments_of_cluster(&cluster.0, options.with_call(call)).await
        }))
    }

    /// Who can pull from a registry, and by which grants, inherited ones included; the kubelet identities of clusters are
    /// named.
    ///
    /// It looks for clusters in the client's subscription, the registry's and `subscriptions`. `query_graph` asks Microsoft
    /// Graph which principals still exist and who the members of groups are, which takes rights there. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     NotFoundError: If the registry does not exist.
    ///     ForbiddenError: If the caller may not read it or not list its role assignments, or may not ask the directory and it
    ///         was to be asked.
    #[pyo3(signature = (registry, *, subscriptions = None, query_graph = None, deadline = None, on_progress = None))]
    fn attachments_of_registry(
        &self,
        py: Python<'_>,
        registry: Parsed<RegistryRef>,
        subscriptions: Option<Vec<Parsed<SubscriptionId>>>,
        query_graph: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attachments_options(subscriptions, query_graph);
        Ok(Call::new::<RegistryAttachments, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.attachments_of_registry(&registry.0, options.with_call(call)).await
        }))
    }
}

fn detach_options(principal_id: Option<Parsed<PrincipalId>>, only_created_by_aks_acr: Option<bool>) -> DetachOptions {
    let mut options = DetachOptions::default();
    options.principal_id = principal_id.map(|Parsed(principal)| principal);
    set(&mut options.only_created_by_aks_acr, only_created_by_aks_acr);
    options
}

fn attachments_options(
    subscriptions: Option<Vec<Parsed<SubscriptionId>>>,
    query_graph: Option<bool>,
) -> AttachmentsOptions {
    let mut options = AttachmentsOptions::default();
    options.subscriptions = subscriptions.into_iter().flatten().map(|Parsed(subscription)| subscription).collect();
    set(&mut options.query_graph, query_graph);
    options
}
