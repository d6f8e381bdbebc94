//! Identities as Azure Resource Manager tells them.

use super::{AddOnIdentity, ClusterIdentities, EntraSettings, IdentityResolver, KubeletIdentity};
use crate::{
    call::Call,
    cluster::{ClusterRef, TYPE},
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest, readable},
    id::{PrincipalId, ResourceId, SubscriptionId},
};
use async_trait::async_trait;
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const API: &str = "2026-05-01";
pub(crate) const READ_CLUSTER: &str = "Microsoft.ContainerService/managedClusters/read";

/// Reads a cluster's identities from Azure Resource Manager.
#[derive(Clone, Debug)]
pub struct AzureIdentityResolver {
    arm: Arm,
    subscription: SubscriptionId,
}

impl AzureIdentityResolver {
    pub(crate) fn new(arm: Arm, subscription: SubscriptionId) -> Self {
        Self { arm, subscription }
    }
}

#[async_trait]
impl IdentityResolver for AzureIdentityResolver {
    async fn identities(&self, cluster: &ClusterRef, call: &Call) -> Result<ClusterIdentities> {
        let id = cluster.id(self.subscription);
        let answer = self.arm.send(get_cluster(&id), call).await;
        let answer = answer.map_err(|err| about(err, &id))?;
        read_identities(id, answer.read("a cluster")?)
    }
}

/// See [Managed clusters](https://learn.microsoft.com/rest/api/aks/managed-clusters/get).
fn get_cluster(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), API).step("reading the cluster").needs(READ_CLUSTER, id.as_str())
}

/// Every cluster of a subscription that this version can read.
pub(crate) async fn list(arm: &Arm, subscription: SubscriptionId, call: &Call) -> Result<Vec<ClusterIdentities>> {
    let listed: Vec<Cluster> = arm.list(list_clusters(subscription), "a list of clusters", call).await?;
    let read = |cluster: Cluster| {
        let id: Result<ResourceId> = cluster.id.parse();
        read_identities(id.map_err(|err| err.of_kind(ErrorKind::Unexpected))?, cluster)
    };
    Ok(readable(listed.into_iter().map(read), "cluster"))
}

fn list_clusters(subscription: SubscriptionId) -> ArmRequest {
    let scope = subscription.path();
    ArmRequest::get(format!("{scope}/providers/{TYPE}"), API).step("listing the clusters").needs(READ_CLUSTER, scope)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cluster {
    id: String,
    identity: Option<ControlPlane>,
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ControlPlane {
    #[serde(rename = "type")]
    kind: Option<String>,
    principal_id: Option<String>,
    user_assigned_identities: Option<BTreeMap<String, Identity>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties {
    provisioning_state: Option<String>,
    identity_profile: Option<BTreeMap<String, Identity>>,
    addon_profiles: Option<BTreeMap<String, AddOn>>,
    service_principal_profile: Option<ServicePrincipal>,
    aad_profile: Option<Aad>,
    disable_local_accounts: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct Identity {
    resource_id: Option<String>,
    client_id: Option<String>,
    object_id: Option<String>,
    principal_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AddOn {
    identity: Option<Identity>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServicePrincipal {
    client_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Aad {
    #[serde(rename = "enableAzureRBAC")]
    enable_azure_rbac: Option<bool>,
}

fn read_identities(id: ResourceId, cluster: Cluster) -> Result<ClusterIdentities> {
    let has_managed_identity = is_managed(cluster.identity.as_ref());
    let properties = cluster.properties;
    let kubelet = properties.identity_profile.and_then(|profile| find_kubelet(profile).transpose()).transpose()?;
    Ok(ClusterIdentities {
        cluster: id,
        state: properties.provisioning_state.unwrap_or_default(),
        kubelet,
        control_plane: control_plane(cluster.identity),
        add_ons: add_ons(properties.addon_profiles.unwrap_or_default()),
        service_principal: service_principal(properties.service_principal_profile).filter(|_| !has_managed_identity),
        entra: properties
            .aad_profile
            .map(|aad| EntraSettings { azure_rbac: aad.enable_azure_rbac.unwrap_or_default() }),
        local_accounts_disabled: properties.disable_local_accounts.unwrap_or_default(),
    })
}

/// The kind of the identity decides, not the word `msi` in the service principal's place, as Azure's own tools do it.
fn is_managed(identity: Option<&ControlPlane>) -> bool {
    let kind = identity.and_then(|identity| identity.kind.as_deref()).unwrap_or_default();
    ["SystemAssigned", "UserAssigned"].iter().any(|managed| kind.eq_ignore_ascii_case(managed))
}

fn find_kubelet(profile: BTreeMap<String, Identity>) -> Result<Option<KubeletIdentity>> {
    let found = profile.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("kubeletidentity"));
    let Some((_, Identity { resource_id, client_id, object_id: Some(object_id), .. })) = found else { return Ok(None) };
    let object_id = object_id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?;
    Ok(Some(KubeletIdentity { object_id, client_id, resource_id }))
}

/// Names the cluster in an error, and all of its address where it may be the address that is wrong.
pub(crate) fn about(err: Error, id: &ResourceId) -> Error {
    if err.kind() != ErrorKind::NotFound {
        return err.with_context("cluster", id.name());
    }
    err.saying("no such cluster")
        .with_context("cluster", id.name())
        .with_context("resource group", id.group())
        .with_context("subscription", id.subscription().to_string())
}

/// An id that cannot be read is left out: these are shown, never granted anything.
fn control_plane(identity: Option<ControlPlane>) -> Vec<PrincipalId> {
    let identity = identity.unwrap_or_default();
    let user_assigned = identity.user_assigned_identities.unwrap_or_default();
    let ids = identity.principal_id.into_iter().chain(user_assigned.into_values().filter_map(|one| one.principal_id));
    ids.filter_map(|id| id.parse().ok()).collect()
}

fn add_ons(profiles: BTreeMap<String, AddOn>) -> Vec<AddOnIdentity> {
    let identities = profiles.into_iter().filter_map(|(add_on, profile)| {
        let object_id = profile.identity?.object_id?.parse().ok()?;
        Some(AddOnIdentity { add_on, object_id })
    });
    identities.collect()
}

fn service_principal(profile: Option<ServicePrincipal>) -> Option<String> {
    profile?.client_id.filter(|id| !id.eq_ignore_ascii_case("msi"))
}
