//! The emulator's clock: tokio's, so that a paused test moves it, with a wall clock that goes along. Where no one can
//! pause it (behind a wire), it can be put forward and made faster than tokio's.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::emulator::Emulator;

/// The farthest that a clock is put forward at once: ten years.
const FARTHEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Ties tokio's clock to the wall clock at the moment the emulator was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    wall: SystemTime,
    /// When the clock was last put, by tokio's clock and by its own.
    put: Instant,
    shown: Instant,
    /// How many times faster than tokio's it runs.
    speed: u32,
    /// What it shows while it is held.
    held: Option<Instant>,
}

impl Clock {
    /// A clock that shows `wall` now.
    pub(crate) fn new(wall: SystemTime) -> Self {
        let start = Instant::now();
        Self { start, wall, put: start, shown: start, speed: 1, held: None }
    }

    /// When the emulator was made: what was seeded counts as old as this.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// What it shows now.
    pub(crate) fn now(&self) -> Instant {
        self.held.unwrap_or_else(|| self.shown + self.put.elapsed() * self.speed)
    }

    /// How many times faster than the client's clock it runs.
    pub(crate) fn speed(&self) -> u32 {
        self.speed
    }

    /// When, by tokio's clock, it shows `at`.
    pub(crate) fn real(&self, at: Instant) -> Instant {
        let ahead = at.saturating_duration_since(self.shown);
        // Rounded up: who waits until then must not find it a little before.
        let rest = Duration::from_nanos(u64::from(self.speed > 1));
        self.put + ahead / self.speed + rest
    }

    /// The time from the start to `at`.
    pub(crate) fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    /// Stands still at `at`, which is after all that it has shown, until it is [released](Self::release).
    #[cfg(any(feature = "serve", test))]
    pub(crate) fn hold(&mut self, at: Instant) {
        self.held = Some(at);
    }

    /// Continues from where it was held.
    #[cfg(any(feature = "serve", test))]
    pub(crate) fn release(&mut self) {
        if let Some(held) = self.held.take() {
            (self.put, self.shown) = (Instant::now(), held);
        }
    }

    fn put(&mut self, forward: Duration, speed: u32) {
        let now = self.now();
        self.put = Instant::now();
        self.shown = now + forward.min(FARTHEST);
        self.speed = speed.clamp(1, 100_000);
        self.held = self.held.map(|_| self.shown);
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
        self.rfc3339_before(at, Duration::ZERO)
    }

    /// The same of a time that is this much earlier, which may be before the start.
    pub(crate) fn rfc3339_before(&self, at: Instant, earlier: Duration) -> String {
        let date = OffsetDateTime::from(self.wall(at) - earlier);
        date.format(&Rfc3339).unwrap_or_else(|_| String::from("1970-01-01T00:00:00Z"))
    }

    /// A time as HTTP writes it into headers.
    pub(crate) fn http_date(&self, at: Instant) -> String {
        httpdate::fmt_http_date(self.wall(at))
    }
}

impl Emulator {
    /// Turns the clock forward. What is due by then happens immediately. A test that can pause tokio's clock does
    /// not need this.
    ///
    /// ```
    /// use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let azure = aks_acr_emulator::Emulator::new();
    /// azure.advance(Duration::from_secs(60 * 60));
    /// # }
    /// ```
    ///
    /// # Panics
    /// If clusters have real control planes, whose clock nothing can turn.
    pub fn advance(&self, time: Duration) {
        #[cfg(feature = "serve")]
        assert_eq!(self.clock_is_real(), None);
        self.turn(|clock| clock.put(time, clock.speed));
    }

    /// Makes the clock run this many times faster than tokio's. The latency of requests and the delays of faults do not
    /// change.
    ///
    /// # Panics
    /// If clusters have real control planes, unless the speed is 1.
    pub fn set_clock_speed(&self, speed: u32) {
        #[cfg(feature = "serve")]
        assert!(speed == 1 || self.clock_is_real().is_none(), "the clock of clusters with real control planes is real");
        self.turn(|clock| clock.put(Duration::ZERO, speed));
    }

    /// Why the clock cannot be turned, if it cannot.
    #[cfg(feature = "serve")]
    pub(crate) fn clock_is_real(&self) -> Option<&'static str> {
        let is_real = self.shared.world().control_planes.is_some();
        is_real.then_some(
            "the clock cannot be turned: clusters have real control planes, whose time is that of this machine",
        )
    }

    fn turn(&self, turn: impl FnOnce(&mut Clock)) {
        self.act(|world| turn(&mut world.clock));
        // Once more, for what is due by what it shows now.
        self.act(|_| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_nobody_put_is_tokios() {
        let clock = Clock::new(SystemTime::now());
        tokio::time::advance(Duration::from_millis(7)).await;
        assert_eq!(clock.now(), Instant::now());
        assert_eq!(clock.real(clock.now()), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_shows_its_time_when_it_says() {
        let mut clock = Clock::new(SystemTime::now());
        clock.put(Duration::from_secs(60), 7);
        let wanted = clock.now() + Duration::from_secs(10);
        tokio::time::sleep_until(clock.real(wanted)).await;
        assert!(clock.now() >= wanted);
        assert!(clock.now() < wanted + Duration::from_millis(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_held_clock_stands_still_can_be_put_forward_and_goes_on_from_there() {
        let mut clock = Clock::new(SystemTime::now());
        let at = clock.start() + Duration::from_secs(100);
        clock.hold(at);
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(clock.now(), at);
        clock.put(Duration::from_secs(20), 3);
        assert_eq!(clock.since_start(clock.now()), Duration::from_secs(120));
        clock.release();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.since_start(clock.now()), Duration::from_secs(126));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_put_too_far_does_not_break() {
        let mut clock = Clock::new(SystemTime::now());
        clock.put(Duration::MAX, u32::MAX);
        assert!(clock.wall(clock.now()) > SystemTime::now());
    }
}
