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

/// How many reads in a row have to agree.
const READS: u32 = 5;
/// The interval between them.
pub(crate) const PACE: Duration = Duration::from_secs(5);

/// Counts the reads in a row that did not return the resource.
#[derive(Debug, Default)]
pub(crate) struct MissingReads(AtomicU32);

impl MissingReads {
    /// Counts a read that returned it.
    pub fn found(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Counts a read that did not return it. `None`: enough reads agree that it is missing.
    pub fn not_found<T>(&self) -> Option<Poll<T>> {
        let reads = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        (reads < READS).then(|| Poll::Pending { status: Some("not found".to_owned()), wait: Some(PACE) })
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
