//! Cut at any request, before its effect or after it with the answer lost, and run again: an operation ends as if it was not cut.
//!
//! A cut is the end of the caller: the request that it meets is never answered, and the operation is dropped.

use aks_acr::{
    AttachOptions, CallOptions, Client, ClusterRef, CreateClusterOptions, CreateRegistryOptions, Error, ImportOptions,
};
use aks_acr_emulator::{Emulator, RegistrySeed, Timing};
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use futures::future::{BoxFuture, FutureExt, pending};
use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// Carries requests to the emulator until one is cut.
#[derive(Debug)]
struct Cutting {
    to: Arc<dyn HttpClient>,
    sent: AtomicUsize,
    at: usize,
    after_effect: bool,
    is_cut: Arc<Notify>,
}

#[async_trait]
impl HttpClient for Cutting {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        if number != self.at {
            return self.to.execute_request(request).await;
        }
        if self.after_effect {
            self.to.execute_request(request).await?;
        }
        self.is_cut.notify_one();
        pending().await
    }
}

type Operation = for<'a> fn(&'a Client) -> BoxFuture<'a, Result<(), Error>>;

fn client(azure: &Emulator, transport: Arc<dyn HttpClient>) -> Client {
    Client::builder(azure.credential(), azure.subscription()).transport(transport).build().unwrap()
}

/// What matters of the end: who may what, and what there is, without times and ids that chance gives.
async fn end(azure: &Emulator) -> String {
    let client = client(azure, azure.transport());
    let mut grants: Vec<String> = azure
        .role_assignments()
        .into_iter()
        .map(|one| format!("{} {} {} {:?}", one.name, one.scope, one.principal_id, one.condition))
        .filter(|grant| grant.contains("registries"))
        .collect();
    grants.sort();
    let mut there = Vec::new();
    for name in ["another", "myregistry"] {
        there.push(format!("{:?}", client.registry(&name.parse().unwrap(), CallOptions::default()).await.unwrap()));
    }
    let fresh = ClusterRef::new("group", "fresh").unwrap();
    let cluster = client.identities(&fresh, CallOptions::default()).await;
    there.push(format!("{:?}", cluster.map_err(|err| err.kind())));
    let images = ["nginx:v1", "web/nginx:stable"].map(|name| azure.digest(&format!("myregistry.azurecr.io/{name}")));
    format!("{grants:#?} {there:#?} {images:#?}")
}

fn puts(azure: &Emulator, part: &str) -> Vec<Option<u16>> {
    let all = azure.requests().into_iter();
    let puts = all.filter(|one| one.method == "PUT" && one.path.to_lowercase().contains(part) && one.status.is_some());
    puts.map(|one| one.status).collect()
}

/// Runs the operation uncut, then cut at each request in both ways and again. Gives the number of cuts.
async fn survives_every_cut(scene: fn() -> Emulator, operation: Operation) -> usize {
    let whole = scene();
    let counting = Arc::new(Cutting {
        to: whole.transport(),
        sent: AtomicUsize::new(0),
        at: usize::MAX,
        after_effect: false,
        is_cut: Arc::default(),
    });
    operation(&client(&whole, counting.clone())).await.unwrap();
    let (requests, wanted) = (counting.sent.load(Ordering::Relaxed), end(&whole).await);
    for at in 0..requests {
        for after_effect in [false, true] {
            let azure = scene();
            let is_cut = Arc::new(Notify::new());
            let transport =
                Cutting { to: azure.transport(), sent: AtomicUsize::new(0), at, after_effect, is_cut: is_cut.clone() };
            let first = client(&azure, Arc::new(transport));
            tokio::select! {
                ended = operation(&first) => panic!("request {at} was not cut: {ended:?}"),
                () = is_cut.notified() => {}
            }
            // Whoever runs it again does so a little later.
            tokio::time::sleep(Duration::from_secs(1)).await;
            operation(&client(&azure, azure.transport())).await.unwrap_or_else(|err| panic!("request {at}: {err:#}"));
            assert_eq!(end(&azure).await, wanted, "request {at}, after its effect: {after_effect}");
            let to_clusters = puts(&azure, "/managedclusters/");
            assert!(to_clusters.iter().filter(|status| **status < Some(300)).count() <= 1, "{at}: {to_clusters:?}");
        }
    }
    requests * 2
}

fn scene() -> Emulator {
    let azure = Emulator::new().with_registry("group", "myregistry");
    let slow = Timing::none().with_registry(Duration::from_secs(20)).with_cluster_creation(Duration::from_secs(60));
    azure.set_timing(slow.with_kubelet_identity(Duration::from_secs(25)));
    azure
}

/// Registries that show conditions: a grant made twice would be seen.
fn scene_with_permissions_on_repositories() -> Emulator {
    let azure = Emulator::new().with_registry_of(RegistrySeed::new("group", "myregistry").abac());
    azure.set_timing(Timing::none().with_cluster_creation(Duration::from_secs(60)));
    azure
}

fn scene_with_an_image() -> Emulator {
    let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
    azure.set_timing(Timing::none().with_import(Duration::from_secs(25)));
    azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"])
}

fn unregistered() -> Emulator {
    let azure = scene();
    azure.unregister_provider("Microsoft.ContainerRegistry");
    azure.unregister_provider("Microsoft.ContainerService");
    azure.set_timing(Timing::none().with_registration(Duration::from_secs(25)));
    azure
}

fn create_registry(client: &Client) -> BoxFuture<'_, Result<(), Error>> {
    let options = CreateRegistryOptions::default().with_register(true);
    async { client.create_registry("group", "another", options).await.map(drop) }.boxed()
}

fn create_cluster(client: &Client) -> BoxFuture<'_, Result<(), Error>> {
    let options = CreateClusterOptions::default().with_registry("myregistry".parse().unwrap()).with_register(true);
    async { client.create_cluster(&ClusterRef::new("group", "fresh").unwrap(), options).await.map(drop) }.boxed()
}

fn attach(client: &Client) -> BoxFuture<'_, Result<(), Error>> {
    let (cluster, options) = (ClusterRef::new("group", "dev").unwrap(), AttachOptions::default());
    async move { client.attach(&cluster, &"myregistry".parse().unwrap(), options).await.map(drop) }.boxed()
}

fn import_image(client: &Client) -> BoxFuture<'_, Result<(), Error>> {
    let options = ImportOptions::default().with_target("nginx:v1").with_also("web/nginx:stable");
    async {
        let (registry, source) = ("myregistry".parse().unwrap(), "nginx".parse().unwrap());
        client.import_image(&registry, &source, options).await.map(drop)
    }
    .boxed()
}

#[tokio::test(start_paused = true)]
async fn attaching_survives_every_cut() {
    let cuts = survives_every_cut(scene_with_an_image, attach).await;
    println!("attach: {cuts} cuts");
    assert!(cuts >= 8);
}

#[tokio::test(start_paused = true)]
async fn importing_under_two_names_survives_every_cut() {
    let cuts = survives_every_cut(scene_with_an_image, import_image).await;
    println!("import_image: {cuts} cuts");
    assert!(cuts >= 20);
}

#[tokio::test(start_paused = true)]
async fn creating_a_registry_survives_every_cut() {
    let cuts = survives_every_cut(scene, create_registry).await;
    let first = survives_every_cut(unregistered, create_registry).await;
    println!("create_registry: {cuts} cuts, {first} where the provider is registered first");
    assert!(cuts >= 10 && first >= 10);
}

#[tokio::test(start_paused = true)]
async fn creating_a_cluster_with_a_registry_survives_every_cut() {
    let cuts = survives_every_cut(scene, create_cluster).await;
    let first = survives_every_cut(unregistered, create_cluster).await;
    let other = survives_every_cut(scene_with_permissions_on_repositories, create_cluster).await;
    println!("create_cluster: {cuts} cuts, {first} where the provider is registered first, {other} on repositories");
    assert!(cuts >= 20 && first >= 20 && other >= 20);
}
