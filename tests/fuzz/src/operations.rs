//! Every operation of the library, each in a scene of its own, without any time passing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aks_acr::{
    ApplyAttachOptions, ApplyDetachOptions, ApplyOptions, AttachOptions, AttachmentsOptions, CallOptions, Client,
    ClusterRef, CreateClusterOptions, CreateRegistryOptions, WorkloadRef, DetachOptions, Error, OnExistingTag,
    ImageReference, ImportItem, ImportManyOptions, ImportOptions, KubeconfigOptions, Manifest, PodSelection,
    RegistryRef, Result, RolloutOptions, SshKey, StartedImport,
};
use aks_acr_emulator::{Emulator, Timing};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::answers::Recorded;
use crate::{Answer, Door, Script, Source};

/// How many there are.
pub const COUNT: u8 = 20;

/// How long each may take.
const DEADLINE: Duration = Duration::from_secs(10 * 60);
/// An answer takes a tenth of a second, and a call asks at most eight things at once.
const MOST_REQUESTS: usize = 8 * 10 * 60 * 10;

const SUBSCRIPTION: &str = "2610ec15-0868-5475-814e-6fbb10da7636";
const MANIFESTS: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  \
    selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    \
    spec: {containers: [{name: web, image: <acr-name>.azurecr.io/app:1}]}\n---\n\
    {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}\n";
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me";

/// Good answers of every operation.
pub struct Held {
    runtime: Runtime,
    good: Vec<(Arc<Recorded>, Vec<Answer>)>,
}

impl Held {
    /// Runs each operation once, and keeps what the emulator answers.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let record = |operation: u8| {
            runtime.block_on(async {
                let source = Source::emulator(scene());
                let done = drive(operation, source.clone()).await;
                assert!(done.is_ok(), "operation {operation} of a good scene: {done:?}");
                let (recorded, all) = source.recorded();
                (Arc::new(recorded), all)
            })
        };
        let good = (0..COUNT).map(record).collect();
        Self { runtime, good }
    }

    /// The answers to an operation, one after another.
    pub fn answers(&self, operation: u8) -> &[Answer] {
        self.good.get(usize::from(operation)).map_or(&[], |(_, all)| all)
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs an operation with the answers of an input. It ends well or with an error, in time and after a bounded number of requests.
pub fn run(held: &Held, data: &[u8], script: fn(&[u8], bool, Arc<Recorded>) -> Script) {
    let Some((first, rest)) = data.split_first() else { return };
    let (operation, repeats) = (first % 32 % COUNT, first & 0x80 != 0);
    let good = held.good[usize::from(operation)].0.clone();
    let script = Arc::new(Mutex::new(script(rest, repeats, good)));
    let (result, took) = held.runtime.block_on(async {
        let begun = Instant::now();
        let result = drive(operation, Source::Script(script.clone())).await;
        (result, begun.elapsed())
    });
    if let Err(err) = result {
        // Somebody will show it, and somebody will log it.
        let (plain, whole, debug) = (err.to_string(), format!("{err:#}"), format!("{err:?}"));
        assert!(!plain.is_empty() && whole.starts_with(&plain) && !debug.is_empty());
        assert!(!whole.contains(char::is_control), "an error is one line: {whole:?}");
        assert!(![&whole, &debug].iter().any(|text| text.contains("top-secret")), "a secret is shown: {whole}");
    }
    let requests = script.lock().expect("no panic").requests();
    assert!(requests <= MOST_REQUESTS, "operation {operation} asked {requests} times");
    // A step that has ended when the deadline comes is told of, which takes no time.
    assert!(took <= 2 * DEADLINE + Duration::from_secs(1), "operation {operation} took {took:?}");
}

fn scene() -> Emulator {
    let azure = Emulator::new()
        .with_cluster("group", "dev")
        .with_registry("group", "myregistry")
        .with_image("myregistry.azurecr.io/app:1", &["linux/amd64"])
        .with_image("docker.io/library/nginx:latest", &["linux/amd64"])
        .with_graph_rights("owner");
    azure.set_timing(Timing::typical());
    let dev = azure.kubelet_object_id("group", "dev");
    azure.grant("AcrPull", &dev, &azure.registry_id("group", "myregistry"));
    azure
}

fn client(source: Source) -> Result<Client> {
    let door = Door(source);
    let (client, secret) = match &door.0 {
        Source::Emulator(azure, _) => azure.client_secret_of("owner"),
        Source::Script(_) => (SUBSCRIPTION.to_owned(), "top-secret".to_owned()),
    };
    let tenant = match &door.0 {
        Source::Emulator(azure, _) => azure.tenant().to_owned(),
        Source::Script(_) => SUBSCRIPTION.to_owned(),
    };
    let lookup = move |name: &str| match name {
        "AZURE_TOKEN_CREDENTIALS" => Some("EnvironmentCredential".to_owned()),
        "AZURE_TENANT_ID" => Some(tenant.clone()),
        "AZURE_CLIENT_ID" => Some(client.clone()),
        "AZURE_CLIENT_SECRET" => Some(secret.clone()),
        _ => None,
    };
    let builder = Client::builder_with_default_credential(SUBSCRIPTION).environment(lookup);
    builder.transport(Arc::new(door.clone())).kubernetes(door).build()
}

async fn drive(operation: u8, source: Source) -> Result<()> {
    let client = client(source)?;
    let cluster = ClusterRef::new("group", "dev")?;
    let registry: RegistryRef = "myregistry".parse()?;
    let image: ImageReference = "nginx".parse()?;
    let call = || {
        CallOptions::default().with_deadline(DEADLINE).with_progress(|event: aks_acr::Event| {
            drop(event.to_string());
        })
    };
    let (attach, detach) = (AttachOptions::default().with_call(call()), DetachOptions::default().with_call(call()));
    let import = ImportOptions::default().with_call(call());
    let attachments = AttachmentsOptions::default().with_call(call());
    match operation {
        0 => seen(client.identities(&cluster, call()).await),
        1 => seen(client.attach(&cluster, &registry, attach).await),
        2 => seen(client.plan_attach(&cluster, &registry, attach).await),
        3 => {
            let plan = client.plan_attach(&cluster, &registry, attach).await?;
            let stored = serde_json::to_string(&plan).expect("a plan can be stored");
            assert_eq!(serde_json::from_str::<aks_acr::AttachPlan>(&stored).expect("and read again"), plan);
            seen(client.apply_attach(&plan, ApplyAttachOptions::default().with_call(call())).await)
        }
        4 => seen(client.detach(&cluster, &registry, detach).await),
        5 => seen(client.plan_detach(&cluster, &registry, detach).await),
        6 => {
            let plan = client.plan_detach(&cluster, &registry, detach).await?;
            let stored = serde_json::to_string(&plan).expect("a plan can be stored");
            assert_eq!(serde_json::from_str::<aks_acr::DetachPlan>(&stored).expect("and read again"), plan);
            seen(client.apply_detach(&plan, ApplyDetachOptions::default().with_call(call())).await)
        }
        7 => seen(client.attachments_of_cluster(&cluster, attachments).await),
        8 => seen(client.attachments_of_registry(&registry, attachments.with_query_graph(true)).await),
        9 => seen(client.registry(&registry, call()).await),
        10 => {
            let options = CreateRegistryOptions::default().with_call(call());
            seen(client.create_registry("group", "another", options).await)
        }
        11 => {
            let key = SshKey::Public(PUBLIC_KEY.to_owned());
            let options = CreateClusterOptions::default().with_registry(registry).with_ssh_key(key);
            let new = ClusterRef::new("group", "new")?;
            seen(client.create_cluster(&new, options.with_call(call())).await)
        }
        12 => seen(client.import_image(&registry, &image, import.with_existing(OnExistingTag::Keep)).await),
        13 => {
            let one = |text: &str| Ok::<_, Error>(ImportItem::new(text.parse()?, ImportOptions::default()));
            let items = vec![one("nginx")?, one("myregistry.azurecr.io/app:1")?];
            let many = ImportManyOptions::default().with_call(call());
            for imported in client.import_images(&registry, items, many).await? {
                drop(seen(imported));
            }
            Ok(())
        }
        14 => seen(client.start_import(&registry, &image, import).await),
        15 => {
            let started = client.start_import(&registry, &image, import).await?;
            let StartedImport::Started { mut handle } = started else { return Ok(()) };
            let stored = serde_json::to_string(&handle).expect("a handle can be stored");
            drop(serde_json::from_str::<aks_acr::ImportHandle>(&stored).expect("and read again"));
            for _ in 0..20 {
                let status = client.poll_import(&mut handle, call()).await?;
                drop(format!("{status:?}"));
                tokio::time::sleep(handle.asked_wait().unwrap_or(Duration::from_secs(10)).min(DEADLINE / 40)).await;
            }
            Ok(())
        }
        16 => {
            let options = KubeconfigOptions::default().with_call(call());
            seen(client.kubeconfig(&cluster, options.with_context("here")).await)
        }
        17 => {
            let manifests = Manifest::parse_all(MANIFESTS)?;
            let options = ApplyOptions::default().with_registry(registry).with_call(call());
            seen(client.apply(&cluster, manifests, options).await)
        }
        18 => {
            let manifests = Manifest::parse_all(MANIFESTS)?;
            let options = ApplyOptions::default().with_registry(registry).with_call(call());
            client.apply(&cluster, manifests, options).await?;
            let options = RolloutOptions::default().with_call(call());
            seen(client.wait_for_rollout(&cluster, &WorkloadRef::new("web"), options).await)
        }
        _ => seen(client.pods(&cluster, &PodSelection::default(), call()).await),
    }
}

/// Somebody will log it.
fn seen<T: std::fmt::Debug>(result: Result<T>) -> Result<()> {
    result.map(|value| drop(format!("{value:?}")))
}
