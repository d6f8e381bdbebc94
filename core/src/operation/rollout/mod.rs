//! Rollout: waits until a workload's pods are ready, or until it is known why they are not.

mod grant;
mod options;

pub use options::RolloutOptions;

use super::{
    Parts,
    right::{RequiredRight, RightScope, TALK, useful},
    span::Outcome,
};
use crate::{
    action::{READ_CLUSTER, READ_GRANTS, READ_REGISTRY},
    call::Call,
    cloud::Cloud,
    cluster::{ClusterRef, Rollout, WorkloadRef},
    error::{Error, ErrorKind, Result},
    image::ImageReference,
    pull::PullCause,
};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(15 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[
    TALK,
    // Without any one of these a refusal by the registry is taken for a grant that is not effective yet.
    useful(READ_CLUSTER, RightScope::Cluster, "to fail early if a grant is missing, instead of waiting for it"),
    useful(
        READ_REGISTRY,
        RightScope::Subscription,
        "to fail early if a grant is missing: finds the registry by its login server",
    ),
    useful(READ_GRANTS, RightScope::Registry, "to fail early if a grant is missing: lists the role assignments"),
];

/// A refusal by the registry is final without a grant, and transient with one: so the grants are read.
pub(crate) async fn wait_for_rollout(
    parts: &Parts,
    cluster: &ClusterRef,
    workload: &WorkloadRef,
    options: &RolloutOptions,
    call: &Call,
) -> Result<Rollout> {
    workload.check_kind()?;
    if let Some(registry) = &options.registry {
        registry.check_cloud(parts.cloud())?;
    }
    let refused = match parts.cluster_deployer().wait_for_rollout(cluster, workload, Duration::ZERO, call).await {
        Err(err) if is_refused_by_registry_of(parts.cloud(), &err) => err,
        ended => return ended,
    };
    let verdict = grant::judge(parts, cluster, &refused, options, call).await?;
    if verdict.is_final {
        // To find that out took a while, and the pods may run by now.
        let now = parts.cluster_deployer().wait_for_rollout(cluster, workload, Duration::ZERO, call).await;
        let is_refused = |err: &Error| is_refused_by_registry_of(parts.cloud(), err);
        return now.map_err(|err| if is_refused(&err) { verdict.explain(err) } else { err });
    }
    let wait = parts.cluster_deployer().wait_for_rollout(cluster, workload, options.propagation_timeout, call);
    let ended = call.step(&verdict.step, wait).await;
    ended.map_err(|err| if err.pull_failure().is_some() { verdict.explain(err) } else { err })
}

/// At a registry outside this cloud, no grant can help. If the image reference is invalid, the registry may be one of this cloud.
fn is_refused_by_registry_of(cloud: &Cloud, err: &Error) -> bool {
    let Some(failure) = err.pull_failure().filter(|_| err.kind() == ErrorKind::PullFailed) else { return false };
    let is_elsewhere = ImageReference::parse(&failure.image).is_ok_and(|image| !cloud.has_registry(image.registry()));
    failure.cause == PullCause::Unauthorized && !is_elsewhere
}

impl Outcome for Rollout {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pull::PullFailure;

    #[test]
    fn a_grant_may_help_unless_the_image_is_of_another_cloud() {
        let may_help = |image: &str| {
            let text = "failed to fetch oauth token: 401 Unauthorized";
            let failure = PullFailure::new("pod", "container", image, "ErrImagePull", text);
            let err = Error::new(ErrorKind::PullFailed, "refused").with_pull_failure(failure);
            is_refused_by_registry_of(&Cloud::public(), &err)
        };
        assert!(may_help("myregistry.azurecr.io/app:v1"));
        assert!(!may_help("quay.example/app:v1") && !may_help("nginx"));
        // The pod came without its specification.
        assert!(may_help(""));
    }
}
