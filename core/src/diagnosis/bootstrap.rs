//! Nodes of network isolated clusters, which get their own programs from a registry before they join.

use super::{
    authorization::authorization,
    catalogue::FindingId,
    facts::Facts,
    finding::{Finding, FindingStatus, Need},
    nodes::reconciliation,
    text::NextStep,
};
use crate::inventory::{ClusterSettings, ProvisioningError};

/// The exit codes of a node's bootstrap that are about the registry: `cse_helpers.sh` of
/// [AgentBaker](https://github.com/Azure/AgentBaker).
const CODES: [(u16, &str); 6] = [
    (207, "could not pull the programs of Kubernetes"),
    (208, "could not pull the credential provider"),
    (210, "got no token of the kubelet identity in time"),
    (211, "got no answer of the registry in time"),
    (UNAUTHORIZED, "were refused by the registry"),
    (231, "could not pull a system extension"),
];
const UNAUTHORIZED: u16 = 212;
/// Before the code, in the message of the virtual machine's extension.
const MARKS: [&str; 2] = ["exit status=", "\"ExitCode\": \""];

/// The error that says why nodes did not join, with its code and what that means.
fn error(cluster: &ClusterSettings) -> Option<(&ProvisioningError, u16, &'static str)> {
    cluster.bootstrap_source.as_ref().filter(|source| source.eq_ignore_ascii_case("cache"))?;
    cluster.provisioning_errors.iter().find_map(|error| {
        let code = code_in(&error.message)?;
        let (_, meaning) = CODES.iter().find(|(known, _)| *known == code)?;
        Some((error, code, *meaning))
    })
}

fn code_in(message: &str) -> Option<u16> {
    let (_, rest) = MARKS.iter().find_map(|mark| message.split_once(mark))?;
    let end = rest.find(|one: char| !one.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Whether nodes did not join, so that it matters whether there are any.
pub(crate) fn has_failed(cluster: &ClusterSettings) -> bool {
    error(cluster).is_some()
}

/// What keeps nodes from joining. Those that joined before, as before a failed upgrade, still pull.
pub(super) fn finding(facts: &Facts, cluster: &ClusterSettings) -> Option<Finding> {
    let (error, code, meaning) = error(cluster)?;
    let nodes = error.pool.as_ref().map_or("nodes".to_owned(), |pool| format!("nodes of pool {pool}"));
    let text =
        format!("{nodes} {meaning} that cluster {} is bootstrapped from (exit code {code})", facts.cluster_id.name());
    let found = Finding::failing(FindingId::BOOTSTRAP_FAILED).saying(text);
    let found = found.seen("cluster", "status.provisioningError.message", &error.message);
    let found = match &cluster.bootstrap_registry {
        Some(registry) => found.seen("cluster", "bootstrapProfile.containerRegistryId", registry),
        None => found,
    };
    let found = with_step(found, facts, cluster, code);
    Some(match &facts.nodes.nodes {
        Some(Ok(nodes)) if nodes.iter().any(|node| node.is_available) => {
            Finding { status: FindingStatus::Warning, ..found }
        }
        Some(Ok(_)) => found,
        Some(Err(unread)) => Finding { status: FindingStatus::Unknown, ..found }.needing(unread.need.clone()),
        None => Finding { status: FindingStatus::Unknown, ..found }
            .needing(Need::option("kubernetes", "whether the cluster has other nodes is not known")),
    })
}

fn with_step(mut found: Finding, facts: &Facts, cluster: &ClusterSettings, code: u16) -> Finding {
    let name = facts.cluster_id.name();
    let is_asked =
        |registry: &String| matches!(&facts.registry, Ok(Some(settings)) if settings.registry.id.is(registry));
    let is_granted = |registry: &String| is_asked(registry) && authorization(facts).passes();
    match &cluster.bootstrap_registry {
        Some(registry) if code == UNAUTHORIZED && !is_granted(registry) => {
            let arguments = [("cluster", facts.cluster_id.to_string()), ("registry", registry.clone())];
            found.next_step = NextStep {
                operation: Some("attach".to_owned()),
                arguments: arguments.map(|(name, value)| (name.to_owned(), value)).into(),
                ..NextStep::new(format!(
                    "attach the registry to cluster {name}, and reconcile the cluster with az aks update"
                ))
            };
            found
        }
        _ => {
            let first = match code {
                UNAUTHORIZED => "",
                _ => {
                    "check the private endpoint, the DNS zone and the cache rule aks-managed-mcr of the registry, and "
                }
            };
            found.next_step = NextStep::new(format!("{first}reconcile the cluster with az aks update"));
            found.run(reconciliation(&facts.cluster_id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_stands_in_the_message_of_the_extension() {
        let text = |part: &str| {
            format!("VM has reported a failure when processing extension 'vmssCSE'. Error message: \"{part}")
        };
        let status =
            text("Enable failed: failed to execute command: command terminated with exit status=212\n[stdout]\n");
        assert_eq!(code_in(&status), Some(212));
        assert_eq!(code_in(&text("{ \"ExitCode\": \"211\", \"Output\": \"\" }")), Some(211));
        for other in ["", "exit status=", "exit status=999999"] {
            assert_eq!(code_in(&text(other)), None, "{other}");
        }
    }
}
