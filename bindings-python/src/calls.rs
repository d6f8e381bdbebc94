//! The operations, each as a call that has not begun.

use crate::{
    argument::{Parsed, Span, set},
    attach::{AttachPlan, Attachment},
    call::Call,
    client::Held,
    cloud::Cloud,
    cluster::{Applied, Kubeconfig, Pods, RollOut},
    error::to_py,
    identity::ClusterIdentities,
    import::Import,
    record::send_to_logging,
    registry::{CreatedRegistry, Registry},
    value::through_json,
    word::Word,
};
use aks_acr::{
    Access, ApplyOptions, AttachOptions, ClusterRef, CreateRegistryOptions, Deployment, ExistingTag, ImageReference,
    ImportOptions, InheritedGrant, KubeconfigOptions, Manifest, OtherCondition, PodSelection, PrincipalId, RegistryRef,
    RoleAssignmentMode, RollOutOptions, Sku,
};
use pyo3::prelude::*;

/// The operations of a client. Each method gives a call that has not begun.
#[pyclass(frozen, module = "aks_acr._native")]
pub struct Calls(Held);

#[pymethods]
impl Calls {
    #[new]
    #[pyo3(signature = (credential, subscription_id, *, cloud = None, proxy = None, ca = None))]
    fn new(
        py: Python<'_>,
        credential: Option<Bound<'_, PyAny>>,
        subscription_id: &str,
        cloud: Option<Cloud>,
        proxy: Option<&str>,
        ca: Option<&str>,
    ) -> PyResult<Self> {
        send_to_logging(py)?;
        Held::new(py, credential, subscription_id, cloud.unwrap_or_default(), proxy, ca).map(Self)
    }

    /// The subscription in which names are looked up.
    #[getter]
    fn subscription_id(&self) -> &str {
        &self.0.subscription_id
    }

    /// The cloud's name, or the address of its Resource Manager.
    #[getter]
    fn cloud(&self) -> &str {
        &self.0.cloud
    }

    /// Cancels the calls that are under way and lets go of connections and credential.
    fn close(&self) {
        self.0.close();
    }

    /// Finds a cluster's identities, the one that pulls images among them.
    ///
    /// Raises:
    ///     NotFoundError: If there is no such cluster.
    ///     ForbiddenError: If the caller may not read it.
    #[pyo3(signature = (cluster, *, deadline = None, on_progress = None))]
    fn identities(
        &self,
        cluster: Parsed<ClusterRef>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        Ok(Call::new::<ClusterIdentities, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.identities(&cluster.0, call).await
        }))
    }

    /// Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, none where it is
    /// there already, and never the cluster.
    ///
    /// `registry` is a name, a login server or a resource id; with an id it is 4 requests, 2 deep.
    ///
    /// `principal` is who gets the grant, where that is not the cluster's kubelet identity. `condition` narrows the grant,
    /// on registries whose permissions are on repositories. `inherited` says what is done where a scope above gives the
    /// role already, `other_condition` what is done where it is there with another condition. A refusal is tried again for
    /// `retry_refused`, not at all by default. The deadline is 5 minutes by default.
    ///
    /// Raises:
    ///     NotFoundError: If the cluster, its kubelet identity or the registry does not exist.
    ///     ForbiddenError: If the caller may not read them or not write the grant, with `missing_action` and
    ///         `smallest_role`.
    ///     InvalidInputError: If a condition would have no effect.
    ///     UnsupportedError: If the cluster has a service principal whose object id is not given.
    #[pyo3(signature = (cluster, registry, *, principal = None, condition = None, inherited = None, other_condition = None,
        retry_refused = None, deadline = None, on_progress = None))]
    fn attach(
        &self,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal: Option<Parsed<PrincipalId>>,
        condition: Option<String>,
        inherited: Option<Word<InheritedGrant>>,
        other_condition: Option<Word<OtherCondition>>,
        retry_refused: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attach_options(principal, condition, inherited, other_condition, retry_refused);
        Ok(Call::new::<Attachment, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.attach(&cluster.0, &registry.0, options.with_call(call)).await
        }))
    }

    /// Says what `attach` would do, and writes nothing. It needs read rights only.
    ///
    /// Its arguments are those of `attach`.
    ///
    /// Raises:
    ///     AksAcrError: Those of `attach`, but for a refusal to write.
    #[pyo3(signature = (cluster, registry, *, principal = None, condition = None, inherited = None, other_condition = None,
        retry_refused = None, deadline = None, on_progress = None))]
    fn plan_attach(
        &self,
        cluster: Parsed<ClusterRef>,
        registry: Parsed<RegistryRef>,
        principal: Option<Parsed<PrincipalId>>,
        condition: Option<String>,
        inherited: Option<Word<InheritedGrant>>,
        other_condition: Option<Word<OtherCondition>>,
        retry_refused: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let options = attach_options(principal, condition, inherited, other_condition, retry_refused);
        Ok(Call::new::<AttachPlan, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.plan_attach(&cluster.0, &registry.0, options.with_call(call)).await
        }))
    }

    /// Does what a plan says, after another look: where something else would be done by now, nothing is written.
    ///
    /// Give the options that the plan was made with.
    ///
    /// Raises:
    ///     ConflictError: If the plan has expired or no longer fits.
    ///     InvalidInputError: If it is of another version.
    ///     AksAcrError: Those of `attach`.
    #[pyo3(signature = (plan, *, principal = None, condition = None, inherited = None, other_condition = None,
        retry_refused = None, deadline = None, on_progress = None))]
    fn apply_attach(
        &self,
        plan: &Bound<'_, AttachPlan>,
        principal: Option<Parsed<PrincipalId>>,
        condition: Option<String>,
        inherited: Option<Word<InheritedGrant>>,
        other_condition: Option<Word<OtherCondition>>,
        retry_refused: Option<Span>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let plan: aks_acr::AttachPlan = through_json(plan.get())?;
        let options = attach_options(principal, condition, inherited, other_condition, retry_refused);
        Ok(Call::new::<Attachment, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.apply_attach(&plan, options.with_call(call)).await
        }))
    }

    /// Finds a registry by name, login server or resource id. `None` if there is none.
    ///
    /// Raises:
    ///     ForbiddenError: If the caller may not read it.
    ///     InvalidInputError: If it is the login server of another cloud.
    #[pyo3(signature = (registry, *, deadline = None, on_progress = None))]
    fn registry(
        &self,
        registry: Parsed<RegistryRef>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        Ok(Call::new::<Option<Registry>, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.registry(&registry.0, call).await
        }))
    }

    /// Makes a registry, unless there is one of that name in the group: that one is left as it is.
    ///
    /// By default it is in the group's region, of the tier `Basic`, with permissions on the whole registry. The deadline
    /// is 10 minutes by default.
    ///
    /// Raises:
    ///     InvalidInputError: If the name cannot be one.
    ///     ConflictError: If the name is taken elsewhere in the cloud.
    ///     NotFoundError: If there is no such group.
    ///     ForbiddenError: If the caller may not.
    ///     OperationFailedError: If Azure could not.
    #[pyo3(signature = (group, name, *, location = None, sku = None, mode = None, deadline = None, on_progress = None))]
    fn create_registry(
        &self,
        group: String,
        name: String,
        location: Option<String>,
        sku: Option<Word<Sku>>,
        mode: Option<Word<RoleAssignmentMode>>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = CreateRegistryOptions::default();
        options.location = location;
        set(&mut options.sku, sku.map(|Word(sku)| sku));
        set(&mut options.mode, mode.map(|Word(mode)| mode));
        Ok(Call::new::<CreatedRegistry, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.create_registry(&group, &name, options.with_call(call)).await
        }))
    }

    /// Copies an image into a registry: Azure does it, and what arrived is compared with the source.
    ///
    /// The source's digest is read first, where it can be, and it is what is imported. A second run with an equal image
    /// copies nothing and succeeds. `target` is `repository:tag`, by default the source's; `existing` says what happens to
    /// a tag that exists. The deadline is 30 minutes by default.
    ///
    /// Raises:
    ///     InvalidInputError: If the target cannot be one, or the source is in another cloud.
    ///     NotFoundError: If the registry or the source does not exist.
    ///     ConflictError: If the tag has another image.
    ///     ForbiddenError: If the caller may not import, or the source may not be read.
    ///     RateLimitedError: If the source throttles.
    ///     OperationFailedError: If Azure could not copy it.
    #[pyo3(signature = (registry, source, *, target = None, existing = None, deadline = None, on_progress = None))]
    fn import_image(
        &self,
        registry: Parsed<RegistryRef>,
        source: Parsed<ImageReference>,
        target: Option<String>,
        existing: Option<Word<ExistingTag>>,
        deadline: Option<Span>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let client = self.0.client()?;
        let mut options = ImportOptions::default();
        options.target = target;
        set(&mut options.existing, existing.map(|Word(existing)| existing));
        Ok(Call::new::<Import, _, _>(self.0.manner(deadline, on_progress), move |call| async move {
            client.import_image(&registry.0, &source.0, options.with_call(call)).await
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

fn attach_options(
    principal: Option<Parsed<PrincipalId>>,
    condition: Option<String>,
    inherited: Option<Word<InheritedGrant>>,
    other_condition: Option<Word<OtherCondition>>,
    retry_refused: Option<Span>,
) -> AttachOptions {
    let mut options = AttachOptions::default();
    options.principal = principal.map(|Parsed(principal)| principal);
    options.condition = condition;
    set(&mut options.inherited, inherited.map(|Word(inherited)| inherited));
    set(&mut options.other_condition, other_condition.map(|Word(other)| other));
    options.retry_refused = retry_refused.map(|Span(time)| time);
    options
}
