//! What the control endpoint shows.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{Refusal, done_with, missing, unclear};
use crate::cluster::Cluster;
use crate::emulator::Emulator;
use crate::entra::form_field;
use crate::image::Store;
use crate::kubernetes::Answer;
use crate::log::{self, From, Mark, Request as Logged, Service};
use crate::registry::Registry;
use crate::reply::{self, Reply};
use crate::world::World;

/// Answers what is asked for, over the wire: the log as lines of JSON.
pub(super) fn at(emulator: &Emulator, what: &str, query: &str) -> Result<Reply, Refusal> {
    let since = match form_field(query.as_bytes(), "since") {
        None => 0,
        Some(text) => {
            let wrong = |_| unclear(format!("since={text} is no mark"));
            text.parse().map_err(wrong)?
        }
    };
    let end = emulator.mark();
    let seen = look(emulator, what, since)?;
    match seen {
        Value::Array(lines) => {
            let text: String = lines.iter().flat_map(|line| [line.to_string(), String::from("\n")]).collect();
            let answer = reply::bytes(StatusCode::OK, "application/jsonl", Bytes::from(text));
            Ok(reply::with(answer, "x-emulator-mark", &end.0.to_string()))
        }
        seen => Ok(done_with(&seen)),
    }
}

/// What there is to see under a name, in the log from a mark on.
pub(in crate::serve) fn look(emulator: &Emulator, what: &str, since: usize) -> Result<Value, Refusal> {
    let requests = || emulator.requests_since(Mark(since));
    match what {
        "state" => Ok(state(emulator)),
        "mark" => Ok(json!({"mark": emulator.mark().0})),
        "requests" => Ok(requests().iter().map(line).collect()),
        "summary" => {
            let sum = log::summary(&requests());
            let (count, depth, writes, tokens) = (sum.count, sum.depth, sum.writes, sum.tokens);
            Ok(json!({"count": count, "depth": depth, "writes": writes, "tokens": tokens}))
        }
        other => Err(missing(format!("there is nothing to see at {other}"))),
    }
}

/// A request of the log.
pub(in crate::serve) fn line(request: &Logged) -> Value {
    let service = match request.service {
        Service::Entra => "entra",
        Service::Arm => "arm",
        Service::Graph => "graph",
        Service::Registry => "registry",
        Service::Kubernetes => "kubernetes",
        Service::Unknown => "unknown",
    };
    json!({
        "service": service,
        "method": request.method,
        "host": request.host,
        "path": request.path,
        "query": request.query,
        "status": request.status,
        "caller": request.caller,
        "started": request.started,
        "ended": request.ended,
        "from": match request.from { From::Client => "client", From::Node => "node" },
        "write": request.is_write(),
        "fault": request.fault,
    })
}

/// The whole scene, without secrets.
fn state(emulator: &Emulator) -> Value {
    let assignments = emulator.role_assignments();
    let assignments: Vec<Value> = assignments
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "scope": one.scope,
                "principalId": one.principal_id,
                "roleDefinition": one.role_definition_guid,
                "condition": one.condition,
                "description": one.description,
            })
        })
        .collect();
    emulator.act(|world| {
        let clusters: Vec<Value> = (0..world.clusters.len()).map(|at| cluster(world, at)).collect();
        json!({
            "tenant": world.tenant,
            "subscriptions": world.subscriptions,
            "now": world.clock.rfc3339(world.clock.now()),
            "groups": world.groups.iter().map(|group| {
                json!({"subscription": group.subscription, "name": group.name, "location": group.location})
            }).collect::<Vec<_>>(),
            "principals": world.principals.iter().map(|one| json!({
                "name": one.name, "objectId": one.object_id, "clientId": one.client_id, "kind": one.kind,
                "groups": one.groups, "directory": one.directory,
            })).collect::<Vec<_>>(),
            "roleAssignments": assignments,
            "registries": world.registries.iter().map(registry).collect::<Vec<_>>(),
            "upstreams": world.upstreams.iter().map(|(host, store)| (host.clone(), tags(store)))
                .collect::<serde_json::Map<_, _>>(),
            "clusters": clusters,
        })
    })
}

fn registry(registry: &Registry) -> Value {
    json!({
        "id": registry.id(),
        "name": registry.name,
        "sku": registry.sku,
        "loginServer": registry.login_server(),
        "roleAssignmentMode": registry.properties["roleAssignmentMode"],
        "properties": registry.properties,
        "images": tags(&registry.images),
    })
}

/// Digest by tag by repository.
fn tags(store: &Store) -> Value {
    let repository = |repository: &crate::image::Repository| {
        let tags = repository.tags.iter().map(|(tag, (digest, _))| (tag.clone(), Value::from(digest.as_str())));
        Value::Object(tags.collect())
    };
    Value::Object(store.repositories.iter().map(|(name, one)| (name.clone(), repository(one))).collect())
}

fn cluster(world: &mut World, at: usize) -> Value {
    let deployments = objects(world, at, "/apis/apps/v1/deployments");
    let pods = objects(world, at, "/api/v1/pods");
    let cluster: &Cluster = &world.clusters[at];
    json!({
        "id": cluster.id(),
        "name": cluster.name,
        "fqdn": cluster.fqdn(),
        "state": cluster.state,
        "etag": cluster.etag,
        "kubelet": cluster.kubelet,
        "controlPlane": cluster.control_plane,
        "deployments": deployments,
        "pods": pods,
    })
}

/// The objects at a path, as the API server lists them.
fn objects(world: &mut World, at: usize, path: &'static str) -> Value {
    let now = world.clock.now();
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = http::Uri::from_static(path);
    let kubernetes = world.clusters[at].kubernetes.as_mut();
    let Some(Answer::Whole(answer)) = kubernetes.map(|one| one.serve(&request, "emulator", now)) else {
        return Value::Null;
    };
    let mut list: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    list["items"].take()
}
