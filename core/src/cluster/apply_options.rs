//! How manifests are applied.

use crate::{call::CallOptions, registry::RegistryRef};

/// How manifests are applied.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// The registry whose login server takes the place of `<acr-name>.azurecr.io` in the manifests' images.
    pub registry: Option<RegistryRef>,
    /// The namespace of objects that name none; `default` by default.
    pub namespace: String,
    /// Whether fields that another field manager owns are taken over; not by default. If not, they are a
    /// [`Conflict`](crate::ErrorKind::Conflict) that names field and manager.
    pub force: bool,
    /// Whether the cluster only says what it would do; not by default.
    pub dry_run: bool,
    /// Deadline (5 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            registry: None,
            namespace: "default".to_owned(),
            force: false,
            dry_run: false,
            call: CallOptions::default(),
        }
    }
}

impl ApplyOptions {
    /// Sets [`registry`](Self::registry).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Sets [`namespace`](Self::namespace).
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets [`force`](Self::force).
    #[must_use]
    pub fn with_force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets [`dry_run`](Self::dry_run).
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}
