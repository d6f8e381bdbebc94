//! A plan of an image pull secret, as a value that can be shown, stored and applied later.

use super::check::PullSecretWarning;
use crate::{
    call::CallOptions, error::words, id::ResourceId, image::ImageReference, operation::span::Outcome, quoted::Complete,
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};

/// The format version of a stored plan. Any other version is rejected.
pub(super) const VERSION: u32 = 1;

/// Options for an image pull secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PullSecretOptions {
    /// The namespace of the secret, and of the pods that use it; `default` by default. It must exist.
    pub namespace: String,
    /// The service accounts whose pods use the secret; `default` by default. With an empty list, pods have to name the secret themselves.
    pub service_accounts: Vec<String>,
    /// Images that the secret is for. The plan warns about those that none of its registries serves. None by default.
    pub images: Vec<ImageReference>,
    /// Whether to replace the content of a secret that another field manager owns; off by default.
    /// If off, such a secret with other content makes the call fail with [`Conflict`](crate::ErrorKind::Conflict).
    pub force: bool,
    /// Deadline (2 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl Default for PullSecretOptions {
    fn default() -> Self {
        Self {
            namespace: "default".to_owned(),
            service_accounts: vec!["default".to_owned()],
            images: Vec::new(),
            force: false,
            call: CallOptions::default(),
        }
    }
}

impl PullSecretOptions {
    /// Sets [`namespace`](Self::namespace).
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets [`service_accounts`](Self::service_accounts).
    #[must_use]
    pub fn with_service_accounts(mut self, service_accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.service_accounts = service_accounts.into_iter().map(Into::into).collect();
        self
    }

    /// Adds one to [`images`](Self::images).
    #[must_use]
    pub fn with_image(mut self, image: ImageReference) -> Self {
        self.images.push(image);
        self
    }

    /// Sets [`force`](Self::force).
    #[must_use]
    pub fn with_force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// Options for applying a plan of an image pull secret.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyPullSecretOptions {
    /// Deadline (2 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl ApplyPullSecretOptions {
    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

/// What has to be done to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullSecretAction {
    /// The secret does not exist, and is created.
    Create,
    /// Its content differs, and is replaced.
    Update,
    /// Its content differs and is owned by another field manager. It is replaced, because `force` is set.
    TakeOver,
    /// The secret exists with this content.
    Nothing,
}

words!(
    PullSecretAction, "action":
    Create => "create",
    Update => "update",
    TakeOver => "take_over",
    Nothing => "nothing",
);

/// A registry in an image pull secret, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullSecretEntry {
    /// The registry, as the secret names it. Docker Hub is `https://index.docker.io/v1/`.
    pub registry: String,
    /// The user name.
    pub username: String,
}

/// A service account of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullSecretLink {
    /// Its name.
    pub service_account: String,
    /// Whether it names the secret already. Otherwise the secret is added to its `imagePullSecrets`.
    pub is_linked: bool,
}

/// A plan of an image pull secret: what would be written, and what exists. It is valid for one hour. It contains no password.
///
/// Making a plan needs read permissions only. The plan can be stored as JSON, which is the same in every language.
///
/// Applying it needs the credentials again. The cluster is read again first: if the plan was already carried out, nothing is written and the
/// call succeeds; if something else would have to be done to the secret, nothing is written and the error says so.
///
/// `Display` starts with a line for the secret, marked with `+` (create), `~` (update) or `=` (unchanged) and followed by its details. A line with
/// `!` is a warning.
///
/// A stored plan is only as trustworthy as its storage; see [`AttachPlan`](crate::AttachPlan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullSecretPlan {
    /// The version of the plan's format.
    pub version: u32,
    /// The expiry, by Azure's clock. The plan is rejected after this.
    #[serde(with = "crate::stored_time")]
    pub expires: SystemTime,
    /// The cluster.
    pub cluster: ResourceId,
    /// The namespace.
    pub namespace: String,
    /// The name of the secret.
    pub name: String,
    /// What has to be done to the secret.
    pub action: PullSecretAction,
    /// The registries that the secret will have.
    pub registries: Vec<PullSecretEntry>,
    /// The registries that the existing secret has, and that are removed from it.
    pub removed: Vec<PullSecretEntry>,
    /// The service accounts that use the secret.
    pub service_accounts: Vec<PullSecretLink>,
    /// The other field managers that own the content of the existing secret.
    pub other_managers: Vec<String>,
    /// What would not work, or not for long.
    pub warnings: Vec<PullSecretWarning>,
}

impl fmt::Display for PullSecretEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", Complete(&self.registry), Complete(&self.username))
    }
}

impl fmt::Display for PullSecretLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = if self.is_linked { "uses it already" } else { "is made to use it" };
        write!(f, "service account {}: {does}", Complete(&self.service_account))
    }
}

impl fmt::Display for PullSecretPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, does) = match self.action {
            PullSecretAction::Create => ("+", "creates the secret"),
            PullSecretAction::Update => ("~", "replaces its content"),
            PullSecretAction::TakeOver => ("~", "replaces its content, which another field manager owns"),
            PullSecretAction::Nothing => ("=", "nothing: it exists with this content"),
        };
        let (name, namespace) = (Complete(&self.name), Complete(&self.namespace));
        write!(f, "{mark} pull secret {name} in namespace {namespace} of {}\n    does: {does}", self.cluster.name())?;
        for one in &self.registries {
            write!(f, "\n    registry: {one}")?;
        }
        for one in &self.removed {
            write!(f, "\n    removes registry: {one}")?;
        }
        for one in &self.service_accounts {
            write!(f, "\n    {one}")?;
        }
        for one in &self.other_managers {
            write!(f, "\n    also owned by: {}", Complete(one))?;
        }
        for one in &self.warnings {
            write!(f, "\n! {one}")?;
        }
        Ok(())
    }
}

impl Outcome for PullSecretPlan {}
