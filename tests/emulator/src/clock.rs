//! The emulator's clock: tokio's, so that a paused test moves it, with a wall clock that goes along.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

/// Ties tokio's clock to the wall clock at the moment the emulator was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    wall: SystemTime,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), wall: SystemTime::now() }
    }

    /// When the emulator was made: what was seeded counts as old as this.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// The wall clock's time at `at`. A paused clock that was turned turns this too.
    pub(crate) fn wall(&self, at: Instant) -> SystemTime {
        self.wall + at.saturating_duration_since(self.start)
    }

    /// Whole seconds since 1970, as tokens count.
    pub(crate) fn unix(&self, at: Instant) -> u64 {
        self.wall(at).duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
    }

    /// A time as Azure writes it into bodies.
    pub(crate) fn rfc3339(&self, at: Instant) -> String {
        let date = OffsetDateTime::from(self.wall(at));
        date.format(&Rfc3339).unwrap_or_else(|_| String::from("1970-01-01T00:00:00Z"))
    }

    /// A time as HTTP writes it into headers.
    pub(crate) fn http_date(&self, at: Instant) -> String {
        httpdate::fmt_http_date(self.wall(at))
    }
}
