//! Kubelet forgets why a pull failed when it begins to wait: this remembers.

use crate::{
    cluster::Pod,
    pull::{PullCause, PullFailure},
};
use std::collections::HashMap;

/// The last text that told something, of each pod and container.
#[derive(Default)]
pub(super) struct PullMemory {
    last: HashMap<(String, String), String>,
}

impl PullMemory {
    /// Puts the text that told something in the place of one that tells nothing, and remembers one that does.
    pub fn recall(&mut self, pod: &mut Pod) {
        let Some(failure) = &mut pod.pull_failure else { return };
        let key = (pod.uid.clone(), failure.container.clone());
        if failure.cause != PullCause::Unknown {
            self.last.insert(key, failure.message.clone());
        } else if let Some(text) = self.last.get(&key) {
            retell(failure, text);
        }
    }
}

/// Gives a failure the meaning of another text.
pub(super) fn retell(failure: &mut PullFailure, text: &str) {
    failure.cause = PullCause::read(&failure.reason, text);
    text.clone_into(&mut failure.message);
}

/// Whether a failure says only that kubelet waits.
pub(super) fn tells_nothing(failure: &PullFailure) -> bool {
    failure.cause == PullCause::Unknown && failure.reason == "ImagePullBackOff"
}
