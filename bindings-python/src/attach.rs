//! What attach says, and its plan.

use crate::{
    value::{Several, Time, value, variants},
    word::Word,
};
use aks_acr::{OnConditionMismatch, OnInheritedGrant, PullRole};

value! {
    /// The state "this cluster can pull from this registry, by that grant".
    ///
    /// Assigned is not yet effective: Azure takes from seconds to minutes until a registry honours a new grant.
    pub struct Attachment {
        /// What was found or done.
        outcome: AttachOutcome,
        /// The role that gives pull.
        role: Word<PullRole>,
        /// Object id of the identity that has it.
        principal_id: String,
        /// Resource id of the registry.
        registry: String,
        /// Id of the role assignment. `None` where one exists that the caller may not read.
        assignment_id: Option<String>,
        /// What narrows the grant, if anything does.
        condition: Option<String>,
        /// By this Azure's activity log knows the write. `None` where nothing was written.
        correlation_id: Option<String>,
        /// Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a
        /// member. Usually empty.
        unchecked_groups: Several<String>,
    }
}

variants! {
    /// What attach found or did.
    pub enum AttachOutcome {
        /// The grant was made.
        Granted {},
        /// The same grant was there: nothing was written.
        AlreadyGranted {},
        /// A scope above the registry gives the role: nothing was written.
        Inherited {
            #[serde(rename = "from")]
            from_: String
        },
        /// The identity is a member of an Entra group that has a role which gives pull: nothing was written. A membership that was
        /// just made takes long to have an effect; ask for a direct grant to be independent of that.
        ThroughGroup {
            group: String,
            #[serde(rename = "from")]
            from_: String
        },
        /// The role is there with another condition, which was left as it is: nothing was written.
        ConditionDiffers { existing: Option<String> },
    }
}

value! {
    /// What attach would do. Making one needs read rights only; applying it looks again. `str()` is lines for a reader.
    pub struct AttachPlan {
        /// The version of the form in which the plan is written.
        version: u32,
        /// After this, by the clock of Azure, it is refused.
        expires: Time,
        /// The cluster.
        cluster: ClusterRef,
        /// Resource id of the registry.
        registry: String,
        /// The role that gives pull there.
        role: Word<PullRole>,
        /// Object id of the identity that would have it.
        principal_id: String,
        /// What would narrow it.
        condition: Option<String>,
        /// What would be done.
        action: PlannedAction,
        /// Whether the options named who gets the grant.
        is_principal_named: bool,
        /// What the options said of a scope above, or a group, that gives pull already.
        on_inherited_grant: Word<OnInheritedGrant>,
        /// What the options said of the role with another condition.
        on_condition_mismatch: Word<OnConditionMismatch>,
        /// Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a
        /// member. Usually empty.
        unchecked_groups: Several<String>,
    }
}

variants! {
    /// What a plan does.
    pub enum PlannedAction {
        /// Makes the grant.
        Grant {},
        /// Gives the grant that is there another condition.
        Replace { assignment_id: String },
        /// Writes nothing, since this is so already.
        Nothing { outcome: AttachOutcome },
    }
}

value! {
    /// A cluster, by resource group and name. `str()` is the form that methods take: a resource id where it has a subscription.
    pub struct ClusterRef {
        /// Its subscription, where that is not the client's.
        subscription: Option<String>,
        /// Its resource group.
        group: String,
        /// Its name.
        name: String,
    }
}
