//! The scale sets of a cluster's node pools: which identities their machines have.

use http::Method;
use serde_json::{Value, json};

use super::{Call, page};
use crate::cluster::Cluster;
use crate::principal::stable_id;
use crate::reply::Reply;
use crate::world::World;

/// See [List](https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/list).
pub(super) fn route(world: &World, call: &Call<'_>, lower: &[&str]) -> Option<Reply> {
    let ["subscriptions", subscription, "resourcegroups", group, "providers", "microsoft.compute", kind] = lower else {
        return None;
    };
    if (*kind, call.method()) != ("virtualmachinescalesets", &Method::GET) {
        return None;
    }
    let scope = call.path.rsplit_once("/providers/").map_or("", |(scope, _)| scope);
    if let Err(refusal) = call.demand_action(world, "Microsoft.Compute/virtualMachineScaleSets/read", scope) {
        return Some(refusal);
    }
    let is_here = |one: &&Cluster| {
        one.subscription.eq_ignore_ascii_case(subscription) && one.node_group.eq_ignore_ascii_case(group)
    };
    let sets = world.clusters.iter().filter(is_here).flat_map(|cluster| {
        cluster.pools.iter().map(|pool| scale_set(world, cluster, pool["name"].as_str().unwrap_or_default()))
    });
    Some(page(world, call, &sets.collect::<Vec<_>>()))
}

/// AKS tags each set with its pool: see `aks-managed-poolName` in [AKS tags](https://learn.microsoft.com/azure/aks/use-tags).
fn scale_set(world: &World, cluster: &Cluster, pool: &str) -> Value {
    let number = u32::from_str_radix(&stable_id(&cluster.id())[..7], 16).unwrap_or(0) % 100_000_000;
    let name = format!("aks-{pool}-{number:08}-vmss");
    let mut body = json!({
        "name": name,
        "id": format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{name}",
            cluster.subscription, cluster.node_group
        ),
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": cluster.location,
        "tags": {"aks-managed-poolName": pool, "aks-managed-createOperationID": stable_id(&name)},
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 1},
        "properties": {"provisioningState": "Succeeded", "singlePlacementGroup": false},
    });
    let identity = cluster.pulls_as.as_ref().filter(|one| one.is_managed && one.is_attached);
    if let Some(principal) = identity.and_then(|one| world.principal(&one.principal)) {
        let ids = json!({"clientId": principal.client_id, "principalId": principal.object_id});
        body["identity"] =
            json!({"type": "UserAssigned", "userAssignedIdentities": {cluster.kubelet_id.as_str(): ids}});
    }
    body
}
