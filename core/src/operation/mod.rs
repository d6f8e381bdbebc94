//! The operations: each reads what it needs, decides, writes at most once, and reports.

pub(crate) mod apply;
pub(crate) mod attach;
pub(crate) mod attachments;
mod changes;
pub(crate) mod check;
pub(crate) mod create_cluster;
pub(crate) mod create_registry;
pub(crate) mod delete_cluster;
pub(crate) mod delete_registry;
pub(crate) mod detach;
pub(crate) mod eligible;
pub(crate) mod endpoints;
pub(crate) mod explain;
pub(crate) mod grant_access;
pub(crate) mod identities;
pub(crate) mod import;
pub(crate) mod kubeconfig;
pub(crate) mod kubelet_identity;
pub(crate) mod list;
pub(crate) mod mode_change;
pub(crate) mod node_identities;
mod parts;
pub(crate) mod pods;
pub(crate) mod prove_pull;
pub(crate) mod pull_secret;
mod recent;
pub(crate) mod registry;
mod registry_logs;
pub(crate) mod registry_token;
pub(crate) mod revoke_access;
pub(crate) mod right;
pub(crate) mod rights;
pub(crate) mod rollout;
pub(crate) mod span;
pub(crate) mod table;
pub(crate) mod update_registry;

pub(crate) use parts::Parts;
pub(crate) use recent::{RecentGrants, RecentModeChanges};

/// What the crate exports of the operations. `lib.rs` exports it as it is.
pub mod exports {
    pub use super::attach::{
        ApplyAttachOptions, AttachOptions, AttachOutcome, AttachPlan, Attachment, OnConditionMismatch,
        OnInheritedGrant, PlannedAction,
    };
    pub use super::attachments::{
        AttachmentsOptions, ClusterAttachments, GrantReach, GroupMembership, PrincipalState, PullGrant,
        RegistryAttachments,
    };
    pub use super::check::{CheckOptions, KubernetesReads};
    pub use super::create_cluster::{CreateClusterOptions, CreatedCluster};
    pub use super::create_registry::CreateRegistryOptions;
    pub use super::delete_cluster::{
        ApplyDeleteClusterOptions, ClusterDeletion, ClusterPart, DeleteClusterOptions, DeleteClusterPlan,
        UnreadClusterPart,
    };
    pub use super::delete_registry::{
        ApplyDeleteRegistryOptions, DeleteRegistryOptions, DeleteRegistryPlan, DeletionOutcome, RegistryDeletion,
        RegistryPart, UnreadPart,
    };
    pub use super::detach::{ApplyDetachOptions, DetachOptions, DetachOutcome, DetachPlan, Detachment, RemovedGrant};
    pub use super::endpoints::{
        EndpointsOptions, HostPurpose, HostUser, PrivateDnsRecord, RegistryEndpoints, RegistryHost,
    };
    pub use super::explain::{ExplainOptions, ExplainTarget, Explanation, OtherCause, PodGroup};
    pub use super::grant_access::{ApplyGrantAccessOptions, GrantAccessOptions, GrantAccessPlan, GrantedAccess};
    pub use super::import::{
        Import, ImportItem, ImportManyOptions, ImportOptions, ImportProof, ImportedReferrer, ImportedReferrers,
        OnExistingTag, ReferrerOutcome, StartedImport,
    };
    pub use super::kubelet_identity::{
        ApplyKubeletIdentityOptions, IdentityPart, IdentityPartKind, KubeletIdentityOptions, KubeletIdentityPlan,
        KubeletIdentityRemoval, KubeletIdentitySetup, PartState, PlannedIdentity, PlannedMembership, PlannedPull,
        RemoveKubeletIdentityOptions, SetUpIdentity, SetUpMembership, SetUpPull, SetUpRole,
    };
    pub use super::list::{ClusterList, ReadFrom, ReadOptions, RegistryList, Unreadable};
    pub use super::mode_change::{
        AccessChange, ApplyModeChangeOptions, ChangeReason, EquivalentRole, KeptRole, ModeChange, ModeChangeOptions,
        ModeChangeOutcome, ModeChangePlan, ReplacedAssignment, StoppedRole,
    };
    pub use super::node_identities::{NodeIdentities, NodeIdentityState, PoolIdentity};
    pub use super::prove_pull::{PoolProof, ProofOutcome, ProvePullOptions, PullProof, PullProofKind, PullProofVia};
    pub use super::pull_secret::{
        ApplyPullSecretOptions, PullSecret, PullSecretAction, PullSecretEntry, PullSecretLink, PullSecretOptions,
        PullSecretOutcome, PullSecretPlan, PullSecretWarning, PullSecretWarningKind,
    };
    pub use super::revoke_access::{
        AccessGrant, AccessRevocation, ApplyRevokeAccessOptions, RevokeAccessOptions, RevokeAccessPlan,
    };
    pub use super::rollout::{OnMissingGrant, RolloutOptions};
    pub use super::update_registry::{SettingChange, UpdateRegistryOptions, UpdatedSettings};
    pub use super::{
        right::{RequiredRight, RightScope},
        rights::{custom_role_json, required_rights},
        table::Operation,
    };
}
