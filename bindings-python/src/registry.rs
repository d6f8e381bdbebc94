//! Registries.

use crate::{
    difference::Difference,
    value::{Several, value},
    word::Word,
};
use aks_acr::RoleAssignmentMode;

value! {
    /// A registry as Azure has it.
    pub struct Registry {
        /// Its resource id.
        id: String,
        /// The host that images are pushed to and pulled from. Not always the name and an ending.
        login_server: String,
        /// The region.
        location: String,
        /// Such as `Basic`.
        sku: String,
        /// Whether permissions are given on the whole registry or on its repositories.
        mode: Word<RoleAssignmentMode>,
        /// The service's word for its state, such as `Succeeded`.
        state: String,
    }
}

value! {
    /// The registry, and whether the call made it.
    pub struct CreatedRegistry {
        /// The registry.
        registry: Registry,
        /// `False`: it was there, and was left as it is.
        is_new: bool,
        /// In what one that was there differs from the one that would have been made.
        differences: Several<Difference>,
        /// By this Azure's activity log knows the write. `None` where nothing was written.
        correlation_id: Option<String>,
    }
}
