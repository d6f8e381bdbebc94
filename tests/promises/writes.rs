//! A client can be read-only, and every write can be seen before it is sent. Compared with the emulator's log.

use crate::{Scene, client_of};
use aks_acr::{
    ApplyKubeletIdentityOptions, ApplyModeChangeOptions, ApplyOptions, ApplyPullSecretOptions, AttachOptions,
    AttachmentsOptions, CallOptions, Client, ClusterRef, CreateRegistryOptions, DetachOptions, Error, ErrorKind,
    ImportOptions, KubeconfigOptions, KubeletIdentityOptions, Manifest, ModeChangeOptions, PodSelection,
    PullSecretOptions, RefusalKind, RegistryCredential, RegistryRef, RoleAssignmentMode, Write, WriteService,
    azure_core::credentials::Secret,
};
use aks_acr_emulator::{Emulator, Fault, From, Request};
use futures::future::{BoxFuture, FutureExt};
use std::sync::{Arc, Mutex};

const PODS: &str = "{apiVersion: v1, kind: Secret, metadata: {name: keys}, stringData: {key: hunter2}}";

type Operation = for<'a> fn(&'a Client, &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>>;

fn cluster() -> ClusterRef {
    ClusterRef::new("group", "dev").unwrap()
}

fn attach<'a>(client: &'a Client, registry: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async { client.attach(&cluster(), registry, AttachOptions::default()).await.map(drop) }.boxed()
}

fn detach<'a>(client: &'a Client, registry: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async { client.detach(&cluster(), registry, DetachOptions::default()).await.map(drop) }.boxed()
}

fn create<'a>(client: &'a Client, _: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async { client.create_registry("group", "another", CreateRegistryOptions::default()).await.map(drop) }.boxed()
}

fn import<'a>(client: &'a Client, registry: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async {
        let options = ImportOptions::default().with_target("nginx:v1");
        client.import_image(registry, &"nginx".parse().unwrap(), options).await.map(drop)
    }
    .boxed()
}

fn apply<'a>(client: &'a Client, _: &'a RegistryRef) -> BoxFuture<'a, Result<(), Error>> {
    async {
        let manifests = Manifest::parse_all(PODS).unwrap();
        client.apply(&cluster(), manifests, ApplyOptions::default()).await.map(drop)
    }
    .boxed()
}

/// Every operation that changes something where nothing was done yet; detach finds a grant that is put there.
const WRITING: [(&str, Operation); 5] =
    [("attach", attach), ("detach", detach), ("create_registry", create), ("import_image", import), ("apply", apply)];

fn azure() -> Emulator {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    azure.with_image("docker.io/library/nginx:latest", &["linux/amd64"])
}

fn prepare(azure: &Emulator, operation: &str) -> RegistryRef {
    let registry = azure.registry_id("group", "myregistry");
    if operation == "detach" {
        azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &registry);
    }
    registry.parse().unwrap()
}

/// What the client sent that may change something, by its method: tokens and kubeconfigs are asked for by POST.
fn sent(azure: &Emulator) -> Vec<Request> {
    let is_meant = |one: &Request| {
        one.from == From::Client
            && !matches!(one.method.as_str(), "GET" | "HEAD")
            && !one.path.contains("/oauth2/")
            && !one.path.ends_with("/listClusterUserCredential")
    };
    azure.requests().into_iter().filter(is_meant).collect()
}

#[tokio::test(start_paused = true)]
async fn a_read_only_client_sends_no_write_and_says_so() {
    for (name, operation) in WRITING {
        let azure = azure();
        let registry = prepare(&azure, name);
        let client = client_of(&azure, aks_acr::ClientBuilder::read_only);
        let err = operation(&client, &registry).await.unwrap_err();
        assert_eq!((err.kind(), err.refusal()), (ErrorKind::Forbidden, Some(RefusalKind::ReadOnlyClient)), "{name}");
        assert_eq!(sent(&azure), [], "{name}");
    }
}

/// All that is missing is written to Microsoft Graph, and into the cluster.
#[tokio::test(start_paused = true)]
async fn a_read_only_client_writes_neither_to_the_directory_nor_a_pull_secret_nor_a_mode() {
    let azure = azure().with_graph_rights("owner").with_entra_group("pullers");
    let owner = client_of(&azure, |builder| builder);
    let options = KubeletIdentityOptions::default();
    let plan = owner.plan_kubelet_identity("group", "kubelet", options.clone()).await.unwrap();
    owner.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await.unwrap();
    let options = options.with_entra_group("pullers");
    let before = sent(&azure).len();
    let client = client_of(&azure, aks_acr::ClientBuilder::read_only);
    let plan = client.plan_kubelet_identity("group", "kubelet", options).await.unwrap();
    let joined = client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await.map(drop);
    let credentials = || vec![RegistryCredential::new("ghcr.io", "robot", Secret::new("not-to-be-written"))];
    let plan = client.plan_pull_secret(&cluster(), "ghcr", credentials(), PullSecretOptions::default()).await.unwrap();
    let written = client.apply_pull_secret(&plan, credentials(), ApplyPullSecretOptions::default()).await.map(drop);
    let mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let plan =
        client.plan_mode_change(&"myregistry".parse().unwrap(), mode, ModeChangeOptions::default()).await.unwrap();
    let changed = client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await.map(drop);
    for err in [joined.unwrap_err(), written.unwrap_err(), changed.unwrap_err()] {
        assert_eq!((err.kind(), err.refusal()), (ErrorKind::Forbidden, Some(RefusalKind::ReadOnlyClient)), "{err:#}");
    }
    let later = &sent(&azure)[before..];
    // Memberships are read by POST.
    assert!(later.iter().all(|one| one.path.ends_with("/checkMemberGroups")), "{later:?}");
}

#[tokio::test(start_paused = true)]
async fn a_read_only_client_does_all_that_only_reads() {
    let azure = azure();
    let registry = prepare(&azure, "detach");
    let client = client_of(&azure, aks_acr::ClientBuilder::read_only);
    let again = client.attach(&cluster(), &registry, AttachOptions::default()).await.unwrap();
    assert_eq!(again.outcome, aks_acr::AttachOutcome::AlreadyGranted);
    client.plan_detach(&cluster(), &registry, DetachOptions::default()).await.unwrap();
    client.attachments_of_cluster(&cluster(), AttachmentsOptions::default()).await.unwrap();
    client.attachments_of_registry(&registry, AttachmentsOptions::default()).await.unwrap();
    client.kubeconfig(&cluster(), KubeconfigOptions::default()).await.unwrap();
    client.pods(&cluster(), &PodSelection::default(), CallOptions::default()).await.unwrap();
    let dry = ApplyOptions::default().with_dry_run(true);
    client.apply(&cluster(), Manifest::parse_all(PODS).unwrap(), dry).await.unwrap();
    let patches: Vec<Request> = sent(&azure);
    assert!(patches.iter().all(|one| one.method == "PATCH"), "only the dry run: {patches:?}");
    assert_eq!(patches.len(), 1);
}

/// A client whose hook keeps what it sees, and rejects it if it is set to.
fn seeing(azure: &Emulator, refuses: bool) -> (Client, Arc<Mutex<Vec<Write>>>) {
    let seen: Arc<Mutex<Vec<Write>>> = Arc::default();
    let kept = seen.clone();
    let hook = move |write: &Write| {
        kept.lock().unwrap().push(write.clone());
        if refuses { Err("not today".to_owned()) } else { Ok(()) }
    };
    (client_of(azure, |builder| builder.on_write(hook)), seen)
}

#[tokio::test(start_paused = true)]
async fn every_write_is_seen_before_it_is_sent_once_and_without_its_secrets() {
    for (name, operation) in WRITING {
        let azure = azure();
        let registry = prepare(&azure, name);
        let (client, seen) = seeing(&azure, false);
        operation(&client, &registry).await.unwrap();
        let (seen, sent) = (seen.lock().unwrap(), sent(&azure));
        assert_eq!(seen.len(), sent.len(), "{name}");
        for (seen, sent) in seen.iter().zip(&sent) {
            assert_eq!(seen.method, sent.method);
            assert!(seen.target.ends_with(&sent.path), "{} {}", seen.target, sent.path);
            assert!(!serde_json::to_string(seen).unwrap().contains("hunter2"));
            assert_eq!(seen.action.is_none(), seen.service == WriteService::Kubernetes);
            assert!(!seen.step.is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_the_hook_says_no_to_is_not_sent() {
    for (name, operation) in WRITING {
        let azure = azure();
        let registry = prepare(&azure, name);
        let (client, seen) = seeing(&azure, true);
        let err = operation(&client, &registry).await.unwrap_err();
        assert_eq!((err.kind(), err.refusal()), (ErrorKind::Forbidden, Some(RefusalKind::WriteHook)), "{name}");
        assert!(err.to_string().contains("not today"), "{err}");
        assert_eq!((sent(&azure), seen.lock().unwrap().len()), (Vec::new(), 1), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_tried_again_is_seen_once() {
    let azure = azure();
    let registry = prepare(&azure, "attach");
    azure.fault(Fault::on("PUT", "/roleAssignments/").status(503).times(3));
    let (client, seen) = seeing(&azure, false);
    attach(&client, &registry).await.unwrap();
    assert_eq!((seen.lock().unwrap().len(), sent(&azure).len()), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn no_token_is_asked_for_a_write_that_must_not_be_sent() {
    let scene = Scene::new();
    let client = client_of(&scene.azure, aks_acr::ClientBuilder::read_only);
    let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/x", scene.azure.registry_id("group", "r"));
    let call = CallOptions::default().start(std::time::Duration::from_secs(60));
    let err = client.role_assigner().revoke(&id, &call).await.unwrap_err();
    assert_eq!((err.refusal(), scene.azure.requests()), (Some(RefusalKind::ReadOnlyClient), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn each_write_is_told_with_the_id_by_which_azures_log_knows_it() {
    let azure = azure();
    let registry = prepare(&azure, "attach");
    let client = client_of(&azure, |builder| builder);
    let attachment = client.attach(&cluster(), &registry, AttachOptions::default()).await.unwrap();
    let detachment = client.detach(&cluster(), &registry, DetachOptions::default()).await.unwrap();
    let created = client.create_registry("group", "another", CreateRegistryOptions::default()).await.unwrap();
    let options = || ImportOptions::default().with_target("nginx:v1");
    let import = client.import_image(&registry, &"nginx".parse().unwrap(), options()).await.unwrap();
    let told = [
        &attachment.correlation_id,
        &detachment.removed[0].correlation_id,
        &created.correlation_id,
        &import.correlation_id,
    ];
    let told: std::collections::HashSet<&str> = told.iter().map(|id| id.as_deref().unwrap()).collect();
    assert_eq!(told.len(), 4, "each is of its own write");
    let again = client.import_image(&registry, &"nginx".parse().unwrap(), options()).await.unwrap();
    assert_eq!((again.is_new, again.correlation_id), (false, None));
}

#[tokio::test(start_paused = true)]
async fn a_failed_operation_is_told_with_the_id_of_the_request_that_began_it() {
    let azure = azure();
    let registry = prepare(&azure, "attach");
    let call = CallOptions::default().start(std::time::Duration::from_secs(600));
    let found =
        client_of(&azure, |builder| builder).registry(&registry, CallOptions::default()).await.unwrap().unwrap();
    let client = client_of(&azure, |builder| builder);
    let request = aks_acr::ImportRequest::new("docker.io/library/nginx:latest".parse().unwrap(), "nginx:v1");
    let mut handle = client.registry_importer().start_import(&found, &request, &call).await.unwrap();
    let failed = serde_json::json!({"status": "Failed", "error": {"code": "C", "message": "m"}});
    azure.fault(Fault::on("GET", "operationStatuses").status(200).body(failed.clone()));
    azure.fault(Fault::on("GET", "operationResults").status(200).body(failed));
    let err = client.registry_importer().poll_import(&mut handle, &call).await.unwrap_err();
    assert_eq!((err.kind(), err.correlation_id()), (ErrorKind::OperationFailed, handle.correlation_id.as_deref()));
    assert!(err.correlation_id().is_some());
}
