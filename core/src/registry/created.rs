//! The result of creating a registry.

use super::Registry;
use crate::difference::Difference;
use serde::{Deserialize, Serialize};

/// The result of creating a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreatedRegistry {
    /// The registry.
    pub registry: Registry,
    /// Whether this call created it. `false`: it existed, and was not changed.
    pub is_new: bool,
    /// How an existing registry differs from the options: `location` (if requested), `sku`, `role_assignment_mode`,
    /// `domain_name_label_scope`, `admin_user`, `anonymous_pull`.
    pub differences: Vec<Difference>,
    /// `x-ms-correlation-request-id` of the write, for Azure's activity log.
    /// `None` if nothing was written.
    pub correlation_id: Option<String>,
}

impl CreatedRegistry {
    /// A registry that was created, or existed.
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
