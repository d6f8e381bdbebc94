//! Pulls as service accounts: whether nodes pull with the identity of a pod's service account instead of the kubelet identity.

use crate::{
    action::{READ_BINDINGS, READ_CLUSTER},
    call::Call,
    cluster::about,
    error::Result,
    http::{Arm, ArmRequest},
    id::{PrincipalId, ResourceId},
};
use serde::{Deserialize, Serialize};

/// No stable version has the setting: `ServiceAccountImagePullProfile` in azure-mgmt-containerservice 41.1.0b1 to 41.9.0b1.
const PREVIEW: &str = "2026-08-02-preview";
/// The first stable version with identity bindings.
const BINDINGS: &str = "2026-04-01";

/// The identities that nodes pull with on behalf of service accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceAccountPulls {
    /// Resource ID of the managed identity for service accounts that name none.
    pub default_identity: Option<String>,
}

/// A managed identity that service accounts of a cluster can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BoundIdentity {
    /// Its resource ID.
    pub resource_id: String,
    /// Its client ID, which is in the annotation of service accounts.
    pub client_id: String,
    /// Its object ID.
    pub object_id: PrincipalId,
}

#[derive(Deserialize)]
struct WireCluster {
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    properties: WireProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    security_profile: Option<WireSecurity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSecurity {
    service_account_image_pull_profile: Option<WireProfile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProfile {
    enabled: Option<bool>,
    default_managed_identity_id: Option<String>,
}

#[derive(Deserialize)]
struct WireBinding {
    properties: WireBound,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBound {
    managed_identity: WireIdentity,
}

#[derive(Deserialize)]
struct WireIdentity {
    #[serde(rename = "resourceId")]
    resource: String,
    #[serde(rename = "clientId")]
    client: String,
    #[serde(rename = "objectId")]
    object: PrincipalId,
}

impl WireCluster {
    fn into_pulls(self) -> Option<ServiceAccountPulls> {
        let profile = self.properties.security_profile?.service_account_image_pull_profile?;
        let default = profile.default_managed_identity_id.filter(|id| !id.is_empty());
        (profile.enabled == Some(true)).then_some(ServiceAccountPulls { default_identity: default })
    }
}

/// `None`: the nodes pull with the kubelet identity.
pub(super) async fn read(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Option<ServiceAccountPulls>> {
    let request = ArmRequest::get(id.as_str(), PREVIEW)
        .step("reading whether nodes pull as service accounts")
        .needs(READ_CLUSTER, id.as_str());
    let answer = arm.send(request, call).await.map_err(|err| about(err, id))?;
    Ok(answer.read::<WireCluster>("a cluster")?.into_pulls())
}

/// See [Identity bindings](https://learn.microsoft.com/azure/aks/identity-bindings-concepts).
pub(super) async fn bindings(arm: &Arm, id: &ResourceId, call: &Call) -> Result<Vec<BoundIdentity>> {
    let request = ArmRequest::get(format!("{id}/identityBindings"), BINDINGS)
        .step("listing the identity bindings")
        .needs(READ_BINDINGS, id.as_str());
    let bound = |one: WireBinding| {
        let WireIdentity { resource, client, object } = one.properties.managed_identity;
        Ok(Some(BoundIdentity { resource_id: resource, client_id: client, object_id: object }))
    };
    arm.list(request, "a list of identity bindings", call, bound).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(profile: &Value) -> Option<ServiceAccountPulls> {
        let body = json!({ "properties": { "securityProfile": { "serviceAccountImagePullProfile": profile } } });
        serde_json::from_value::<WireCluster>(body).unwrap().into_pulls()
    }

    #[test]
    fn only_a_profile_that_is_enabled_counts() {
        let identity = |id: &str| Some(ServiceAccountPulls { default_identity: Some(id.to_owned()) });
        assert_eq!(read(&json!({ "enabled": true, "defaultManagedIdentityId": "/a" })), identity("/a"));
        assert_eq!(read(&json!({ "enabled": true })), Some(ServiceAccountPulls { default_identity: None }));
        for profile in [json!({ "enabled": false, "defaultManagedIdentityId": "/a" }), Value::Null] {
            assert_eq!(read(&profile), None, "{profile}");
        }
        assert!(serde_json::from_value::<WireCluster>(json!({})).unwrap().into_pulls().is_none());
    }
}
