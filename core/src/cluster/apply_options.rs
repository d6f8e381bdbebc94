//! Options for applying manifests.

use crate::{call::CallOptions, registry::RegistryRef};

/// Options for applying manifests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// The registry whose login server replaces `<acr-name>.azurecr.io` in the manifests.
    pub registry: Option<RegistryRef>,
    /// The namespace for objects that name none; `default` by default.
    pub namespace: String,
    /// Whether to take over fields that another field manager owns; off by default.
    /// If off, such a field makes the call fail with [`Conflict`](crate::ErrorKind::Conflict), and the error names the field and its
    /// manager.
    pub force: bool,
    /// Whether to validate on the server only, without changing anything; off by default.
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
