//! What stood in the way of a caller who was refused.

use crate::value::value;

value! {
    /// A policy that was in the way.
    pub struct DenyingPolicy {
        /// The assignment's display name, or its name where it has none.
        name: String,
        /// The assignment's id. `None` where Azure does not tell.
        assignment_id: Option<String>,
        /// The definition's id. `None` where Azure does not tell.
        definition_id: Option<String>,
    }
}
