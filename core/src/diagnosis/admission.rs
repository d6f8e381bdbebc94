//! Pods that are not created, because the cluster's admission denies them.

use super::{
    catalogue::{FindingId, PullRetry},
    finding::Finding,
    text::NextStep,
};
use crate::cluster::{RolloutBlocker, RolloutBlockerKind};

/// Words before the name of what denies, in texts of `k8s.io/apiserver` (webhooks, `ValidatingAdmissionPolicy`), `k8s.io/pod-security-admission`
/// and the plugin `resourcequota`.
const NAMES: [(&str, &str, char); 4] = [
    ("admission webhook ", "admission webhook \"", '"'),
    ("ValidatingAdmissionPolicy ", "ValidatingAdmissionPolicy '", '\''),
    ("Pod Security level ", "violates PodSecurity \"", '"'),
    ("ResourceQuota ", "exceeded quota: ", ','),
];
/// What policies about images say: those of Azure Policy and of Deployment Safeguards. See [Deployment
/// Safeguards](https://learn.microsoft.com/azure/aks/deployment-safeguards).
const OF_IMAGES: [&str; 3] = ["has not been allowed", "versioned tag", "latest tag"];

/// What denies, if the message names it.
fn denier(message: &str) -> Option<String> {
    NAMES.iter().find_map(|(what, words, end)| {
        let (_, rest) = message.split_once(words)?;
        let (name, _) = rest.split_once(*end)?;
        Some(format!("{what}{name}"))
    })
}

/// The finding, if admission is what keeps the pods from being created.
pub(crate) fn finding(blocker: &RolloutBlocker) -> Option<Finding> {
    let is_quota = blocker.kind == RolloutBlockerKind::Quota;
    if !is_quota && blocker.kind != RolloutBlockerKind::Rejected {
        return None;
    }
    let who = denier(&blocker.message).unwrap_or_else(|| "the cluster's admission".to_owned());
    let text = format!("{who} denies the pods of {}, so that none is created", blocker.object);
    let found = Finding::failing(FindingId::ADMISSION_DENIED).saying(text);
    let mut found = found.seen(&blocker.object, &blocker.reason, &blocker.message);
    if is_quota {
        found.retry = PullRetry::Transient;
        found.next_step = NextStep::new("free resources in the namespace, or ask for a larger quota");
    } else if OF_IMAGES.iter().any(|words| blocker.message.contains(words)) {
        found.next_step = NextStep::new(
            "name the image as the policy wants it: by a registry that it allows, and with a version as its tag",
        );
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_denies_is_named() {
        for (message, wanted) in [
            (
                "admission webhook \"deny.example.com\" denied the request: no",
                Some("admission webhook deny.example.com"),
            ),
            (
                "pods \"web-1\" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'all' denied request: every image needs a tag",
                Some("ValidatingAdmissionPolicy no-latest"),
            ),
            (
                "pods \"web-1\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
                Some("Pod Security level restricted:latest"),
            ),
            ("pods \"web-1\" is forbidden: exceeded quota: none, requested: pods=1", Some("ResourceQuota none")),
            ("Pod \"web-1\" is invalid: spec: Required value", None),
        ] {
            assert_eq!(denier(message).as_deref(), wanted, "{message}");
        }
    }

    #[test]
    fn a_policy_about_images_has_a_step_about_images() {
        let of = |kind, message: &str| finding(&RolloutBlocker::new(kind, "ReplicaSet/web-1", "FailedCreate", message));
        let text = "admission webhook \"validation.gatekeeper.sh\" denied the request: [x] Container image nginx for container web has not been allowed.";
        let found = of(RolloutBlockerKind::Rejected, text).unwrap();
        assert!(found.next_step.summary.starts_with("name the image"), "{found:?}");
        let quota =
            of(RolloutBlockerKind::Quota, "pods \"a\" is forbidden: exceeded quota: q, requested: pods=1").unwrap();
        assert_eq!(quota.retry, PullRetry::Transient);
        assert!(of(RolloutBlockerKind::MissingConfig, text).is_none());
    }
}
