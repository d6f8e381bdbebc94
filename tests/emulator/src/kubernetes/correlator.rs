//! What a component does before it writes an event, as `client-go` does in `tools/record/events_cache.go` (v0.33.3): events that
//! differ in their message only are combined, and of very many about one object most are dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

/// How a combined message begins.
pub(super) const COMBINED: &str = "(combined from similar events): ";
/// From so many different messages on they are combined.
const COMBINED_FROM: usize = 10;
/// Messages are forgotten when none came for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// As many events of one type about one object are written at once.
const BURST: f64 = 25.0;
/// After that one more in this time.
const REFILL: Duration = Duration::from_secs(300);

/// What a component has noted.
#[derive(Debug, Default)]
pub(super) struct Correlator {
    similar: BTreeMap<String, Similar>,
    allowances: BTreeMap<String, Allowance>,
}

#[derive(Debug)]
struct Similar {
    messages: BTreeSet<String>,
    last: Instant,
}

#[derive(Debug)]
struct Allowance {
    left: f64,
    at: Instant,
}

impl Correlator {
    /// The message to write for one about a subject, which is all of an event but its message.
    pub(super) fn message(&mut self, subject: &str, message: &str, now: Instant) -> String {
        let similar = self.similar.entry(subject.to_owned()).or_insert_with(|| Similar::new(now));
        if now.saturating_duration_since(similar.last) > FORGOTTEN_AFTER {
            *similar = Similar::new(now);
        }
        similar.last = now;
        similar.messages.insert(message.to_owned());
        if similar.messages.len() < COMBINED_FROM {
            return message.to_owned();
        }
        similar.messages.pop_first();
        format!("{COMBINED}{message}")
    }

    /// Whether one more event of this type may be written about an object.
    pub(super) fn allows(&mut self, object: &str, now: Instant) -> bool {
        let allowance = self.allowances.entry(object.to_owned()).or_insert(Allowance { left: BURST, at: now });
        let passed = now.saturating_duration_since(allowance.at).as_secs_f64();
        allowance.left = (allowance.left + passed / REFILL.as_secs_f64()).min(BURST);
        allowance.at = now;
        let allowed = allowance.left >= 1.0;
        if allowed {
            allowance.left -= 1.0;
        }
        allowed
    }

    /// Drops what has no effect any more.
    pub(super) fn forget(&mut self, now: Instant) {
        let age = |at: Instant| now.saturating_duration_since(at);
        self.similar.retain(|_, similar| age(similar.last) <= FORGOTTEN_AFTER);
        self.allowances.retain(|_, allowance| age(allowance.at) <= REFILL.mul_f64(BURST));
    }
}

impl Similar {
    fn new(now: Instant) -> Self {
        Self { messages: BTreeSet::new(), last: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenth_message_of_a_kind_is_combined() {
        let (mut correlator, start) = (Correlator::default(), Instant::now());
        let mut said = |number: u32, after: u64| {
            correlator.message("subject", &number.to_string(), start + Duration::from_secs(after))
        };
        for number in 1..10 {
            assert_eq!(said(number, u64::from(number)), number.to_string());
        }
        assert_eq!(said(10, 10), "(combined from similar events): 10");
        assert_eq!(said(11, 20), "(combined from similar events): 11");
        assert_eq!(said(12, 621), "12", "none came for ten minutes");
    }

    #[test]
    fn of_many_events_about_an_object_most_are_dropped() {
        let (mut correlator, start) = (Correlator::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!((0..30).filter(|second| correlator.allows("pod", at(*second))).count(), 25);
        assert!(correlator.allows("another", at(30)));
        assert!(!correlator.allows("pod", at(290)) && correlator.allows("pod", at(310)));
    }
}
