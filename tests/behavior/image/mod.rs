//! Images: looked at, and imported.

mod import;
mod look;
mod many;
mod origin;
mod outside;
mod referrers;
mod source;
mod steps;
mod unreached;

use crate::{backend::Backend, case::Case, emulator::Scene};
use aks_acr::{CreateRegistryOptions, Import, ImportOptions, Registry};
use libtest_mimic::Failed;

const TARGET: &str = "myregistry.azurecr.io/nginx:v1";

pub fn cases() -> Vec<Case> {
    let all = [
        look::cases(),
        steps::cases(),
        import::cases(),
        source::cases(),
        origin::cases(),
        many::cases(),
        outside::cases(),
        referrers::cases(),
        unreached::cases(),
    ];
    all.into_iter().flatten().collect()
}

async fn made_registry(backend: &dyn Backend) -> Result<Registry, Failed> {
    let options = CreateRegistryOptions::default();
    let name = backend.free_registry();
    Ok(backend.client().create_registry(backend.registry().group(), &name, options).await?.registry)
}

fn as_v1() -> ImportOptions {
    ImportOptions::default().with_target("nginx:v1")
}

/// Imports nginx as `nginx:v1`, unless the options say otherwise.
async fn import(scene: &Scene, options: ImportOptions) -> aks_acr::Result<Import> {
    scene.client.import_image(&scene.by_id(), &"nginx".parse()?, options).await
}

fn posts(scene: &Scene) -> usize {
    scene.sent(|request| request.path.ends_with("/importImage")).len()
}
