//! Lets a cluster pull from a private registry outside of Azure, by an image pull secret.
//!
//! `cargo run --example external_registry` on the emulator; on Azure, with the password in `REGISTRY_PASSWORD`:
//! `cargo run --example external_registry -- --azure SUBSCRIPTION GROUP/CLUSTER IMAGE USER`.

use aks_acr::{
    ApplyOptions, ApplyPullSecretOptions, Client, ClusterRef, ImageReference, Manifest, PullSecretOptions,
    RegistryCredential, RolloutOptions, Secret, WorkloadRef,
};
use aks_acr_emulator::{Emulator, UpstreamSeed};
use azure_identity::DeveloperToolsCredential;
use std::{env, error::Error};

const MANIFEST: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME}, spec: {selector: {matchLabels: {app: NAME}}, \
    template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: app, image: 'IMAGE'}]}}}}";

async fn deploy(client: &Client, cluster: &ClusterRef, name: &str, image: &ImageReference) -> aks_acr::Result<()> {
    let text = MANIFEST.replace("NAME", name).replace("IMAGE", &image.to_string());
    client.apply(cluster, Manifest::parse_all(&text)?, ApplyOptions::default()).await?;
    client.wait_for_rollout(cluster, &WorkloadRef::new(name), RolloutOptions::default()).await.map(drop)
}

async fn run(client: &Client, cluster: &ClusterRef, image: &str, login: (&str, &str)) -> aks_acr::Result<()> {
    let image: ImageReference = image.parse()?;
    if let Err(err) = deploy(client, cluster, "without", &image).await {
        println!("without {err}");
    }

    // The plan contains no password. It warns about what would not work, such as a registry that does not serve the image.
    let login = || vec![RegistryCredential::new(image.registry(), login.0, Secret::new(login.1.to_owned()))];
    let options = PullSecretOptions::default().with_image(image.clone());
    let plan = client.plan_pull_secret(cluster, "outside", login(), options).await?;
    println!("plan\n{plan}");
    println!("applied {}", client.apply_pull_secret(&plan, login(), ApplyPullSecretOptions::default()).await?);

    // Kubernetes copies a service account's pull secrets into new pods only.
    deploy(client, cluster, "with", &image).await?;
    println!("with    runs");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(&on_emulator()?, &"group/dev".parse()?, "ghcr.io/team/app:v1", ("robot", "word")).await?,
        ["--azure", subscription, cluster, image, user] => {
            let client = Client::builder(DeveloperToolsCredential::new(None)?, subscription).build()?;
            run(&client, &cluster.parse()?, image, (user, &env::var("REGISTRY_PASSWORD")?)).await?;
        }
        _ => return Err("expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER IMAGE USER".into()),
    }
    Ok(())
}

fn on_emulator() -> Result<Client, Box<dyn Error>> {
    let registry = UpstreamSeed::new("ghcr.io").user("robot", "word");
    let azure = Emulator::new().with_cluster("group", "dev").with_upstream(registry);
    let azure = azure.with_image("ghcr.io/team/app:v1", &["linux/amd64"]);
    let client = Client::builder(azure.credential(), azure.subscription());
    Ok(client.transport(azure.transport()).kubernetes(azure.kubernetes()).build()?)
}

#[cfg(test)]
#[tokio::test(start_paused = true)]
async fn it_runs_on_the_emulator() -> Result<(), Box<dyn Error>> {
    Ok(run(&on_emulator()?, &"group/dev".parse()?, "ghcr.io/team/app:v1", ("robot", "word")).await?)
}
