//! The time by Resource Manager's clock. A plan is often made on one machine and applied on another, whose clocks may differ: Azure's
//! clock is the same for both.

use super::{Answer, retry_after::http_date};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};
use tokio::time::Instant;

/// The date of the latest response, and when it was received.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceTime(Arc<Mutex<Option<(SystemTime, Instant)>>>);

impl ServiceTime {
    /// Takes the `Date` of a response, if it is valid.
    pub(super) fn read(&self, answer: &Answer) {
        if let Some(date) = answer.header("date").and_then(http_date) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date.into(), Instant::now()));
        }
    }

    /// Azure's current time. `None` before the first response.
    pub fn now(&self) -> Option<SystemTime> {
        let (date, came) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        date.checked_add(came.elapsed())
    }
}
