//! The stages cluster, registry and identity.

use super::{
    catalogue::FindingId,
    facts::{Facts, Unread},
    finding::{Finding, Need},
    outcome::Outcome,
    service_principal,
    stage::PullStage,
};
use crate::inventory::ClusterSettings;

fn is_stopped(state: Option<&String>) -> bool {
    state.is_some_and(|state| state.eq_ignore_ascii_case("stopped"))
}

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
    let (name, group) = (facts.cluster_id.name(), facts.cluster_id.group());
    let outcome = Outcome::of(PullStage::Cluster).passed_by(format!("provisioningState {state}"));
    let all_pools_stopped =
        !cluster.node_pools.is_empty() && cluster.node_pools.iter().all(|pool| is_stopped(pool.power_state.as_ref()));
    if is_stopped(cluster.power_state.as_ref()) {
        let found = Finding::failing(FindingId::CLUSTER_STOPPED).saying(format!("cluster {name} is stopped"));
        let found = found.seen("cluster", "powerState.code", "Stopped");
        return outcome.with(found.run(format!("az aks start --resource-group {group} --name {name}")));
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
    if is("failed") || is("canceled") {
        let found = Finding::warning(FindingId::CLUSTER_NOT_READY);
        return outcome.with(not_ready(found).run(format!("az aks update --resource-group {group} --name {name}")));
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
        Ok(None) => {
            let text = format!("no registry {name} is visible in the subscription");
            let reason = "it may be in another subscription, or the caller cannot read it";
            let found = Finding::unknown(FindingId::REGISTRY_NOT_VISIBLE).saying(text);
            return outcome.with(found.needing(Need::option("registry", reason)));
        }
        Ok(Some(settings)) => settings,
    };
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

pub(super) fn identity(facts: &Facts) -> Outcome {
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
