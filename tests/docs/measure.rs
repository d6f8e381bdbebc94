//! What each operation asks of Azure and of a cluster, as the emulator's log has it.

use aks_acr::{
    ApplyAttachOptions, ApplyDetachOptions, ApplyOptions, AttachOptions, AttachmentsOptions, CallOptions, Client,
    ClusterRef, CreateClusterOptions, CreateRegistryOptions, DetachOptions, ImportItem, ImportManyOptions,
    ImportOptions, KubeconfigOptions, Manifest, MergeKubeconfigOptions, Operation, PodSelection, RegistryRef,
    RolloutOptions, StartedImport, WorkloadRef,
};
use aks_acr_emulator::{Emulator, From, Request, RequestSummary, Service, summary};
use aks_acr_tests::folder::Folder;
use std::collections::BTreeSet;

pub const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  \
    selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    \
    spec: {containers: [{name: web, image: <acr-name>.azurecr.io/app:1}]}\n";

/// A cluster that may pull from a registry that has an image, and a client of its owner.
pub fn scene() -> (Emulator, Client) {
    let azure = Emulator::new()
        .with_cluster("my-group", "my-cluster")
        .with_registry("my-group", "myregistry")
        .with_image("myregistry.azurecr.io/app:1", &["linux/amd64"])
        .with_image("docker.io/library/nginx:latest", &["linux/amd64"])
        .with_graph_rights("owner");
    let builder = Client::builder(azure.credential(), azure.subscription());
    let client = builder.transport(azure.transport()).kubernetes(azure.kubernetes()).build().unwrap();
    (azure, client)
}

/// The requests of a first run, and those of a second one.
pub struct Measured {
    pub first: RequestSummary,
    pub requests: Vec<String>,
    pub again: RequestSummary,
    /// The paths of Resource Manager that were requested, each with its `api-version`.
    pub versions: BTreeSet<(String, String)>,
}

/// Runs an operation twice, with a registry by name and options left out.
pub async fn measure(operation: Operation) -> Measured {
    let (azure, client) = scene();
    let cluster = ClusterRef::new("my-group", "my-cluster").unwrap();
    let registry: RegistryRef = "myregistry".parse().unwrap();
    let attached = matches!(operation, Operation::Detach | Operation::PlanDetach | Operation::ApplyDetach);
    let pulls = matches!(
        operation,
        Operation::AttachmentsOfCluster | Operation::AttachmentsOfRegistry | Operation::WaitForRollout
    );
    if attached || pulls {
        client.attach(&cluster, &registry, AttachOptions::default()).await.unwrap();
    }
    if matches!(operation, Operation::WaitForRollout | Operation::Pods) {
        let options = ApplyOptions::default().with_registry(registry.clone());
        client.apply(&cluster, Manifest::parse_all(DEPLOYMENT).unwrap(), options).await.unwrap();
    }
    let folder = Folder::new();
    let mut runs = Vec::new();
    for _ in 0..2 {
        // Each run is one of a program that has just begun.
        let builder = Client::builder(azure.credential(), azure.subscription());
        let client = builder.transport(azure.transport()).kubernetes(azure.kubernetes()).build().unwrap();
        let requests = run(&azure, &client, operation, &folder).await;
        runs.push(requests);
    }
    let again = runs.pop().unwrap();
    let first = runs.pop().unwrap();
    let sent = first.iter().filter(|one| one.from == From::Client && one.service != Service::Entra);
    let mut requests: Vec<String> = Vec::new();
    for line in sent.map(|request| shown(&azure, request)) {
        if requests.last() != Some(&line) {
            requests.push(line);
        }
    }
    let arm = first.iter().chain(&again).filter(|one| one.from == From::Client && one.service == Service::Arm);
    let versions = arm.filter_map(|one| {
        let version = one.query.split('&').find_map(|part| part.strip_prefix("api-version="))?;
        Some((one.path.clone(), version.to_owned()))
    });
    Measured { versions: versions.collect(), first: summary(&first), requests, again: summary(&again) }
}

async fn run(azure: &Emulator, client: &Client, operation: Operation, folder: &Folder) -> Vec<Request> {
    let (cluster, group) = (&ClusterRef::new("my-group", "my-cluster").unwrap(), "my-group");
    let registry: &RegistryRef = &"myregistry".parse().unwrap();
    let image = &"nginx".parse().unwrap();
    let mut mark = azure.mark();
    match operation {
        Operation::Identities => drop(client.identities(cluster, CallOptions::default()).await.unwrap()),
        Operation::Attach => drop(client.attach(cluster, registry, AttachOptions::default()).await.unwrap()),
        Operation::PlanAttach => drop(client.plan_attach(cluster, registry, AttachOptions::default()).await.unwrap()),
        Operation::ApplyAttach => {
            let plan = client.plan_attach(cluster, registry, AttachOptions::default()).await.unwrap();
            mark = azure.mark();
            drop(client.apply_attach(&plan, ApplyAttachOptions::default()).await.unwrap());
        }
        Operation::Detach => drop(client.detach(cluster, registry, DetachOptions::default()).await.unwrap()),
        Operation::PlanDetach => drop(client.plan_detach(cluster, registry, DetachOptions::default()).await.unwrap()),
        Operation::ApplyDetach => {
            let plan = client.plan_detach(cluster, registry, DetachOptions::default()).await.unwrap();
            mark = azure.mark();
            drop(client.apply_detach(&plan, ApplyDetachOptions::default()).await.unwrap());
        }
        Operation::AttachmentsOfCluster => {
            drop(client.attachments_of_cluster(cluster, AttachmentsOptions::default()).await.unwrap());
        }
        Operation::AttachmentsOfRegistry => {
            drop(client.attachments_of_registry(registry, AttachmentsOptions::default()).await.unwrap());
        }
        Operation::Registry => drop(client.registry(registry, CallOptions::default()).await.unwrap()),
        Operation::CreateRegistry => {
            drop(client.create_registry(group, "another", CreateRegistryOptions::default()).await.unwrap());
        }
        Operation::CreateCluster => {
            let options = CreateClusterOptions::default().with_registry(registry.clone());
            drop(client.create_cluster(&ClusterRef::new(group, "another").unwrap(), options).await.unwrap());
        }
        Operation::ImportImage => {
            drop(client.import_image(registry, image, ImportOptions::default()).await.unwrap());
        }
        Operation::ImportImages => {
            let images = vec![ImportItem::new(image.clone(), ImportOptions::default())];
            drop(client.import_images(registry, images, ImportManyOptions::default()).await.unwrap());
        }
        Operation::StartImport => {
            drop(client.start_import(registry, image, ImportOptions::default()).await.unwrap());
        }
        Operation::PollImport => {
            let tag = format!("nginx:{}", azure.requests().len());
            let options = ImportOptions::default().with_target(tag);
            let started = client.start_import(registry, image, options).await.unwrap();
            let StartedImport::Started { mut handle } = started else { panic!("nothing was there") };
            mark = azure.mark();
            drop(client.poll_import(&mut handle, CallOptions::default()).await.unwrap());
        }
        Operation::Kubeconfig => drop(client.kubeconfig(cluster, KubeconfigOptions::default()).await.unwrap()),
        Operation::MergeKubeconfig => {
            let options = MergeKubeconfigOptions::default().with_file(folder.join("config"));
            drop(client.merge_kubeconfig(cluster, options).await.unwrap());
        }
        Operation::Apply => {
            let options = ApplyOptions::default().with_registry(registry.clone());
            drop(client.apply(cluster, Manifest::parse_all(DEPLOYMENT).unwrap(), options).await.unwrap());
        }
        Operation::WaitForRollout => {
            client.wait_for_rollout(cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await.unwrap();
        }
        Operation::Pods => {
            drop(client.pods(cluster, &PodSelection::default(), CallOptions::default()).await.unwrap());
        }
        other => panic!("{other}: say here how it is called"),
    }
    azure.requests_since(mark)
}

/// A request without what differs from one subscription to another.
fn shown(azure: &Emulator, request: &Request) -> String {
    let host = match request.service {
        Service::Arm => String::new(),
        Service::Kubernetes => "the cluster's API".to_owned(),
        _ => request.host.clone(),
    };
    let path = request.path.replace(&format!("/subscriptions/{}", azure.subscription()), "…");
    let path: Vec<String> = path.split('/').map(without_guid).collect();
    format!("{} {host}{}", request.method, path.join("/"))
}

/// A part of a path without the id that it ends in.
fn without_guid(part: &str) -> String {
    let is_guid = |text: &str| text.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    match part.len().checked_sub(36).and_then(|at| part.split_at_checked(at)) {
        Some((head, tail)) if is_guid(tail) => format!("{head}…"),
        _ => part.to_owned(),
    }
}
