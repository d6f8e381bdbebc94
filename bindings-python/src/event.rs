//! What a call under way tells.

use crate::value::variants;

variants! {
    /// A step of a call that is under way. `str()` is a line for a reader.
    pub enum Event {
        /// A step begins.
        Started { step: String },
        /// Azure is still at work; `status` is the service's own word.
        Polling { step: String, attempt: u32, status: String },
        /// The state of one target tag of an import changed.
        ImportingTag { tag: String, status: String },
        /// Something temporary stood in the way; the request is sent again after the wait.
        Retrying { step: String, reason: String, wait_ms: Option<u64> },
        /// The number of ready pods of a rollout changed, or what keeps them from it.
        Rollout { ready: u32, wanted: u32, cause: Option<String> },
        /// A step is done.
        Finished { step: String },
        /// The import of one image of a list has ended, well or not; `index` is its place there, `error` why it failed, if it did.
        ItemEnded { index: u32, source: String, is_new: bool, error: Option<String> },
    }
}
