//! Gives a cluster access to a registry: reads the state, then writes at most once.
//!
//! `cargo run --example attach_registry` on the emulator; on Azure, with resources that exist:
//! `cargo run --example attach_registry -- --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY`.

use aks_acr::{ApplyAttachOptions, AttachOptions, Client, ClusterRef, RegistryRef};
use aks_acr_emulator::Emulator;
use azure_identity::DeveloperToolsCredential;
use std::error::Error;

async fn attach_registry(client: &Client, cluster: &ClusterRef, registry: &RegistryRef) -> aks_acr::Result<()> {
    // Needs read rights only, and writes nothing.
    let plan = client.plan_attach(cluster, registry, AttachOptions::default()).await?;
    println!("plan    {plan}");

    let attachment = client.apply_attach(&plan, ApplyAttachOptions::default()).await?;
    println!("attach  {:?}: {} for {}", attachment.outcome, attachment.role, attachment.principal_id);
    for warning in &attachment.warnings {
        println!("{warning}"); // what keeps pods from pulling although the role is assigned
    }

    // Everything can be run twice.
    let again = client.attach(cluster, registry, AttachOptions::default()).await?;
    println!("again   {:?}", again.outcome);
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
    attach_registry(&client, &cluster.parse()?, &registry.parse()?).await?;
    Ok(())
}

fn on_emulator() -> Result<Client, Box<dyn Error>> {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    Ok(Client::builder(azure.credential(), azure.subscription())
        .transport(azure.transport())
        .kubernetes(azure.kubernetes())
        .build()?)
}

fn on_azure(subscription: &str) -> Result<Client, Box<dyn Error>> {
    Ok(Client::builder(DeveloperToolsCredential::new(None)?, subscription).build()?)
}
