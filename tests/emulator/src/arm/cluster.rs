//! Clusters as resources: read, listed, written (so that it can be seen who does), asked for credentials.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::group::{demand_sight, readable};
use super::kubeconfig::{self, Who};
use super::polling::{operation_missing, signature};
use super::{Call, HOST, demand_group, page, resource_missing};
use crate::cluster::Cluster;
use crate::operation::Work;
use crate::reply::{self, Reply, aks_error};
use crate::world::World;

const KIND: &str = "Microsoft.ContainerService/managedClusters";
const READ: &str = "Microsoft.ContainerService/managedClusters/read";
const WRITE: &str = "Microsoft.ContainerService/managedClusters/write";

/// A cluster as a path names it.
#[derive(Clone, Copy)]
struct Place<'a> {
    subscription: &'a str,
    group: &'a str,
    name: &'a str,
}

impl Place<'_> {
    fn id(&self) -> String {
        let Self { subscription, group, name } = self;
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{KIND}/{name}")
    }

    fn find(&self, world: &World) -> Result<usize, Reply> {
        demand_group(world, self.subscription, self.group)?;
        let found = world.cluster_at(self.subscription, self.group, self.name);
        found.ok_or_else(|| resource_missing(KIND, self.group, self.name))
    }
}

pub(crate) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let subscription = segments[1];
    let answer = match (call.method(), &lower[2..]) {
        (&Method::GET, ["providers", _, "managedclusters"]) => list(world, call, subscription, None),
        (&Method::GET, ["providers", _, "locations", _, "operations", id]) => Ok(poll(world, call, id)),
        (&Method::GET, ["resourcegroups", _, "providers", _, "managedclusters"]) => {
            list(world, call, subscription, Some(segments[3]))
        }
        (method, ["resourcegroups", _, "providers", _, "managedclusters", _, rest @ ..]) => {
            let place = Place { subscription, group: segments[3], name: segments[7] };
            match (method, rest) {
                (&Method::GET, []) => get(world, call, place),
                (&Method::PUT, []) => put(world, call, place),
                (&Method::POST, ["listclusterusercredential"]) => credential(world, call, place, Who::User),
                (&Method::POST, ["listclusteradmincredential"]) => credential(world, call, place, Who::Admin),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn list(world: &World, call: &Call<'_>, subscription: &str, group: Option<&str>) -> Result<Reply, Reply> {
    let in_group = group.map(|group| format!("/resourceGroups/{group}")).unwrap_or_default();
    demand_sight(world, call, READ, &format!("/subscriptions/{subscription}{in_group}"))?;
    if let Some(group) = group {
        demand_group(world, subscription, group)?;
    }
    let wanted = |cluster: &&Cluster| {
        group.is_none_or(|group| cluster.group.eq_ignore_ascii_case(group))
            && readable(world, call, READ, &cluster.id(), subscription)
    };
    let items: Vec<Value> = world.clusters.iter().filter(wanted).map(|one| one.body(world)).collect();
    Ok(page(world, call, &items))
}

fn get(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, READ, &place.id())?;
    let at = place.find(world)?;
    Ok(reply::json(StatusCode::OK, &world.clusters[at].body(world)))
}

/// A write of the whole cluster. It changes nothing but the etag and the state: it is here so that a test can see who
/// writes clusters. Creating one is not known.
fn put(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, WRITE, &place.id())?;
    demand_group(world, place.subscription, place.group)?;
    let Some(at) = world.cluster_at(place.subscription, place.group, place.name) else {
        return Err(crate::world::unknown_request(call.method(), call.request.uri()));
    };
    let sent = call.json()?;
    if sent["location"].as_str().is_none() {
        return Err(aks_error(StatusCode::BAD_REQUEST, "InvalidParameter", "Required parameter location is missing."));
    }
    let wanted = call.request.headers().get("if-match").and_then(|value| value.to_str().ok());
    let cluster = &world.clusters[at];
    if wanted.is_some_and(|etag| etag != "*" && etag.trim_matches('"') != cluster.etag) {
        let message = "The etag of the request does not match that of the managed cluster.";
        return Err(aks_error(StatusCode::PRECONDITION_FAILED, "EtagMismatch", message));
    }
    if cluster.state.eq_ignore_ascii_case("Updating") || cluster.state.eq_ignore_ascii_case("Creating") {
        let message = format!(
            "Operation is not allowed: Another operation ({} - {}) is in progress, please wait for it to finish before \
             starting a new operation.",
            cluster.name, cluster.state
        );
        return Err(aks_error(StatusCode::CONFLICT, "OperationNotAllowed", &message));
    }
    let cluster = &mut world.clusters[at];
    cluster.etag = Uuid::new_v4().to_string();
    cluster.state = String::from("Updating");
    let (id, location) = (cluster.id(), cluster.location.clone());
    let operation = world.start(Work::Cluster(id), call.now, call.now + world.timing.cluster);
    let answer = reply::json(StatusCode::OK, &world.clusters[at].body(world));
    let address = format!(
        "https://{HOST}/subscriptions/{}/providers/Microsoft.ContainerService/locations/{location}/operations/{operation}\
         ?api-version=2016-03-30{}",
        place.subscription,
        signature(&operation)
    );
    Ok(reply::with(answer, "azure-asyncoperation", &address))
}

/// An operation's state. This provider sends no `Retry-After`, so none is sent here.
fn poll(world: &World, call: &Call<'_>, id: &str) -> Reply {
    let Some(operation) = world.operation(id) else {
        return operation_missing(id);
    };
    let mut body = json!({"name": swapped(id), "startTime": world.clock.rfc3339(operation.started)});
    if operation.is_through(call.now) {
        body["status"] = "Succeeded".into();
        body["endTime"] = world.clock.rfc3339(operation.due).into();
    } else {
        body["status"] = "InProgress".into();
    }
    reply::json(StatusCode::OK, &body)
}

/// The id with the bytes of its first three groups reversed: that is how this provider names its operations.
fn swapped(id: &str) -> String {
    let Ok(id) = Uuid::parse_str(id) else {
        return id.to_owned();
    };
    Uuid::from_bytes(id.to_bytes_le()).to_string()
}

fn credential(world: &World, call: &Call<'_>, place: Place<'_>, who: Who) -> Result<Reply, Reply> {
    call.demand_action(world, who.action(), &place.id())?;
    let cluster = &world.clusters[place.find(world)?];
    let seed = &cluster.seed;
    let is_static = who == Who::Admin || !seed.entra;
    if seed.local_accounts_disabled && is_static {
        let message = "Getting static credential is not allowed because this cluster is set to disable local accounts.";
        return Err(aks_error(StatusCode::BAD_REQUEST, "BadRequest", message));
    }
    let body = json!({"kubeconfigs": [{"name": who.name(), "value": kubeconfig::encoded(world, cluster, who)}]});
    Ok(reply::json(StatusCode::OK, &body))
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_operation_is_named_by_its_id_with_bytes_swapped() {
        let name = super::swapped("1474d48e-f05e-48cf-9c54-383b0a2828d3");
        assert_eq!(name, "8ed47414-5ef0-cf48-9c54-383b0a2828d3");
    }
}
