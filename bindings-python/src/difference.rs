//! How something that is there differs from what was asked for.

use crate::value::value;

value! {
    /// One point in which a resource that exists is not what would have been made. `str()` is a line for a reader.
    pub struct Difference {
        /// What differs, such as `sku` or `location`.
        property: String,
        /// What would have been made.
        asked: String,
        /// What is there.
        found: String,
    }
}
