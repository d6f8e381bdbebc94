//! Which registries a cluster can pull from, who can pull from a registry, and by which grants.

use crate::{
    registry::Registry,
    value::{Several, value, variants},
    word::Word,
};
use aks_acr::{GroupMembership, PrincipalState};

value! {
    /// What a cluster's nodes can pull from.
    pub struct ClusterAttachments {
        /// Resource id of the cluster.
        cluster: String,
        /// Object id of the identity that pulls for it.
        principal_id: String,
        /// The grants, one or more for a registry: those on the registry itself first.
        grants: Several<PullGrant>,
        /// The subscriptions that were looked in. A registry elsewhere may be attached too.
        subscriptions: Several<String>,
    }
}

value! {
    /// Who can pull from a registry.
    pub struct RegistryAttachments {
        /// The registry.
        registry: Registry,
        /// The grants: those on the registry itself first.
        grants: Several<PullGrant>,
        /// The subscriptions whose clusters were looked at, to tell whose a grant is. One where the caller may
        /// not list them is left out.
        subscriptions: Several<String>,
    }
}

value! {
    /// A role assignment that lets somebody pull from a registry. `str()` is a line for a reader.
    ///
    /// A role is judged by what it allows: an Owner can pull too, where permissions are on the whole registry.
    pub struct PullGrant {
        /// Resource id of the registry.
        registry: String,
        /// Object id of the identity or group that holds the assignment.
        principal_id: String,
        /// Azure's word for what that is: `ServicePrincipal` (a managed identity too), `Group`, `User`.
        principal_type: Option<String>,
        /// Whether the principal still exists, as far as that is known.
        principal_state: Word<PrincipalState>,
        /// Resource ids of the clusters whose nodes pull with it, of those that were looked at.
        clusters: Several<String>,
        /// The role definition's id, the part that is the same in every subscription.
        role_definition_id: String,
        /// The role's name. `None` where the caller may not read the definition.
        role_name: Option<String>,
        /// Id of the role assignment.
        assignment_id: String,
        /// Where it was assigned.
        reach: GrantReach,
        /// What narrows it, if anything does.
        condition: Option<String>,
        /// `False`: the caller may not read the role's definition or the registry, so that it may give pull, or not.
        is_certain: bool,
        /// Where the principal is a group: whether its members are known, and so `clusters` complete.
        membership: Word<GroupMembership>,
    }
}

variants! {
    /// Where a grant was assigned.
    pub enum GrantReach {
        /// On the registry itself: detach removes it, if its role is one that attach gives.
        Direct {},
        /// On a scope above the registry, and so for all that is below that.
        Inherited {
            #[serde(rename = "from")]
            from_: String
        },
    }
}
