//! The admin user of a registry: its passwords asked for, and made anew.

use http::StatusCode;
use serde_json::json;

use super::Place;
use crate::arm::Call;
use crate::registry::{Registry, new_password};
use crate::reply::{self, Reply, arm_error};
use crate::world::World;

pub(super) fn list(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerRegistry/registries/listCredentials/action", &place.id())?;
    let registry = place.find(world)?;
    demand_admin(registry)?;
    Ok(shown(registry))
}

pub(super) fn regenerate(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerRegistry/registries/regenerateCredential/action", &place.id())?;
    demand_admin(place.find(world)?)?;
    let sent = call.json()?;
    let which = match sent["name"].as_str() {
        Some("password") => 0,
        Some("password2") => 1,
        _ => {
            let message = "The name must be 'password' or 'password2'.";
            return Err(arm_error(StatusCode::BAD_REQUEST, "InvalidParameter", message));
        }
    };
    let at = world.registry_at(place.subscription, place.group, place.name).unwrap_or_default();
    world.registries[at].passwords[which] = new_password(&world.ids);
    Ok(shown(&world.registries[at]))
}

fn demand_admin(registry: &Registry) -> Result<(), Reply> {
    if registry.properties["adminUserEnabled"] == true {
        return Ok(());
    }
    let message = format!(
        "Cannot perform credential operations for {} as admin user is disabled. Kindly enable admin user as per docs: \
         https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account",
        registry.id()
    );
    Err(arm_error(StatusCode::BAD_REQUEST, "UnAuthorizedForCredentialOperations", &message))
}

fn shown(registry: &Registry) -> Reply {
    let [first, second] = &registry.passwords;
    let body = json!({"username": registry.name, "passwords": [
        {"name": "password", "value": first}, {"name": "password2", "value": second},
    ]});
    reply::json(StatusCode::OK, &body)
}
