//! Wall-clock times of a cluster: the wall clock when it began, and tokio's time since then.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::time::Instant;

/// Turns instants into the times that objects carry, and back.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    wall: Timestamp,
}

impl Clock {
    /// A clock that shows `wall` at `now`.
    pub(super) fn new(now: Instant, wall: SystemTime) -> Self {
        // Whole seconds, as objects carry them: so a time read back is the instant it was written at.
        let wall = Timestamp::try_from(wall).unwrap_or_default();
        let wall = Timestamp::from_second(wall.as_second()).unwrap_or_default();
        Self { began: now, wall }
    }

    /// `2026-01-31T12:00:00Z`.
    pub(super) fn text(&self, now: Instant) -> String {
        let since = now.saturating_duration_since(self.began);
        let time = self.wall.saturating_add(since).unwrap_or(self.wall);
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The instant of a time that an object carries. Times before the clock began are its beginning.
    pub(super) fn instant(&self, text: &str) -> Option<Instant> {
        let time: Timestamp = text.parse().ok()?;
        let since = Duration::try_from(time.duration_since(self.wall)).unwrap_or_default();
        Some(self.began + since)
    }
}
