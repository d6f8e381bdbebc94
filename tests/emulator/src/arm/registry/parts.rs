//! What hangs below a registry: how full it is, who connects privately, where it is copied to.

use http::StatusCode;
use serde_json::{Value, json};

use super::Place;
use crate::arm::{Call, page};
use crate::image::Store;
use crate::reply::{self, Reply};
use crate::world::World;

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
    let kind = "Microsoft.ContainerRegistry/registries/privateEndpointConnections";
    call.demand_action(world, &format!("{kind}/read"), &place.id())?;
    let registry = place.find(world)?;
    let items = registry.properties["privateEndpointConnections"].as_array().cloned().unwrap_or_default();
    Ok(page(world, call, &items))
}

/// A Premium registry is in its own region, and nowhere else here.
pub(super) fn replications(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    let kind = "Microsoft.ContainerRegistry/registries/replications";
    call.demand_action(world, &format!("{kind}/read"), &place.id())?;
    let registry = place.find(world)?;
    let home = json!({"id": format!("{}/replications/{}", registry.id(), registry.location), "name": registry.location,
        "type": kind, "location": registry.location, "tags": {},
        "properties": {"provisioningState": "Succeeded", "status": {"displayStatus": "Ready"},
            "regionEndpointEnabled": true, "zoneRedundancy": "Disabled"}});
    let items: Vec<Value> = if registry.sku == "Premium" { vec![home] } else { Vec::new() };
    Ok(page(world, call, &items))
}

/// What no request can make here, so that there is none of it.
pub(super) fn none(world: &World, call: &Call<'_>, place: Place<'_>, kind: &str) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("Microsoft.ContainerRegistry/registries/{kind}/read"), &place.id())?;
    place.find(world)?;
    Ok(page(world, call, &[]))
}
