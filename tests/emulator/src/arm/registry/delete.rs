//! Deleting a registry.
//!
//! Recorded (azure-cli, `test_acr_create_with_metadata_search_disabled.yaml`): a DELETE that was answered after eight seconds, with 200 and
//! no body. The other answers are [documented](https://learn.microsoft.com/rest/api/container-registry/registries/delete): 202 with
//! `Location`, and 204 for a registry that does not exist. So a deletion that takes time here is answered with 202.

use http::StatusCode;

use super::Place;
use crate::arm::{Call, demand_group, import};
use crate::operation::{Operation, Work};
use crate::reply::{self, Reply};
use crate::world::World;

pub(super) fn delete(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerRegistry/registries/delete", &place.id())?;
    demand_group(world, place.subscription, place.group)?;
    let Some(at) = world.registry_at(place.subscription, place.group, place.name) else {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    };
    let id = world.registries[at].id();
    if world.timing.registry_deletion.is_zero() {
        world.remove_registry(&id);
        return Ok(reply::empty(StatusCode::OK));
    }
    world.registries[at].properties["provisioningState"] = "Deleting".into();
    let is_same = |one: &&Operation| {
        one.outcome.is_none() && matches!(&one.work, Work::RegistryDeletion(of) if of.eq_ignore_ascii_case(&id))
    };
    // What Azure answers to a second DELETE meanwhile is not known: here it leads to the first one's end.
    let operation = match world.operations.iter().find(is_same).map(|one| one.id.clone()) {
        Some(begun) => begun,
        None => world.start(Work::RegistryDeletion(id), call.now, call.now + world.timing.registry_deletion),
    };
    let region = world.registries[at].location.to_ascii_uppercase();
    Ok(accepted(call, &region, &operation))
}

/// What a deletion has come to. The answer to the end of one is not recorded: it is the one to a DELETE that is over at once.
pub(super) fn result(call: &Call<'_>, operation: &Operation) -> Reply {
    if operation.is_through(call.now) {
        return reply::empty(StatusCode::OK);
    }
    let region = call.path.split('/').nth(6).unwrap_or_default();
    accepted(call, region, &operation.id)
}

fn accepted(call: &Call<'_>, region: &str, operation: &str) -> Reply {
    let subscription = call.path.split('/').nth(2).unwrap_or_default();
    let address = import::address(call, subscription, region, operation);
    reply::with(reply::empty(StatusCode::ACCEPTED), "location", &address)
}
