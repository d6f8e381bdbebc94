//! What the library promises, held against the emulator's log of requests and its clock.

#![expect(clippy::unwrap_used, reason = "a test program: what fails here ends a test")]

mod access;
mod again;
mod claims;
mod clusters;
mod defaults;
mod faults;
mod groups;
mod hostile;
mod input;
mod inventory;
mod odd_bodies;
mod parts;
mod patience;
mod plans;
mod polling;
mod readme;
mod references;
mod replicas;
mod requests;
mod rights;
mod secrets;
mod telemetry;
mod tenants;
mod trust;
mod unreached;
mod waits;
#[expect(dead_code, reason = "another test program uses the rest")]
mod wire;
mod writes;

use aks_acr::{Client, ClientBuilder, ClusterRef, RegistryRef};
use aks_acr_emulator::Emulator;
use aks_acr_tests::hearing;

/// A cluster, a registry, and an owner of both.
struct Scene {
    azure: Emulator,
    client: Client,
    cluster: ClusterRef,
    /// By its resource id.
    registry: RegistryRef,
}

impl Scene {
    fn new() -> Self {
        Self::of(Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry"))
    }

    fn of(azure: Emulator) -> Self {
        let client = client(&azure, azure.credential());
        let registry = azure.registry_id("group", "myregistry").parse().unwrap();
        Self { client, cluster: ClusterRef::new("group", "dev").unwrap(), registry, azure }
    }
}

fn client(azure: &Emulator, credential: std::sync::Arc<dyn azure_core::credentials::TokenCredential>) -> Client {
    hearing::prepare();
    let builder = Client::builder(credential, azure.subscription());
    builder.transport(azure.transport()).kubernetes(azure.kubernetes()).build().unwrap()
}

/// The owner's client, wired as is said.
fn client_of(azure: &Emulator, wire: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    hearing::prepare();
    let builder = Client::builder(azure.credential(), azure.subscription());
    wire(builder.transport(azure.transport()).kubernetes(azure.kubernetes())).build().unwrap()
}
