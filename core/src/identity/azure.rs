//! Identities as reported by Azure Resource Manager.

use super::{AddOnIdentity, ClusterIdentities, EntraSettings, IdentityResolver, KubeletIdentity};
use crate::{
    call::Call,
    cluster::{ClusterBody, ClusterRef, about, get_cluster},
    connection::Connection,
    error::{Error, ErrorKind, Result},
    http::Arm,
    id::{PrincipalId, ResourceId, SubscriptionId},
};
use async_trait::async_trait;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The [`IdentityResolver`](crate::IdentityResolver) for Azure.
#[derive(Clone, Debug)]
pub struct AzureIdentityResolver {
    arm: Arm,
    subscription: SubscriptionId,
}

impl AzureIdentityResolver {
    /// Makes the part from a connection: see [`Connection`].
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { arm: connection.arm.clone(), subscription: connection.subscription }
    }
}

#[async_trait]
impl IdentityResolver for AzureIdentityResolver {
    async fn identities(&self, cluster: &ClusterRef, call: &Call) -> Result<ClusterIdentities> {
        let id = cluster.id(self.subscription);
        let answer = self.arm.send(get_cluster(&id), call).await;
        let answer = answer.map_err(|err| cluster.explain_not_found(about(err, &id)))?;
        read_identities(id, &answer.read("a cluster")?)
    }
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
#[serde(default)]
struct Aad {
    #[serde(rename = "enableAzureRBAC")]
    enable_azure_rbac: Option<bool>,
}

pub(crate) fn read_identities(id: ResourceId, cluster: &ClusterBody) -> Result<ClusterIdentities> {
    let identity: Option<ControlPlane> = cluster.part("identity")?;
    let profile: Option<BTreeMap<String, Identity>> = cluster.part("properties/identityProfile")?;
    let add_on_profiles: Option<BTreeMap<String, AddOn>> = cluster.part("properties/addonProfiles")?;
    let service_principal_id: Option<String> = cluster.part("properties/servicePrincipalProfile/clientId")?;
    let entra: Option<Aad> = cluster.part("properties/aadProfile")?;
    let is_managed = is_managed(identity.as_ref());
    Ok(ClusterIdentities {
        cluster: id,
        state: cluster.state(),
        kubelet: find_kubelet(profile.unwrap_or_default())?,
        control_plane: control_plane(identity),
        add_ons: add_ons(add_on_profiles.unwrap_or_default()),
        service_principal: service_principal_id.filter(|id| !is_managed && !id.eq_ignore_ascii_case("msi")),
        // Both are off unless the service says otherwise: so the documentation of the two fields has it.
        entra: entra.map(|aad| EntraSettings { azure_rbac: aad.enable_azure_rbac.unwrap_or(false) }),
        local_accounts_disabled: cluster.part("properties/disableLocalAccounts")?.unwrap_or(false),
    })
}

/// The kind of the identity decides, not the value `msi` of the service principal, as in Azure's own tools.
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

/// An invalid ID is left out: these are only shown, never granted anything.
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
