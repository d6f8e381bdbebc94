//! Clusters that are stopped: they have no API server to reach, and waiting does not start them.

use crate::{
    diagnosis::{catalogue::FindingId, command::Command, finding::Finding},
    id::ResourceId,
};

/// Whether Azure's word for a power state says that it is stopped.
pub(crate) fn is_stopped(state: Option<&String>) -> bool {
    state.is_some_and(|state| state.eq_ignore_ascii_case("stopped"))
}

/// The finding of a cluster that is stopped.
pub(crate) fn finding(id: &ResourceId) -> Finding {
    let found = Finding::failing(FindingId::CLUSTER_STOPPED).saying(format!("cluster {} is stopped", id.name()));
    let start = Command::new("az aks start").with("--resource-group", id.group()).with("--name", id.name());
    found.seen("cluster", "powerState.code", "Stopped").run(start)
}
