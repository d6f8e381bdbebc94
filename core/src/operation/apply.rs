//! Apply: applies manifests to a cluster.

use super::{
    Parts,
    right::{RequiredRight, RightScope, TALK, useful},
    span::Outcome,
};
use crate::{
    action::READ_REGISTRY,
    call::Call,
    cluster::{
        Applied, ApplyOptions, ClusterRef, Manifest,
        manifest::{check_images, fill_in, is_path_segment, wants_registry},
    },
    error::{Error, Result},
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    TALK,
    useful(
        READ_REGISTRY,
        RightScope::Registry,
        "to read the login server, if a registry is given for the manifests' images",
    ),
];

pub(crate) async fn apply(
    parts: &Parts,
    cluster: &ClusterRef,
    mut manifests: Vec<Manifest>,
    options: &ApplyOptions,
    call: &Call,
) -> Result<Vec<Applied>> {
    if !is_path_segment(&options.namespace) {
        return Err(Error::invalid(
            "expected a namespace's name: lower-case letters, digits and '-'",
            "namespace",
            options.namespace.clone(),
        ));
    }
    if let Some(registry) = &options.registry {
        registry.check_cloud(parts.cloud())?;
    }
    check_images(&mut manifests, parts.cloud(), options.registry.is_some())?;
    if let (true, Some(registry)) = (wants_registry(&mut manifests), &options.registry) {
        fill_in(&mut manifests, &parts.find_registry(registry, call).await?.login_server);
    }
    parts.cluster_deployer().apply(cluster, &manifests, options, call).await
}

impl Outcome for Vec<Applied> {}
