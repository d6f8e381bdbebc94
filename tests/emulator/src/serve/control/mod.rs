//! The control endpoint: what a test in another language does with the emulator that a test in Rust does by its methods.

mod look;
pub(super) mod order;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use self::order::{
    Advance, Block, DenyOrder, FaultOrder, Grant, Image, Node, Paging, PolicyOrder, Revoke, Speed, TimingOrder,
};
use crate::emulator::Emulator;
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
    pub(super) fn new(stop: watch::Sender<bool>) -> Self {
        Self { token: uuid::Uuid::new_v4().simple().to_string(), stop }
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
        let body = request.body();
        let done = match (request.method().as_str(), order) {
            ("POST", "fault") => read::<FaultOrder>(body)?.obey(emulator),
            ("POST", "timing") => read::<TimingOrder>(body)?.obey(emulator)?,
            ("POST", "advance") => read::<Advance>(body)?.obey(emulator)?,
            ("POST", "clock") => read::<Speed>(body)?.obey(emulator),
            ("POST", "paging") => read::<Paging>(body)?.obey(emulator),
            ("POST", "grant") => read::<Grant>(body)?.obey(emulator)?,
            ("POST", "revoke") => read::<Revoke>(body)?.obey(emulator)?,
            ("POST", "policy") => read::<PolicyOrder>(body)?.obey(emulator),
            ("POST", "deny-assignment") => read::<DenyOrder>(body)?.obey(emulator)?,
            ("POST", "sign-in") => read::<Block>(body)?.obey(emulator)?,
            ("POST", "image") => read::<Image>(body)?.push(emulator),
            ("DELETE", "image") => read::<Image>(body)?.delete(emulator)?,
            ("POST", "node") => read::<Node>(body)?.obey(emulator)?,
            ("POST", "shutdown") => {
                self.stop.send_replace(true);
                json!({})
            }
            (method, order) => return Err((StatusCode::NOT_FOUND, format!("there is no order {method} {order}"))),
        };
        Ok(done_with(&done))
    }
}

fn done_with(body: &Value) -> Reply {
    reply::json(StatusCode::OK, body)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|fault| (StatusCode::BAD_REQUEST, format!("the order is not understood: {fault}")))
}
