//! The default chain of credentials, over the emulator's Entra.

#![expect(clippy::unwrap_used, reason = "a test program: what fails here ends a test")]

mod certificate;
mod chain;
mod challenge;
mod federated;
mod log;
mod machine;
mod outside;
mod tool;
mod trouble;
#[path = "../promises/wire.rs"]
mod wire;

use aks_acr::{AttachOptions, Client, ClientBuilder, ClusterRef, Error};
use aks_acr_emulator::{Emulator, Service};
use aks_acr_tests::hearing;
use std::sync::Arc;

/// Variables of a test's own.
type Variables = Vec<(&'static str, String)>;

fn azure() -> Emulator {
    Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry")
}

/// Tenant and client id of the owner, as every credential of a service principal wants them.
fn ids(azure: &Emulator) -> Variables {
    let (client, _) = azure.client_secret_of("owner");
    vec![("AZURE_TENANT_ID", azure.tenant().to_owned()), ("AZURE_CLIENT_ID", client)]
}

fn with(mut variables: Variables, more: &[(&'static str, &str)]) -> Variables {
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    variables
}

fn builder(azure: &Emulator, variables: Variables) -> ClientBuilder {
    hearing::prepare();
    Client::builder_with_default_credential(azure.subscription())
        .environment(move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
        .developer_tools(Arc::new(tool::Absent))
        .transport(azure.transport())
        .kubernetes(azure.kubernetes())
}

async fn attach(client: &Client) -> Result<(), Error> {
    let cluster = ClusterRef::new("group", "dev")?;
    client.attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await.map(|_| ())
}

/// How often tokens were asked for.
fn sign_ins(azure: &Emulator) -> usize {
    azure.requests().iter().filter(|one| one.service == Service::Entra && one.path.ends_with("/token")).count()
}
