//! Clusters as resources: made, read, listed, changed, deleted, asked for credentials.

pub(crate) mod capacity;
mod command;
mod credentials;
mod operation;
mod pools;
mod power;
mod put;
mod version;
mod wanted;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::group::{demand_sight, readable};
use super::kubeconfig::{self, Who};
use super::{Call, demand_group, page, resource_missing};
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
        (&Method::GET, ["providers", _, "locations", _, "operations", id]) => Ok(operation::poll(world, call, id)),
        (&Method::GET, ["providers", _, "locations", _, "kubernetesversions"]) => {
            version::of_region(world, call, subscription)
        }
        (&Method::GET, ["providers", _, "locations", location, "operationresults", id]) => {
            Ok(operation::result(world, call, subscription, location, id))
        }
        (&Method::GET, ["resourcegroups", _, "providers", _, "managedclusters"]) => {
            list(world, call, subscription, Some(segments[3]))
        }
        (method, ["resourcegroups", _, "providers", _, "managedclusters", _, rest @ ..]) => {
            let place = Place { subscription, group: segments[3], name: segments[7] };
            match (method, rest) {
                (&Method::GET, []) => get(world, call, place),
                (&Method::PUT, []) => put::put(world, call, place),
                (&Method::PATCH, []) => tag(world, call, place),
                (&Method::DELETE, []) => delete(world, call, place),
                (&Method::GET, ["agentpools"]) => pools::read(world, call, place, None),
                (&Method::GET, ["agentpools", _]) => pools::read(world, call, place, Some(segments[9])),
                (&Method::PUT, ["agentpools", _]) => pools::put(world, call, place, segments[9]),
                (&Method::DELETE, ["agentpools", _]) => pools::delete(world, call, place, segments[9]),
                (&Method::GET, ["agentpools", _, "upgradeprofiles", "default"]) => {
                    version::of_pool(world, call, place, segments[9])
                }
                (&Method::POST, ["agentpools", _, "upgradenodeimageversion"]) => {
                    pools::upgrade_node_image(world, call, place, segments[9])
                }
                (&Method::GET, ["identitybindings"]) => bindings(world, call, place),
                (&Method::GET, ["upgradeprofiles", "default"]) => version::of_cluster(world, call, place),
                (&Method::POST, ["stop"]) => power::switch(world, call, place, true),
                (&Method::POST, ["start"]) => power::switch(world, call, place, false),
                (&Method::POST, ["runcommand"]) => command::start(world, call, place),
                (&Method::GET, ["commandresults", id]) => command::result(world, call, place, id),
                (&Method::POST, ["accessprofiles", profile, "listcredential"]) => match *profile {
                    "clusteruser" => profile_credential(world, call, place, Who::User),
                    "clusteradmin" => profile_credential(world, call, place, Who::Admin),
                    _ => return None,
                },
                (&Method::POST, ["resetserviceprincipalprofile"]) => credentials::reset(world, call, place),
                (&Method::POST, ["rotateclustercertificates"]) => rotate(world, call, place),
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
    let cluster = &world.clusters[place.find(world)?];
    let mut body = cluster.body(world);
    let version = call.parameter("api-version").unwrap_or_default();
    if let Some(profile) = cluster.account_pull_profile(&version.to_ascii_lowercase()) {
        body["properties"]["securityProfile"]["serviceAccountImagePullProfile"] = profile;
    }
    Ok(reply::json(StatusCode::OK, &body))
}

fn bindings(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerService/managedClusters/identityBindings/read", &place.id())?;
    let items = world.clusters[place.find(world)?].bindings(world);
    Ok(page(world, call, &items))
}

/// Tags alone may be changed without a write of the whole.
fn tag(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, WRITE, &place.id())?;
    let at = place.find(world)?;
    let sent = call.json()?;
    world.clusters[at].tags = if sent["tags"].is_object() { sent["tags"].clone() } else { json!({}) };
    world.clusters[at].etag = world.ids.id().to_string();
    Ok(reply::json(StatusCode::OK, &world.clusters[at].body(world)))
}

fn delete(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerService/managedClusters/delete", &place.id())?;
    demand_group(world, place.subscription, place.group)?;
    let Some(at) = world.cluster_at(place.subscription, place.group, place.name) else {
        return Ok(reply::empty(StatusCode::NO_CONTENT));
    };
    demand_etag(call, &world.clusters[at])?;
    world.clusters[at].state = String::from("Deleting");
    let (id, location) = (world.clusters[at].id(), world.clusters[at].location.clone());
    let due = call.now + world.timing.cluster_deletion;
    let operation = world.start(Work::ClusterDeletion(id), call.now, due);
    let answer = operation::begun(reply::empty(StatusCode::ACCEPTED), place.subscription, &location, &operation);
    let results = operation::address(place.subscription, &location, "operationresults", &operation);
    Ok(reply::with(answer, "location", &results))
}

/// See [Rotate cluster certificates](https://learn.microsoft.com/rest/api/aks/managed-clusters/rotate-cluster-certificates). That the user's
/// and the administrator's credentials are others afterwards, [the guide](https://learn.microsoft.com/azure/aks/certificate-rotation) says.
fn rotate(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(
        world,
        "Microsoft.ContainerService/managedClusters/rotateClusterCertificates/action",
        &place.id(),
    )?;
    let at = place.find(world)?;
    world.clusters[at].state = String::from("Updating");
    let (id, location) = (world.clusters[at].id(), world.clusters[at].location.clone());
    let due = call.now + world.timing.cluster_creation;
    let operation = world.start(Work::ClusterRotation(id), call.now, due);
    Ok(operation::begun(reply::empty(StatusCode::ACCEPTED), place.subscription, &location, &operation))
}

/// A write or a deletion that names the revision it is meant for.
fn demand_etag(call: &Call<'_>, cluster: &Cluster) -> Result<(), Reply> {
    let header = |name: &str| call.request.headers().get(name).and_then(|value| value.to_str().ok());
    let moved = header("if-match").is_some_and(|etag| etag != "*" && etag.trim_matches('"') != cluster.etag);
    let there = header("if-none-match").is_some_and(|etag| etag == "*" || etag.trim_matches('"') == cluster.etag);
    if !moved && !there {
        return Ok(());
    }
    let message = "The etag of the request does not match that of the managed cluster.";
    Err(aks_error(StatusCode::PRECONDITION_FAILED, "EtagMismatch", message))
}

fn credential(world: &World, call: &Call<'_>, place: Place<'_>, who: Who) -> Result<Reply, Reply> {
    call.demand_action(world, who.action(), &place.id())?;
    let file = kubeconfig(world, call, place, who)?;
    Ok(reply::json(StatusCode::OK, &json!({"kubeconfigs": [{"name": who.name(), "value": file}]})))
}

/// The older call for the same, one profile at a time.
fn profile_credential(world: &World, call: &Call<'_>, place: Place<'_>, who: Who) -> Result<Reply, Reply> {
    let action = "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action";
    call.demand_action(world, action, &place.id())?;
    let file = kubeconfig(world, call, place, who)?;
    let cluster = &world.clusters[place.find(world)?];
    let body = json!({
        "id": format!("{}/accessProfiles/{}", cluster.id(), who.name()),
        "location": cluster.location,
        "name": who.name(),
        "type": "Microsoft.ContainerService/ManagedClusters/AccessProfiles",
        "properties": {"kubeConfig": file},
    });
    Ok(reply::json(StatusCode::OK, &body))
}

fn kubeconfig(world: &World, call: &Call<'_>, place: Place<'_>, who: Who) -> Result<String, Reply> {
    let cluster = &world.clusters[place.find(world)?];
    let seed = &cluster.seed;
    let is_static = who == Who::Admin || !seed.entra;
    if seed.local_accounts_disabled && is_static {
        let message = "Getting static credential is not allowed because this cluster is set to disable local accounts.";
        return Err(aks_error(StatusCode::BAD_REQUEST, "BadRequest", message));
    }
    let old = call.parameter("format").is_some_and(|format| format.eq_ignore_ascii_case("azure"));
    Ok(kubeconfig::encoded(world, cluster, who, old))
}
