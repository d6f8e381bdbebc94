//! Clusters, and what runs in them.

use super::Calls;
use crate::{
    argument::{Parsed, Span, SshKeyArgument, set},
    call::Call,
    cluster::{Applied, CreatedCluster, Kubeconfig, Pods, RollOut},
    error::to_py,
    word::Word,
};
use aks_acr::{
    Access, ApplyOptions, ClusterRef, ClusterTier, CreateClusterOptions, Deployment, KubeconfigOptions, Manifest,
    PodSelection, RegistryRef, RollOutOptions,
};
use pyo3::prelude::*;

#[pymethods]
impl Calls {
    /// Makes a cluster whose nodes can pull from `registries`, unless there is one of that name in the group: that one is
    /// left as it is, the registries are attached, and `differences` say in what it is not what was asked for.
    ///
    /// The grants are made as soon as the cluster shows its kubelet identity, beside the creation. Called again while the
    /// cluster is being made, it waits for that one.
    ///
    /// By default it is in the group's region, of the tier `Free`, with 3 nodes of a size and a version of Kubernetes that
    /// Azure chooses. `ssh_key` says who may sign in to the nodes: a public key as text, or a path of the private half of a
    /// pair, which is made where it is missing; nobody by default. `register` has the resource provider registered where
    /// the subscription has not done so. The deadline is 60 minutes by default.
    ///
    /// Raises:
    ///     InvalidInputError: If an option cannot be, or the service does not have that size or version.
    ///     NotFoundError: If the group or a registry is absent, before anything is made.
    ///     ConflictError: If the cluster is being deleted.
    ///     NotRegisteredError: If the subscription has not registered the resource provider, and `register` does not ask
    ///         for it.
    ///     ForbiddenError: If the caller may not.
    ///     OperationFailedError: If Azure could not make it, now or at an earlier try.
    #[pyo3(signature = (cluster, *, registries = None, location = None, node_count = None, vm_size = None,
        kubernetes_version = None, tier = None, ssh_key = None, register = None, deadline = None, on_progress = None))]
    fn create_cluster(
        &self,
        cluster: Parsed<ClusterRef>,
        registries: Option<Vec<Parsed<RegistryRef>>>,
        location: Option<String>,
        node_count: Option<u32>,
        vm_size: Option<String>,
        kubernetes_version: Option<String>,
        tier: Option<Word<ClusterTier>>,
        ssh_key: Option<SshKeyArgument>,
        register: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = CreateClusterOptions::default();
        options.registries = registries.into_iter().flatten().map(|Parsed(registry)| registry).collect();
        options.location = location;
        set(&mut options.node_count, node_count);
        options.vm_size = vm_size;
        options.kubernetes_version = kubernetes_version;
        set(&mut options.tier, tier.map(|Word(tier)| tier));
        set(&mut options.ssh_key, ssh_key.map(|SshKeyArgument(key)| key));
        set(&mut options.register, register);
        Ok(Call::new::<CreatedCluster, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.create_cluster(&cluster.0, options.with_call(call)).await
        }))
    }

    /// A cluster's kubeconfig, as a value: no file is written and no program is started.
    ///
    /// Raises:
    ///     NotFoundError: If there is no such cluster.
    ///     ForbiddenError: If the caller may not have it.
    ///     InvalidInputError: If `access` is `admin` and local accounts are switched off.
    #[pyo3(signature = (cluster, *, access = None, deadline = None, on_progress = None))]
    fn kubeconfig(
        &self,
        cluster: Parsed<ClusterRef>,
        access: Option<Word<Access>>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = KubeconfigOptions::default();
        options.mode.access = access.map(|Word(access)| access).unwrap_or_default();
        let work = move |call| async move { client.kubeconfig(&cluster.0, options.with_call(call)).await };
        Ok(Call::converting(self.0.manner(deadline, on_progress), work, |kubeconfig| Ok(Kubeconfig::from(kubeconfig))))
    }

    /// Makes a cluster's objects what manifests say, by server-side apply.
    ///
    /// `manifests` is YAML with any number of documents, or JSON. In the fields that name images, the host `<acr-
    /// name>.azurecr.io` becomes the login server of `registry`. `force` takes fields over from other field managers; with
    /// `dry_run` the cluster only says what it would do. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     InvalidInputError: If an image has a placeholder and there is no registry to put there, or Kubernetes refuses
    ///         an object.
    ///     NotFoundError: If the cluster does not know a kind, or cluster or registry are absent.
    ///     ConflictError: If another field manager owns a field.
    ///     ForbiddenError: If the caller may not write an object.
    #[pyo3(signature = (cluster, manifests, *, registry = None, namespace = None, force = None, dry_run = None,
        deadline = None, on_progress = None))]
    fn apply(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        manifests: &str,
        registry: Option<Parsed<RegistryRef>>,
        namespace: Option<String>,
        force: Option<bool>,
        dry_run: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let manifests = Manifest::parse_all(manifests).map_err(|err| to_py(py, &err))?;
        let mut options = ApplyOptions::default();
        options.registry = registry.map(|Parsed(registry)| registry);
        set(&mut options.mode.namespace, namespace);
        set(&mut options.mode.force, force);
        set(&mut options.mode.dry_run, dry_run);
        Ok(Call::new::<Vec<Applied>, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.apply(&cluster.0, manifests, options.with_call(call)).await
        }))
    }

    /// Waits until every replica of a deployment runs. A cause that does not pass ends it at once, and is told.
    ///
    /// `propagation` is how long a grant that is there may take to become effective, 10 minutes by default. The deadline
    /// is 15 minutes by default.
    ///
    /// Raises:
    ///     PullFailedError: If an image cannot be pulled and waiting does not help, with `pull_failure`.
    ///     DeadlineExceededError: If it took too long, with how far it was.
    ///     OperationFailedError: If Kubernetes gives the roll-out up.
    ///     NotFoundError: If there is no such deployment.
    #[pyo3(signature = (cluster, deployment, *, namespace = None, propagation = None, deadline = None, on_progress = None))]
    fn roll_out(
        &self,
        cluster: Parsed<ClusterRef>,
        deployment: String,
        namespace: Option<String>,
        propagation: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut deployment = Deployment::new(deployment);
        set(&mut deployment.namespace, namespace);
        let mut options = RollOutOptions::default();
        set(&mut options.propagation, propagation.map(|Span(propagation)| propagation));
        Ok(Call::new::<RollOut, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.roll_out(&cluster.0, &deployment, options.with_call(call)).await
        }))
    }

    /// The pods of a namespace, as values and, by `str()`, as the table that kubectl prints.
    ///
    /// Raises:
    ///     NotFoundError: If there is no such cluster.
    ///     ForbiddenError: If the caller may not list them.
    ///     InvalidInputError: If the namespace cannot be one.
    #[pyo3(signature = (cluster, *, namespace = None, labels = None, deadline = None, on_progress = None))]
    fn pods(
        &self,
        cluster: Parsed<ClusterRef>,
        namespace: Option<String>,
        labels: Option<String>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut selection = PodSelection::default();
        set(&mut selection.namespace, namespace);
        selection.labels = labels;
        Ok(Call::new::<Pods, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.pods(&cluster.0, &selection, call).await
        }))
    }
}
