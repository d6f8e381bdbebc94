//! The control endpoint: what a test in another language does with the emulator that a test in Rust does by its methods.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::emulator::Emulator;
use crate::reply::{self, Reply};

/// The endpoint at `{origin}/_emulator/`.
pub(super) struct Control {
    token: String,
    stop: watch::Sender<bool>,
}

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
        if Sha256::digest(shown) != Sha256::digest(&self.token) {
            return refused(StatusCode::UNAUTHORIZED, "the control token is missing or wrong");
        }
        match (request.method(), order.trim_end_matches('/')) {
            (&Method::POST, "shutdown") => {
                self.stop.send_replace(true);
                done(&json!({}))
            }
            (&Method::GET, "mark") => done(&json!({"mark": emulator.mark().0})),
            _ => refused(StatusCode::NOT_FOUND, &format!("there is no order {} {order}", request.method())),
        }
    }
}

fn done(body: &Value) -> Reply {
    reply::json(StatusCode::OK, body)
}

fn refused(status: StatusCode, message: &str) -> Reply {
    reply::json(status, &json!({"error": message}))
}
