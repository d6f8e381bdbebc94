//! What detach says, and its plan.

use crate::{
    attach::ClusterRef,
    attachments::PullGrant,
    value::{Several, Time, value},
    word::Word,
};
use aks_acr::{DetachOutcome, PullRole};

value! {
    /// What was removed, and what still lets the cluster pull.
    ///
    /// Removed is not yet without effect: Azure takes from seconds to minutes, a node may hold a token of the registry for hours, and
    /// an image that is on a node already starts without a pull.
    pub struct Detachment {
        /// What was found or done.
        outcome: Word<DetachOutcome>,
        /// Object id of the identity whose grants were meant.
        principal_id: String,
        /// Resource id of the registry.
        registry: String,
        /// What was removed.
        removed: Several<RemovedGrant>,
        /// What still gives this principal pull: grants from above, of other roles, of Entra groups that it is in, or
        /// of others where only ours were to go.
        remaining: Several<PullGrant>,
    }
}

value! {
    /// A grant that was removed.
    pub struct RemovedGrant {
        /// Id of the role assignment that is gone.
        assignment_id: String,
        /// Its role.
        role: Word<PullRole>,
        /// What narrowed it, if anything did.
        condition: Option<String>,
        /// By this Azure's activity log knows the write.
        correlation_id: Option<String>,
    }
}

value! {
    /// What detach would do. Making one needs read rights only; applying it looks again: what is gone by then is no hindrance, but if
    /// more would be removed than it says, nothing is. `str()` is lines for a reader.
    pub struct DetachPlan {
        /// The version of the form in which the plan is written.
        version: u32,
        /// After this, by the clock of Azure, it is refused.
        expires: Time,
        /// The cluster.
        cluster: ClusterRef,
        /// Resource id of the registry.
        registry: String,
        /// Object id of the identity whose grants are meant.
        principal_id: String,
        /// What would be removed. Empty: nothing would be written.
        remove: Several<RoleAssignment>,
        /// What would still give this principal pull.
        remaining: Several<PullGrant>,
        /// Whether the options named whose grants are meant.
        is_principal_named: bool,
        /// Whether only what this library made is meant.
        only_created_by_aks_acr: bool,
    }
}

value! {
    /// A role assignment as Azure has it.
    pub struct RoleAssignment {
        /// Its resource id.
        id: String,
        /// Where it holds.
        scope: String,
        /// To whom.
        principal_id: String,
        /// Azure's word for what the principal is: `ServicePrincipal` (a managed identity too), `Group`, `User`.
        principal_type: Option<String>,
        /// The role definition's id, the part that is the same in every subscription.
        role_definition_id: String,
        /// What narrows it, if anything does.
        condition: Option<String>,
        /// What its maker wrote about it.
        description: Option<String>,
    }
}
