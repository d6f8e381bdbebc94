//! From an image in Docker Hub to two running pods: `cargo run --example quickstart`.
//!
//! Without arguments it runs on the emulator, in this process, and needs no account. With `--azure` it does the same on existing
//! resources in Azure; not yet tested against live Azure.

mod screen;
mod stage;
mod story;

use aks_acr::{Cloud, ClusterRef, ImageReference, Result, SubscriptionId};
use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{ClientSecretCredential, DeveloperToolsCredential};
use clap::Parser;
use screen::Screen;
use stage::{Resources, Stage};
use std::{error::Error, process::ExitCode, sync::Arc, time::Instant};
use story::Attach;

/// Creates a registry and a cluster, imports an image, shows why pods cannot pull it, attaches the registry and shows the pods run.
#[derive(Parser)]
struct Arguments {
    /// Runs on Azure, in existing resource groups: creates the registry and the cluster if they are missing, which costs money, and
    /// writes the image, the deployment and the grant. It prints what it created and how to remove it.
    #[arg(long)]
    azure: bool,
    /// The subscription's id.
    #[arg(long, required_if_eq("azure", "true"), env = "AZURE_SUBSCRIPTION_ID")]
    subscription: Option<SubscriptionId>,
    /// The cluster: group/name.
    #[arg(long, required_if_eq("azure", "true"), requires = "azure")]
    cluster: Option<ClusterRef>,
    /// The registry's name.
    #[arg(long, required_if_eq("azure", "true"), requires = "azure")]
    registry: Option<String>,
    /// The registry's resource group; the cluster's by default.
    #[arg(long, requires = "azure")]
    registry_group: Option<String>,
    /// The image to import.
    #[arg(long, default_value = "nginx")]
    source: ImageReference,
    /// URL of the Resource Manager, for a cloud other than the public one.
    #[arg(long, requires = "azure")]
    resource_manager: Option<String>,
    /// Suffix of that cloud's login servers.
    #[arg(long, default_value = ".azurecr.io")]
    registry_suffix: String,
    /// Skips the attach, to show that the story fails without it.
    #[arg(long)]
    without_attach: bool,
    /// Attaches the registry at the cluster's creation, like `az aks create --attach-acr`: then no pull fails.
    #[arg(long, conflicts_with = "without_attach")]
    attach_at_creation: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("\nerror: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    // The emulator's clock is tokio's: paused, it jumps over every wait.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(!arguments.azure).build()?;
    let (real, screen) = (Instant::now(), Screen::default());
    runtime.block_on(async {
        let begun = tokio::time::Instant::now();
        let stage = if arguments.azure {
            println!("On Azure, with your rights. Not yet tested against live Azure.\n");
            on_azure(arguments)?
        } else {
            println!("On the emulator, in this process. Its clock jumps over waits.\n");
            Stage::emulator()?
        };
        let when = match (arguments.without_attach, arguments.attach_at_creation) {
            (true, _) => Attach::Never,
            (false, true) => Attach::AtCreation,
            (false, false) => Attach::Later,
        };
        let pods = story::tell(&stage, &screen, when).await?;
        println!("\n{pods}");
        if !arguments.azure {
            println!("\n{}", story::undo(&stage, &screen).await?);
            let (story, here) = (begun.elapsed().as_secs(), real.elapsed().as_secs_f64());
            screen.line("clock", format!("{story} s of the emulator's time, {here:.1} s of yours"));
        }
        Ok(())
    })
}

fn on_azure(arguments: &Arguments) -> Result<Stage, Box<dyn Error>> {
    let cloud = match &arguments.resource_manager {
        Some(address) => Cloud::custom(address, &arguments.registry_suffix)?,
        None => Cloud::public(),
    };
    let cluster = arguments.cluster.clone().ok_or("--cluster is missing")?;
    let resources = Resources {
        registry_group: arguments.registry_group.clone().unwrap_or_else(|| cluster.group().to_owned()),
        registry: arguments.registry.clone().ok_or("--registry is missing")?,
        source: arguments.source.clone(),
        cluster,
    };
    let subscription = arguments.subscription.ok_or("--subscription is missing")?;
    Ok(Stage::azure(credential()?, cloud, &subscription.to_string(), resources)?)
}

/// A service principal's secret from the usual variables, or the login of the Azure CLI or the Azure Developer CLI.
fn credential() -> Result<Arc<dyn TokenCredential>, Box<dyn Error>> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(tenant), Some(client), Some(secret)) =
        (variable("AZURE_TENANT_ID"), variable("AZURE_CLIENT_ID"), variable("AZURE_CLIENT_SECRET"))
    {
        return Ok(ClientSecretCredential::new(&tenant, client, Secret::new(secret), None)?);
    }
    Ok(DeveloperToolsCredential::new(None)?)
}
