//! The identity of a cluster with a service principal: whether it still signs in.

use super::{
    catalogue::FindingId,
    command::Command,
    facts::{Facts, ServicePrincipalFacts, Unread},
    finding::{Finding, Need},
    nodes::of_cluster,
    outcome::Outcome,
};
use crate::{
    identity::{READ_APPLICATIONS, ServicePrincipal},
    stored_time,
};
use std::time::{Duration, SystemTime};

/// From when on the end of the last secret is a warning.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The stage of a cluster that signs in with this application. `outcome` passes if the object ID is known.
pub(super) fn judge(facts: &Facts, client_id: &str, outcome: Outcome) -> Outcome {
    let seen = |found: Finding| found.seen("cluster", "servicePrincipalProfile.clientId", client_id);
    let Some(read) = &facts.service_principal else {
        if facts.principal.is_some() {
            return outcome;
        }
        let reason = "Azure reports only the application ID of the cluster's service principal";
        let found = seen(Finding::unknown(FindingId::UNKNOWN_PRINCIPAL));
        let found = found.needing(Need::option("principal_id", reason));
        return outcome.with(found.needing(Need::option("query_graph", "Microsoft Graph has its object ID")));
    };
    let principal = match &read.principal {
        Ok(Some(principal)) => principal,
        Ok(None) => {
            let text = format!("service principal {client_id} of cluster {} does not exist", facts.cluster_id.name());
            let found = seen(Finding::failing(FindingId::IDENTITY_MISSING).saying(text));
            return outcome.with(found.run(reset(facts, "NEW_APPLICATION_ID")));
        }
        Err(unread) => {
            let id = if facts.principal.is_some() {
                FindingId::SERVICE_PRINCIPAL_EXPIRED
            } else {
                FindingId::UNKNOWN_PRINCIPAL
            };
            return outcome.with(seen(Finding::unknown(id)).needing(need(unread)));
        }
    };
    if facts.principal != Some(principal.object_id) {
        // The options name another one.
        return outcome;
    }
    match secrets(facts, client_id, principal, read) {
        Some(found) => outcome.with(seen(found)),
        None => outcome,
    }
}

/// Of a pull that a registry refused with the credentials of the node: their end is not known.
pub(super) fn not_read(facts: &Facts) -> Option<Finding> {
    let client_id = facts.cluster.as_ref().ok()?.identities.service_principal.as_ref()?;
    if facts.service_principal.is_some() || facts.principal.is_none() {
        return None;
    }
    let text = "the registry rejects an expired secret with the same message as a missing role; whether a secret of the cluster's \
                service principal is valid is not known";
    let found = Finding::unknown(FindingId::SERVICE_PRINCIPAL_EXPIRED).saying(text);
    let found = found.seen("cluster", "servicePrincipalProfile.clientId", client_id);
    Some(found.needing(Need::option("query_graph", "Microsoft Graph has the ends of its secrets")))
}

/// Only a secret counts: a cluster has no other credential of its service principal. See `GetCredentials` in cloud-provider-azure,
/// `pkg/credentialprovider/azure_credentials.go`.
fn secrets(
    facts: &Facts,
    client_id: &str,
    principal: &ServicePrincipal,
    read: &ServicePrincipalFacts,
) -> Option<Finding> {
    let name = facts.cluster_id.name();
    if !principal.is_enabled {
        let text = format!("service principal {client_id} of cluster {name} is disabled");
        let found = Finding::failing(FindingId::SERVICE_PRINCIPAL_EXPIRED).saying(text);
        let command = Command::new("az ad sp update").with("--id", principal.object_id);
        let command = command.words("--set accountEnabled=true");
        return Some(found.seen("service principal", "accountEnabled", false).run(command));
    }
    let of_application = match &read.credentials {
        Ok(Some(credentials)) => credentials.as_slice(),
        Ok(None) if principal.credentials.is_empty() => {
            let reason =
                "the application of the service principal is in another tenant, which does not show its secrets here";
            return Some(Finding::unknown(FindingId::SERVICE_PRINCIPAL_EXPIRED).needing(Need::reason(reason)));
        }
        Ok(None) => &[],
        Err(unread) => return Some(Finding::unknown(FindingId::SERVICE_PRINCIPAL_EXPIRED).needing(need(unread))),
    };
    let all = || principal.credentials.iter().chain(of_application);
    let ends: Vec<Option<SystemTime>> = all().filter(|one| !one.is_certificate).map(|one| one.end).collect();
    if ends.contains(&None) {
        return None;
    }
    let last = ends.into_iter().flatten().max();
    let date = last.map_or_else(|| "none".to_owned(), stored_time::text);
    let id = FindingId::SERVICE_PRINCIPAL_EXPIRED;
    let found = match last {
        Some(last) if last > read.read_at + SOON => return None,
        Some(last) if last > read.read_at => Finding::warning(id)
            .saying(format!("the last secret of service principal {client_id} of cluster {name} ends at {date}")),
        Some(_) => Finding::failing(id).saying(format!(
            "every secret of service principal {client_id} of cluster {name} has ended, the last at {date}"
        )),
        None => Finding::failing(id).saying(format!("service principal {client_id} of cluster {name} has no secret")),
    };
    let found = found.seen("application", "passwordCredentials.endDateTime", date);
    Some(found.run(reset(facts, client_id)))
}

fn reset(facts: &Facts, client_id: &str) -> Command {
    of_cluster("az aks update-credentials", &facts.cluster_id)
        .words("--reset-service-principal")
        .with("--service-principal", client_id)
        .words("--client-secret SECRET")
}

/// A refusal of Microsoft Graph names no permission.
fn need(unread: &Unread) -> Need {
    let mut need = unread.need.clone();
    if unread.status == Some(403) {
        need.action = Some(READ_APPLICATIONS.to_owned());
        need.scope = Some("Microsoft Graph".to_owned());
    }
    need
}
