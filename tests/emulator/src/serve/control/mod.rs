//! The control endpoint: what a test in another language does with the emulator that a test in Rust does by its methods.

pub(super) mod fault;
mod federate;
mod look;
pub(super) mod order;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use self::fault::{FaultOrder, StormOrder, ThrottleOrder};
use self::federate::{Federate, FederatedToken};
use self::order::{
    Advance, Block, CapacityOrder, DenyOrder, Disk, Egress, Grant, Image, Inspection, Key, LoadOrder, LoseContent,
    MemberOrder, Node, Paging, PolicyOrder, Revoke, Speed, SubnetOrder, TimingOrder,
};
use crate::emulator::Emulator;
use crate::keeper::Change;
use crate::reply::{self, Reply};

pub(super) use look::{line, look};

/// The endpoint at `{origin}/_emulator/`.
pub(super) struct Control {
    token: String,
    stop: watch::Sender<bool>,
}

/// A refusal: the status and the reason.
pub(super) type Refusal = (StatusCode, String);

impl Control {
    pub(super) fn new(token: String, stop: watch::Sender<bool>) -> Self {
        Self { token, stop }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Answers a request to a path below the endpoint's.
    pub(super) fn answer(&self, emulator: &Emulator, order: &str, request: &Request<Bytes>) -> Reply {
        let shown = crate::arm::bearer(request).unwrap_or_default();
        // Compared as hashes, so that the time it takes reveals nothing.
        let done = if Sha256::digest(shown) == Sha256::digest(&self.token) {
            self.obey(emulator, order.trim_end_matches('/'), request)
        } else {
            Err((StatusCode::UNAUTHORIZED, String::from("the control token is missing or wrong")))
        };
        done.unwrap_or_else(|(status, message)| reply::json(status, &json!({"error": message})))
    }

    fn obey(&self, emulator: &Emulator, order: &str, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        let name = match request.method() {
            &Method::GET => return look::at(emulator, order, request.uri().query().unwrap_or_default()),
            &Method::POST if order == "shutdown" => {
                self.stop.send_replace(true);
                return Ok(done_with(&json!({})));
            }
            &Method::POST if order != DELETE_IMAGE => order,
            &Method::DELETE if order == "image" => DELETE_IMAGE,
            method => return Err(missing(format!("unknown order: {method} {order}"))),
        };
        let body =
            serde_json::from_slice(request.body()).map_err(|fault| unclear(format!("invalid order: {fault}")))?;
        Ok(done_with(&obey(emulator, name, body)?))
    }
}

/// What an order of the endpoint by `DELETE` is called if there is no method.
const DELETE_IMAGE: &str = "delete-image";

/// Does what an order says, and has it kept first where a record is kept. The clock stands still for as long, so that it is
/// done at one moment. The endpoint and the programs that have the emulator in their own process share this.
pub(super) fn obey(emulator: &Emulator, order: &str, body: Value) -> Result<Value, Refusal> {
    let _turn = emulator.shared.turn();
    let kept = emulator.act(|world| {
        let now = world.clock.now();
        world.keep(&Change::Order(order, &body), now)?;
        world.clock.hold(now);
        Ok(())
    });
    kept.map_err(|why: String| (StatusCode::INSUFFICIENT_STORAGE, why))?;
    let done = catch_unwind(AssertUnwindSafe(|| carry_out(emulator, order, body)));
    emulator.act(|world| {
        world.clock.release();
        world.kept(matches!(done, Ok(Ok(_))));
    });
    // Once more, so that a time that the clock was put to is kept, too.
    emulator.act(|_| ());
    done.unwrap_or_else(|fault| resume_unwind(fault))
}

/// Does what an order says, and keeps nothing.
pub(super) fn carry_out(emulator: &Emulator, order: &str, body: Value) -> Result<Value, Refusal> {
    match order {
        "fault" => Ok(read::<FaultOrder>(body)?.obey(emulator)),
        "storm" => read::<StormOrder>(body)?.obey(emulator),
        "throttle" => Ok(read::<ThrottleOrder>(body)?.obey(emulator)),
        "timing" => read::<TimingOrder>(body)?.obey(emulator),
        "advance" => read::<Advance>(body)?.obey(emulator),
        "clock" => read::<Speed>(body)?.obey(emulator),
        "paging" => Ok(read::<Paging>(body)?.obey(emulator)),
        "grant" => read::<Grant>(body)?.obey(emulator),
        "revoke" => read::<Revoke>(body)?.obey(emulator),
        "add-member" => read::<MemberOrder>(body)?.add(emulator),
        "remove-member" => read::<MemberOrder>(body)?.remove(emulator),
        "federate" => read::<Federate>(body)?.obey(emulator),
        "federated-token" => read::<FederatedToken>(body)?.obey(emulator),
        "policy" => Ok(read::<PolicyOrder>(body)?.obey(emulator)),
        "capacity" => Ok(read::<CapacityOrder>(body)?.obey(emulator)),
        "subnet" => Ok(read::<SubnetOrder>(body)?.obey(emulator)),
        "deny-assignment" => read::<DenyOrder>(body)?.obey(emulator),
        "sign-in" => read::<Block>(body)?.obey(emulator),
        "image" => Ok(read::<Image>(body)?.push(emulator)),
        DELETE_IMAGE => read::<Image>(body)?.delete(emulator),
        "egress" => read::<Egress>(body)?.obey(emulator),
        "inspection" => read::<Inspection>(body)?.obey(emulator),
        "lose-content" => read::<LoseContent>(body)?.obey(emulator),
        "key" => read::<Key>(body)?.obey(emulator),
        "load" => read::<LoadOrder>(body)?.obey(emulator),
        "disk" => read::<Disk>(body)?.obey(emulator),
        "node" => read::<Node>(body)?.obey(emulator),
        _ => Err(missing(format!("unknown order: {order}"))),
    }
}

fn done_with(body: &Value) -> Reply {
    reply::json(StatusCode::OK, body)
}

pub(super) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(body).map_err(|fault| unclear(format!("invalid order: {fault}")))
}

/// A refusal of what was understood, but names what is not there.
pub(super) fn missing(what: impl Into<String>) -> Refusal {
    (StatusCode::NOT_FOUND, what.into())
}

/// A refusal of what cannot be done in any scene.
pub(super) fn unclear(what: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, what.into())
}
