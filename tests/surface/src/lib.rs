//! Reads core's source: which layer each module belongs to, and which way its imports point.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a tool of this project's tests: unreadable source ends it"
)]
#![expect(clippy::must_use_candidate, missing_docs, reason = "nobody publishes it")]

pub mod layers;
pub mod paths;
pub mod source;
pub mod table;

use std::path::{Path, PathBuf};

/// The folder with core's source.
pub fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/src")
}
