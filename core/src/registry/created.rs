//! What came of making a registry.

use super::Registry;
use crate::difference::Difference;
use serde::{Deserialize, Serialize};

/// The registry, and whether this call made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreatedRegistry {
    /// The registry.
    pub registry: Registry,
    /// `false`: it was there, and was left as it is.
    pub is_new: bool,
    /// In what one that was there differs from the one that would have been made: `location`, where one was asked for, `sku`,
    /// `role_assignment_mode`, `domain_name_label_scope`, `admin_user`, `anonymous_pull`.
    pub differences: Vec<Difference>,
    /// `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `None` where nothing was written.
    pub correlation_id: Option<String>,
}

impl CreatedRegistry {
    /// A registry that was made, or was there.
    #[must_use]
    pub fn new(registry: Registry, is_new: bool) -> Self {
        Self { registry, is_new, differences: Vec::new(), correlation_id: None }
    }

    /// Sets [`differences`](Self::differences).
    #[must_use]
    pub fn with_differences(mut self, differences: Vec<Difference>) -> Self {
        self.differences = differences;
        self
    }
}
