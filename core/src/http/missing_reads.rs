//! A resource that Resource Manager does not return: it may not exist, or a replica does not know of it yet.
//!
//! Consecutive reads reach different replicas, and one that lags returns neither a new resource nor a new list item, even after another
//! replica has returned it. So one read never proves that something is missing. How long a replica may lag is not documented; Terraform
//! requires five reads in a row, five seconds apart, to agree, and so does this.

use crate::call::Poll;
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// How many consecutive reads must agree.
const READS: u32 = 5;
/// The interval between them.
const PACE: Duration = Duration::from_secs(5);

/// Counts the reads in a row that did not return the resource.
#[derive(Debug)]
pub(crate) struct MissingReads {
    missed: AtomicU32,
    reads: u32,
    /// `None`: at the pace of the poll.
    pace: Option<Duration>,
}

impl Default for MissingReads {
    fn default() -> Self {
        Self { missed: AtomicU32::new(0), reads: READS, pace: Some(PACE) }
    }
}

impl MissingReads {
    /// Reads at the pace of the poll: for a result that another call corrects if it was wrong.
    pub fn brief(reads: u32) -> Self {
        Self { missed: AtomicU32::new(0), reads, pace: None }
    }

    /// Counts a read that returned it.
    pub fn found(&self) {
        self.missed.store(0, Ordering::Relaxed);
    }

    /// Counts a read that did not return it. `None`: enough reads agree that it is missing.
    pub fn not_found<T>(&self) -> Option<Poll<T>> {
        let reads = self.missed.fetch_add(1, Ordering::Relaxed) + 1;
        (reads < self.reads).then(|| Poll::Pending { status: Some("not found".to_owned()), wait: self.pace })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reads_in_a_row_count() {
        let missing_reads = MissingReads::default();
        let is_missing = || missing_reads.not_found::<()>().is_none();
        assert!((1..READS).all(|_| !is_missing()));
        missing_reads.found();
        assert!((1..READS).all(|_| !is_missing()));
        assert!(is_missing());
    }
}
