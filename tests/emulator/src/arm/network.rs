//! Public IP addresses of clusters: the one that the nodes of a cluster are seen at.

use http::{Method, StatusCode};
use serde_json::json;

use super::{Call, resource_missing};
use crate::cluster::Cluster;
use crate::reply::{self, Reply};
use crate::world::World;

pub(super) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let ["subscriptions", _, "resourcegroups", _, "providers", "microsoft.network", "publicipaddresses", _] = lower
    else {
        return super::stored::route(world, call, segments, lower);
    };
    let is_of_cluster = |one: &Cluster| one.address_id().is_some_and(|id| id.eq_ignore_ascii_case(&call.path));
    if !world.clusters.iter().any(is_of_cluster) {
        return super::stored::route(world, call, segments, lower);
    }
    (*call.method() == Method::GET).then(|| get(world, call, segments).unwrap_or_else(|refusal| refusal))
}

fn get(world: &World, call: &Call<'_>, segments: &[&str]) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.Network/publicIPAddresses/read", &call.path)?;
    let of = |cluster: &&Cluster| cluster.address_id().is_some_and(|id| id.eq_ignore_ascii_case(&call.path));
    let Some(cluster) = world.clusters.iter().find(of) else {
        return Err(resource_missing("Microsoft.Network/publicIPAddresses", segments[3], segments[7]));
    };
    let body = json!({
        "id": cluster.address_id(),
        "name": segments[7],
        "type": "Microsoft.Network/publicIPAddresses",
        "location": cluster.location,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "provisioningState": "Succeeded", "ipAddress": world.addresses.nodes, "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 30,
        },
    });
    Ok(reply::json(StatusCode::OK, &body))
}
