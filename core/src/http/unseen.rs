//! What Resource Manager does not show: it may not exist, or a replica does not know of it yet.
//!
//! Reads one after another reach different replicas, and one that lags shows neither a new resource nor a new item of a list, also after
//! another has shown it. So one read never says that something is missing. How long a replica may lag is not documented; Terraform takes
//! five reads in a row, five seconds apart, for agreement, and that is what counts here.

use crate::call::Poll;
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// So many reads in a row have to agree.
const READS: u32 = 5;
/// So far apart.
pub(crate) const PACE: Duration = Duration::from_secs(5);

/// Counts the reads in a row that did not show what is waited for.
#[derive(Debug, Default)]
pub(crate) struct Unseen(AtomicU32);

impl Unseen {
    /// Counts a read that returned it.
    pub fn shown(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Counts a read that did not return it. `None`: enough reads agree that it is missing.
    pub fn not_shown<T>(&self) -> Option<Poll<T>> {
        let reads = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        (reads < READS).then(|| Poll::Pending { status: Some("not found".to_owned()), wait: Some(PACE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reads_in_a_row_count() {
        let unseen = Unseen::default();
        let is_missing = || unseen.not_shown::<()>().is_none();
        assert!((1..READS).all(|_| !is_missing()));
        unseen.shown();
        assert!((1..READS).all(|_| !is_missing()));
        assert!(is_missing());
    }
}
