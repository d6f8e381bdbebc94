//! One container on a node: where it is on its way to running.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::object::text;
use super::program::{self, Program};

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
    /// It ran from and until then, and ended with this code.
    Ended(String, String, i64),
    /// Its program does not exist: when that was found, and the runtime's message.
    NotStarted(String, String),
    /// It ended, and is started again when the wait is over.
    CrashLoop,
}

/// Whether a container is started again after its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Restart {
    Always,
    OnFailure,
    Never,
}

/// A container and its image.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    /// As the pod names it.
    pub(super) image: String,
    pub(super) policy: String,
    pub(super) init: bool,
    /// An init container that keeps running beside the others.
    pub(super) sidecar: bool,
    pub(super) phase: Phase,
    pub(super) due: Option<Instant>,
    /// The image with the digest that was found.
    pub(super) image_id: String,
    /// Why the last pull failed.
    pub(super) cause: Option<String>,
    pub(super) restarts: u32,
    pub(super) program: Program,
    /// Its program, if the image cannot have it.
    pub(super) missing_program: Option<String>,
    /// How the run under way ends.
    pub(super) run: Program,
    restart: Restart,
    /// Whether it ends by itself.
    pub(super) ends: bool,
    /// The `lastState` of its status.
    pub(super) last: Value,
    pub(super) crash_wait: Duration,
    pub(super) crash_message: String,
    wait: Duration,
    /// When the next pull or start may be tried.
    pub(super) retry_at: Option<Instant>,
}

impl Container {
    /// A container of a pod with this restart policy.
    pub(super) fn new(spec: &Value, init: bool, policy: &str) -> Self {
        let sidecar = init && text(spec, "/restartPolicy") == "Always";
        let program = Program::of(spec);
        Self {
            name: text(spec, "/name").to_owned(),
            image: text(spec, "/image").to_owned(),
            policy: text(spec, "/imagePullPolicy").to_owned(),
            init,
            sidecar,
            // Servers run for ever, unless their command says how they fail.
            ends: (init && !sidecar) || (!init && policy != "Always") || program.code != 0,
            program,
            missing_program: program::missing(spec).map(str::to_owned),
            run: program,
            restart: match policy {
                _ if sidecar => Restart::Always,
                "Never" => Restart::Never,
                "Always" if !init => Restart::Always,
                _ => Restart::OnFailure,
            },
            last: json!({}),
            crash_wait: Duration::ZERO,
            crash_message: String::new(),
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
        matches!(self.phase, Phase::Ended(_, _, 0)) || (self.sidecar && self.is_running())
    }

    /// Whether it ran and runs no more, be it for a while.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(..) | Phase::NotStarted(..) | Phase::CrashLoop)
    }

    /// Whether it is started again after its end.
    pub(super) fn is_restarted(&self) -> bool {
        match (&self.phase, self.restart) {
            (Phase::Ended(_, _, code), Restart::OnFailure) => *code != 0,
            (Phase::NotStarted(..), Restart::OnFailure)
            | (Phase::Ended(..) | Phase::NotStarted(..), Restart::Always) => true,
            _ => false,
        }
    }

    /// The code that it ended with for good.
    pub(super) fn final_code(&self) -> Option<i64> {
        match self.phase {
            Phase::Ended(_, _, code) if !self.is_restarted() => Some(code),
            Phase::NotStarted(..) if !self.is_restarted() => Some(program::NOT_STARTED),
            _ => None,
        }
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

    /// Whether the next pull or start has to wait.
    pub(super) fn backs_off(&self, now: Instant) -> bool {
        self.retry_at.is_some_and(|at| at > now)
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
            // Until it runs again, the status still says how it ended.
            Phase::Waiting | Phase::Pulling | Phase::Starting if self.last.get("terminated").is_some() => {
                self.last.clone()
            }
            Phase::Waiting | Phase::Pulling | Phase::Starting => wait(waiting, None),
            Phase::CrashLoop => wait("CrashLoopBackOff", Some(&self.crash_message)),
            Phase::Stuck(reason, message) => wait(reason, Some(message)),
            Phase::Running(since) => json!({"running": {"startedAt": since}}),
            Phase::Ended(since, until, code) => {
                json!({"terminated": {"exitCode": code, "reason": if *code == 0 { "Completed" } else { "Error" },
                "startedAt": since, "finishedAt": until}})
            }
            Phase::NotStarted(until, message) => json!({"terminated": {"exitCode": program::NOT_STARTED,
                "reason": "StartError", "message": message, "startedAt": "1970-01-01T00:00:00Z", "finishedAt": until}}),
        }
    }
}
