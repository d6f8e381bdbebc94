//! The meaning of a failure that Kubernetes reports.

use crate::error::ErrorKind;

/// The meaning of a status for a caller.
pub(crate) struct Meaning {
    pub kind: ErrorKind,
    pub sentence: String,
    pub is_transient: Option<bool>,
}

impl Meaning {
    pub fn new(kind: ErrorKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), is_transient: None }
    }

    pub fn transient(mut self) -> Self {
        self.is_transient = Some(true);
        self
    }
}
