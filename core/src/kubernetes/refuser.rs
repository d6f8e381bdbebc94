//! What in a cluster refused a request. Kubernetes responds with 403 to all of them and distinguishes them by text only, so this is a
//! table of texts. They are those of Kubernetes 1.33: `apiserver/pkg/endpoints/handlers/responsewriters/errors.go` (RBAC),
//! `plugin/pkg/admission/{resourcequota,limitranger,namespace/lifecycle}`, `apiserver/pkg/admission/plugin/{policy,webhook}`,
//! `pod-security-admission`, `kubernetes/pkg/registry/rbac/escalation_check.go`. Any other text stays unknown, with the server's
//! message.

use super::meaning::Meaning;
use crate::{error::ErrorKind, refusal::RefusalKind};
use kube::core::Status;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refuser {
    Rbac,
    Quota,
    UnknownQuota,
    LimitRange,
    Policy,
    Webhook,
    SilentWebhook,
    PodSecurity,
    EndingNamespace,
    EndingObject,
}

pub(crate) fn find(status: &Status) -> Option<Refuser> {
    if let Some(refuser) = by_cause(status) {
        return Some(refuser);
    }
    let message = status.message.as_str();
    match status.code {
        409 if message.starts_with("object is being deleted: ") => Some(Refuser::EndingObject),
        500 if message.starts_with("Internal error occurred: failed calling webhook ") => Some(Refuser::SilentWebhook),
        400..=499 if message.starts_with("admission webhook \"") => Some(Refuser::Webhook),
        400..=499 if is_policy(after(message, " is forbidden: ").or_else(|| after(message, " is invalid: : "))) => {
            Some(Refuser::Policy)
        }
        403 => by_text(after(message, "forbidden: ")?),
        _ => None,
    }
}

/// The same for a message whose status is unknown, such as that of a controller which could not create a pod.
pub(crate) fn find_in(message: &str) -> Option<Refuser> {
    let as_if = |code| find(&Status { code, message: message.to_owned(), ..Status::default() });
    as_if(403).or_else(|| as_if(500))
}

/// The only refusal that a machine-readable cause identifies in addition to its text.
fn by_cause(status: &Status) -> Option<Refuser> {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == "NamespaceTerminating").then_some(Refuser::EndingNamespace)
}

/// The text after the first of some words. Names of resources and objects, which come before, do not contain such words.
fn after<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.split_once(words).map(|(_, rest)| rest)
}

fn is_policy(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.starts_with("ValidatingAdmissionPolicy '") && text.contains(" denied request: "))
}

fn by_text(text: &str) -> Option<Refuser> {
    let begins = |words: &[&str]| words.iter().any(|words| text.starts_with(words));
    if (begins(&["User \""]) && text.contains("\" cannot "))
        || (begins(&["user \""]) && text.contains(" is attempting to grant RBAC permissions not currently held"))
    {
        return Some(Refuser::Rbac);
    }
    if begins(&["exceeded quota: ", "failed quota: "]) {
        return Some(Refuser::Quota);
    }
    if begins(&["status unknown for quota: "]) {
        return Some(Refuser::UnknownQuota);
    }
    if begins(&["violates PodSecurity \""]) {
        return Some(Refuser::PodSecurity);
    }
    // Servers before 1.16 report no cause.
    if begins(&["unable to create new content in namespace "]) && text.ends_with(" because it is being terminated") {
        return Some(Refuser::EndingNamespace);
    }
    is_limit_range(text).then_some(Refuser::LimitRange)
}

/// `maximum cpu usage per Container is …`, `cpu max limit to request ratio per Pod is …`; several are in brackets.
fn is_limit_range(text: &str) -> bool {
    let text = text.strip_prefix('[').unwrap_or(text);
    let mut words = text.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("maximum" | "minimum"), Some(_), Some("usage"), Some("per")) => true,
        (Some(_), Some("max"), Some("limit"), Some("to")) => text.contains(" max limit to request ratio per "),
        _ => false,
    }
}

impl Refuser {
    pub fn meaning(self, status: &Status) -> Meaning {
        let kind = if status.code == 403 { ErrorKind::Forbidden } else { ErrorKind::InvalidInput };
        match self {
            Self::Rbac => Meaning::new(kind, "Kubernetes RBAC denies the caller this request"),
            Self::Quota => Meaning::new(kind, "a ResourceQuota of the namespace rejected the object"),
            Self::UnknownQuota => {
                Meaning::new(ErrorKind::Unavailable, "a ResourceQuota of the namespace is not computed yet").transient()
            }
            Self::LimitRange => Meaning::new(kind, "a LimitRange of the namespace rejected the object"),
            Self::Policy => Meaning::new(kind, "an admission policy of the cluster rejected the object"),
            Self::Webhook => Meaning::new(kind, "an admission webhook of the cluster rejected the object"),
            Self::SilentWebhook => {
                Meaning::new(ErrorKind::Unavailable, "an admission webhook of the cluster does not respond")
            }
            Self::PodSecurity => Meaning::new(kind, "Pod Security admission of the namespace rejected the pod"),
            Self::EndingNamespace => {
                Meaning::new(ErrorKind::Conflict, "the namespace is being deleted; apply again after the deletion")
                    .transient()
            }
            Self::EndingObject => {
                Meaning::new(ErrorKind::Conflict, "the object is being deleted; apply again after the deletion")
                    .transient()
            }
        }
    }

    pub fn refusal(self) -> Option<RefusalKind> {
        match self {
            Self::Policy | Self::Webhook | Self::PodSecurity => Some(RefusalKind::Policy),
            _ => None,
        }
    }
}
