//! Creates a cluster whose nodes can pull from the first minute: its kubelet identity is in an Entra group before the cluster exists.
//!
//! `cargo run --example own_identity` on the emulator; on Azure, with a group and a registry that exist:
//! `cargo run --example own_identity -- --azure SUBSCRIPTION RESOURCE_GROUP ENTRA_GROUP REGISTRY`.

use aks_acr::{
    ApplyKubeletIdentityOptions, Client, ClusterRef, CreateClusterOptions, KubeletIdentityOptions, RegistryRef,
};
use aks_acr_emulator::Emulator;
use azure_identity::DeveloperToolsCredential;
use std::error::Error;

async fn own_identity(client: &Client, group: &str, pullers: &str, registry: &RegistryRef) -> aks_acr::Result<()> {
    // Needs read rights only, and writes nothing. Keep the plan: remove_kubelet_identity takes back what was created from it.
    let options = KubeletIdentityOptions::default().with_entra_group(pullers).with_registry(registry.clone());
    let plan = client.plan_kubelet_identity(group, "kubelet", options).await?;
    println!("plan\n{plan}");

    let setup = client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await?;
    println!("setup\n{setup}");

    let identities = CreateClusterOptions::default()
        .with_control_plane_identity(setup.control_plane.id)
        .with_kubelet_identity(setup.kubelet.id);
    let created = client.create_cluster(&ClusterRef::new(group, "own")?, identities).await?;
    println!("cluster {} is {}", created.cluster.id.name(), created.cluster.state);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (client, group, pullers, registry) = match words[..] {
        [] => (on_emulator()?, "group", "acr-pullers", "myregistry"),
        ["--azure", subscription, group, pullers, registry] => (on_azure(subscription)?, group, pullers, registry),
        _ => return Err("expected no arguments, or --azure SUBSCRIPTION RESOURCE_GROUP ENTRA_GROUP REGISTRY".into()),
    };
    own_identity(&client, group, pullers, &registry.parse()?).await?;
    Ok(())
}

fn on_emulator() -> Result<Client, Box<dyn Error>> {
    let azure = Emulator::new().with_registry("group", "myregistry").with_entra_group("acr-pullers");
    let azure = azure.with_graph_permission("owner", "GroupMember.ReadWrite.All");
    Ok(Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?)
}

fn on_azure(subscription: &str) -> Result<Client, Box<dyn Error>> {
    Ok(Client::builder(DeveloperToolsCredential::new(None)?, subscription).build()?)
}

#[cfg(test)]
#[tokio::test(start_paused = true)]
async fn it_runs_on_the_emulator() -> Result<(), Box<dyn Error>> {
    Ok(own_identity(&on_emulator()?, "group", "acr-pullers", &"myregistry".parse()?).await?)
}
