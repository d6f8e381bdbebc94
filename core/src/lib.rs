#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attach;
mod call;
mod client;
mod cloud;
mod cluster;
#[cfg(feature = "identity")]
mod credential;
mod deploy;
mod environment;
mod error;
mod http;
mod id;
mod identity;
mod image;
mod import;
mod kube;
#[cfg(feature = "network")]
mod network;
mod pull;
mod registry;
mod role;
mod stored_time;
mod words;

pub use attach::{AttachOptions, AttachOutcome, AttachPlan, Attachment, InheritedGrant, OtherCondition, PlannedAction};
pub use call::{Call, CallOptions, CancellationToken, Event, Progress};
pub use client::{Client, ClientBuilder};
pub use cloud::Cloud;
pub use cluster::{
    Access, Applied, ApplyMode, AzureClusterDeployer, ClusterDeployer, ClusterRef, Deployment, ExistingEntry,
    Kubeconfig, KubeconfigMode, KubeconfigOptions, Manifest, MergeKubeconfigOptions, MergeMode, MergeOutcome,
    MergedKubeconfig, Pod, PodEvent, PodListener, PodSelection, Pods, RollOut,
};
pub use deploy::{ApplyOptions, RollOutOptions};
pub use error::{Error, ErrorKind, Result, ServiceError};
pub use id::{PrincipalId, ResourceId, SubscriptionId};
pub use identity::{
    AddOnIdentity, AzureIdentityResolver, ClusterIdentities, EntraSettings, IdentityResolver, KubeletIdentity,
};
pub use image::{Digest, Image, ImageReference, ReferenceError};
pub use import::{ExistingTag, Import, ImportOptions, ImportProof};
#[cfg(feature = "kubernetes")]
pub use kube::{KubeBody, KubeService};
pub use pull::{Outlook, PullCause, PullFailure};
pub use registry::{
    AzureRegistryImporter, CreateRegistryOptions, CreatedRegistry, ImportHandle, ImportRequest, ImportStatus,
    NewRegistry, Registry, RegistryImporter, RegistryRef, RoleAssignmentMode, Sku,
};
pub use role::{
    AzureRoleAssigner, Grant, Granted, PullRole, RoleAssigner, RoleAssignment, RoleDefinition, assignment_name,
};
