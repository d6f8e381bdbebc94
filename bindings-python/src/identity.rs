//! A cluster's identities.

use crate::value::{Several, value};

value! {
    /// The identities of a cluster, and what decides who may talk to it.
    pub struct ClusterIdentities {
        /// The cluster's resource id.
        cluster: String,
        /// The service's word for the cluster's state, such as `Succeeded` or `Updating`.
        state: String,
        /// What its nodes pull images with. Absent while a cluster is being made, and on clusters with a service principal.
        kubelet: Option<KubeletIdentity>,
        /// What the control plane acts with. A grant to it has no effect on pulls.
        control_plane: Several<String>,
        /// What add-ons act with. A grant to one has no effect on pulls.
        add_ons: Several<AddOnIdentity>,
        /// Application (client) id of the service principal, on a cluster that has one instead of managed identities.
        service_principal: Option<String>,
        /// How the cluster uses Entra for its users, if it does.
        entra: Option<EntraSettings>,
        /// Whether credentials that do not go through Entra are switched off.
        local_accounts_disabled: bool,
    }
}

value! {
    /// The identity that a cluster's nodes pull images with.
    pub struct KubeletIdentity {
        /// Its object id: what a grant names.
        object_id: String,
        /// Its client id, which no grant should name.
        client_id: Option<String>,
        /// Resource id of the managed identity.
        resource_id: Option<String>,
    }
}

value! {
    /// The identity of an add-on.
    pub struct AddOnIdentity {
        /// The add-on's name, such as `azureKeyvaultSecretsProvider`.
        add_on: String,
        /// The identity's object id.
        object_id: String,
    }
}

value! {
    /// How a cluster uses Entra for its users.
    pub struct EntraSettings {
        /// Whether Azure's role assignments decide inside Kubernetes too.
        azure_rbac: bool,
    }
}
