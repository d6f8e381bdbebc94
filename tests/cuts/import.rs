//! What copies images.

use crate::{
    case::{Case, case},
    scene::{Scene, registry},
};
use aks_acr::{
    Client, Error, ImageReference, ImportHandle, ImportItem, ImportManyOptions, ImportOptions, ImportStatus,
    OnExistingTag, StartedImport,
};
use aks_acr_emulator::{Emulator, Timing};
use serde_json::{Value, json};
use std::time::Duration;

pub fn cases() -> Vec<Case> {
    vec![
        case!("import_image", "one name", with_images(), |client, scene| {
            client.import_image(&registry(), &nginx(), to(scene, "nginx:v1")).await
        }),
        case!("import_image", "two names, and one without a tag", with_images(), |client, scene| {
            let options =
                to(scene, "nginx:v1").with_additional_tag("web/nginx:stable").with_untagged_repository("kept");
            client.import_image(&registry(), &nginx(), options).await
        }),
        case!("import_image", "another image of that name, to be replaced", with_another(), |client, scene| {
            let options = to(scene, "nginx:v1").with_on_existing_tag(OnExistingTag::Replace);
            client.import_image(&registry(), &nginx(), options).await
        }),
        case!("import_image", "one of two names is there", with_one_there().await, |client, scene| {
            client
                .import_image(&registry(), &nginx(), to(scene, "nginx:v1").with_additional_tag("web/nginx:stable"))
                .await
        }),
        case!("import_image", "from another registry of Azure", with_source(), |client, scene| {
            client
                .import_image(
                    &registry(),
                    &"source.azurecr.io/app:1".parse()?,
                    ImportOptions::default().with_call(scene.call()),
                )
                .await
        }),
        case!("import_image", "a signature, an SBOM and its signature", with_referrers(), |client, scene| {
            client.import_image(&registry(), &nginx(), to(scene, "nginx:v1").with_referrers(true)).await
        }),
        case!("import_images", "four, two at a time, one there", with_one_there().await, |client, scene| {
            import_four(client, scene).await
        }),
        case!("start_import", "one name", with_images(), |client, scene| {
            client.start_import(&registry(), &nginx(), to(scene, "nginx:v1")).await
        }),
        case!("start_import", "two names, followed to the end", with_images(), |client, scene| {
            let options = to(scene, "nginx:v1").with_additional_tag("web/nginx:stable");
            match client.start_import(&registry(), &nginx(), options).await? {
                StartedImport::Started { mut handle } => follow(client, &mut handle, scene).await,
                StartedImport::AlreadyExists { .. } => Ok(json!("succeeded")),
                other => panic!("{other:?}"),
            }
        }),
        case!("poll_import", "running, by a stored handle", started(Duration::ZERO).await, |client, scene| {
            look(client, scene).await
        }),
        case!("poll_import", "done, by a stored handle", started(Duration::from_secs(60)).await, |client, scene| {
            look(client, scene).await
        }),
        case!("poll_import", "until it is done", started(Duration::ZERO).await, |client, scene| {
            follow(client, &mut scene.stored(), scene).await
        }),
    ]
}

fn nginx() -> ImageReference {
    "nginx".parse().expect("an image")
}

fn to(scene: &Scene, target: &str) -> ImportOptions {
    ImportOptions::default().with_call(scene.call()).with_target(target)
}

fn with_images() -> Scene {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let azure = azure.with_image("docker.io/library/nginx:latest", &["linux/amd64", "linux/arm64"]);
    let azure = azure.with_image("docker.io/library/redis:7", &["linux/amd64"]);
    let scene = Scene::of(azure.with_image("mcr.microsoft.com/hello-world:latest", &["linux/amd64"]));
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(25)));
    scene
}

/// One of them is connected with the image by cosign's tag only.
fn with_referrers() -> Scene {
    let scene = with_images();
    let name = "docker.io/library/nginx:latest";
    let sbom = scene.azure.push_referrer(name, "application/spdx+json").expect("an image");
    let of_sbom =
        scene.azure.push_referrer(&format!("docker.io/library/nginx@{sbom}"), "application/vnd.cncf.notary.signature");
    let tag = scene.azure.digest(name).expect("an image").replace(':', "-");
    scene.azure.push_image(&format!("docker.io/library/nginx:{tag}.sig"), &["linux/amd64"]);
    assert!(of_sbom.is_some());
    scene
}

fn with_another() -> Scene {
    let scene = with_images();
    scene.azure.push_image("myregistry.azurecr.io/nginx:v1", &["linux/arm64"]);
    scene
}

/// The image is there under one of the names, since it was imported before.
async fn with_one_there() -> Scene {
    let scene = with_images();
    scene.client().import_image(&registry(), &nginx(), to(&scene, "nginx:v1")).await.expect("imported");
    scene.begin()
}

fn with_source() -> Scene {
    let azure = Emulator::new().with_registry("group", "myregistry").with_registry("group", "source");
    let scene = Scene::of(azure.with_image("source.azurecr.io/app:1", &["linux/amd64"]));
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(25)));
    scene
}

async fn import_four(client: &Client, scene: &Scene) -> Result<Value, Error> {
    let item = |name: &str, target: &str| {
        Ok::<_, Error>(ImportItem::new(name.parse()?, ImportOptions::default().with_target(target)))
    };
    let items = vec![
        item("nginx", "nginx:v1")?,
        item("redis:7", "redis:7")?,
        item("mcr.microsoft.com/hello-world", "hello:1")?,
        item("nginx", "web/nginx:stable")?,
    ];
    let done = client
        .import_images(&registry(), items, ImportManyOptions::default().with_concurrency(2).with_call(scene.call()))
        .await?;
    let all: Vec<_> = done.into_iter().collect::<Result<_, Error>>()?;
    Ok(json!(all))
}

/// An import that was begun, some time ago.
async fn started(ago: Duration) -> Scene {
    let scene = with_images();
    let started = scene.client().start_import(&registry(), &nginx(), to(&scene, "nginx:v1")).await.expect("it begins");
    let StartedImport::Started { handle } = started else { panic!("nothing was there") };
    scene.store(&handle);
    tokio::time::sleep(ago).await;
    scene.begin()
}

/// One look, after which the handle is stored anew.
async fn look(client: &Client, scene: &Scene) -> Result<ImportStatus, Error> {
    let mut handle: ImportHandle = scene.stored();
    let status = client.poll_import(&mut handle, scene.call()).await?;
    scene.store(&handle);
    Ok(status)
}

async fn follow(client: &Client, handle: &mut ImportHandle, scene: &Scene) -> Result<Value, Error> {
    loop {
        scene.store(handle);
        if client.poll_import(handle, scene.call()).await? == ImportStatus::Succeeded {
            return Ok(json!("succeeded"));
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}
