//! User-assigned identities through Azure Resource Manager, and groups through Microsoft Graph.

use super::{
    ApplicationCredential, Directory, ServicePrincipal,
    manager::{CreatedIdentity, IdentityManager, MARK, ManagedIdentity, NewIdentity},
};
use crate::{
    action::{DELETE_IDENTITY, READ_IDENTITY, WRITE_IDENTITY},
    call::Call,
    connection::Connection,
    error::{ErrorKind, Result},
    http::{Answer, Arm, ArmRequest, group_location},
    id::{PrincipalId, ResourceId},
    role::our_description,
};
use async_trait::async_trait;
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

const API: &str = "2024-11-30";

/// The [`IdentityManager`](crate::IdentityManager) for Azure.
#[derive(Clone, Debug)]
pub struct AzureIdentityManager {
    arm: Arm,
    directory: Directory,
}

impl AzureIdentityManager {
    /// Makes the part from a connection: see [`Connection`].
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        let Connection { cloud, registries, tokens, .. } = connection.clone();
        Self { arm: connection.arm.clone(), directory: Directory::new(cloud, registries, tokens) }
    }
}

#[async_trait]
impl IdentityManager for AzureIdentityManager {
    async fn find(&self, identity: &ResourceId, call: &Call) -> Result<Option<ManagedIdentity>> {
        match self.arm.send(get_identity(identity), call).await {
            Ok(answer) => read_identity(identity, &answer).map(Some),
            Err(err) if err.kind() == ErrorKind::NotFound && err.code() == Some("ResourceNotFound") => Ok(None),
            Err(err) => Err(err.with_context("identity", identity.name())),
        }
    }

    async fn create(&self, identity: &NewIdentity, call: &Call) -> Result<CreatedIdentity> {
        let location = match &identity.location {
            Some(location) => location.clone(),
            None => group_location(&self.arm, &identity.id, call).await?,
        };
        let answer = self.arm.send(put_identity(&identity.id, &location), call).await;
        let answer = answer.map_err(|err| err.with_context("identity", identity.id.name()))?;
        // An earlier try whose response was lost has created what the retry finds.
        let is_new = answer.status == 201 || answer.is_repeated;
        Ok(CreatedIdentity { identity: read_identity(&identity.id, &answer)?, is_new })
    }

    async fn delete(&self, identity: &ResourceId, call: &Call) -> Result<bool> {
        let request = ArmRequest::new(Method::Delete, identity.as_str(), API)
            .step("deleting the identity")
            .needs(DELETE_IDENTITY, identity.as_str());
        let answer = self.arm.send_opt(request, call).await?;
        Ok(answer.is_some_and(|answer| answer.status != 204 || answer.is_repeated))
    }

    async fn find_group(&self, group: &str, call: &Call) -> Result<PrincipalId> {
        self.directory.find_group(group, call).await
    }

    async fn is_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool> {
        self.directory.is_member(group, principal, call).await
    }

    async fn add_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool> {
        self.directory.add_member(group, principal, call).await
    }

    async fn remove_member(&self, group: PrincipalId, principal: PrincipalId, call: &Call) -> Result<bool> {
        self.directory.remove_member(group, principal, call).await
    }

    async fn service_principal(&self, client_id: &str, call: &Call) -> Result<Option<ServicePrincipal>> {
        self.directory.service_principal(client_id, call).await
    }

    async fn application_credentials(
        &self,
        client_id: &str,
        call: &Call,
    ) -> Result<Option<Vec<ApplicationCredential>>> {
        self.directory.application_credentials(client_id, call).await
    }
}

fn get_identity(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), API).step("reading the identity").needs(READ_IDENTITY, id.as_str())
}

/// See [Create](https://learn.microsoft.com/rest/api/managedidentity/user-assigned-identities/create-or-update).
fn put_identity(id: &ResourceId, location: &str) -> ArmRequest {
    ArmRequest::new(Method::Put, id.as_str(), API)
        .body(json!({ "location": location, "tags": { MARK: our_description() } }))
        .step("creating the identity")
        // A role can be assigned there: the identity does not exist yet.
        .needs(WRITE_IDENTITY, id.group_id())
}

#[derive(Deserialize)]
struct WireIdentity {
    tags: Option<BTreeMap<String, String>>,
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    principal_id: PrincipalId,
    client_id: String,
}

/// With the requested ID: Azure's response writes it in other letters.
fn read_identity(id: &ResourceId, answer: &Answer) -> Result<ManagedIdentity> {
    let WireIdentity { tags, properties } = answer.read("an identity")?;
    let WireProperties { principal_id, client_id } = properties;
    Ok(ManagedIdentity { id: id.clone(), principal_id, client_id, tags: tags.unwrap_or_default() })
}
