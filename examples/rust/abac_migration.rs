//! Moves a registry to repository permissions so that no principal loses access, and back.
//!
//! `cargo run --example abac_migration` on the emulator; on Azure, where it changes the registry:
//! `cargo run --example abac_migration -- --azure SUBSCRIPTION REGISTRY`.

use aks_acr::{ApplyModeChangeOptions, Client, ModeChangeOptions, RegistryRef, RoleAssignmentMode};
use aks_acr_emulator::Emulator;
use azure_identity::DeveloperToolsCredential;
use std::{error::Error, time::Duration};

async fn migrate(client: &Client, registry: &RegistryRef, options: ApplyModeChangeOptions) -> aks_acr::Result<()> {
    // Needs read rights only, and writes nothing. Keep the plan: it also undoes the change.
    let mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let plan = client.plan_mode_change(registry, mode, ModeChangeOptions::default()).await?;
    println!("plan\n{plan}");
    if !plan.lost.is_empty() {
        return Ok(()); // To be decided by a person: allow_wider may keep it, accept_loss gives it up.
    }

    let change = client.apply_mode_change(&plan, options.clone()).await?;
    println!("changed\n{change}");

    let back = client.apply_mode_change(&plan, options.with_reverse(true)).await?;
    println!("and back\n{back}");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let options = ApplyModeChangeOptions::default();
    match words[..] {
        // On the emulator, a role is effective at once.
        [] => {
            let options = options.with_propagation_time(Duration::ZERO);
            migrate(&on_emulator()?, &"myregistry".parse()?, options).await?;
        }
        ["--azure", subscription, registry] => {
            let client = Client::builder(DeveloperToolsCredential::new(None)?, subscription).build()?;
            migrate(&client, &registry.parse()?, options).await?;
        }
        _ => return Err("expected no arguments, or --azure SUBSCRIPTION REGISTRY".into()),
    }
    Ok(())
}

fn on_emulator() -> Result<Client, Box<dyn Error>> {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &azure.registry_id("group", "myregistry"));
    Ok(Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?)
}

#[cfg(test)]
#[tokio::test(start_paused = true)]
async fn it_runs_on_the_emulator() -> Result<(), Box<dyn Error>> {
    Ok(migrate(&on_emulator()?, &"myregistry".parse()?, ApplyModeChangeOptions::default()).await?)
}
