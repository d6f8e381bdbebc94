//! Another service principal, or another secret of it.

use http::StatusCode;
use serde_json::json;

use super::power::demand_rest;
use super::{Place, operation, put};
use crate::arm::Call;
use crate::operation::Work;
use crate::reply::{self, Reply, aks_error};
use crate::world::World;

/// See [Reset service principal profile](https://learn.microsoft.com/rest/api/aks/managed-clusters/reset-service-principal-profile). Azure
/// makes the nodes anew with it ([the guide](https://learn.microsoft.com/azure/aks/update-credentials)).
pub(super) fn reset(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(
        world,
        "Microsoft.ContainerService/managedClusters/resetServicePrincipalProfile/action",
        &place.id(),
    )?;
    let at = place.find(world)?;
    demand_rest(&world.clusters[at].name, &world.clusters[at].state, world.clusters[at].is_busy())?;
    if !world.clusters[at].seed.service_principal {
        let message = "The cluster has managed identities, and no service principal profile to reset.";
        return Err(aks_error(StatusCode::BAD_REQUEST, "BadRequest", message));
    }
    let sent = call.json()?;
    let principal = put::service_principal(world, &json!({"properties": {"servicePrincipalProfile": sent}}))?;
    let identity = world.service_identity(&principal, sent["secret"].as_str().map(str::to_owned));
    let cluster = &mut world.clusters[at];
    if let Some(identity) = identity {
        cluster.change_service_principal(identity, call.now);
    }
    cluster.state = String::from("Updating");
    let (id, location) = (cluster.id(), cluster.location.clone());
    let operation = world.start(Work::Cluster(id), call.now, call.now + world.timing.cluster);
    let answer = operation::begun(reply::empty(StatusCode::ACCEPTED), place.subscription, &location, &operation);
    let results = operation::address(place.subscription, &location, "operationresults", &operation);
    Ok(reply::with(answer, "location", &results))
}
