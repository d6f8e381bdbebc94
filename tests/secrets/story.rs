//! Every operation, and everything that its result or its error can be asked to show.

use crate::{detector::Secrets, heard};
use aks_acr::{
    Access, ApplyModeChangeOptions, ApplyOptions, ApplyPullSecretOptions, AttachOptions, AttachmentsOptions,
    CallOptions, Client, ClusterRef, CreateClusterOptions, CreateRegistryOptions, DetachOptions, EndpointsOptions,
    Error, ExplainOptions, ExplainTarget, GrantAccessOptions, ImportCredentials, ImportItem, ImportManyOptions,
    ImportOptions, KubeconfigOptions, Manifest, MergeKubeconfigOptions, ModeChangeOptions, PodSelection,
    ProvePullOptions, PullSecretOptions, RegistryCredential, RegistryRef, RevokeAccessOptions, RoleAssignmentMode,
    RolloutOptions, SshKey, StartedImport, UpdateRegistryOptions, WorkloadRef,
};
use aks_acr_tests::folder::Folder;
use azure_core::credentials::Secret;
use futures::FutureExt as _;
use serde::Serialize;
use std::{
    error::Error as _,
    fmt::Debug,
    fmt::Write as _,
    fs::{self, Permissions},
    future::Future,
    os::unix::fs::PermissionsExt as _,
    panic::AssertUnwindSafe,
    path::Path,
    sync::OnceLock,
    time::Duration,
};

/// The SSH key pair that the first run makes; the others find it there, since making one takes long.
static MADE: OnceLock<(String, String)> = OnceLock::new();

/// An object with a secret, and a deployment.
const OBJECTS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {password: secret-of-a-manifest}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: <acr-name>.azurecr.io/nginx:v1}]}
";

/// How the operations ended.
#[derive(Default)]
pub struct Ends {
    pub done: usize,
    pub failed: usize,
    pub panicked: usize,
}

impl Ends {
    /// Waits for an operation and lets everything be shown of its end.
    pub async fn of<T: Debug>(&mut self, name: &str, work: impl Future<Output = Result<T, Error>>) -> Option<T> {
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(value)) => {
                self.done += 1;
                heard::add(&format!("RESULT {name} {value:?} {value:#?}"));
                Some(value)
            }
            Ok(Err(err)) => {
                self.failed += 1;
                show(name, &err);
                None
            }
            Err(_) => {
                self.panicked += 1;
                None
            }
        }
    }

    /// The same for one whose result has a JSON form that is no secret.
    async fn json<T: Debug + Serialize>(&mut self, name: &str, work: impl Future<Output = Result<T, Error>>) {
        if let Some(value) = self.of(name, work).await {
            heard::add(&format!("JSON {name} {}", serde_json::to_string(&value).unwrap()));
        }
    }
}

pub fn show(name: &str, err: &Error) {
    let mut text = format!("ERROR {name} {err} {err:#} {err:?} {err:#?} {:?}", err.service());
    for fact in err.context() {
        write!(text, " {fact:?}").unwrap();
    }
    let mut next = err.source();
    while let Some(source) = next {
        write!(text, " BEHIND {source} {source:?}").unwrap();
        next = source.source();
    }
    heard::add(&text);
}

/// Does all there is to do, and shows what can be shown.
pub async fn everything(client: &Client, secrets: &Secrets) -> Ends {
    let mut ends = Ends::default();
    let folder = Folder::new();
    heard::add(&format!("CLIENT {client:?} {client:#?}"));
    let (cluster, registry) = (ClusterRef::new("group", "dev").unwrap(), "myregistry".parse::<RegistryRef>().unwrap());
    let call = || {
        CallOptions::default()
            .with_deadline(Duration::from_secs(120))
            .with_progress(|event| heard::add(&format!("PROGRESS {event} {event:?}")))
    };

    let key = folder.join("id_rsa");
    if let Some((private, public)) = MADE.get() {
        fs::write(&key, private).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        fs::write(folder.join("id_rsa.pub"), public).unwrap();
    }
    let options = CreateClusterOptions::default().with_registry(registry.clone()).with_node_count(1);
    let options = options.with_ssh_key(SshKey::Pair(key.clone())).with_call(call());
    heard::add(&format!("OPTIONS {options:?}"));
    let created = CreateRegistryOptions::default().with_call(call());
    ends.json("create_registry", client.create_registry("group", "another", created)).await;
    ends.json("create_cluster", client.create_cluster(&ClusterRef::new("group", "made").unwrap(), options)).await;
    if let Ok(pem) = fs::read_to_string(&key) {
        secrets.add_pem("a private SSH key", &pem);
        assert_eq!(mode(&key), 0o600);
        let _ = MADE.set((pem, fs::read_to_string(folder.join("id_rsa.pub")).unwrap()));
    }

    let options = UpdateRegistryOptions::default().with_tag("team", Some("web")).with_call(call());
    ends.json("update_registry", client.update_registry(&registry, options)).await;
    ends.json("identities", client.identities(&cluster, call())).await;
    ends.json("registry", client.registry(&registry, call())).await;
    if let Some(token) = ends.of("registry_token", client.registry_token(&registry, call())).await {
        heard::add(&format!("TOKEN {token}"));
        secrets.add_token("a registry's token", token.password.secret());
    }
    ends.json("plan_attach", client.plan_attach(&cluster, &registry, AttachOptions::default().with_call(call()))).await;
    ends.json("attach", client.attach(&cluster, &registry, AttachOptions::default().with_call(call()))).await;
    import(client, secrets, &mut ends, &registry, &call).await;

    for access in [Access::User, Access::Admin] {
        let options = KubeconfigOptions::default().with_access(access).with_call(call());
        if let Some(kubeconfig) = ends.of("kubeconfig", client.kubeconfig(&cluster, options)).await {
            secrets.add_kubeconfig(kubeconfig.text());
        }
    }
    let file = folder.join("config");
    let options = MergeKubeconfigOptions::default().with_file(&file).with_call(call());
    ends.json("merge_kubeconfig", client.merge_kubeconfig(&cluster, options)).await;
    if file.exists() {
        assert_eq!(mode(&file), 0o600);
    }

    secrets.add("a secret in a manifest", "secret-of-a-manifest");
    let manifests = Manifest::parse_all(OBJECTS).unwrap();
    let options = ApplyOptions::default().with_registry(registry.clone()).with_call(call());
    heard::add(&format!("OPTIONS {options:?} {manifests:?}"));
    ends.json("apply", client.apply(&cluster, manifests, options)).await;
    secrets.add("the password of a pull secret", "secret-of-an-outside-registry");
    let credentials =
        || vec![RegistryCredential::new("ghcr.io", "robot", Secret::new("secret-of-an-outside-registry"))];
    let options = PullSecretOptions::default().with_call(call());
    heard::add(&format!("OPTIONS {options:?} {:?}", credentials()));
    // With JSON of its own: the plan is also what is applied.
    let planned = ends.of("plan_pull_secret", client.plan_pull_secret(&cluster, "ghcr", credentials(), options)).await;
    if let Some(plan) = &planned {
        heard::add(&format!("JSON plan_pull_secret {}", serde_json::to_string(plan).unwrap()));
        let options = ApplyPullSecretOptions::default().with_call(call());
        ends.json("apply_pull_secret", client.apply_pull_secret(plan, credentials(), options)).await;
    }
    let options = RolloutOptions::default().with_call(call());
    ends.json("wait_for_rollout", client.wait_for_rollout(&cluster, &WorkloadRef::new("web"), options)).await;
    ends.json("pods", client.pods(&cluster, &PodSelection::default(), call())).await;
    let options = ExplainOptions::default().with_call(call());
    ends.json("explain", client.explain(&cluster, &ExplainTarget::Pods, options)).await;

    let options = EndpointsOptions::default().with_cluster(cluster.clone()).with_call(call());
    ends.json("endpoints", client.endpoints(&registry, options)).await;
    ends.json("node_identities", client.node_identities(&cluster, call())).await;
    let image = "myregistry.azurecr.io/nginx:v1".parse().unwrap();
    let options = ProvePullOptions::default().with_call(call());
    ends.json("prove_pull", client.prove_pull(&cluster, &image, options)).await;

    let options = || AttachmentsOptions::default().with_call(call());
    ends.json("attachments_of_cluster", client.attachments_of_cluster(&cluster, options())).await;
    ends.json("attachments_of_registry", client.attachments_of_registry(&registry, options())).await;
    let pipeline = "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50".parse().unwrap();
    let options = GrantAccessOptions::default().with_call(call());
    ends.json("grant_access", client.grant_access(&registry, &pipeline, options)).await;
    let options = RevokeAccessOptions::default().with_principal_id(pipeline).with_call(call());
    ends.json("revoke_access", client.revoke_access(&registry, options)).await;
    let (mode, options) =
        (RoleAssignmentMode::AbacRepositoryPermissions, ModeChangeOptions::default().with_call(call()));
    let planned = client.plan_mode_change(&registry, mode, options);
    if let Some(plan) = &ends.of("plan_mode_change", planned).await {
        heard::add(&format!("JSON plan_mode_change {}", serde_json::to_string(plan).unwrap()));
        let options = ApplyModeChangeOptions::default().with_propagation_time(Duration::ZERO).with_call(call());
        ends.json("apply_mode_change", client.apply_mode_change(plan, options.clone())).await;
        ends.json("apply_mode_change", client.apply_mode_change(plan, options.with_reverse(true))).await;
    }
    ends.json("detach", client.detach(&cluster, &registry, DetachOptions::default().with_call(call()))).await;
    ends
}

/// Imports, plain and with each form of credentials, which the source refuses.
async fn import(
    client: &Client,
    secrets: &Secrets,
    ends: &mut Ends,
    registry: &RegistryRef,
    call: &impl Fn() -> CallOptions,
) {
    let source = "nginx".parse().unwrap();
    let options = ImportOptions::default().with_target("nginx:v1").with_call(call());
    ends.json("import_image", client.import_image(registry, &source, options)).await;
    let (password, token) =
        ("password-of-the-source", "eyJhIjoibm9uZSJ9.eyJ0b2tlbiI6Im9mIHRoZSBzb3VyY2UifQ.bm90aGluZw");
    secrets.add("the password of a source", password);
    secrets.add_token("the token of a source", token);
    for credentials in
        [ImportCredentials::user("reader", Secret::new(password)), ImportCredentials::token(Secret::new(token))]
    {
        let options = ImportOptions::default().with_target("nginx:v2").with_credentials(credentials).with_call(call());
        heard::add(&format!("OPTIONS {options:?}"));
        let item = ImportItem::new(source.clone(), options.clone());
        ends.of("import_images", client.import_images(registry, vec![item], ImportManyOptions::default())).await;
        let started = ends.of("start_import", client.start_import(registry, &source, options)).await;
        if let Some(StartedImport::Started { mut handle }) = started {
            ends.json("poll_import", client.poll_import(&mut handle, call())).await;
            heard::add(&format!("HANDLE {handle:?}"));
        }
    }
}

pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
