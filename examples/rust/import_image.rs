//! Imports an image from Docker Hub into a registry and shows the progress. Azure copies it.
//!
//! `cargo run --example import_image` on the emulator; on Azure, into a registry that exists:
//! `cargo run --example import_image -- --azure SUBSCRIPTION REGISTRY`.

use aks_acr::{CallOptions, Client, Event, ImportOptions, RegistryRef};
use aks_acr_emulator::{Emulator, Timing};
use azure_identity::DeveloperToolsCredential;
use indicatif::ProgressBar;
use std::{error::Error, time::Duration};

async fn import_image(client: &Client, registry: &RegistryRef) -> aks_acr::Result<()> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let shown = bar.clone();
    let call = CallOptions::default().with_progress(move |event: Event| shown.set_message(event.to_string()));

    let options = ImportOptions::default().with_target("nginx:v1").with_call(call);
    let import = client.import_image(registry, &"nginx".parse()?, options).await?;
    bar.finish_and_clear();

    let what = if import.is_new { "copied" } else { "was there" };
    println!("{} {what}: {}", import.target, import.proof);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (client, registry) = match words[..] {
        [] => (on_emulator()?, "myregistry"),
        ["--azure", subscription, registry] => (on_azure(subscription)?, registry),
        _ => return Err("expected no arguments, or --azure SUBSCRIPTION REGISTRY".into()),
    };
    import_image(&client, &registry.parse()?).await?;
    Ok(())
}

fn on_emulator() -> Result<Client, Box<dyn Error>> {
    let azure = Emulator::new()
        .with_registry("group", "myregistry")
        .with_image("docker.io/library/nginx:latest", &["linux/amd64", "linux/arm64"]);
    // An import takes time, and the emulator's clock is tokio's: paused, it jumps over every wait.
    azure.set_timing(Timing::typical());
    tokio::time::pause();
    Ok(Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?)
}

fn on_azure(subscription: &str) -> Result<Client, Box<dyn Error>> {
    Ok(Client::builder(DeveloperToolsCredential::new(None)?, subscription).build()?)
}
