//! The native half of the Python package `aks-acr`: it converts arguments, makes one call of the crate `aks-acr`, and converts
//! the result back.
#![forbid(unsafe_code)]
#![expect(clippy::doc_markdown, reason = "doc comments are Python's docstrings here")]
#![expect(clippy::struct_field_names, reason = "the fields are named as core's, which is their JSON form")]
#![expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
#![expect(
    clippy::unsafe_derive_deserialize,
    reason = "the unsafe methods are PyO3's, and rely on nothing in the fields"
)]

mod answer;
mod argument;
mod attach;
mod attachments;
mod call;
mod calls;
mod client;
mod cloud;
mod cluster;
mod credential;
mod detach;
mod difference;
mod error;
mod event;
mod follow;
mod identity;
mod import;
mod interrupt;
mod pull;
mod raised;
mod record;
mod refusal;
mod registry;
mod rights;
mod runtime;
mod value;
mod word;
mod write;

/// The module `aks_acr._native`.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::{
        answer::Answer,
        attach::{AttachOutcome, AttachPlan, Attachment, ClusterRef, PlannedAction},
        attachments::{ClusterAttachments, GrantReach, PullGrant, RegistryAttachments},
        call::{Call, Ending},
        calls::Calls,
        cloud::Cloud,
        cluster::{Applied, Cluster, CreatedCluster, Kubeconfig, MergedKubeconfig, Pod, Pods, Rollout},
        detach::{DetachPlan, Detachment, RemovedGrant, RoleAssignment},
        difference::Difference,
        event::Event,
        follow::{AsyncRun, AsyncRunEvents, Run, RunEvents},
        identity::{AddOnIdentity, ClusterIdentities, EntraSettings, KubeletIdentity},
        import::{Import, ImportHandle, ImportProof, ImportStatus, StartedImport},
        pull::{PullCause, PullFailure},
        refusal::DenyingPolicy,
        registry::{CreatedRegistry, Registry},
        rights::{RequiredRight, custom_role_json, required_rights},
        runtime::shut_down,
        value::load,
        word::words,
        write::Write,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::error::register(module)
    }
}
