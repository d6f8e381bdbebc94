//! Running a command inside a cluster, and asking for what came of it.

use http::StatusCode;
use serde_json::{Value, json};

use super::Place;
use crate::arm::polling::escaped;
use crate::arm::{Call, HOST};
use crate::command::Command;
use crate::entra::token;
use crate::operation::Work;
use crate::reply::{self, Reply, aks_error};
use crate::world::World;

pub(super) fn start(world: &mut World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerService/managedClusters/runcommand/action", &place.id())?;
    let cluster = &world.clusters[place.find(world)?];
    let sent = call.json()?;
    // The codes of these refusals are not recorded.
    let bad = |message: &str| Err(aks_error(StatusCode::BAD_REQUEST, "BadRequest", message));
    let Some(line) = sent["command"].as_str().map(str::trim).filter(|line| !line.is_empty()) else {
        return bad("The command is missing.");
    };
    if cluster.seed.properties["apiServerAccessProfile"]["disableRunCommand"] == true {
        return bad("Run command is disabled on this cluster.");
    }
    #[cfg(feature = "serve")]
    if cluster.real.is_some() {
        let message =
            "The emulator runs no commands in a cluster with a real control plane; use kubectl with its kubeconfig.";
        return Err(aks_error(StatusCode::NOT_IMPLEMENTED, "EmulatorUnknownRequest", message));
    }
    if cluster.kubernetes.is_none() {
        return Err(aks_error(StatusCode::CONFLICT, "OperationNotAllowed", "The cluster is not there yet."));
    }
    let shown = sent["clusterToken"].as_str().filter(|_| cluster.seed.entra);
    if cluster.seed.entra && shown.is_none_or(|shown| world.holder(shown, &[token::KUBERNETES], call.now).is_err()) {
        return bad("A cluster with managed Entra integration needs a valid cluster token.");
    }
    let id = world.ids.secret();
    let command =
        Command { id: id.clone(), cluster: cluster.id(), line: line.to_owned(), token: shown.map(str::to_owned) };
    world.start(Work::Command(Box::new(command)), call.now, call.now + world.timing.command);
    Ok(reply::with(reply::empty(StatusCode::ACCEPTED), "location", &address(call, place, &id)))
}

/// Recorded: the type is written in lower case here.
fn address(call: &Call<'_>, place: Place<'_>, id: &str) -> String {
    let Place { subscription, group, name } = place;
    let group = escaped(group);
    format!(
        "https://{HOST}/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService\
         /managedclusters/{name}/commandResults/{id}?api-version={}",
        call.api_version()
    )
}

/// The state is in the body: while it runs the status is 202, and so it was recorded.
pub(super) fn result(world: &World, call: &Call<'_>, place: Place<'_>, id: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerService/managedClusters/commandResults/read", &place.id())?;
    place.find(world)?;
    let of = |work: &Work| matches!(work, Work::Command(command) if command.id.eq_ignore_ascii_case(id));
    let Some(operation) = world.operations.iter().find(|operation| of(&operation.work)) else {
        let message = format!("The command {id} was not found.");
        return Err(aks_error(StatusCode::NOT_FOUND, "NotFound", &message));
    };
    let Some(outcome) = world.commands.iter().find(|outcome| outcome.id.eq_ignore_ascii_case(id)) else {
        let body = json!({"id": id, "properties": {"provisioningState": "Running"}});
        return Ok(reply::with(reply::json(StatusCode::ACCEPTED, &body), "location", &address(call, place, id)));
    };
    let time = |at| Value::from(world.clock.rfc3339(at));
    let body = json!({"id": id, "properties": {
        "provisioningState": "Succeeded", "exitCode": outcome.code, "startedAt": time(operation.started),
        "finishedAt": time(operation.due), "logs": outcome.logs,
    }});
    Ok(reply::json(StatusCode::OK, &body))
}
