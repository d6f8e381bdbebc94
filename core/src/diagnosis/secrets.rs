//! What a pod's pull secrets have to do with a pull that was refused.

use super::{
    catalogue::FindingId,
    facts::FailedPull,
    finding::{Finding, Need},
    outcome::Outcome,
    stage::PullStage,
};
use crate::{
    action::{READ_SECRETS, smallest_role},
    cluster::{ObservedSecret, SecretState, serves},
};

/// The types of pull secrets. See [Secret types](https://kubernetes.io/docs/concepts/configuration/secret/#secret-types).
const TYPES: [&str; 2] = ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"];

/// What is wrong with them. If the nodes' identity is allowed to pull, they are a warning: the kubelet tries each credential in turn.
/// `is_azure`: the registry is one of Azure's.
pub(super) fn outcome(pull: &FailedPull<'_>, is_allowed: bool, is_azure: bool) -> Outcome {
    let outcome = Outcome::of(PullStage::SignIn);
    let found = |id: FindingId| if is_allowed { Finding::warning(id) } else { Finding::failing(id) };
    let mut unusable = Vec::new();
    let mut unread = Vec::new();
    for secret in pull.secrets {
        match &secret.state {
            SecretState::Present { secret_type, hosts } => {
                if !TYPES.contains(&secret_type.as_str()) {
                    unusable.push(wrong_type(found(FindingId::PULL_SECRET_UNUSABLE), secret, secret_type));
                } else if is_for(secret, pull) {
                    let found = found(FindingId::PULL_SECRET_EXPIRED);
                    let found = if is_azure { refused(found, secret, is_allowed) } else { rejected(found, secret) };
                    return outcome.with(found);
                } else {
                    unusable.push(other_hosts(found(FindingId::PULL_SECRET_UNUSABLE), secret, hosts, pull));
                }
            }
            SecretState::Missing => {
                unusable.push(missing(found(FindingId::PULL_SECRET_UNUSABLE), (secret, is_allowed), pull));
            }
            SecretState::Unread => unread.push(not_read(secret, "pod")),
        }
    }
    let later = pull.later.iter().filter(|secret| is_for(secret, pull));
    let later = later.map(|secret| not_in_pod(found(FindingId::PULL_SECRET_UNUSABLE), secret));
    unread.extend(
        pull.later.iter().filter(|one| one.state == SecretState::Unread).map(|one| not_read(one, "service account")),
    );
    later.chain(unusable).chain(unread).fold(outcome, Outcome::with)
}

/// Whether a secret has credentials for the image's registry.
fn is_for(secret: &ObservedSecret, pull: &FailedPull<'_>) -> bool {
    let SecretState::Present { secret_type, hosts } = &secret.state else { return false };
    let serves_it = |image| hosts.iter().any(|host| serves(host, image));
    TYPES.contains(&secret_type.as_str()) && pull.image.is_some_and(serves_it)
}

/// The API server gives a pod the secrets that its service account has when the pod is created.
fn not_in_pod(found: Finding, secret: &ObservedSecret) -> Finding {
    let name = &secret.name;
    let text = format!("the pods do not use pull secret {name}: they were created before their service account had it");
    let mut found = found.saying(text).seen("service account", "imagePullSecrets", name);
    found.next_step.summary =
        format!("delete the pods, or restart their workload: new pods get pull secret {name} from the service account");
    found
}

fn named(found: Finding, secret: &ObservedSecret) -> Finding {
    found.seen("pod", "imagePullSecrets", &secret.name)
}

fn host(pull: &FailedPull<'_>) -> String {
    pull.image.map_or_else(|| "the image's registry".to_owned(), |image| image.registry().to_owned())
}

/// Without the secret, the nodes' identity pulls: that helps only if it is allowed to.
fn or_removed(is_allowed: bool) -> &'static str {
    if is_allowed { ", or remove it from imagePullSecrets" } else { "" }
}

fn missing(found: Finding, (secret, is_allowed): (&ObservedSecret, bool), pull: &FailedPull<'_>) -> Finding {
    let (namespace, name, host) = (&secret.namespace, &secret.name, host(pull));
    let mut found = named(found.saying(format!("pull secret {name} does not exist in namespace {namespace}")), secret);
    found.next_step.summary = format!(
        "create pull secret {name} with credentials for {host} in namespace {namespace}{}",
        or_removed(is_allowed)
    );
    found
}

fn wrong_type(found: Finding, secret: &ObservedSecret, secret_type: &str) -> Finding {
    let text = format!("secret {} is not a pull secret: its type is {secret_type}", secret.name);
    let mut found = named(found.saying(text), secret).seen("secret", "type", secret_type);
    found.next_step.summary = format!("create secret {} again with the type {}", secret.name, TYPES[0]);
    found
}

fn other_hosts(found: Finding, secret: &ObservedSecret, hosts: &[String], pull: &FailedPull<'_>) -> Finding {
    let host = host(pull);
    let text = format!("pull secret {} has no credentials for {host}", secret.name);
    let mut found = named(found.saying(text), secret).seen("secret", "hosts", hosts.join(", "));
    found.next_step.summary = format!("add credentials for {host} to pull secret {}", secret.name);
    found
}

fn rejected(found: Finding, secret: &ObservedSecret) -> Finding {
    let text = format!("the registry rejects the user name and password of pull secret {}", secret.name);
    let mut found = named(found.saying(text), secret);
    found.next_step.summary = format!("renew pull secret {} in namespace {}", secret.name, secret.namespace);
    found
}

/// A registry of Azure also answers with 401 where the password is valid and its user has no role that counts. See [Authentication
/// required](https://learn.microsoft.com/troubleshoot/azure/azure-container-registry/authentication-required), with both as its causes.
fn refused(found: Finding, secret: &ObservedSecret, is_allowed: bool) -> Finding {
    let (name, namespace) = (&secret.name, &secret.namespace);
    let text = format!(
        "the registry refuses pull secret {name}: its user name and password are not valid, or its user may not pull this image"
    );
    let mut found = named(found.saying(text), secret);
    found.next_step.summary = format!(
        "renew pull secret {name} in namespace {namespace}, or grant its user a role that allows the pull{}",
        or_removed(is_allowed)
    );
    found
}

/// `named_by`: the object that names the secret.
fn not_read(secret: &ObservedSecret, named_by: &str) -> Finding {
    let text = format!("whether pull secret {} serves the image's registry is not known", secret.name);
    let found = Finding::unknown(FindingId::PULL_SECRET_UNUSABLE).saying(text);
    found.seen(named_by, "imagePullSecrets", &secret.name).needing(Need {
        action: Some(READ_SECRETS.to_owned()),
        scope: Some(format!("namespace {}", secret.namespace)),
        smallest_role: smallest_role(READ_SECRETS).map(str::to_owned),
        option: None,
        reason: "the caller cannot read the secret".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnosis::finding::FindingStatus, diagnosis::text::PullFailure, image::ImageReference};

    #[test]
    fn a_secret_that_only_the_service_account_has_counts_if_it_serves_the_registry() {
        let failure = PullFailure::new("web", "main", "ghcr.io/a:1", "ErrImagePull", "401 Unauthorized");
        let image = ImageReference::parse("ghcr.io/a:1").unwrap();
        let present = |secret_type: &str, host: &str| SecretState::Present {
            secret_type: secret_type.to_owned(),
            hosts: vec![host.to_owned()],
        };
        for (state, wanted) in [
            (present(TYPES[0], "ghcr.io"), Some(FindingStatus::Failing)),
            (present(TYPES[0], "quay.io"), None),
            (present("Opaque", "ghcr.io"), None),
            (SecretState::Missing, None),
            (SecretState::Unread, Some(FindingStatus::Unknown)),
        ] {
            let secret = ObservedSecret::new("default", "hub", state);
            let pull = FailedPull {
                failure: &failure,
                image: Some(&image),
                platform: None,
                node: None,
                secrets: &[],
                later: &[&secret],
                pulled_again: None,
                last_failed: None,
            };
            let outcome = outcome(&pull, false, false);
            let found = outcome.findings().first();
            assert_eq!(found.map(|one| one.status), wanted, "{secret:?}");
            assert!(found.is_none_or(|one| one.evidence[0].source == "service account"), "{found:?}");
        }
    }
}
