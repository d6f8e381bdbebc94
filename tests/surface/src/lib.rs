//! Reads core's source: which layer each module belongs to and which way its imports point, and what its operations are. From those it
//! writes `surface.json` and the generated parts of the bindings: `cargo run -p aks-acr-surface`.

#![expect(
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::missing_panics_doc,
    reason = "a tool of this project's tests: unreadable source ends it"
)]
#![expect(clippy::must_use_candidate, missing_docs, reason = "nobody publishes it")]

pub mod ask;
pub mod caller;
pub mod consts;
pub mod examples;
pub mod files;
pub mod json;
pub mod layers;
pub mod met;
pub mod node;
pub mod operations;
pub mod paths;
pub mod prose;
pub mod public_text;
pub mod python;
pub mod source;
pub mod surface;
pub mod table;
pub mod text;
pub mod vocabulary;

use std::path::{Path, PathBuf};

/// The folder with core's source.
pub fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/src")
}
