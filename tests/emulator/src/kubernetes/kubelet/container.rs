//! One container on a node: where it is on its way to running.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::object::text;

const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Where a container is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// It has not begun.
    Waiting,
    /// Its image is being pulled.
    Pulling,
    /// The pull has just failed.
    Failed,
    /// The next pull waits.
    BackOff,
    /// It cannot begin as it is written: reason and message.
    Stuck(&'static str, String),
    /// The image is there, the container is about to start.
    Starting,
    /// It runs since then.
    Running(String),
    /// It ran from and until then, and did its work.
    Completed(String, String),
}

/// A container and its image.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    /// As the pod names it.
    pub(super) image: String,
    pub(super) policy: String,
    pub(super) init: bool,
    /// An init container that goes on running beside the others.
    pub(super) sidecar: bool,
    pub(super) phase: Phase,
    pub(super) due: Option<Instant>,
    /// The image with the digest that was found.
    pub(super) image_id: String,
    /// Why the last pull failed.
    pub(super) cause: Option<String>,
    pub(super) restarts: u32,
    wait: Duration,
    pub(super) retry_at: Option<Instant>,
}

impl Container {
    pub(super) fn new(spec: &Value, init: bool) -> Self {
        Self {
            name: text(spec, "/name").to_owned(),
            image: text(spec, "/image").to_owned(),
            policy: text(spec, "/imagePullPolicy").to_owned(),
            init,
            sidecar: init && text(spec, "/restartPolicy") == "Always",
            phase: Phase::Waiting,
            due: None,
            image_id: String::new(),
            cause: None,
            restarts: 0,
            wait: Duration::ZERO,
            retry_at: None,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }

    /// Whether the container behind this init container may begin.
    pub(super) fn lets_next_begin(&self) -> bool {
        matches!(self.phase, Phase::Completed(..)) || (self.sidecar && self.is_running())
    }

    /// Begins anew with another image.
    pub(super) fn replace_image(&mut self, image: &str) {
        if self.is_running() {
            self.restarts += 1;
        }
        image.clone_into(&mut self.image);
        self.phase = Phase::Waiting;
        self.due = None;
        self.cause = None;
        self.wait = Duration::ZERO;
    }

    /// After a failed pull: the next wait is twice as long, up to five minutes.
    pub(super) fn fail(&mut self, cause: String, now: Instant) {
        self.wait = if self.wait.is_zero() { FIRST_WAIT } else { (self.wait * 2).min(LONGEST_WAIT) };
        self.retry_at = Some(now + self.wait);
        self.cause = Some(cause);
        self.phase = Phase::Failed;
    }

    /// The message while the next pull waits.
    fn back_off_message(&self) -> String {
        let cause = self.cause.as_deref().unwrap_or_default();
        format!("Back-off pulling image \"{}\": ErrImagePull: {cause}", self.image)
    }

    /// The `state` of the container's status. `waiting` is the reason before anything happened.
    pub(super) fn state(&self, waiting: &str) -> Value {
        let wait = |reason: &str, message: Option<&str>| match message {
            Some(message) => json!({"waiting": {"reason": reason, "message": message}}),
            None => json!({"waiting": {"reason": reason}}),
        };
        match &self.phase {
            Phase::Failed => wait("ErrImagePull", self.cause.as_deref()),
            Phase::BackOff => wait("ImagePullBackOff", Some(&self.back_off_message())),
            // While kubelet tries again, the status still says that it waits.
            Phase::Pulling if self.cause.is_some() => wait("ImagePullBackOff", Some(&self.back_off_message())),
            Phase::Waiting | Phase::Pulling | Phase::Starting => wait(waiting, None),
            Phase::Stuck(reason, message) => wait(reason, Some(message)),
            Phase::Running(since) => json!({"running": {"startedAt": since}}),
            Phase::Completed(since, until) => {
                json!({"terminated": {"exitCode": 0, "reason": "Completed",
                "startedAt": since, "finishedAt": until}})
            }
        }
    }
}
