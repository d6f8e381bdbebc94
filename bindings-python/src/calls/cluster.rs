//! Clusters, and what runs in them.

use super::Calls;
use crate::{
    argument::{self, Count, Listening, Parsed, Span, set},
    call::Call,
    cluster::{Applied, CreatedCluster, Kubeconfig, MergedKubeconfig, Pods, Rollout},
    error::to_py,
    word::Word,
};
use aks_acr::{
    Access, ApplyOptions, ClusterRef, ClusterTier, CreateClusterOptions, KubeconfigOptions, Manifest,
    MergeKubeconfigOptions, OnExistingEntry, PodSelection, RegistryRef, RolloutOptions, SubscriptionId, WorkloadRef,
};
use pyo3::prelude::*;
use std::path::PathBuf;

#[pymethods]
impl Calls {
    /// Makes a cluster whose nodes can pull from `registries`, unless there is one of that name in the group: that one is
    /// left as it is, the registries are attached, and `differences` say in what it is not what was asked for.
    ///
    /// The grants are made as soon as the cluster shows its kubelet identity, beside the creation. Called again while the
    /// cluster is being made, it waits for that one.
    ///
    /// By default it is in the group's region, of the tier `Free`, with 3 nodes of a size and a version of Kubernetes that
    /// Azure chooses. `ssh_key` is the text of a public key, whose owner may sign in to the nodes; `ssh_key_file` instead of it is the
    /// path of the private half of a pair, which is made where it is missing; nobody may by default. `register_providers` has `Microsoft.ContainerService` registered where
    /// the subscription has not done so, and no other resource provider. The deadline is 60 minutes by default.
    ///
    /// A quota that is used up, or a size that a region does not have, has no class of its own. What Azure refuses at once is an
    /// `InvalidInputError`, a `ForbiddenError` without a `missing_action` or a `ConflictError`, by its status; what it finds at
    /// work is an `OperationFailedError`. Azure's own word is the `code`, such as `QuotaExceeded` or `SkuNotAvailable`; no such
    /// answer was recorded, so the list is not complete. The caller's right to make the grants shows only when they are made.
    ///
    /// Raises:
    ///     InvalidInputError: If an option cannot be, or the service does not have that size or version.
    ///     NotFoundError: If the group or a registry is absent, before anything is made.
    ///     ConflictError: If the cluster is being deleted.
    ///     NotRegisteredError: If the subscription has not registered the resource provider, and `register_providers` does not ask
    ///         for it.
    ///     ForbiddenError: If the caller may not.
    ///     OperationFailedError: If Azure could not make it, now or at an earlier try.
    #[pyo3(signature = (cluster, *, registries = None, location = None, node_count = None, vm_size = None,
        kubernetes_version = None, tier = None, ssh_key = None, ssh_key_file = None, register_providers = None, deadline = None, on_progress = None))]
    fn create_cluster(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        registries: Option<Vec<Parsed<RegistryRef>>>,
        location: Option<String>,
        node_count: Option<Count>,
        vm_size: Option<String>,
        kubernetes_version: Option<String>,
        tier: Option<Word<ClusterTier>>,
        ssh_key: Option<String>,
        ssh_key_file: Option<PathBuf>,
        register_providers: Option<bool>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = CreateClusterOptions::default();
        options.registries = registries.into_iter().flatten().map(|Parsed(registry)| registry).collect();
        options.location = location;
        set(&mut options.node_count, Count::named(node_count, py, "node_count")?);
        options.vm_size = vm_size;
        options.kubernetes_version = kubernetes_version;
        set(&mut options.tier, tier.map(|Word(tier)| tier));
        set(&mut options.ssh_key, argument::ssh_key(ssh_key, ssh_key_file)?);
        set(&mut options.register_providers, register_providers);
        Ok(Call::new::<CreatedCluster, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.create_cluster(&cluster.0, options.with_call(call)).await
        }))
    }

    /// A cluster's kubeconfig, as a value: no file is written and no program is started.
    ///
    /// It is what Azure gives. On a cluster with Entra its user is an entry that starts the program `kubelogin`, which kubectl
    /// then needs; `apply`, `wait_for_rollout` and `pods` do not.
    ///
    /// `public_fqdn` enters a private cluster by its public name. `context` names context and cluster; the user gets the name that
    /// Azure gives it, followed by this one. By default all have Azure's names. The deadline is 2 minutes by default.
    ///
    /// Raises:
    ///     NotFoundError: If there is no such cluster.
    ///     ForbiddenError: If the caller may not have it.
    ///     InvalidInputError: If `access` is `admin` and local accounts are switched off, or for a context's name that
    ///         cannot be one.
    #[pyo3(signature = (cluster, *, access = None, public_fqdn = None, context = None, deadline = None, on_progress = None))]
    fn kubeconfig(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        access: Option<Word<Access>>,
        public_fqdn: Option<bool>,
        context: Option<String>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = kubeconfig_options(access, public_fqdn, context);
        let work = move |call| async move { client.kubeconfig(&cluster.0, options.with_call(call)).await };
        Ok(Call::converting(self.0.manner(py, deadline, on_progress)?, work, |kubeconfig| {
            Ok(Kubeconfig::from(kubeconfig))
        }))
    }

    /// Puts a cluster's context, cluster and user into a kubeconfig file, of which every other byte stays: `~/.kube/config`,
    /// or where `KUBECONFIG` says, or `file`. A second run changes nothing.
    ///
    /// The file is replaced whole or not at all, under the lock that kubectl takes; others who hold that are waited for
    /// `lock_wait`, 10 seconds by default. Other entries of the same names stay, unless `on_existing_entry` is `replace`. The context
    /// becomes the current one, unless `set_current` says no. An administrator's context always ends in `-admin`, also where
    /// `context` names it. On a cluster with Entra, kubectl needs `kubelogin` for what is merged. The deadline is 2 minutes by
    /// default.
    ///
    /// Raises:
    ///     NotFoundError: If there is no such cluster.
    ///     ForbiddenError: If the caller may not have its kubeconfig, or the file may not be written.
    ///     ConflictError: If the file has other entries of these names, if others held its lock too long, or if it changed
    ///         meanwhile.
    ///     InvalidInputError: If the file has a form in which nothing can be put safely, and what `kubeconfig` raises.
    ///     UnavailableError: If the system could not, as on a full disk. Nothing is changed then, unless the
    ///         error names a file that is `changed by then`: the second of two of `KUBECONFIG` could not be replaced.
    #[pyo3(signature = (cluster, *, access = None, public_fqdn = None, context = None, file = None, on_existing_entry = None,
        set_current = None, lock_wait = None, deadline = None, on_progress = None))]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword of Python's")]
    fn merge_kubeconfig(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        access: Option<Word<Access>>,
        public_fqdn: Option<bool>,
        context: Option<String>,
        file: Option<PathBuf>,
        on_existing_entry: Option<Word<OnExistingEntry>>,
        set_current: Option<bool>,
        lock_wait: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = MergeKubeconfigOptions::default();
        options.kubeconfig = kubeconfig_options(access, public_fqdn, context);
        options.file = file;
        set(&mut options.on_existing_entry, on_existing_entry.map(|Word(on_existing_entry)| on_existing_entry));
        set(&mut options.set_current, set_current);
        set(&mut options.lock_wait, Span::named(lock_wait, py, "lock_wait")?);
        Ok(Call::new::<MergedKubeconfig, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.merge_kubeconfig(&cluster.0, options.with_call(call)).await
        }))
    }

    /// Makes a cluster's objects what manifests say, by server-side apply, as the field manager `aks-acr`.
    ///
    /// `manifests` is YAML with any number of documents, or JSON. Wherever the host `<acr-name>.azurecr.io` stands in an object, it
    /// becomes the login server of `registry`; the `data` of an object, labels, annotations and descriptions are left alone. `force` takes
    /// fields over from other field managers; with `dry_run` the cluster only says what it would do. Objects are applied in their
    /// order: where one fails, those before it stay applied; run again, it goes on from there. The deadline is 5 minutes by
    /// default.
    ///
    /// Raises:
    ///     InvalidInputError: If there is a placeholder and no registry to put there, or an object does not fit its schema or is
    ///         too large.
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
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let manifests = Manifest::parse_all(manifests).map_err(|err| to_py(py, &err))?;
        let mut options = ApplyOptions::default();
        options.registry = registry.map(|Parsed(registry)| registry);
        set(&mut options.namespace, namespace);
        set(&mut options.force, force);
        set(&mut options.dry_run, dry_run);
        Ok(Call::new::<Vec<Applied>, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.apply(&cluster.0, manifests, options.with_call(call)).await
        }))
    }

    /// Waits until every replica of a deployment runs; it starts nothing. Only for the kind `Deployment`. A cause that does not
    /// pass ends it at once, and is told.
    ///
    /// `propagation_timeout` is how long a grant that is there may take to become effective, counted from the first pull that the
    /// registry refuses, 10 minutes by default. The deadline, 15 minutes by default, bounds that too.
    ///
    /// When a registry refuses a pull, its role assignments are read, to tell a missing one from one that is not effective yet. It is
    /// searched in the client's subscription, the cluster's and `subscriptions`, by default in all that the caller can see; `registry`
    /// names it by its resource id instead.
    ///
    /// Raises:
    ///     PullFailedError: If an image cannot be pulled and waiting does not help, with `pull_failure`.
    ///     DeadlineExceededError: If it took too long, with how far it was, and with the `pull_failure` that stood in the way at
    ///         the end, if one did.
    ///     OperationFailedError: If Kubernetes gives the rollout up.
    ///     NotFoundError: If there is no such deployment.
    #[pyo3(signature = (cluster, workload, *, namespace = None, registry = None, subscriptions = None, propagation_timeout = None,
        deadline = None, on_progress = None))]
    #[expect(clippy::too_many_arguments, reason = "they are options by name in Python")]
    fn wait_for_rollout(
        &self,
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        workload: Parsed<WorkloadRef>,
        namespace: Option<String>,
        registry: Option<Parsed<RegistryRef>>,
        subscriptions: Option<Vec<Parsed<SubscriptionId>>>,
        propagation_timeout: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let Parsed(mut workload) = workload;
        set(&mut workload.namespace, namespace);
        let mut options = RolloutOptions::default();
        options.registry = registry.map(|Parsed(registry)| registry);
        options.subscriptions = subscriptions.into_iter().flatten().map(|Parsed(subscription)| subscription).collect();
        set(&mut options.propagation_timeout, Span::named(propagation_timeout, py, "propagation_timeout")?);
        Ok(Call::new::<Rollout, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.wait_for_rollout(&cluster.0, &workload, options.with_call(call)).await
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
        py: Python<'_>,
        cluster: Parsed<ClusterRef>,
        namespace: Option<String>,
        labels: Option<String>,
        deadline: Option<Span>,
        on_progress: Option<Listening>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut selection = PodSelection::default();
        set(&mut selection.namespace, namespace);
        selection.labels = labels;
        Ok(Call::new::<Pods, _, _>(self.0.manner(py, deadline, on_progress)?, move |call| async move {
            client.pods(&cluster.0, &selection, call).await
        }))
    }
}

fn kubeconfig_options(
    access: Option<Word<Access>>,
    public_fqdn: Option<bool>,
    context: Option<String>,
) -> KubeconfigOptions {
    let mut options = KubeconfigOptions::default();
    set(&mut options.access, access.map(|Word(access)| access));
    set(&mut options.public_fqdn, public_fqdn);
    options.context = context;
    options
}
