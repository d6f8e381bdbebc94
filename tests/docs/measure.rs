//! What each operation asks of Azure and of a cluster, as the emulator's log has it.

use aks_acr::{CallOptions, Client, ErrorKind, Operation};
use aks_acr_emulator::{Emulator, From, Request, RequestSummary, Service, summary};
use aks_acr_tests::{arguments::Arguments, folder::Folder, operate};
use std::collections::BTreeSet;

const CLUSTER: &str = "my-group/my-cluster";
const REGISTRY: &str = "myregistry";
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
    let client = client_of(&azure);
    (azure, client)
}

fn client_of(azure: &Emulator) -> Client {
    let builder = Client::builder(azure.credential(), azure.subscription());
    builder.transport(azure.transport()).kubernetes(azure.kubernetes()).build().unwrap()
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
    let folder = Folder::new();
    let before = async |operation: Operation| {
        let arguments = scene_in(&folder).arguments(operation).with("registry", REGISTRY);
        operate::operate(&client, operation, arguments, CallOptions::default()).await.unwrap();
    };
    let attached = matches!(operation, Operation::Detach | Operation::PlanDetach | Operation::ApplyDetach);
    let pulls = matches!(
        operation,
        Operation::AttachmentsOfCluster | Operation::AttachmentsOfRegistry | Operation::WaitForRollout
    );
    if matches!(operation, Operation::RevokeAccess | Operation::PlanRevokeAccess | Operation::ApplyRevokeAccess) {
        before(Operation::GrantAccess).await;
    }
    if attached || pulls {
        before(Operation::Attach).await;
    }
    if matches!(operation, Operation::Explain | Operation::WaitForRollout | Operation::Pods) {
        before(Operation::Apply).await;
    }
    let (mut runs, mut kept) = (Vec::new(), None);
    for _ in 0..2 {
        // Each run is one of a program that has just begun.
        let requests = run(&azure, &client_of(&azure), operation, &folder, &mut kept).await;
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

async fn run(
    azure: &Emulator,
    client: &Client,
    operation: Operation,
    folder: &Folder,
    kept: &mut Option<Arguments>,
) -> Vec<Request> {
    let new_tag = format!("nginx:{}", azure.requests().len());
    let scene = operate::Scene {
        // A second import of the same tag would not be started.
        target: (operation == Operation::PollImport).then_some(new_tag.as_str()),
        manifests: &DEPLOYMENT.replace("<acr-name>", REGISTRY),
        ..scene_in(folder)
    };
    // A plan and a handle are of the same program, a workload is of another one.
    let other = client_of(azure);
    let owner = if operation == Operation::WaitForRollout { &other } else { client };
    // What the first run deleted cannot be planned again: its plan is applied twice.
    let prepared = match kept.take() {
        // Preparing it again would make everything again that the first run removed.
        Some(first) if operation == Operation::RemoveKubeletIdentity => Ok(first),
        first => match scene.prepared(owner, operation).await {
            Err(err) if err.kind() == ErrorKind::NotFound => first.ok_or(err),
            prepared => prepared,
        },
    };
    let mut arguments = prepared.unwrap();
    *kept = Some(arguments.clone());
    if operation == Operation::Apply {
        arguments = arguments.with("manifests", DEPLOYMENT).with("registry", REGISTRY);
    }
    let mark = azure.mark();
    operate::operate(client, operation, arguments, CallOptions::default()).await.unwrap();
    azure.requests_since(mark)
}

fn scene_in(folder: &Folder) -> operate::Scene<'_> {
    operate::Scene { cluster: CLUSTER, registry: REGISTRY, manifests: DEPLOYMENT, folder: folder.path(), target: None }
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
