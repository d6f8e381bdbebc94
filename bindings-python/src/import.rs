//! Imported images.

use crate::value::{through_json, value, variants};
use pyo3::prelude::*;

value! {
    /// An image that is in the registry now.
    pub struct Import {
        /// The source, completed as Docker completes it.
        source: String,
        /// The image in the registry.
        target: String,
        /// `False`: an equal image was there, and nothing was copied.
        is_new: bool,
        /// How sure it is that the two are the same.
        proof: ImportProof,
    }
}

variants! {
    /// How sure it is that an imported image is its source. `str()` is a line for a reader.
    pub enum ImportProof {
        /// The target's digest equals the one that the source had before the import.
        SourceMatched { digest: String },
        /// The target's digest is known, the source's is not; `reason` says why.
        TargetOnly { digest: String, reason: String },
        /// Azure says that the import succeeded; `reason` says why the target could not be looked at.
        Unproven { reason: String },
    }
    impl {
        fn __str__(&self) -> PyResult<String> {
            Ok(through_json::<aks_acr::ImportProof>(self)?.to_string())
        }
    }
}
