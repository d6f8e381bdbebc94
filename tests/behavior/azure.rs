//! Live Azure as a backend, on a cluster and a registry that exist. It has never run: where this was written there was no Azure.
//!
//! It reads the cluster and writes nothing into it. At the registry it makes and removes role assignments of the principal that
//! is named; the registries that it makes beside it have random names and are deleted.

use crate::{
    backend::{Backend, call, random_name},
    case::Checked,
};
use aks_acr::{Client, ClusterRef, ImageReference, PrincipalId, ResourceId, WorkloadRef};
use async_trait::async_trait;
use azure_core::{
    credentials::TokenCredential,
    http::{Method, Request, new_http_client},
};
use azure_identity::DeveloperToolsCredential;
use libtest_mimic::Failed;
use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
};

const ARM: &str = "https://management.azure.com";
const REGISTRY_API: &str = "2025-11-01";

pub struct LiveAzure {
    credential: Arc<dyn TokenCredential>,
    client: Client,
    cluster: ClusterRef,
    registry: ResourceId,
    principal: PrincipalId,
    /// Names that were given out, of registries that may exist now.
    given: Mutex<Vec<String>>,
}

impl LiveAzure {
    pub fn is_wanted() -> bool {
        env::var("AKS_ACR_TEST_AZURE").is_ok_and(|value| value == "1")
    }

    /// Signs in as the Azure CLI or the Azure Developer CLI is signed in.
    pub fn from_environment() -> Result<Self, Failed> {
        let named = |name: &str| env::var(name).map_err(|_| Failed::from(format!("{name} is not set")));
        if !Self::is_wanted() {
            return Err("live Azure is tried with AKS_ACR_TEST_AZURE=1 only".into());
        }
        let cluster: ClusterRef = named("AKS_ACR_TEST_CLUSTER_ID")?.parse()?;
        let registry: ResourceId = named("AKS_ACR_TEST_REGISTRY_ID")?.parse()?;
        let credential: Arc<dyn TokenCredential> = DeveloperToolsCredential::new(None)?;
        let client = Client::builder(credential.clone(), registry.subscription().to_string()).build()?;
        let principal = named("AKS_ACR_TEST_PRINCIPAL_ID")?.parse()?;
        Ok(Self { credential, client, cluster, registry, principal, given: Mutex::default() })
    }

    /// The library deletes no registry, so this does it by itself.
    async fn delete_registry(&self, name: &str) -> Checked {
        let token = self.credential.get_token(&[&format!("{ARM}/.default")], None).await?;
        let own = self.registry.as_str();
        let beside = own.rsplit_once('/').map_or(own, |(beside, _)| beside);
        let url = format!("{ARM}{beside}/{name}?api-version={REGISTRY_API}");
        let mut request = Request::new(url.parse()?, Method::Delete);
        request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
        let status = u16::from(new_http_client(None).execute_request(&request).await?.status());
        if matches!(status, 200 | 202 | 204) {
            return Ok(());
        }
        Err(format!("the registry {name} may be left over: HTTP {status}").into())
    }
}

#[async_trait]
impl Backend for LiveAzure {
    fn client(&self) -> &Client {
        &self.client
    }

    fn cluster(&self) -> &ClusterRef {
        &self.cluster
    }

    fn registry(&self) -> &ResourceId {
        &self.registry
    }

    fn principal(&self) -> PrincipalId {
        self.principal
    }

    fn public_image(&self) -> ImageReference {
        ImageReference::parse("mcr.microsoft.com/hello-world:latest").unwrap_or_else(|err| panic!("{err}"))
    }

    fn free_registry(&self) -> String {
        let name = random_name("aksacrtest");
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        name
    }

    /// Every cluster of AKS has this one.
    async fn running_deployment(&self) -> Result<WorkloadRef, Failed> {
        Ok(WorkloadRef::new("coredns").in_namespace("kube-system"))
    }

    async fn clean_up(&self) -> Checked {
        let names = std::mem::take(&mut *self.given.lock().unwrap_or_else(PoisonError::into_inner));
        for name in names {
            self.delete_registry(&name).await?;
        }
        let assigner = self.client.role_assigner();
        for one in assigner.list(&self.registry, &call()).await? {
            if self.registry.is(&one.scope) && one.principal_id.eq_ignore_ascii_case(&self.principal.to_string()) {
                assigner.revoke(&one.id, &call()).await?;
            }
        }
        Ok(())
    }
}
