//! Core's text for a value: one readable line, or a table.

use crate::error::Fault;
use napi::Env;
use napi_derive::napi;

/// The text of a kubeconfig's context and server, without its keys.
#[napi]
pub fn describe_kubeconfig(env: &Env, text: String) -> napi::Result<String> {
    let read = aks_acr::Kubeconfig::parse(text).map(|kubeconfig| kubeconfig.to_string());
    read.map_err(|err| Fault::from(err).into_js(env))
}

macro_rules! described {
    ($($name:ident),* $(,)?) => {
        /// The text of a value by the name of its type and its JSON form.
        #[napi]
        pub fn describe(name: String, json: String) -> napi::Result<String> {
            let text = match &*name {
                $(stringify!($name) => serde_json::from_str::<aks_acr::$name>(&json).map(|value| value.to_string()),)*
                _ => Ok(name),
            };
            text.map_err(|err| napi::Error::from_reason(err.to_string()))
        }
    };
}

described!(
    AddOnIdentity,
    Applied,
    AttachOutcome,
    AttachPlan,
    Attachment,
    Cluster,
    ClusterAttachments,
    ClusterIdentities,
    ClusterRef,
    CreatedCluster,
    CreatedRegistry,
    DenyingPolicy,
    DetachPlan,
    Detachment,
    Difference,
    EntraSettings,
    GrantReach,
    Import,
    ImportHandle,
    ImportProof,
    ImportStatus,
    KubeletIdentity,
    MergedKubeconfig,
    PlannedAction,
    Pod,
    Pods,
    PullCause,
    PullFailure,
    PullGrant,
    Registry,
    RegistryAttachments,
    RemovedGrant,
    RequiredRight,
    RoleAssignment,
    Rollout,
    StartedImport,
);
