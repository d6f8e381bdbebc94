//! Kubelet drops the cause of a failed pull when it starts to back off: this remembers it.

use crate::{
    cluster::Pod,
    pull::{PullCause, PullFailure},
};
use std::collections::HashMap;

/// The last informative message of each pod and container.
#[derive(Default)]
pub(super) struct PullMemory {
    last: HashMap<(String, String), String>,
    bytes: usize,
}

/// The maximum memory. If a cluster needs more, everything is dropped: dropped messages are read from events, or come again.
const MOST_BYTES: usize = 1 << 20;

impl PullMemory {
    /// Forgets a deleted pod.
    pub fn forget(&mut self, uid: &str) {
        self.last.retain(|(pod, _), _| pod != uid);
    }

    /// Restores the remembered message if the current one says nothing, and remembers one that does.
    pub fn recall(&mut self, pod: &mut Pod) {
        let Some(failure) = &mut pod.pull_failure else { return };
        let key = (pod.uid.clone(), failure.container.clone());
        if failure.cause != PullCause::Unknown {
            self.bytes += key.0.len() + key.1.len() + failure.message.len();
            if self.bytes > MOST_BYTES {
                *self = Self::default();
            }
            self.last.insert(key, failure.message.clone());
        } else if let Some(text) = self.last.get(&key) {
            set_cause(failure, text);
        }
    }
}

/// Gives a failure the cause of another message.
pub(super) fn set_cause(failure: &mut PullFailure, text: &str) {
    failure.cause = PullCause::read(&failure.reason, text);
    text.clone_into(&mut failure.message);
}

/// Whether a failure says only that kubelet is backing off.
pub(super) fn is_uninformative(failure: &PullFailure) -> bool {
    failure.cause == PullCause::Unknown && failure.reason == "ImagePullBackOff"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(uid: &str, reason: &str, message: &str) -> Pod {
        crate::cluster::pods::read_pod(&json!({
            "metadata": { "name": "p", "uid": uid },
            "status": { "containerStatuses": [{ "name": "c", "state": { "waiting": { "reason": reason, "message": message } } }] },
        }))
    }

    fn recalled(memory: &mut PullMemory, mut pod: Pod) -> PullFailure {
        memory.recall(&mut pod);
        pod.pull_failure.unwrap()
    }

    #[test]
    fn a_kubelet_that_only_says_that_it_waits_is_reminded_of_the_cause() {
        let mut memory = PullMemory::default();
        recalled(&mut memory, pod("1", "ErrImagePull", "a:1: not found"));
        let waiting = recalled(&mut memory, pod("1", "ImagePullBackOff", "Back-off pulling image \"a:1\""));
        assert_eq!((waiting.cause, waiting.message.as_str()), (PullCause::NotFound, "a:1: not found"));
    }

    #[test]
    fn so_much_is_remembered_and_no_more() {
        let mut memory = PullMemory::default();
        for uid in 0..1000 {
            recalled(
                &mut memory,
                pod(&uid.to_string(), "ErrImagePull", &format!("a:1: not found{}", "x".repeat(4000))),
            );
        }
        assert!(memory.last.values().map(String::len).sum::<usize>() <= MOST_BYTES);
        assert!(!memory.last.is_empty());
    }

    #[test]
    fn the_cause_of_another_pod_is_not_taken_for_ones_own() {
        let mut memory = PullMemory::default();
        recalled(&mut memory, pod("1", "ErrImagePull", "a:1: not found"));
        let waiting = recalled(&mut memory, pod("2", "ImagePullBackOff", "Back-off pulling image \"a:1\""));
        assert!(is_uninformative(&waiting));
    }
}
