//! The control endpoint: what a test in another language does with the emulator that a test in Rust does by its methods.

mod look;
pub(super) mod order;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use self::order::{Advance, FaultOrder, Grant, Image, Node, Paging, Revoke, Speed, TimingOrder};
use crate::emulator::Emulator;
use crate::keeper::Change;
use crate::reply::{self, Reply};

pub(super) use look::line;

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
        // Compared as hashes, so that the time it takes tells nothing.
        let done = if Sha256::digest(shown) == Sha256::digest(&self.token) {
            self.obey(emulator, order.trim_end_matches('/'), request)
        } else {
            Err((StatusCode::UNAUTHORIZED, String::from("the control token is missing or wrong")))
        };
        done.unwrap_or_else(|(status, message)| reply::json(status, &json!({"error": message})))
    }

    fn obey(&self, emulator: &Emulator, order: &str, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        if request.method() == Method::GET {
            return look::at(emulator, order, request.uri().query().unwrap_or_default());
        }
        if request.method() == Method::POST && order == "shutdown" {
            self.stop.send_replace(true);
            return Ok(done_with(&json!({})));
        }
        give(emulator, request.method(), order, request.body()).map(|done| done_with(&done))
    }
}

/// Gives an order, and has it kept first where a record is kept. The clock stands still for as long, so that it is given at
/// one moment.
pub(super) fn give(emulator: &Emulator, method: &Method, order: &str, body: &[u8]) -> Result<Value, Refusal> {
    let _turn = emulator.shared.turn();
    let kept = emulator.act(|world| {
        let now = world.clock.now();
        world.keep(&Change::Order(method, order, body), now)?;
        world.clock.hold(now);
        Ok(())
    });
    kept.map_err(|why: String| (StatusCode::INSUFFICIENT_STORAGE, why))?;
    let done = catch_unwind(AssertUnwindSafe(|| obey(emulator, method, order, body)));
    emulator.act(|world| {
        world.clock.release();
        world.kept(matches!(done, Ok(Ok(_))));
    });
    // Once more, so that a time that the clock was put to is kept, too.
    emulator.act(|_| ());
    done.unwrap_or_else(|fault| resume_unwind(fault))
}

/// Does what an order says.
pub(super) fn obey(emulator: &Emulator, method: &Method, order: &str, body: &[u8]) -> Result<Value, Refusal> {
    match (method.as_str(), order) {
        ("POST", "fault") => Ok(read::<FaultOrder>(body)?.obey(emulator)),
        ("POST", "timing") => read::<TimingOrder>(body)?.obey(emulator),
        ("POST", "advance") => read::<Advance>(body)?.obey(emulator),
        ("POST", "clock") => Ok(read::<Speed>(body)?.obey(emulator)),
        ("POST", "paging") => Ok(read::<Paging>(body)?.obey(emulator)),
        ("POST", "grant") => read::<Grant>(body)?.obey(emulator),
        ("POST", "revoke") => read::<Revoke>(body)?.obey(emulator),
        ("POST", "image") => Ok(read::<Image>(body)?.push(emulator)),
        ("DELETE", "image") => read::<Image>(body)?.delete(emulator),
        ("POST", "node") => read::<Node>(body)?.obey(emulator),
        (method, order) => Err((StatusCode::NOT_FOUND, format!("there is no order {method} {order}"))),
    }
}

fn done_with(body: &Value) -> Reply {
    reply::json(StatusCode::OK, body)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|fault| (StatusCode::BAD_REQUEST, format!("the order is not understood: {fault}")))
}
