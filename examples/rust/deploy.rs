//! Applies a manifest with an image from the registry, waits until it runs, and reports why if it does not.
//!
//! `cargo run --example deploy` on the emulator; on Azure, with an image `nginx:v1` in a registry that exists:
//! `cargo run --example deploy -- --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY`.

use aks_acr::{
    ApplyOptions, AttachOptions, CallOptions, Client, ClusterRef, Manifest, PodSelection, RegistryRef, RolloutOptions,
    WorkloadRef,
};
use aks_acr_emulator::Emulator;
use azure_identity::DeveloperToolsCredential;
use std::error::Error;

async fn deploy(client: &Client, cluster: &ClusterRef, registry: &RegistryRef) -> aks_acr::Result<()> {
    let manifests = Manifest::parse_all(include_str!("../acr-nginx.yaml"))?;
    let options = ApplyOptions::default().with_registry(registry.clone());
    for applied in client.apply(cluster, manifests, options).await? {
        println!("apply   {applied}");
    }

    let deployment = WorkloadRef::new("nginx0-deployment");
    if let Err(err) = client.wait_for_rollout(cluster, &deployment, RolloutOptions::default()).await {
        // It ends at once where waiting does not help.
        println!("failed  {err:#}");
        client.attach(cluster, registry, AttachOptions::default()).await?;
        client.wait_for_rollout(cluster, &deployment, RolloutOptions::default()).await?;
    }
    let pods = client.pods(cluster, &PodSelection::default().with_labels("app=nginx0"), CallOptions::default()).await?;
    println!("{pods}");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (client, cluster, registry) = match words[..] {
        [] => (on_emulator()?, "group/dev", "myregistry"),
        ["--azure", subscription, cluster, registry] => (on_azure(subscription)?, cluster, registry),
        _ => return Err("expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY".into()),
    };
    deploy(&client, &cluster.parse()?, &registry.parse()?).await?;
    Ok(())
}

fn on_emulator() -> Result<Client, Box<dyn Error>> {
    let azure = Emulator::new()
        .with_cluster("group", "dev")
        .with_registry("group", "myregistry")
        .with_image("myregistry.azurecr.io/nginx:v1", &["linux/amd64"]);
    // The emulator's clock is tokio's: paused, it jumps over every wait.
    tokio::time::pause();
    let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    Ok(client.kubernetes(azure.kubernetes()).build()?)
}

fn on_azure(subscription: &str) -> Result<Client, Box<dyn Error>> {
    Ok(Client::builder(DeveloperToolsCredential::new(None)?, subscription).build()?)
}
