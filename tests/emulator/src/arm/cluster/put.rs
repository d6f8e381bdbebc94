//! Writing a cluster: creating it, or changing an existing one.

use http::StatusCode;
use serde_json::{Value, json};

use super::wanted::{self, bad};
use super::{Place, WRITE, demand_etag, operation};
use crate::arm::{Call, demand_group};
use crate::cluster::make::{self, Identities};
use crate::operation::Work;
use crate::principal::Principal;
use crate::rbac::Wanted;
use crate::reply::{self, Reply, aks_error};
use crate::seed::ClusterSeed;
use crate::world::World;

/// The right to give someone an identity.
const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

pub(super) fn put(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, WRITE, &place.id())?;
    demand_group(world, place.subscription, place.group)?;
    let sent = call.json()?;
    wanted::check(&sent)?;
    match world.cluster_at(place.subscription, place.group, place.name) {
        Some(at) => change(world, call, at, &sent),
        None => create(world, call, place, &sent),
    }
}

fn create(world: &mut World, call: &Call<'_>, place: Place<'_>, sent: &Value) -> Result<Reply, Reply> {
    let awaited = call.request.headers().get("if-match").is_some();
    if awaited {
        let message = "The managed cluster that the request is meant for is not there.";
        return Err(aks_error(StatusCode::PRECONDITION_FAILED, "EtagMismatch", message));
    }
    wanted::check_new(place.name, sent)?;
    let (asked, version) = wanted::version(sent)?;
    super::capacity::demand(world, call, sent, &plain_location(sent["location"].as_str().unwrap_or_default()))?;
    let mut seed = ClusterSeed::new(place.group, place.name)
        .in_subscription(place.subscription)
        .location(&plain_location(sent["location"].as_str().unwrap_or_default()))
        .version(&version)
        .state("Creating");
    seed.service_principal = is_service_principal(sent);
    let (pools, nodes) = wanted::pools(&place.id(), sent, &[], &[]).unwrap_or_default();
    seed.nodes = nodes;
    seed.properties = wanted::chosen();
    wanted::take(&mut seed, sent);
    let node_group = match sent["properties"]["nodeResourceGroup"].as_str() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => make::node_group(&seed),
    };
    let identities = identities(world, call, &seed, sent, &node_group)?;
    let location = seed.location.clone();
    world.ensure_group(place.subscription, &node_group, &location);
    let mut cluster = world.new_cluster(seed, pools, identities);
    cluster.node_group = node_group;
    cluster.wanted_version = asked;
    cluster.address(sent["properties"]["dnsPrefix"].as_str().filter(|prefix| !prefix.is_empty()));
    take_labels(&mut cluster.tags, &mut cluster.sku, sent);
    let id = cluster.id();
    world.clusters.push(cluster);
    let due = call.now + world.timing.cluster_creation;
    if let Some(shown) = call.now.checked_add(world.timing.kubelet_identity).filter(|shown| *shown < due) {
        world.start(Work::KubeletIdentity(id.clone()), call.now, shown);
    }
    let operation = world.start(Work::ClusterCreation(id), call.now, due);
    let body = world.clusters.last().map(|cluster| cluster.body(world)).unwrap_or_default();
    Ok(operation::begun(reply::json(StatusCode::CREATED, &body), place.subscription, &location, &operation))
}

/// `West Europe` and `westeurope` are one region.
fn plain_location(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

fn take_labels(tags: &mut Value, sku: &mut Value, sent: &Value) {
    if sent["tags"].is_object() {
        *tags = sent["tags"].clone();
    }
    if let Some(tier) = sent["sku"]["tier"].as_str() {
        *sku = json!({"name": "Base", "tier": tier});
    }
}

fn is_service_principal(sent: &Value) -> bool {
    let client = sent["properties"]["servicePrincipalProfile"]["clientId"].as_str();
    sent["identity"]["type"].as_str().is_none_or(|kind| kind.eq_ignore_ascii_case("None"))
        && client.is_some_and(|client| !client.eq_ignore_ascii_case("msi"))
}

/// The identities that a new cluster is to have; those that the service makes are made.
fn identities(
    world: &mut World,
    call: &Call<'_>,
    seed: &ClusterSeed,
    sent: &Value,
    node_group: &str,
) -> Result<Identities, Reply> {
    if seed.service_principal {
        let control_plane = service_principal(world, sent)?;
        let kubelet_id = String::new();
        return Ok(Identities {
            control_plane,
            control_plane_id: None,
            secret: sent["properties"]["servicePrincipalProfile"]["secret"].as_str().map(str::to_owned),
            kubelet: None,
            kubelet_id,
            brought_kubelet: false,
        });
    }
    let assigned = assigned(world, call, sent)?;
    let brought = brought_kubelet(world, call, sent, assigned.as_ref().map(|(_, principal)| principal.as_str()))?;
    let (control_plane_id, control_plane) = match assigned {
        Some((id, principal)) => (Some(id), principal),
        None => (None, own_control_plane(world, call, seed)),
    };
    let brought_kubelet = brought.is_some();
    let (kubelet_id, kubelet) = brought.unwrap_or_else(|| {
        let subscription = seed.subscription.clone().unwrap_or_default();
        let name = format!("{}-agentpool", seed.name);
        let made = world.make_identity([&subscription, node_group, &name], &seed.location, call.now);
        (made.id(), made.principal)
    });
    Ok(Identities {
        control_plane,
        control_plane_id,
        secret: None,
        kubelet: Some(kubelet),
        kubelet_id,
        brought_kubelet,
    })
}

fn own_control_plane(world: &mut World, call: &Call<'_>, seed: &ClusterSeed) -> String {
    let subscription = seed.subscription.as_deref().unwrap_or_default();
    let key = world.unused(&format!("{subscription}/{}/{}", seed.group, seed.name));
    let name = format!("{} (control plane)", seed.name);
    let principal = Principal { name, ..Principal::managed(&key, call.now) };
    let id = principal.object_id.clone();
    world.principals.push(principal);
    id
}

/// The service principal that a cluster without managed identities runs as.
pub(super) fn service_principal(world: &World, sent: &Value) -> Result<String, Reply> {
    let client = sent["properties"]["servicePrincipalProfile"]["clientId"].as_str().unwrap_or_default();
    let known = world.principals.iter().find(|one| one.client_id.eq_ignore_ascii_case(client));
    known.map(|one| one.object_id.clone()).ok_or_else(|| {
        let message = format!(
            "Service principal clientID: {client} not found in Active Directory tenant {}, Please see \
             https://aka.ms/aks-sp-help for more details.",
            world.tenant
        );
        let body = json!({"code": "ServicePrincipalNotFound", "message": message});
        reply::json(StatusCode::BAD_REQUEST, &body)
    })
}

/// The identity that the control plane is given, and its principal, if the body names one.
fn assigned(world: &World, call: &Call<'_>, sent: &Value) -> Result<Option<(String, String)>, Reply> {
    let identity = &sent["identity"];
    let kind = identity["type"].as_str().unwrap_or_default();
    if kind.eq_ignore_ascii_case("SystemAssigned") {
        return Ok(None);
    }
    if !kind.eq_ignore_ascii_case("UserAssigned") {
        let message = "The cluster needs a managed identity or a service principal.";
        return Err(bad("InvalidParameter", "identity", message));
    }
    let ids: Vec<&String> =
        identity["userAssignedIdentities"].as_object().into_iter().flat_map(|ids| ids.keys()).collect();
    let [id] = ids.as_slice() else {
        let message = "A cluster has exactly one user assigned identity.";
        return Err(bad("InvalidParameter", "identity.userAssignedIdentities", message));
    };
    let Some(known) = world.identity(id) else {
        let message = format!("The user assigned identity '{id}' was not found.");
        return Err(bad("InvalidParameter", "identity.userAssignedIdentities", &message));
    };
    demand_assign(world, call, &known.id())?;
    Ok(Some(((*id).clone(), known.principal.clone())))
}

/// Who gives an identity to a cluster needs the right to do so at the identity: ARM looks at what the body links to.
fn demand_assign(world: &World, call: &Call<'_>, identity: &str) -> Result<(), Reply> {
    if world.permits(&call.caller, &Wanted::action(ASSIGN, identity), call.now) {
        return Ok(());
    }
    let message = format!(
        "The client '{}' with object id '{}' has permission to perform action '{WRITE}' on scope '{}'; however, it does \
         not have permission to perform action(s) '{ASSIGN}' on the linked scope(s) '{identity}' (respectively) or the \
         linked scope(s) are invalid.",
        call.caller.client_id, call.caller.object_id, call.path
    );
    Err(reply::gateway_error(StatusCode::FORBIDDEN, "LinkedAuthorizationFailed", &message))
}

/// The kubelet identity that the body brings along, and its principal. The control plane must be allowed to hand it to
/// the nodes.
fn brought_kubelet(
    world: &World,
    call: &Call<'_>,
    sent: &Value,
    control_plane: Option<&str>,
) -> Result<Option<(String, String)>, Reply> {
    let Some(id) = sent["properties"]["identityProfile"]["kubeletidentity"]["resourceId"].as_str() else {
        return Ok(None);
    };
    let target = "properties.identityProfile.kubeletidentity";
    let Some(control_plane) = control_plane else {
        let message =
            "Custom kubelet identity is only supported on clusters with a user assigned control plane identity.";
        return Err(bad("CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster", target, message));
    };
    let Some(known) = world.identity(id) else {
        let message = format!("The kubelet identity '{id}' was not found.");
        return Err(bad("InvalidParameter", target, &message));
    };
    demand_assign(world, call, &known.id())?;
    let holder = world.principal(control_plane);
    if !holder.is_some_and(|one| world.permits(one, &Wanted::action(ASSIGN, &known.id()), call.now)) {
        let message = format!(
            "The cluster using user-assigned managed identity must be granted 'Managed Identity Operator' role to assign \
             kubelet identity. Check access to user-assigned managed identity: '{id}'."
        );
        return Err(bad("CustomKubeletIdentityMissingPermissionError", target, &message));
    }
    Ok(Some((id.to_owned(), known.principal.clone())))
}

/// A write of a cluster that is there.
fn change(world: &mut World, call: &Call<'_>, at: usize, sent: &Value) -> Result<Reply, Reply> {
    let cluster = &world.clusters[at];
    demand_etag(call, cluster)?;
    if cluster.is_busy() {
        let message = format!(
            "Operation is not allowed: Another operation ({} - {}) is in progress, please wait for it to finish before \
             starting a new operation.",
            cluster.name, cluster.state
        );
        return Err(aks_error(StatusCode::CONFLICT, "OperationNotAllowed", &message));
    }
    let asked = sent["properties"]["kubernetesVersion"].as_str().filter(|version| !version.is_empty());
    let version = asked.filter(|asked| *asked != cluster.wanted_version).map(|_| wanted::version(sent)).transpose()?;
    let kubelet = other_kubelet(world, call, at, sent)?;
    let identity = kubelet.as_ref().and_then(|(_, principal)| world.node_identity(principal));
    let etag = world.ids.id().to_string();
    let cluster = &mut world.clusters[at];
    if let Some((asked, version)) = version {
        cluster.wanted_version = asked;
        cluster.seed.version = version;
    }
    if let Some((id, principal)) = kubelet {
        cluster.change_kubelet(id, principal, identity);
    }
    if let Some((pools, nodes)) = wanted::pools(&cluster.id(), sent, &cluster.pools, &cluster.seed.nodes) {
        (cluster.pools, cluster.seed.nodes) = (pools, nodes);
    }
    wanted::take(&mut cluster.seed, sent);
    take_labels(&mut cluster.tags, &mut cluster.sku, sent);
    cluster.reconcile();
    cluster.etag = etag;
    cluster.state = String::from("Updating");
    let (id, subscription, location) = (cluster.id(), cluster.subscription.clone(), cluster.location.clone());
    let operation = world.start(Work::Cluster(id), call.now, call.now + world.timing.cluster);
    let answer = reply::json(StatusCode::OK, &world.clusters[at].body(world));
    Ok(operation::begun(answer, &subscription, &location, &operation))
}

/// A kubelet identity that is not the present one.
fn other_kubelet(world: &World, call: &Call<'_>, at: usize, sent: &Value) -> Result<Option<(String, String)>, Reply> {
    let cluster = &world.clusters[at];
    let asked = sent["properties"]["identityProfile"]["kubeletidentity"]["resourceId"].as_str();
    if asked.is_none_or(|id| id.eq_ignore_ascii_case(&cluster.kubelet_id)) {
        return Ok(None);
    }
    let control_plane = cluster.control_plane_id.as_ref().map(|_| cluster.control_plane.as_str());
    brought_kubelet(world, call, sent, control_plane)
}
