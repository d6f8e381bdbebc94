#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod action;
mod call;
mod challenge;
mod client;
mod cloud;
mod cluster;
mod connection;
#[cfg(feature = "identity")]
mod credential;
mod diagnosis;
mod difference;
mod display;
mod environment;
mod error;
mod http;
mod id;
mod identity;
mod image;
mod inventory;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod lenient;
mod missing;
#[cfg(any(feature = "kubernetes", feature = "reqwest"))]
mod network;
mod operation;
mod quoted;
mod refusal;
mod registry;
mod role;
mod stored_map;
mod stored_time;
mod tag;
pub mod telemetry;
mod words;
mod write;

// What appears in signatures here: see *Stability* on the front page.
#[doc(no_inline)]
pub use async_trait::async_trait;
#[doc(no_inline)]
pub use azure_core::{
    self,
    credentials::{Secret, TokenCredential},
    http::HttpClient,
};
#[doc(no_inline)]
pub use serde_json;
#[doc(no_inline)]
pub use uuid::{self, Uuid};

pub use call::{Call, CallOptions, CancellationToken, Event, Progress};
pub use client::{Client, ClientBuilder};
pub use cloud::Cloud;
pub use cluster::{
    Access, Applied, ApplyOptions, AzureClusterDeployer, Cluster, ClusterCreation, ClusterDeployer, ClusterRef,
    ClusterTier, DeletedCluster, ExistingSecret, Kubeconfig, KubeconfigOptions, Manifest, MergeKubeconfigOptions,
    MergeOutcome, MergedKubeconfig, NetworkPlugin, NetworkPolicy, NewCluster, NewClusterSettings, NewNodePool, NodeOs,
    NodePoolMode, NodeTaint, NotCreated, ObservedNode, ObservedPod, ObservedPods, ObservedPull, ObservedSecret,
    ObservedServiceAccount, OnExistingEntry, Pod, PodEvent, PodListener, PodScope, PodSelection, Pods, PullSecretState,
    RegistryCredential, Rollout, RolloutBlocker, RolloutBlockerKind, RolloutListener, RolloutPhase, SecretState,
    ServiceAccountState, SshKey, UnreadObjects, WorkloadRef, WorkloadState,
};
pub use connection::Connection;
pub use diagnosis::{
    catalogue::{FindingId, PullRetry},
    finding::{Evidence, Finding, FindingStatus, Need},
    report::{Report, Stage, StageState, Verdict},
    stage::PullStage,
    text::{NextStep, PullFailure, PullFinding},
};
pub use difference::Difference;
pub use error::{Error, ErrorKind, ImportSide, Result, ServiceError};
#[doc(hidden)]
pub use http::CredentialFailure;
pub use id::{PrincipalId, ResourceId, SubscriptionId};
pub use identity::{
    AddOnIdentity, ApplicationCredential, AzureIdentityManager, AzureIdentityResolver, ClusterIdentities,
    CreatedIdentity, EntraSettings, IdentityManager, IdentityResolver, KubeletIdentity, ManagedIdentity, NewIdentity,
    ServicePrincipal,
};
pub use image::{
    Digest, Image, ImageDetails, ImageReference, ManifestAttributes, Platform, ReadSwitches, ReferenceError, Referrer,
};
pub use inventory::{
    AzureInventory, BoundIdentity, Change, ChangedProperty, ClusterFilter, ClusterSettings, Inventory, ListError,
    ListedCluster, Listing, NodePool, NodeScaleSet, PrivateDnsZone, PrivateEndpoint, ProvisioningError, ReadSource,
    RecordedChanges, RegistryFilter, RegistryLogEvent, RegistryLogs, RoleAssignmentUsage, ServiceAccountPulls, Subnet,
    VirtualNetwork, ZoneOfEndpoint,
};
#[cfg(feature = "kubernetes")]
pub use kubernetes::{KubeBody, KubeService};
pub use operation::exports::*;
pub use refusal::{DenyingPolicy, EligibleRole, RefusalKind};
pub use registry::{
    AzureRegistryImporter, CacheRule, CreatedRegistry, DeletedRegistry, DomainNameLabelScope, ImportCredentials,
    ImportHandle, ImportRequest, ImportStatus, NetworkAction, NetworkRules, NewRegistry, PrivateEndpointConnection,
    Registry, RegistryImporter, RegistryRef, RegistrySettings, RegistryToken, RegistryUpdate, Sku, UpdatedRegistry,
};
pub use role::{
    AccessRole, AzureRoleAssigner, DeniedPrincipal, DenyAssignment, Grant, Granted, PrincipalType, PullRole,
    RegistryAccess, RegistryRole, Revoked, RoleAssigner, RoleAssignment, RoleAssignmentMode, RoleDefinition,
    RolePermissions, assignment_name,
};
pub use write::{Write, WriteHook, WriteService};
