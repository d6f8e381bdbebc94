//! Replaces a part of the client: a `RoleAssigner` that writes nothing, and prints the role assignments it was asked for as a Bicep module.
//!
//! `cargo run --example custom_parts` runs on the emulator. On Azure, with resources that exist:
//! `cargo run --example custom_parts -- SUBSCRIPTION GROUP/CLUSTER REGISTRY`.

use aks_acr::{
    AttachOptions, AzureRoleAssigner, Call, Client, ClientBuilder, ClusterRef, Grant, Granted, PrincipalId,
    RegistryRef, ResourceId, Result, Revoked, RoleAssigner, RoleAssignment, RoleDefinition, Uuid, assignment_name,
    async_trait,
};
use aks_acr_emulator::Emulator;
use azure_identity::DeveloperToolsCredential;
use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

/// Reads from Azure, and records what it is asked to write.
#[derive(Debug)]
struct Recorder {
    azure: AzureRoleAssigner,
    recorded: Mutex<Vec<Grant>>,
}

#[async_trait]
impl RoleAssigner for Recorder {
    async fn grant(&self, grant: &Grant, _: &Call) -> Result<Granted> {
        let name = assignment_name(grant.scope.as_str(), grant.principal_id, grant.role_definition_id);
        let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", grant.scope);
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(grant.clone());
        Ok(Granted::new(RoleAssignment::new(id, grant), true))
    }

    async fn revoke(&self, _: &str, _: &Call) -> Result<Revoked> {
        Ok(Revoked::new(false))
    }

    async fn list(&self, scope: &ResourceId, call: &Call) -> Result<Vec<RoleAssignment>> {
        self.azure.list(scope, call).await
    }

    async fn list_assigned_to(
        &self,
        scope: &ResourceId,
        principal: PrincipalId,
        call: &Call,
    ) -> Result<Vec<RoleAssignment>> {
        self.azure.list_assigned_to(scope, principal, call).await
    }

    async fn definition(&self, scope: &str, role: Uuid, call: &Call) -> Result<RoleDefinition> {
        self.azure.definition(scope, role, call).await
    }
}

impl Recorder {
    fn bicep(&self) -> String {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.iter().enumerate().map(|(index, grant)| module(index, grant)).collect()
    }
}

/// The name is the one that this library, Bicep's `guid(scope, principal, role)` and azurerm agree on.
fn module(index: usize, grant: &Grant) -> String {
    let (registry, principal, role) = (grant.scope.name(), grant.principal_id, grant.role_definition_id);
    let name = assignment_name(grant.scope.as_str(), principal, role);
    format!(
        "resource registry{index} 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {{
  name: '{registry}'
}}

resource grant{index} 'Microsoft.Authorization/roleAssignments@2022-04-01' = {{
  name: '{name}'
  scope: registry{index}
  properties: {{
    principalId: '{principal}'
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{role}')
  }}
}}
"
    )
}

async fn record(mut builder: ClientBuilder, cluster: &ClusterRef, registry: &RegistryRef) -> Result<String> {
    let azure = AzureRoleAssigner::new(&builder.connection()?);
    let recorder = Arc::new(Recorder { azure, recorded: Mutex::default() });
    let client = builder.role_assigner(recorder.clone()).build()?;
    client.attach(cluster, registry, AttachOptions::default()).await?;
    Ok(recorder.bicep())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (builder, cluster, registry) = match words[..] {
        [] => {
            let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
            let builder = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
            (builder, "group/dev", "myregistry")
        }
        [subscription, cluster, registry] => {
            (Client::builder(DeveloperToolsCredential::new(None)?, subscription), cluster, registry)
        }
        _ => return Err("expected no argument, or SUBSCRIPTION GROUP/CLUSTER REGISTRY".into()),
    };
    println!("{}", record(builder, &cluster.parse()?, &registry.parse()?).await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_grant_is_printed_and_not_made() -> std::result::Result<(), Box<dyn Error>> {
        let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
        let builder = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
        let (cluster, registry) = ("group/dev".parse()?, "myregistry".parse()?);
        let bicep = record(builder.clone(), &cluster, &registry).await?;
        assert!(bicep.contains("name: 'myregistry'") && bicep.contains("scope: registry0"), "{bicep}");
        // A client with the default part finds no grant, and makes the one that was printed.
        let attached = builder.build()?.attach(&cluster, &registry, AttachOptions::default()).await?;
        let id = attached.assignment_id.expect("the emulator's owner may read it");
        let name = id.rsplit('/').next().expect("an id has a name");
        assert!(bicep.contains(&format!("name: '{name}'")), "{bicep} {id}");
        Ok(())
    }
}
