//! The steps of a call, as events of `tracing`.

use super::Event;
use crate::telemetry::PROGRESS;

/// Emits a progress event of a call.
pub(super) fn progress(event: &Event) {
    match event {
        Event::Retrying { step, reason, wait_ms } => {
            tracing::info!(target: PROGRESS, step, reason, wait_ms, "retrying");
        }
        event => tracing::debug!(target: PROGRESS, "{event}"),
    }
}
