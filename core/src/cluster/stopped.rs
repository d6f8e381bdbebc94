//! Clusters that are stopped: they have no API server to reach, and waiting does not start them.

use super::{ClusterBody, get_cluster};
use crate::{
    call::Call,
    diagnosis::{catalogue::FindingId, command::Command, finding::Finding},
    error::{Error, ErrorKind},
    http::Arm,
    id::ResourceId,
};
use std::time::Duration;

/// What failed is not held up for longer than this.
const LONGEST: Duration = Duration::from_secs(5);

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

/// The error of a request that did not reach the cluster, if it is stopped. `None` also if the caller may not read that.
pub(super) async fn error(arm: &Arm, id: &ResourceId, call: &Call) -> Option<Error> {
    let answer = arm.send(get_cluster(id), &call.at_most(LONGEST)).await.ok()?;
    let state = answer.read::<ClusterBody>("a cluster").ok()?.part::<String>("properties/powerState/code").ok()?;
    is_stopped(state.as_ref()).then(|| {
        let found = finding(id);
        let hint = found.next_step.command.clone().unwrap_or_else(|| found.next_step.summary.clone());
        let err = Error::new(ErrorKind::Unavailable, format!("{} [{}]", found.message, found.id));
        err.with_transient(false).with_context("hint", hint).with_context("see", found.docs.clone()).with_finding(found)
    })
}
