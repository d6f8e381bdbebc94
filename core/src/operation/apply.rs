//! Apply: make a cluster's objects what manifests say.

use super::{
    Parts,
    right::{RequiredRight, RightScope, TALK, useful},
    span::Outcome,
};
use crate::{
    action::READ_REGISTRY,
    call::{Call, CallOptions},
    cluster::{
        Applied, ApplyMode, ClusterRef, Manifest,
        manifest::{check_images, fill_in, is_path_segment, wants_registry},
    },
    error::{Error, Result},
    registry::RegistryRef,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    TALK,
    useful(
        READ_REGISTRY,
        RightScope::Registry,
        "to learn the login server, where a registry is given whose images the manifests name",
    ),
];

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

pub(crate) async fn apply(
    parts: &Parts,
    cluster: &ClusterRef,
    mut manifests: Vec<Manifest>,
    options: &ApplyOptions,
    call: &Call,
) -> Result<Vec<Applied>> {
    if !is_path_segment(&options.mode.namespace) {
        return Err(Error::invalid(
            "wanted a namespace's name: lower-case letters, digits and '-'",
            "namespace",
            options.mode.namespace.clone(),
        ));
    }
    if let Some(registry) = &options.registry {
        registry.check_cloud(parts.cloud())?;
    }
    check_images(&mut manifests, parts.cloud(), options.registry.is_some())?;
    if let (true, Some(registry)) = (wants_registry(&mut manifests), &options.registry) {
        fill_in(&mut manifests, &parts.find_registry(registry, call).await?.login_server);
    }
    parts.cluster_deployer().apply(cluster, &manifests, &options.mode, call).await
}

impl Outcome for Vec<Applied> {}
