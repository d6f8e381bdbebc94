//! The steps of a call, as events of `tracing`.

use super::Event;
use crate::telemetry::PROGRESS;

/// Tells a step of a call that is under way.
pub(super) fn progress(event: &Event) {
    match event {
        Event::Retrying { step, reason, wait_ms } => {
            tracing::info!(target: PROGRESS, step, reason, wait_ms, "trying again");
        }
        event => tracing::debug!(target: PROGRESS, "{event}"),
    }
}
