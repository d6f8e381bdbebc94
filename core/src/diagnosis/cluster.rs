//! The stages cluster, registry and identity.

use super::{
    accounts, bootstrap,
    catalogue::FindingId,
    facts::{Facts, ImageFacts, Unread},
    finding::{Finding, Need},
    node_image, nodes,
    outcome::Outcome,
    service_principal,
    stage::PullStage,
    text::is_of_lost_key,
};
use crate::{
    action::{READ_REGISTRY, smallest_role},
    cluster::stopped::{self, is_stopped},
    inventory::ClusterSettings,
};

pub(super) fn cluster(facts: &Facts) -> Outcome {
    let cluster = match &facts.cluster {
        Ok(cluster) => cluster,
        Err(unread) => {
            return Outcome::of(PullStage::Cluster)
                .with(Finding::unknown(FindingId::UNKNOWN_CLUSTER).needing(unread.need.clone()));
        }
    };
    let state = &cluster.identities.state;
    let is = |word: &str| state.eq_ignore_ascii_case(word);
    let name = facts.cluster_id.name();
    let outcome = Outcome::of(PullStage::Cluster).passed_by(format!("provisioningState {state}"));
    let all_pools_stopped =
        !cluster.node_pools.is_empty() && cluster.node_pools.iter().all(|pool| is_stopped(pool.power_state.as_ref()));
    if is_stopped(cluster.power_state.as_ref()) {
        return outcome.with(stopped::finding(&facts.cluster_id));
    }
    if all_pools_stopped {
        let text = format!("every node pool of cluster {name} is stopped");
        let found = Finding::failing(FindingId::CLUSTER_STOPPED).saying(text);
        return outcome.with(found.seen("cluster", "agentPoolProfiles.powerState.code", "Stopped"));
    }
    let not_ready = |found: Finding| {
        let text = format!("cluster {name} is in the state {state}");
        found.saying(text).seen("cluster", "provisioningState", state)
    };
    if is("deleting") || (is("creating") && !has_identity(cluster)) {
        return outcome.with(not_ready(Finding::failing(FindingId::CLUSTER_NOT_READY)));
    }
    if let Some(found) = bootstrap::finding(facts, cluster) {
        return outcome.with(found);
    }
    if is("failed") || is("canceled") {
        let found = Finding::warning(FindingId::CLUSTER_NOT_READY);
        return outcome.with(not_ready(found).run(nodes::reconciliation(&facts.cluster_id)));
    }
    outcome
}

pub(super) fn registry(facts: &Facts) -> Outcome {
    let outcome = Outcome::of(PullStage::Registry);
    let name = &facts.registry_ref;
    let settings = match &facts.registry {
        Err(unread) if unread.is_of_another_tenant => return outcome.with(other_tenant(facts, unread)),
        Err(unread) => return outcome.with(Finding::unknown(FindingId::UNKNOWN_REGISTRY).needing(unread.need.clone())),
        Ok(None) if facts.is_by_id => {
            let text = format!("registry {name} does not exist");
            return outcome.with(Finding::failing(FindingId::REGISTRY_NOT_FOUND).saying(text));
        }
        Ok(None) => return outcome.with(unlisted(facts)),
        Ok(Some(settings)) => settings,
    };
    if let Some(words) = facts.image.as_ref().and_then(says_key_is_lost) {
        let text = format!("registry {} cannot use its customer-managed key", settings.registry.id.name());
        let found = Finding::failing(FindingId::ENCRYPTION_KEY_UNAVAILABLE).saying(text);
        return outcome.with(found.seen("registry", "error.message", words));
    }
    let state = &settings.registry.state;
    let outcome = outcome.passed_by(format!("{} in mode {}", settings.registry.login_server, settings.registry.mode));
    let found = match state.to_ascii_lowercase().as_str() {
        "succeeded" | "updating" => return outcome,
        "creating" | "deleting" => Finding::failing(FindingId::REGISTRY_NOT_READY),
        _ => Finding::warning(FindingId::REGISTRY_NOT_READY),
    };
    let text = format!("registry {} is in the state {state}", settings.registry.id.name());
    outcome.with(found.saying(text).seen("registry", "provisioningState", state))
}

/// A registry that is in no list that the caller can read. If its name is free, there is none.
fn unlisted(facts: &Facts) -> Finding {
    let name = &facts.registry_ref;
    let text = format!("no registry {name} is in a subscription that the caller can see");
    let not_visible = |more: &str| Finding::unknown(FindingId::REGISTRY_NOT_VISIBLE).saying(format!("{text}{more}"));
    let found = match &facts.is_name_taken {
        Some(Ok(false)) => {
            let found =
                Finding::failing(FindingId::REGISTRY_NOT_FOUND).saying(format!("no registry has the name {name}"));
            return found.seen("registry", "checkNameAvailability", "no registry has it");
        }
        Some(Ok(true)) => {
            not_visible(", and the name is taken").seen("registry", "checkNameAvailability", "AlreadyExists")
        }
        Some(Err(unread)) => not_visible("").needing(unread.need.clone()),
        None => not_visible(""),
    };
    let reason = "it may be in another subscription, or the caller cannot read it: give its resource ID";
    let smallest_role = smallest_role(READ_REGISTRY).map(str::to_owned);
    let reading = Need { action: Some(READ_REGISTRY.to_owned()), smallest_role, ..Need::reason(reason) };
    found.needing(Need::option("registry", reason)).needing(reading)
}

/// A free name says nothing of a registry whose login server has a label: its host is the name and the label.
pub(super) fn assumption(facts: &Facts) -> Option<String> {
    let is_free = matches!((&facts.registry, &facts.is_name_taken), (Ok(None), Some(Ok(false))));
    let is_by_name = !facts.is_by_id && !facts.registry_ref.contains('.');
    let text =
        "the registry is not one whose login server has a domain label, in a subscription that the caller cannot see";
    (is_free && is_by_name).then(|| text.to_owned())
}

/// The registry's own words, if it does not serve an image since it lost its key.
pub(super) fn says_key_is_lost(image: &ImageFacts) -> Option<&str> {
    let Some(Err(unread)) = &image.details else { return None };
    unread.service.as_deref().filter(|words| is_of_lost_key(words))
}

/// The cluster is in the tenant of the caller's token, with which it was read. Only a service principal can have a role in two tenants.
fn other_tenant(facts: &Facts, unread: &Unread) -> Finding {
    let with = |found: Finding, identity: &str| {
        let text = format!(
            "registry {} is in another tenant than the cluster, which pulls with {identity}",
            facts.registry_ref
        );
        found.saying(text).seen("registry", "error.code", "InvalidAuthenticationTokenTenant")
    };
    let is_open = match &facts.cluster {
        Ok(cluster) => cluster.identities.kubelet.is_none(),
        Err(_) => true,
    };
    if is_open {
        let found = Finding::unknown(FindingId::REGISTRY_OTHER_TENANT).needing(unread.need.clone());
        return with(found, "a service principal or an identity that is not known");
    }
    with(Finding::failing(FindingId::REGISTRY_OTHER_TENANT), "a managed identity of the cluster's tenant")
}

fn has_identity(cluster: &ClusterSettings) -> bool {
    cluster.identities.kubelet.is_some() || cluster.identities.service_principal.is_some()
}

/// Whether the registry lets everyone pull. The kubelet tries without a credential, too, whatever the node signs in with: see
/// `GetCredentials` in cloud-provider-azure, `pkg/credentialprovider/azure_credentials.go`, whose every response has an empty entry.
pub(super) fn is_anonymous(facts: &Facts) -> bool {
    matches!(&facts.registry, Ok(Some(settings)) if settings.anonymous_pull)
}

pub(super) fn identity(facts: &Facts) -> Outcome {
    let outcome = match accounts::identity(facts) {
        Some(outcome) => outcome,
        None => nodes::identity(facts, of_cluster(facts)),
    };
    let outcome = node_image::with_skipped_host(outcome, facts);
    if is_anonymous(facts) && facts.cluster.is_ok() { outcome.without_credentials() } else { outcome }
}

fn of_cluster(facts: &Facts) -> Outcome {
    let outcome = Outcome::of(PullStage::Identity);
    let outcome = match facts.principal {
        Some(principal) => outcome.passed_by(format!("object ID {principal}")),
        None => outcome,
    };
    let Ok(cluster) = &facts.cluster else { return outcome };
    if let Some(client_id) = &cluster.identities.service_principal {
        return service_principal::judge(facts, client_id, outcome);
    }
    if facts.principal.is_some() {
        return outcome;
    }
    if cluster.identities.state.eq_ignore_ascii_case("creating") {
        return outcome;
    }
    let text = format!("cluster {} has no kubelet identity that could pull", facts.cluster_id.name());
    outcome.with(Finding::failing(FindingId::IDENTITY_MISSING).saying(text))
}
