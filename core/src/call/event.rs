//! The progress events of a call.

use crate::quoted::quoted;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A progress event of a call.
///
/// Steps can run at the same time, so their events can be interleaved; a step is identified by its text, which is for people and
/// may change. Each [`Started`](Self::Started) is followed by one [`Finished`](Self::Finished) with the same text, unless the step
/// failed, or the deadline or a cancellation ended it. In those cases the call's error says so; for one image in a list, its
/// [`ItemEnded`](Self::ItemEnded) says so. Dropping the future ends a step without an event. There is no `finished` without an earlier
/// `started`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A step begins.
    Started {
        /// The step, for a human reader.
        step: String,
    },
    /// An Azure operation is still running.
    Polling {
        /// The step that waits for the operation.
        step: String,
        /// The number of the poll, from 1.
        attempt: u32,
        /// The service's own status, such as `Accepted` or `CreatingAgentPools: 1/3 nodes completed`.
        status: String,
    },
    /// The state of one target tag of an import changed.
    ImportingTag {
        /// `repository:tag` in the target registry.
        tag: String,
        /// The service's own status, such as `Pending`.
        status: String,
    },
    /// A transient error occurred; the request is sent again after the wait.
    Retrying {
        /// The step that is retried.
        step: String,
        /// The service's code, or the cause.
        reason: String,
        /// The wait before the retry in milliseconds, if known.
        wait_ms: Option<u64>,
    },
    /// The number of ready pods of a rollout, or the cause that blocks it, has changed.
    Rollout {
        /// Ready replicas.
        ready: u32,
        /// Replicas in the specification.
        wanted: u32,
        /// What blocks the rollout at present, if anything.
        cause: Option<String>,
    },
    /// A step has ended successfully.
    Finished {
        /// The step.
        step: String,
    },
    /// The import of one image in a list has ended, successfully or not.
    ItemEnded {
        /// The image's index in the list, from 0.
        index: u32,
        /// The source image's full name, with the parts that Docker adds.
        source: String,
        /// Whether it was copied. `false`: the registry already had the same image, or the import failed.
        is_new: bool,
        /// The error message, if it failed.
        error: Option<String>,
    },
}

impl Event {
    /// The same with its texts quoted for display: some contain a service's own text.
    pub(super) fn quoted(mut self) -> Self {
        let texts: [Option<&mut String>; 2] = match &mut self {
            Self::Started { step } | Self::Finished { step } => [Some(step), None],
            Self::Polling { step, status, .. } => [Some(step), Some(status)],
            Self::ImportingTag { tag, status } => [Some(tag), Some(status)],
            Self::Retrying { step, reason, .. } => [Some(step), Some(reason)],
            Self::Rollout { cause, .. } => [cause.as_mut(), None],
            Self::ItemEnded { source, error, .. } => [Some(source), error.as_mut()],
        };
        for text in texts.into_iter().flatten() {
            *text = quoted(std::mem::take(text));
        }
        self
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { step } => write!(f, "{step} …"),
            Self::Polling { step, attempt, status } => write!(f, "{step}: {status} (poll {attempt})"),
            Self::ImportingTag { tag, status } => write!(f, "{tag}: {status}"),
            Self::Retrying { step, reason, wait_ms: Some(wait) } => {
                write!(f, "{step}: retrying in {:.1?} ({reason})", Duration::from_millis(*wait))
            }
            Self::Retrying { step, reason, wait_ms: None } => write!(f, "{step}: retrying ({reason})"),
            Self::Rollout { ready, wanted, cause: None } => write!(f, "{ready}/{wanted} ready"),
            Self::Rollout { ready, wanted, cause: Some(cause) } => write!(f, "{ready}/{wanted} ready, {cause}"),
            Self::Finished { step } => write!(f, "{step}: done"),
            Self::ItemEnded { source, error: Some(error), .. } => write!(f, "{source}: {error}"),
            Self::ItemEnded { source, is_new: true, .. } => write!(f, "{source}: imported"),
            Self::ItemEnded { source, .. } => write!(f, "{source}: already exists"),
        }
    }
}

/// Receives the progress events of a call. It must return at once, because the operation waits for it.
pub trait Progress: Send + Sync {
    /// Receives one event.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Progress for F {
    fn event(&self, event: Event) {
        self(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_as_a_line() {
        let event =
            Event::Retrying { step: "granting".into(), reason: "PrincipalNotFound".into(), wait_ms: Some(1500) };
        assert_eq!(event.to_string(), "granting: retrying in 1.5s (PrincipalNotFound)");
        let event = Event::Rollout { ready: 0, wanted: 2, cause: Some("ErrImagePull".into()) };
        assert_eq!(event.to_string(), "0/2 ready, ErrImagePull");
    }
}
