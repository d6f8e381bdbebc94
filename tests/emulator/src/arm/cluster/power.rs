//! Stopping and starting a cluster: its nodes and its API server go, and come back with all that was stored.
//!
//! [Stop and start a cluster](https://learn.microsoft.com/azure/aks/start-stop-cluster) says that Azure keeps all objects except pods without
//! a controller; here those are kept, too. No source says what a client of a stopped API server sees: here its name is not resolved.

use http::StatusCode;

use super::{Place, operation};
use crate::arm::Call;
use crate::operation::Work;
use crate::reply::{self, Reply, aks_error};
use crate::world::World;

/// See [Stop](https://learn.microsoft.com/rest/api/aks/managed-clusters/stop) and
/// [Start](https://learn.microsoft.com/rest/api/aks/managed-clusters/start).
pub(super) fn switch(world: &mut World, call: &Call<'_>, place: Place<'_>, stops: bool) -> Result<Reply, Reply> {
    let verb = if stops { "stop" } else { "start" };
    let action = format!("Microsoft.ContainerService/managedClusters/{verb}/action");
    call.demand_action(world, &action, &place.id())?;
    let at = place.find(world)?;
    demand_rest(&world.clusters[at].name, &world.clusters[at].state, world.clusters[at].is_busy())?;
    let cluster = &mut world.clusters[at];
    cluster.stopped = stops;
    cluster.state = String::from(if stops { "Stopping" } else { "Starting" });
    let (id, location) = (cluster.id(), cluster.location.clone());
    let operation = world.start(Work::Cluster(id), call.now, call.now + world.timing.cluster);
    let answer = operation::begun(reply::empty(StatusCode::ACCEPTED), place.subscription, &location, &operation);
    let results = operation::address(place.subscription, &location, "operationresults", &operation);
    Ok(reply::with(answer, "location", &results))
}

/// One thing at a time.
pub(super) fn demand_rest(name: &str, state: &str, is_busy: bool) -> Result<(), Reply> {
    if !is_busy {
        return Ok(());
    }
    let message = format!(
        "Operation is not allowed: Another operation ({name} - {state}) is in progress, please wait for it to finish before \
         starting a new operation."
    );
    Err(aks_error(StatusCode::CONFLICT, "OperationNotAllowed", &message))
}
