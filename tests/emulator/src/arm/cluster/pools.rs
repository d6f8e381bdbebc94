//! Node pools as resources of their own: read, added, scaled, removed.

use http::StatusCode;
use serde_json::{Value, json};

use super::power::demand_rest;
use super::{Place, operation, wanted};
use crate::arm::{Call, page};
use crate::cluster::pool;
use crate::operation::Work;
use crate::reply::{self, Reply, aks_error};
use crate::world::World;

const KIND: &str = "Microsoft.ContainerService/managedClusters/agentPools";

pub(super) fn read(world: &World, call: &Call<'_>, place: Place<'_>, name: Option<&str>) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("{KIND}/read"), &place.id())?;
    let cluster = &world.clusters[place.find(world)?];
    let Some(name) = name else {
        let items: Vec<Value> = cluster.pools.iter().map(|pool| cluster.pool_body(pool)).collect();
        return Ok(page(world, call, &items));
    };
    let known = cluster.pools.iter().find(|pool| is(pool, name)).ok_or_else(|| missing(place, name))?;
    Ok(reply::json(StatusCode::OK, &cluster.pool_body(known)))
}

fn is(pool: &Value, name: &str) -> bool {
    pool["name"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(name))
}

pub(super) fn missing(place: Place<'_>, name: &str) -> Reply {
    let message = format!(
        "Could not find the agent pool {name} in subscription: {}, resourceGroup: {}, clusterName: {}.",
        place.subscription, place.group, place.name
    );
    aks_error(StatusCode::NOT_FOUND, "NotFound", &message)
}

/// See [Create or update](https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update).
pub(super) fn put(world: &mut World, call: &Call<'_>, place: Place<'_>, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("{KIND}/write"), &place.id())?;
    let at = place.find(world)?;
    demand_rest(&world.clusters[at].name, &world.clusters[at].state, world.clusters[at].is_busy())?;
    let sent = call.json()?;
    let mut asked = sent["properties"].clone();
    if !asked.is_object() {
        return Err(wanted::bad("InvalidParameter", "properties", "The properties of the agent pool are missing."));
    }
    asked["name"] = name.to_ascii_lowercase().into();
    let whole = json!({"location": world.clusters[at].location, "properties": {"agentPoolProfiles": [asked]}});
    wanted::check(&whole)?;
    let cluster = &mut world.clusters[at];
    let (cluster_id, present) = (cluster.id(), cluster.seed.nodes.clone());
    let before = cluster.pools.iter().position(|pool| is(pool, name));
    let settled = wanted::one_pool(&whole, before.map(|at| &cluster.pools[at]));
    let mut pools = cluster.pools.clone();
    match before {
        Some(at) => pools[at] = settled.clone(),
        None => pools.push(settled.clone()),
    }
    demand_system(&pools)?;
    cluster.pools = pools;
    let nodes = pool::nodes(&cluster_id, &settled, &present);
    cluster.seed.nodes.retain(|node| !node.pool.eq_ignore_ascii_case(name));
    cluster.seed.nodes.extend(nodes);
    cluster.state = String::from("Updating");
    let location = cluster.location.clone();
    let mut body = cluster.pool_body(&settled);
    body["properties"]["provisioningState"] = if before.is_some() { "Updating" } else { "Creating" }.into();
    let operation = world.start(Work::Cluster(cluster_id), call.now, call.now + world.timing.cluster);
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(operation::begun(reply::json(status, &body), place.subscription, &location, &operation))
}

/// See [Delete](https://learn.microsoft.com/rest/api/aks/agent-pools/delete).
pub(super) fn delete(world: &mut World, call: &Call<'_>, place: Place<'_>, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("{KIND}/delete"), &place.id())?;
    let at = place.find(world)?;
    demand_rest(&world.clusters[at].name, &world.clusters[at].state, world.clusters[at].is_busy())?;
    let cluster = &mut world.clusters[at];
    let left: Vec<Value> = cluster.pools.iter().filter(|pool| !is(pool, name)).cloned().collect();
    if left.len() == cluster.pools.len() {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    }
    demand_system(&left)?;
    cluster.pools = left;
    cluster.seed.nodes.retain(|node| !node.pool.eq_ignore_ascii_case(name));
    cluster.state = String::from("Updating");
    let (id, location) = (cluster.id(), cluster.location.clone());
    let operation = world.start(Work::Cluster(id), call.now, call.now + world.timing.cluster);
    let answer = operation::begun(reply::empty(StatusCode::ACCEPTED), place.subscription, &location, &operation);
    let results = operation::address(place.subscription, &location, "operationresults", &operation);
    Ok(reply::with(answer, "location", &results))
}

/// See [Upgrade node image version](https://learn.microsoft.com/rest/api/aks/agent-pools/upgrade-node-image-version). The response has the
/// header `Azure-AsyncOperation`, as the REST specification says; its body is not recorded.
pub(super) fn upgrade_node_image(
    world: &mut World,
    call: &Call<'_>,
    place: Place<'_>,
    name: &str,
) -> Result<Reply, Reply> {
    call.demand_action(world, &format!("{KIND}/upgradeNodeImageVersion/action"), &place.id())?;
    let at = place.find(world)?;
    let cluster = &mut world.clusters[at];
    demand_rest(&cluster.name, &cluster.state, cluster.is_busy())?;
    let known = cluster.pools.iter().find(|pool| is(pool, name)).ok_or_else(|| missing(place, name))?;
    let mut body = cluster.pool_body(known);
    body["properties"]["provisioningState"] = "UpgradingNodeImageVersion".into();
    cluster.state = String::from("Upgrading");
    let (id, location) = (cluster.id(), cluster.location.clone());
    let work = Work::NodeImage(id, name.to_ascii_lowercase());
    let operation = world.start(work, call.now, call.now + world.timing.cluster);
    Ok(operation::begun(reply::json(StatusCode::ACCEPTED, &body), place.subscription, &location, &operation))
}

/// See [Use system node pools](https://learn.microsoft.com/azure/aks/use-system-pools): a cluster has at least one. The code is not recorded.
fn demand_system(pools: &[Value]) -> Result<(), Reply> {
    let is_system = |pool: &Value| pool["mode"].as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("System"));
    if pools.iter().any(is_system) {
        return Ok(());
    }
    let message = "There must be at least one system agent pool.";
    Err(wanted::bad("InvalidParameter", "agentPoolProfile.mode", message))
}
