//! Deploying: manifests to a cluster, and the wait until their pods run.

mod grant;

use crate::{
    call::CallOptions,
    client::Client,
    cloud::Cloud,
    cluster::{
        Applied, ApplyMode, ClusterRef, Deployment, Manifest, RollOut,
        manifest::{check_images, fill_in, is_path_segment, wants_registry},
    },
    error::{Error, ErrorKind, Result},
    id::SubscriptionId,
    image::ImageReference,
    pull::PullCause,
    registry::RegistryRef,
};
use std::time::Duration;

pub(crate) const APPLY_DEADLINE: Duration = Duration::from_secs(5 * 60);
pub(crate) const ROLL_OUT_DEADLINE: Duration = Duration::from_secs(15 * 60);
/// How long a grant that is there may take to become effective. Users report minutes, and up to an hour with old node tokens.
const PROPAGATION: Duration = Duration::from_secs(10 * 60);

/// How manifests are applied.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// The registry whose login server takes the place of `<acr-name>.azurecr.io` in the manifests' images.
    pub registry: Option<RegistryRef>,
    /// Namespace, force, dry run.
    pub mode: ApplyMode,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyOptions {
    /// Sets [`registry`](Self::registry).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Sets the namespace of objects that name none; `default` by default.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.mode.namespace = namespace.into();
        self
    }

    /// Sets whether fields that another field manager owns are taken over; not by default.
    #[must_use]
    pub fn with_force(mut self, force: bool) -> Self {
        self.mode.force = force;
        self
    }

    /// Sets whether the cluster only says what it would do; not by default.
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.mode.dry_run = dry_run;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// How a roll-out is waited for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RollOutOptions {
    /// The registry that the images come from, where it is in a subscription that the client does not search: its resource id. When a
    /// registry refuses a pull, its role assignments are read, to tell a missing one from one that is not effective yet.
    pub registry: Option<RegistryRef>,
    /// The subscriptions in which the registry of a refused pull is searched, besides the client's and the cluster's. By default all
    /// that the caller can see.
    pub subscriptions: Vec<SubscriptionId>,
    /// How long a grant that is there may take to become effective; 10 minutes by default. For so long, counted from the first pull
    /// that the registry refuses, a refusal is waited out. It does not prolong the deadline, which ends the wait earlier if it is earlier.
    pub propagation: Duration,
    /// Deadline (15 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl RollOutOptions {
    /// Sets [`registry`](Self::registry).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Adds one of [`subscriptions`](Self::subscriptions).
    #[must_use]
    pub fn with_subscription(mut self, subscription: SubscriptionId) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// Sets [`propagation`](Self::propagation).
    #[must_use]
    pub fn with_propagation(mut self, propagation: Duration) -> Self {
        self.propagation = propagation;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl Default for RollOutOptions {
    fn default() -> Self {
        Self { registry: None, subscriptions: Vec::new(), propagation: PROPAGATION, call: CallOptions::default() }
    }
}

pub(crate) async fn apply(
    client: &Client,
    cluster: &ClusterRef,
    mut manifests: Vec<Manifest>,
    options: &ApplyOptions,
) -> Result<Vec<Applied>> {
    if !is_path_segment(&options.mode.namespace) {
        return Err(Error::invalid(
            "wanted a namespace's name: lower-case letters, digits and '-'",
            "namespace",
            options.mode.namespace.clone(),
        ));
    }
    if let Some(registry) = &options.registry {
        registry.check_cloud(client.cloud())?;
    }
    check_images(&mut manifests, client.cloud(), options.registry.is_some())?;
    let call = options.call.start(APPLY_DEADLINE);
    if let (true, Some(registry)) = (wants_registry(&mut manifests), &options.registry) {
        fill_in(&mut manifests, &client.find_registry(registry, &call).await?.login_server);
    }
    client.cluster_deployer().apply(cluster, &manifests, &options.mode, &call).await
}

/// A refusal by the registry is final without a grant, and transient with one: so the grants are read.
pub(crate) async fn roll_out(
    client: &Client,
    cluster: &ClusterRef,
    deployment: &Deployment,
    options: &RollOutOptions,
) -> Result<RollOut> {
    if let Some(registry) = &options.registry {
        registry.check_cloud(client.cloud())?;
    }
    let call = options.call.start(ROLL_OUT_DEADLINE);
    let refused = match client.cluster_deployer().roll_out(cluster, deployment, Duration::ZERO, &call).await {
        Err(err) if is_refused_by_registry_of(client.cloud(), &err) => err,
        ended => return ended,
    };
    let verdict = grant::judge(client, cluster, &refused, options, &call).await?;
    if verdict.is_final {
        // To find that out took a while, and the pods may run by now.
        let now = client.cluster_deployer().roll_out(cluster, deployment, Duration::ZERO, &call).await;
        let is_refused = |err: &Error| is_refused_by_registry_of(client.cloud(), err);
        return now.map_err(|err| if is_refused(&err) { verdict.explain(err) } else { err });
    }
    let wait = client.cluster_deployer().roll_out(cluster, deployment, options.propagation, &call);
    let ended = call.step(&verdict.step, wait).await;
    ended.map_err(|err| if err.pull_failure().is_some() { verdict.explain(err) } else { err })
}

/// At a registry that is none of this cloud's, no grant can help.
fn is_refused_by_registry_of(cloud: &Cloud, err: &Error) -> bool {
    let Some(failure) = err.pull_failure().filter(|_| err.kind() == ErrorKind::PullFailed) else { return false };
    let image = ImageReference::parse(&failure.image);
    failure.cause == PullCause::Unauthorized && image.is_ok_and(|image| cloud.has_registry(image.registry()))
}
