//! Six workloads do not run, each for another reason: finds out why, and carries out the next step of each.
//!
//! `cargo run --example diagnose` on the emulator; on Azure: `-- --azure SUBSCRIPTION GROUP/CLUSTER NAMESPACE`.

use aks_acr::{ApplyOptions, AttachOptions, Client, ClusterRef, ExplainOptions, ExplainTarget, Manifest};
use aks_acr_emulator::{Emulator, RegistrySeed};
use azure_identity::DeveloperToolsCredential;
use std::{error::Error, time::Duration};

async fn diagnose(client: &Client, cluster: &ClusterRef, namespace: &str) -> Result<(), Box<dyn Error>> {
    let options = ExplainOptions::default().with_namespace(namespace);
    let explanation = client.explain(cluster, &ExplainTarget::Pods, options).await?;
    println!("{explanation}\n"); // a line for each cause, with the next step
    for finding in explanation.groups.iter().filter_map(|group| group.report.root_finding()) {
        let step = &finding.next_step;
        if step.operation.as_deref() == Some("attach") {
            let (cluster, registry) = (step.arguments["cluster"].parse()?, step.arguments["registry"].parse()?);
            println!("{}", client.attach(&cluster, &registry, AttachOptions::default()).await?);
        } else {
            println!("by hand: {step}");
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [_, subscription, cluster, namespace] = &arguments[..] else { return incident().await };
    let client = Client::builder(DeveloperToolsCredential::new(None)?, subscription).build()?;
    diagnose(&client, &cluster.parse()?, namespace).await
}

async fn incident() -> Result<(), Box<dyn Error>> {
    let mut azure = Emulator::new().with_cluster("group", "dev");
    for name in ["webregistry", "apiregistry", "jobregistry", "cartregistry", "shopregistry", "mailregistry"] {
        let seed = RegistrySeed::new("group", name);
        azure = azure.with_registry_of(if name == "apiregistry" { seed.sku("Premium").abac() } else { seed });
        azure.push_image(&format!("{name}.azurecr.io/app:v1"), &["linux/amd64"]);
    }
    azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &azure.registry_id("group", "apiregistry"));
    azure.grant("AcrPull", &azure.control_plane_object_id("group", "dev"), &azure.registry_id("group", "jobregistry"));
    tokio::time::pause(); // The emulator's clock is tokio's: paused, it jumps over every wait.
    let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    let (client, cluster) = (client.kubernetes(azure.kubernetes()).build()?, ClusterRef::new("group", "dev")?);
    let manifests = Manifest::parse_all(include_str!("../incident.yaml"))?;
    client.apply(&cluster, manifests, ApplyOptions::default()).await?;
    tokio::time::sleep(Duration::from_secs(30)).await;
    client.attach(&cluster, &"mailregistry".parse()?, AttachOptions::default()).await?;

    diagnose(&client, &cluster, "default").await?;
    tokio::time::sleep(Duration::from_secs(400)).await;
    diagnose(&client, &cluster, "default").await
}

#[cfg(test)]
#[tokio::test]
async fn it_runs_on_the_emulator() -> Result<(), Box<dyn Error>> {
    incident().await
}
