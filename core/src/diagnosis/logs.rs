//! What a registry's resource logs say.

use super::facts::{Facts, Unread};
use crate::{
    id::ResourceId,
    identity::KubeletIdentity,
    image::ImageReference,
    inventory::{ClusterSettings, RegistryLogEvent, RegistryLogs},
    stored_time,
};
use std::time::SystemTime;

/// How many events a report has: the newest.
const MOST: usize = 20;

/// A pull by the cluster's kubelet identity that the registry has answered with success.
pub(super) struct LoggedPull<'a> {
    pub image: ImageReference,
    event: &'a RegistryLogEvent,
    /// Whether the identity is of this cluster only: AKS has created it. Nodes of another cluster can have one that a user has created.
    pub is_own: bool,
}

impl LoggedPull<'_> {
    pub fn at(&self) -> SystemTime {
        self.event.time
    }

    /// The pull in one line.
    pub fn shown(&self) -> String {
        let from = self.event.caller_address.iter().map(|address| format!(" from {address}"));
        let id = self.event.correlation_id.iter().map(|id| format!(" (correlation ID {id})"));
        let details: String = from.chain(id).collect();
        format!("the nodes' identity pulled {} at {}{details}", self.image, stored_time::text(self.event.time))
    }
}

/// The newest events, for a report.
pub(super) fn events(facts: &Facts) -> Vec<RegistryLogEvent> {
    let Some(Ok(logs)) = &facts.registry_logs else { return Vec::new() };
    logs.events.iter().take(MOST).cloned().collect()
}

/// The pulls that have succeeded.
pub(super) fn pulls(facts: &Facts) -> Vec<LoggedPull<'_>> {
    let (Some(Ok(logs)), Ok(Some(settings)), Ok(cluster)) = (&facts.registry_logs, &facts.registry, &facts.cluster)
    else {
        return Vec::new();
    };
    let identity = Identity { facts, cluster };
    let is_own = identity.is_created_by_aks();
    let of_nodes = logs.events.iter().filter(|event| {
        event.is_pull() && event.has_succeeded() && event.identity.as_ref().is_some_and(|id| identity.is(id))
    });
    let pull = |event| Some(LoggedPull { image: image(event, &settings.registry.login_server)?, event, is_own });
    of_nodes.filter_map(pull).collect()
}

/// The identity that pulls.
struct Identity<'a> {
    facts: &'a Facts,
    cluster: &'a ClusterSettings,
}

impl Identity<'_> {
    /// The kubelet identity, unless another one was named.
    fn kubelet(&self) -> Option<&KubeletIdentity> {
        let kubelet = self.cluster.identities.kubelet.as_ref()?;
        self.facts.principal.is_none_or(|principal| principal == kubelet.object_id).then_some(kubelet)
    }

    /// Whether the logs mean it with this ID: a client ID or an object ID.
    fn is(&self, id: &str) -> bool {
        let client_id = self.kubelet().and_then(|kubelet| kubelet.client_id.clone());
        let object_id = self.facts.principal.or_else(|| self.kubelet().map(|kubelet| kubelet.object_id));
        client_id.into_iter().chain(object_id.map(|id| id.to_string())).any(|own| own.eq_ignore_ascii_case(id))
    }

    /// Whether AKS has created it: then it is in the resource group of the cluster's nodes. See [summary of managed
    /// identities](https://learn.microsoft.com/azure/aks/use-managed-identity#summary-of-managed-identities-used-by-aks).
    fn is_created_by_aks(&self) -> bool {
        let id = self.kubelet().and_then(|kubelet| kubelet.resource_id.as_ref()?.parse::<ResourceId>().ok());
        id.zip(self.cluster.node_resource_group.as_ref())
            .is_some_and(|(id, group)| id.group().eq_ignore_ascii_case(group))
    }
}

/// The image that was pulled, as nodes name it.
fn image(event: &RegistryLogEvent, login_server: &str) -> Option<ImageReference> {
    let repository = event.repository.as_ref()?;
    let reference = match (&event.tag, &event.digest) {
        (Some(tag), _) => format!(":{tag}"),
        (None, digest) => format!("@{}", digest.as_ref()?),
    };
    ImageReference::parse(&format!("{login_server}/{repository}{reference}")).ok()
}

/// What is taken for granted because the logs do not have it.
pub(super) fn assumptions(facts: &Facts) -> Vec<String> {
    let (Some(logs), Ok(Some(settings))) = (&facts.registry_logs, &facts.registry) else { return Vec::new() };
    match logs {
        Ok(logs) => of_logs(logs, &settings.registry.id),
        Err(unread) => vec![unknown(unread)],
    }
}

fn of_logs(logs: &RegistryLogs, registry: &ResourceId) -> Vec<String> {
    let all = ["ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"];
    let absent: Vec<&str> = all.into_iter().filter(|one| !logs.tables.iter().any(|table| table == one)).collect();
    let mut assumed = Vec::new();
    if !absent.is_empty() {
        assumed.push(format!(
            "nothing is known from {}: no diagnostic setting of registry {} sends this to a Log Analytics workspace; to send it from now on, \
             run az monitor diagnostic-settings create --name registry-logs --resource {registry} --workspace WORKSPACE_ID \
             --logs '[{{\"categoryGroup\":\"audit\",\"enabled\":true}}]'",
            absent.join(" and "),
            registry.name()
        ));
    }
    for (action, scope) in &logs.missing {
        assumed.push(format!("the registry's resource logs have no other events: some need {action} on {scope}"));
    }
    if let Some(error) = &logs.partial_error {
        assumed.push(format!(
            "the registry's resource logs have no other events: Azure returned a part of them ({error})"
        ));
    }
    assumed
}

fn unknown(unread: &Unread) -> String {
    format!("nothing is known from the registry's resource logs: they could not be read ({})", unread.need)
}
