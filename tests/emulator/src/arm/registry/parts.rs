//! What hangs below a registry: how full it is, who connects privately, where it is copied to.

use http::StatusCode;
use serde_json::{Value, json};

use super::Place;
use crate::arm::{Call, page, resource_missing};
use crate::image::Store;
use crate::registry::merge;
use crate::reply::{self, Reply};
use crate::world::World;

const CONNECTIONS: &str = "Microsoft.ContainerRegistry/registries/privateEndpointConnections";
const GIB: u64 = 1 << 30;

/// How much of its sku's room a registry takes.
pub(super) fn usages(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerRegistry/registries/listUsages/read", &place.id())?;
    let registry = place.find(world)?;
    let (size, hooks) = match registry.sku.as_str() {
        "Premium" => (500 * GIB, 500),
        "Standard" => (100 * GIB, 10),
        _ => (10 * GIB, 2),
    };
    let usage = |name: &str, limit: u64, current: u64, unit: &str| json!({"name": name, "limit": limit, "currentValue": current, "unit": unit});
    let body = json!({"value": [
        usage("Size", size, taken(&registry.images), "Bytes"),
        usage("Webhooks", hooks, 0, "Count"),
    ]});
    Ok(reply::json(StatusCode::OK, &body))
}

/// The bytes that are kept; a blob that two repositories have is kept once.
fn taken(images: &Store) -> u64 {
    let blobs = images.repositories.values().flat_map(|repository| &repository.blobs);
    let blobs: std::collections::BTreeMap<&String, usize> =
        blobs.map(|(digest, bytes)| (digest, bytes.len())).collect();
    blobs.values().map(|length| *length as u64).sum()
}

pub(super) fn connections(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("{CONNECTIONS}/read"), &place.id())?;
    let registry = place.find(world)?;
    let items = registry.properties["privateEndpointConnections"].as_array().cloned().unwrap_or_default();
    Ok(page(world, call, &items))
}

/// One connection.
pub(super) fn connection(world: &World, call: &Call<'_>, place: Place<'_>, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("{CONNECTIONS}/read"), &place.id())?;
    let all = place.find(world)?.properties["privateEndpointConnections"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|one| one["name"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name)));
    let found = found.ok_or_else(|| resource_missing(CONNECTIONS, place.group, &format!("{}/{name}", place.name)))?;
    Ok(reply::json(StatusCode::OK, &found))
}

/// Approves or rejects a connection.
pub(super) fn decide(world: &mut World, call: &Call<'_>, place: Place<'_>, name: &str) -> Result<Reply, Reply> {
    connection(world, call, place, name)?;
    call.demand_action(world, &format!("{CONNECTIONS}/write"), &place.id())?;
    let sent = call.json()?;
    let id = place.id();
    for registry in world.registries.iter_mut().filter(|one| one.id().eq_ignore_ascii_case(&id)) {
        let all = registry.properties["privateEndpointConnections"].as_array_mut();
        let is_meant = |one: &&mut Value| one["name"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name));
        for one in all.into_iter().flatten().filter(is_meant) {
            merge(
                &mut one["properties"]["privateLinkServiceConnectionState"],
                &sent["properties"]["privateLinkServiceConnectionState"],
            );
        }
    }
    connection(world, call, place, name)
}

/// A Premium registry is in its own region, and in those of its replicas.
pub(super) fn replications(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    let kind = "Microsoft.ContainerRegistry/registries/replications";
    call.demand_action(world, &format!("{kind}/read"), &place.id())?;
    let registry = place.find(world)?;
    let one = |location: &String| {
        json!({"id": format!("{}/replications/{location}", registry.id()), "name": location,
            "type": kind, "location": location, "tags": {},
            "properties": {"provisioningState": "Succeeded", "status": {"displayStatus": "Ready"},
                "regionEndpointEnabled": true, "zoneRedundancy": "Disabled"}})
    };
    let regions = std::iter::once(&registry.location).chain(&registry.replicas);
    let items: Vec<Value> = regions.filter(|_| registry.sku == "Premium").map(one).collect();
    Ok(page(world, call, &items))
}

/// What no request can make here, so that there is none of it.
pub(super) fn none(world: &World, call: &Call<'_>, place: Place<'_>, kind: &str) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("Microsoft.ContainerRegistry/registries/{kind}/read"), &place.id())?;
    place.find(world)?;
    Ok(page(world, call, &[]))
}
