//! The operations of this provider: where they are polled, and the words that report their state.

use http::StatusCode;
use tokio::time::Instant;
use uuid::Uuid;

use crate::arm::polling::{operation_missing, signature};
use crate::arm::{Call, HOST};
use crate::cluster::pool;
use crate::operation::{Operation, Work};
use crate::reply::{self, Reply};
use crate::world::World;

/// The address of an operation; `kind` is the one of its state or the one of its result.
pub(super) fn address(subscription: &str, location: &str, kind: &str, id: &str) -> String {
    format!(
        "https://{HOST}/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}/{kind}/{id}\
         ?api-version=2016-03-30{}",
        signature(id)
    )
}

/// An answer that says where the operation's state is.
pub(super) fn begun(answer: Reply, subscription: &str, location: &str, id: &str) -> Reply {
    reply::with(answer, "azure-asyncoperation", &address(subscription, location, "operations", id))
}

/// An operation's state. This provider sends no `Retry-After`, so none is sent here.
pub(super) fn poll(world: &World, call: &Call<'_>, id: &str) -> Reply {
    let Some(operation) = world.operation(id) else {
        return operation_missing(id);
    };
    let mut body = world.state_of(operation, &phase(world, operation, call.now), call.now);
    body["name"] = swapped(id).into();
    body["startTime"] = world.clock.rfc3339(operation.started).into();
    if operation.is_through(call.now) {
        body["endTime"] = world.clock.rfc3339(operation.due).into();
    }
    reply::json(StatusCode::OK, &body)
}

/// What a deletion has come to: nothing to show, once it is through.
pub(super) fn result(world: &World, call: &Call<'_>, subscription: &str, location: &str, id: &str) -> Reply {
    match world.operation(id) {
        None => operation_missing(id),
        Some(operation) if operation.is_through(call.now) => reply::empty(StatusCode::NO_CONTENT),
        Some(_) => {
            let again = address(subscription, location, "operationresults", id);
            reply::with(reply::empty(StatusCode::ACCEPTED), "location", &again)
        }
    }
}

/// The words for what is running: free text, of which these were recorded. How long each lasts is not known; the
/// creation of a cluster goes through them in this order.
fn phase(world: &World, operation: &Operation, now: Instant) -> String {
    let Work::ClusterCreation(id) = &operation.work else {
        return String::from("InProgress");
    };
    let whole = operation.due.saturating_duration_since(operation.started).as_secs_f64();
    let part = now.saturating_duration_since(operation.started).as_secs_f64() / whole.max(f64::MIN_POSITIVE);
    if part < 0.1 {
        String::from("InProgress")
    } else if part < 0.5 {
        String::from("ProvisioningControlPlane")
    } else if part < 0.9 {
        let pools = world.cluster_of_id(id).map(|at| &world.clusters[at].pools);
        let all: u64 = pools.map(|pools| pools.iter().map(pool::count).sum()).unwrap_or_default();
        let ready = if part < 0.7 { 0 } else { all };
        format!("CreatingAgentPools: {ready}/{all} nodes completed")
    } else {
        String::from("ReconcilingAddons")
    }
}

/// The id with the bytes of its first three groups reversed: that is how this provider names its operations.
fn swapped(id: &str) -> String {
    let Ok(id) = Uuid::parse_str(id) else {
        return id.to_owned();
    };
    Uuid::from_bytes(id.to_bytes_le()).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_operation_is_named_by_its_id_with_bytes_swapped() {
        let name = super::swapped("1474d48e-f05e-48cf-9c54-383b0a2828d3");
        assert_eq!(name, "8ed47414-5ef0-cf48-9c54-383b0a2828d3");
    }
}
