//! Kubelet drops the cause of a failed pull when it starts to back off: this remembers it.

use crate::{
    cluster::Pod,
    diagnosis::text::{PullFailure, PullFinding},
};
use std::collections::HashMap;

/// The last informative message of each pod and container.
#[derive(Default)]
pub(super) struct PullMemory {
    /// By the pod's UID and the container's name.
    last: HashMap<String, HashMap<String, String>>,
    bytes: usize,
}

/// The maximum memory. If a cluster needs more, everything is dropped: dropped messages are read from events, or come again.
const MOST_BYTES: usize = 1 << 20;

impl PullMemory {
    /// Forgets a deleted pod.
    pub fn forget(&mut self, uid: &str) {
        for (container, message) in self.last.remove(uid).into_iter().flatten() {
            self.bytes -= weight(uid, &container, &message);
        }
    }

    /// Restores the remembered message if the current one gives no cause, and otherwise remembers the current one, if it is understood.
    pub fn recall(&mut self, pod: &mut Pod) {
        let Some(failure) = &mut pod.pull_failure else { return };
        if failure.finding.is_known() {
            self.keep(&pod.uid, &failure.container, &failure.message);
        } else if !is_uninformative(failure) {
            // A cause that is not understood replaces an older one.
            self.drop_message(&pod.uid, &failure.container);
        } else if let Some(text) = self.last.get(&pod.uid).and_then(|of_pod| of_pod.get(&failure.container)) {
            set_cause(failure, text);
        }
    }

    fn drop_message(&mut self, uid: &str, container: &str) {
        if let Some(before) = self.last.get_mut(uid).and_then(|of_pod| of_pod.remove(container)) {
            self.bytes -= weight(uid, container, &before);
        }
    }

    fn keep(&mut self, uid: &str, container: &str, message: &str) {
        self.drop_message(uid, container);
        let more = weight(uid, container, message);
        if self.bytes + more > MOST_BYTES {
            *self = Self::default();
        }
        self.bytes += more;
        self.last.entry(uid.to_owned()).or_default().insert(container.to_owned(), message.to_owned());
    }
}

const fn weight(uid: &str, container: &str, message: &str) -> usize {
    uid.len() + container.len() + message.len()
}

/// Gives a failure the cause of another message.
pub(super) fn set_cause(failure: &mut PullFailure, text: &str) {
    failure.finding = PullFinding::of_image(&failure.image, &failure.reason, text);
    text.clone_into(&mut failure.message);
}

/// Whether a failure says only that kubelet is backing off. Since Kubernetes 1.32, its message contains the cause.
pub(super) fn is_uninformative(failure: &PullFailure) -> bool {
    let has_cause = failure.message.contains(": ErrImagePull: ");
    !failure.finding.is_known() && failure.reason == "ImagePullBackOff" && !has_cause
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
        assert_eq!((waiting.finding.id.as_str(), waiting.message.as_str()), ("image.not_found", "a:1: not found"));
    }

    #[test]
    fn a_cause_that_is_not_understood_replaces_an_older_one() {
        let mut memory = PullMemory::default();
        let unknown = "dial unix /run/containerd/containerd.sock: connect: connection refused";
        let back_off = format!("Back-off pulling image \"a:1\": ErrImagePull: {unknown}");
        for (reason, message) in [("ErrImagePull", unknown), ("ImagePullBackOff", back_off.as_str())] {
            recalled(&mut memory, pod("1", "ErrImagePull", "a:1: not found"));
            let failure = recalled(&mut memory, pod("1", reason, message));
            assert_eq!((failure.finding.is_known(), failure.message.as_str()), (false, message));
            let waiting = recalled(&mut memory, pod("1", "ImagePullBackOff", "Back-off pulling image \"a:1\""));
            assert!(is_uninformative(&waiting), "{waiting}");
        }
    }

    #[test]
    fn so_much_is_remembered_and_no_more() {
        let mut memory = PullMemory::default();
        for uid in 0..1000 {
            recalled(
                &mut memory,
                pod(&uid.to_string(), "ErrImagePull", &format!("manifest unknown {}", "x".repeat(4000))),
            );
        }
        let kept = memory.last.values().flat_map(HashMap::values).map(String::len).sum::<usize>();
        assert!(kept <= memory.bytes && memory.bytes <= MOST_BYTES && !memory.last.is_empty());
    }

    #[test]
    fn a_message_that_is_repeated_or_forgotten_takes_no_more_room() {
        let mut memory = PullMemory::default();
        recalled(&mut memory, pod("0", "ErrImagePull", "b:1: not found"));
        let message = format!("manifest unknown {}", "x".repeat(4000));
        for _ in 0..1000 {
            recalled(&mut memory, pod("1", "ErrImagePull", &message));
        }
        assert_eq!(memory.last.len(), 2, "nothing was dropped");
        memory.forget("0");
        memory.forget("1");
        assert_eq!((memory.bytes, memory.last.len()), (0, 0));
    }

    #[test]
    fn the_cause_of_another_pod_is_not_taken_for_ones_own() {
        let mut memory = PullMemory::default();
        recalled(&mut memory, pod("1", "ErrImagePull", "a:1: not found"));
        let waiting = recalled(&mut memory, pod("2", "ImagePullBackOff", "Back-off pulling image \"a:1\""));
        assert!(is_uninformative(&waiting));
    }
}
