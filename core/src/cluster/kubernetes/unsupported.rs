//! Replaces the Kubernetes code if the feature `kubernetes` is off.

use crate::{
    call::Call,
    cluster::{
        Applied, ApplyOptions, Manifest, ObservedNode, ObservedPods, ObservedServiceAccount, PodListener, PodScope,
        PodSelection, Pods, PullSecretState, RolloutListener, WorkloadRef,
    },
    connection::Connection,
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    image::ImageReference,
};

#[derive(Clone, Debug)]
pub(crate) struct Kubernetes;

fn unsupported<T>() -> Result<T> {
    Err(Error::new(
        ErrorKind::Unsupported,
        "built without Kubernetes support: enable the feature `kubernetes` of aks-acr",
    ))
}

// The methods have the same signatures, so that no other file depends on the feature.
#[expect(clippy::unused_async, reason = "the same signatures as with the feature")]
impl Kubernetes {
    pub fn new(_: &Connection) -> Self {
        Self
    }

    pub fn names_proxy(&self, _: &str, _: &str) -> bool {
        false
    }

    pub async fn apply(&self, _: &ResourceId, _: &[Manifest], _: &ApplyOptions, _: &Call) -> Result<Vec<Applied>> {
        unsupported()
    }

    pub async fn pull_secret(
        &self,
        _: &ResourceId,
        _: (&str, &str),
        _: &[String],
        _: &Call,
    ) -> Result<PullSecretState> {
        unsupported()
    }

    pub async fn link_pull_secret(&self, _: &ResourceId, _: (&str, &str), _: &str, _: &Call) -> Result<bool> {
        unsupported()
    }

    pub async fn watch_rollout(
        &self,
        _: &ResourceId,
        _: &WorkloadRef,
        _: &mut RolloutListener<'_>,
        _: &Call,
    ) -> Result<()> {
        unsupported()
    }

    pub async fn pods(&self, _: &ResourceId, _: &PodSelection, _: &Call) -> Result<Pods> {
        unsupported()
    }

    pub async fn nodes(&self, _: &ResourceId, _: Option<&ImageReference>, _: &Call) -> Result<Vec<ObservedNode>> {
        unsupported()
    }

    pub async fn service_accounts(
        &self,
        _: &ResourceId,
        _: Option<&str>,
        _: &Call,
    ) -> Result<Vec<ObservedServiceAccount>> {
        unsupported()
    }

    pub async fn delete_job(&self, _: &ResourceId, _: (&str, &str), _: &Call) -> Result<bool> {
        unsupported()
    }

    pub async fn observe_pods(&self, _: &ResourceId, _: &PodScope, _: &Call) -> Result<ObservedPods> {
        unsupported()
    }

    pub async fn watch(&self, _: &ResourceId, _: &PodSelection, _: &mut PodListener<'_>, _: &Call) -> Result<()> {
        unsupported()
    }
}
