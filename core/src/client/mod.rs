//! The façade: one method an operation, no logic.

mod attachments;
mod builder;
mod create;
mod detach;
mod import;
mod parts;

pub use builder::ClientBuilder;

#[cfg(doc)]
use crate::error::{Error, ErrorKind};
use crate::{
    call::CallOptions,
    cluster::{
        Applied, ClusterRef, Deployment, Kubeconfig, KubeconfigOptions, Manifest, MergeKubeconfigOptions,
        MergedKubeconfig, PodSelection, Pods, RollOut,
    },
    error::Result,
    identity::ClusterIdentities,
    operation::{
        Parts,
        apply::{self, ApplyOptions},
        attach::{self, ApplyAttachOptions, AttachOptions, AttachPlan, Attachment},
        identities, kubeconfig, pods, registry,
        rollout::{self, RollOutOptions},
        span::{About, operation},
    },
    registry::{Registry, RegistryRef},
};
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

    /// Finds a cluster's identities, the one that pulls images among them.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such cluster; [`Forbidden`](ErrorKind::Forbidden) if the caller may not
    /// read it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{CallOptions, Client, ClusterRef};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// let identities = client.identities(&ClusterRef::new("group", "dev")?, CallOptions::default()).await?;
    /// assert!(identities.kubelet.is_some());
    /// # Ok(()) }
    /// ```
    pub async fn identities(&self, cluster: &ClusterRef, call: CallOptions) -> Result<ClusterIdentities> {
        let call = call.start(identities::DEADLINE);
        operation!(
            "identities",
            self.parts,
            About::cluster(cluster),
            call.clone(),
            identities::identities(&self.parts, cluster, &call)
        )
        .await
    }

    /// Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, none where it is there
    /// already, and never the cluster.
    ///
    /// With a registry by resource id it is 4 requests, 2 deep (one after another); where the grant is there, 3 requests, 1 deep, and no
    /// write. Where an Entra group has a role that gives pull, one more request tells whether the identity is a member: then nothing is written,
    /// unless a direct grant is asked for ([`inherited`](AttachOptions::inherited)).
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the cluster, its kubelet identity or the registry does not exist;
    /// [`Forbidden`](ErrorKind::Forbidden) if the caller may not read them or not write the grant, with the missing action and
    /// the smallest role that has it; [`InvalidInput`](ErrorKind::InvalidInput) for a condition that would have no effect;
    /// [`Unsupported`](ErrorKind::Unsupported) for a cluster with a service principal whose object id is not given.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{AttachOptions, AttachOutcome, Client, ClusterRef};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// let (cluster, registry) = (ClusterRef::new("group", "dev")?, "myregistry".parse()?);
    /// let attachment = client.attach(&cluster, &registry, AttachOptions::default()).await?;
    /// assert_eq!(attachment.outcome, AttachOutcome::Granted);
    /// let again = client.attach(&cluster, &registry, AttachOptions::default()).await?;
    /// assert_eq!(again.outcome, AttachOutcome::AlreadyGranted);
    /// # Ok(()) }
    /// ```
    pub async fn attach(
        &self,
        cluster: &ClusterRef,
        registry: &RegistryRef,
        options: AttachOptions,
    ) -> Result<Attachment> {
        operation!(
            "attach",
            self.parts,
            About::both(cluster, registry),
            options.call.start(attach::DEADLINE),
            attach::attach(&self.parts, cluster, registry, &options)
        )
        .await
    }

    /// Says what [`attach`](Self::attach) would do, and writes nothing. It needs read rights only.
    ///
    /// # Errors
    /// Those of [`attach`](Self::attach), but for a refusal to write.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{ApplyAttachOptions, AttachOptions, AttachPlan, Client, ClusterRef, PlannedAction};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// let cluster = ClusterRef::new("group", "dev")?;
    /// let plan = client.plan_attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await?;
    /// assert_eq!(plan.action, PlannedAction::Grant);
    /// let text = serde_json::to_string(&plan).unwrap_or_default(); // to be stored, and read in any of the languages
    /// # let plan: AttachPlan = serde_json::from_str(&text).map_err(|err| aks_acr::Error::new(aks_acr::ErrorKind::Unexpected, err.to_string()))?;
    /// client.apply_attach(&plan, ApplyAttachOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    pub async fn plan_attach(
        &self,
        cluster: &ClusterRef,
        registry: &RegistryRef,
        options: AttachOptions,
    ) -> Result<AttachPlan> {
        operation!(
            "plan_attach",
            self.parts,
            About::both(cluster, registry),
            options.call.start(attach::DEADLINE),
            attach::plan(&self.parts, cluster, registry, &options)
        )
        .await
    }

    /// Does what a plan says, after another look: what is done by then is no hindrance, but where something else would be done,
    /// nothing is written. The plan carries the options that it was made with; it is good for an hour.
    ///
    /// # Errors
    /// Those of [`attach`](Self::attach); [`Conflict`](ErrorKind::Conflict) if the plan has expired or no longer fits;
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is of another version.
    ///
    /// # Examples
    /// See [`plan_attach`](Self::plan_attach).
    pub async fn apply_attach(&self, plan: &AttachPlan, options: ApplyAttachOptions) -> Result<Attachment> {
        operation!(
            "apply_attach",
            self.parts,
            About::both(&plan.cluster, &plan.registry),
            options.call.start(attach::DEADLINE),
            attach::apply_plan(&self.parts, plan, &options)
        )
        .await
    }

    /// Finds a registry by name, login server or resource id. `None` if there is none.
    ///
    /// # Errors
    /// [`Forbidden`](ErrorKind::Forbidden) if the caller may not read it; [`InvalidInput`](ErrorKind::InvalidInput) for the login
    /// server of another cloud.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{CallOptions, Client};
    /// # let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// let found = client.registry(&"MYREGISTRY".parse()?, CallOptions::default()).await?;
    /// assert_eq!(found.map(|registry| registry.login_server).as_deref(), Some("myregistry.azurecr.io"));
    /// # Ok(()) }
    /// ```
    pub async fn registry(&self, registry: &RegistryRef, call: CallOptions) -> Result<Option<Registry>> {
        let call = call.start(registry::DEADLINE);
        operation!(
            "registry",
            self.parts,
            About::registry(registry),
            call.clone(),
            registry::registry(&self.parts, registry, &call)
        )
        .await
    }

    /// A cluster's kubeconfig, as a value: no file is written and no program is started.
    ///
    /// It is what Azure gives. On a cluster with Entra its user is an entry that starts the program `kubelogin`, which kubectl then
    /// needs; [`apply`](Self::apply), [`roll_out`](Self::roll_out) and [`pods`](Self::pods) do not, as they get the token themselves.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such cluster; [`Forbidden`](ErrorKind::Forbidden) if the caller may not
    /// have it; [`InvalidInput`](ErrorKind::InvalidInput) for [`Access::Admin`](crate::Access::Admin) where local accounts are
    /// switched off, and for a context's name that cannot be one.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{Client, ClusterRef, KubeconfigOptions};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// let kubeconfig = client.kubeconfig(&ClusterRef::new("group", "dev")?, KubeconfigOptions::default()).await?;
    /// assert_eq!(kubeconfig.context(), "dev");
    /// # Ok(()) }
    /// ```
    pub async fn kubeconfig(&self, cluster: &ClusterRef, options: KubeconfigOptions) -> Result<Kubeconfig> {
        operation!(
            "kubeconfig",
            self.parts,
            About::cluster(cluster),
            options.call.start(kubeconfig::DEADLINE),
            kubeconfig::kubeconfig(&self.parts, cluster, options)
        )
        .await
    }

    /// Puts a cluster's context, cluster and user into a kubeconfig file, of which every other byte stays: `~/.kube/config`, or
    /// where `KUBECONFIG` says, or the file in the options. See [`Kubeconfig::merge`] for how.
    ///
    /// A second run changes nothing. A future that is dropped stops the work, unless the file was replaced by then. On a cluster with
    /// Entra, kubectl needs `kubelogin` for what is merged, as [`kubeconfig`](Self::kubeconfig) says.
    ///
    /// # Errors
    /// Those of [`kubeconfig`](Self::kubeconfig) and of [`Kubeconfig::merge`]; before the first request
    /// [`InvalidInput`](ErrorKind::InvalidInput) if no file is named and no home folder is known.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use aks_acr::{Access, Client, ClusterRef, MergeKubeconfigOptions, MergeOutcome};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
    /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
    /// # let folder = std::env::temp_dir().join(format!("aks-acr-client-merge-{}", std::process::id()));
    /// # let file = folder.join("config");
    /// let options = MergeKubeconfigOptions::default().with_access(Access::Admin).with_file(&file);
    /// let merged = client.merge_kubeconfig(&ClusterRef::new("group", "dev")?, options).await?;
    /// assert_eq!((merged.context.as_str(), merged.outcome), ("dev-admin", MergeOutcome::Added));
    /// assert!(merged.current_context_changed);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(()) }
    /// ```
    pub async fn merge_kubeconfig(
        &self,
        cluster: &ClusterRef,
        options: MergeKubeconfigOptions,
    ) -> Result<MergedKubeconfig> {
        operation!(
            "merge_kubeconfig",
            self.parts,
            About::cluster(cluster),
            options.kubeconfig.call.start(kubeconfig::DEADLINE),
            kubeconfig::merge(&self.parts, cluster, options)
        )
        .await
    }

    /// Makes a cluster's objects what manifests say, by server-side apply, as the field manager `aks-acr`.
    ///
    /// Wherever the host `<acr-name>.azurecr.io` stands in an object, it becomes the login server of the registry in the options: in
    /// images of containers and volumes, in arguments and variables, and in a custom resource. The `data` of an object, labels,
    /// annotations and descriptions are left alone. Objects are applied in their order: where one fails, those before it stay applied
    /// and the error says how many; run again, it goes on from there.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput), before the first request, for a placeholder and no registry to put there, or an
    /// image of another cloud, and from Kubernetes for an object that does not fit its schema or is too large;
    /// [`NotFound`](ErrorKind::NotFound) for a kind or a namespace that the cluster does not have, or an absent cluster or registry;
    /// [`Conflict`](ErrorKind::Conflict) for a field that another field manager owns, and, transient, for a namespace that is being
    /// deleted; [`Forbidden`](ErrorKind::Forbidden) if a right is missing, or a quota, a limit or an admission policy refuses the object;
    /// [`Unsupported`](ErrorKind::Unsupported) without the feature `kubernetes`.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{ApplyOptions, Client, ClusterRef, Manifest};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
    /// let client = Client::builder(azure.credential(), azure.subscription())
    ///     .transport(azure.transport()).kubernetes(azure.kubernetes()).build()?;
    /// let manifests = Manifest::parse_all("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}")?;
    /// let applied = client.apply(&ClusterRef::new("group", "dev")?, manifests, ApplyOptions::default()).await?;
    /// assert_eq!(applied[0].to_string(), "ConfigMap/settings");
    /// # Ok(()) }
    /// ```
    pub async fn apply(
        &self,
        cluster: &ClusterRef,
        manifests: Vec<Manifest>,
        options: ApplyOptions,
    ) -> Result<Vec<Applied>> {
        let about = About::cluster(cluster).with_registries(&options.registry);
        operation!(
            "apply",
            self.parts,
            about,
            options.call.start(apply::DEADLINE),
            apply::apply(&self.parts, cluster, manifests, &options)
        )
        .await
    }

    /// Waits until every replica of a deployment runs; it starts nothing. Only for the kind `Deployment`. A cause that does not pass ends
    /// it at once, and is told. The deadline bounds all of it, [`propagation`](RollOutOptions::propagation) too.
    ///
    /// # Errors
    /// [`PullFailed`](ErrorKind::PullFailed) if an image cannot be pulled and waiting does not help, with
    /// [`pull_failure`](Error::pull_failure); [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) with how far it was, and
    /// with the pull failure that stood in the way at the end, if one did; [`OperationFailed`](ErrorKind::OperationFailed) if Kubernetes gives the roll-out up; [`NotFound`](ErrorKind::NotFound) if
    /// there is no such deployment; [`Unsupported`](ErrorKind::Unsupported) without the feature `kubernetes`.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{ApplyOptions, Client, ClusterRef, Deployment, Manifest, RollOutOptions};
    /// # let azure = aks_acr_emulator::Emulator::new()
    /// #     .with_cluster("group", "dev").with_image("docker.io/library/nginx:latest", &["linux/amd64"]);
    /// let client = Client::builder(azure.credential(), azure.subscription())
    ///     .transport(azure.transport()).kubernetes(azure.kubernetes()).build()?;
    /// # tokio::time::pause();
    /// # let cluster = ClusterRef::new("group", "dev")?;
    /// # let manifests = Manifest::parse_all("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, \
    /// #     selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, \
    /// #     spec: {containers: [{name: web, image: nginx}]}}}}")?;
    /// # client.apply(&cluster, manifests, ApplyOptions::default()).await?;
    /// let rolled_out = client.roll_out(&cluster, &Deployment::new("web"), RollOutOptions::default()).await?;
    /// assert_eq!((rolled_out.ready, rolled_out.wanted), (2, 2));
    /// # Ok(()) }
    /// ```
    pub async fn roll_out(
        &self,
        cluster: &ClusterRef,
        deployment: &Deployment,
        options: RollOutOptions,
    ) -> Result<RollOut> {
        operation!(
            "roll_out",
            self.parts,
            About::cluster(cluster),
            options.call.start(rollout::DEADLINE),
            rollout::roll_out(&self.parts, cluster, deployment, &options)
        )
        .await
    }

    /// The pods of a namespace, as values and, by `Display`, as the table that kubectl prints.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such cluster; [`Forbidden`](ErrorKind::Forbidden) if the caller may not
    /// list them; [`InvalidInput`](ErrorKind::InvalidInput) for a namespace that cannot be one;
    /// [`Unsupported`](ErrorKind::Unsupported) without the feature `kubernetes`.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
    /// # use aks_acr::{CallOptions, Client, ClusterRef, PodSelection};
    /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
    /// let client = Client::builder(azure.credential(), azure.subscription())
    ///     .transport(azure.transport()).kubernetes(azure.kubernetes()).build()?;
    /// let pods = client.pods(&ClusterRef::new("group", "dev")?, &PodSelection::default(), CallOptions::default()).await?;
    /// assert!(pods.to_string().starts_with("NAME"));
    /// # Ok(()) }
    /// ```
    pub async fn pods(&self, cluster: &ClusterRef, selection: &PodSelection, call: CallOptions) -> Result<Pods> {
        let call = call.start(pods::DEADLINE);
        operation!(
            "pods",
            self.parts,
            About::cluster(cluster),
            call.clone(),
            pods::pods(&self.parts, cluster, selection, &call)
        )
        .await
    }
}
