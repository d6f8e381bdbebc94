//! The resource logs of a registry, by Azure Monitor.

use super::{Parts, check::ended::unless_ended};
use crate::{call::Call, diagnosis::facts::Facts, error::Result};
use std::time::Duration;

/// How far back the logs are read.
const SPAN: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// How long the logs may take: they are optional.
const LONGEST: Duration = Duration::from_secs(10);

/// Adds the logs of the registry, if that was found.
pub(super) async fn add(parts: &Parts, facts: &mut Facts, call: &Call) -> Result<()> {
    let Ok(Some(settings)) = &facts.registry else { return Ok(()) };
    let identities = identities(facts);
    let limited = call.at_most(LONGEST);
    let since = parts.time() - SPAN;
    let reading = async {
        let read = parts.inventory().registry_logs(&settings.registry.id, &identities, since, &limited).await;
        unless_ended(read, call)
    };
    facts.registry_logs = Some(call.step("reading the registry's resource logs", reading).await?);
    Ok(())
}

/// What the logs may call the identity that pulls.
fn identities(facts: &Facts) -> Vec<String> {
    let kubelet = facts.cluster.as_ref().ok().and_then(|cluster| cluster.identities.kubelet.as_ref());
    let client_id = kubelet.and_then(|kubelet| kubelet.client_id.clone());
    let object_id = kubelet.map(|kubelet| kubelet.object_id.to_string());
    let service_principal =
        facts.cluster.as_ref().ok().and_then(|cluster| cluster.identities.service_principal.clone());
    let all = client_id.into_iter().chain(object_id).chain(service_principal);
    let mut all: Vec<String> = all.chain(facts.principal.map(|id| id.to_string())).collect();
    all.sort();
    all.dedup();
    all
}
