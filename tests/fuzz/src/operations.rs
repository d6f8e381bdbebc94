//! Every operation of the library, each in its own scene, without any time passing.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use aks_acr::{CallOptions, Client, ImportHandle, Operation, Result};
use aks_acr_emulator::{Emulator, Timing};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::answers::Recorded;
use crate::operate::{Scene, operate};
use crate::{Answer, Door, Script, Source};

/// All operations that write no file. The first byte of an input is an index of this list.
const OPERATIONS: [Operation; COUNT as usize] = {
    let (mut list, mut at, mut from) = ([Operation::Identities; COUNT as usize], 0, 0);
    while from < Operation::ALL.len() {
        if !matches!(Operation::ALL[from], Operation::MergeKubeconfig) {
            list[at] = Operation::ALL[from];
            at += 1;
        }
        from += 1;
    }
    list
};
/// How many there are.
#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 256")]
pub const COUNT: u8 = (Operation::ALL.len() - 1) as u8;

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
        // The caller will show it and log it.
        let (plain, whole, debug) = (err.to_string(), format!("{err:#}"), format!("{err:?}"));
        assert!(!plain.is_empty() && whole.starts_with(&plain) && !debug.is_empty());
        assert!(!whole.contains(char::is_control), "an error is one line: {whole:?}");
        assert!(![&whole, &debug].iter().any(|text| text.contains("top-secret")), "a secret is shown: {whole}");
    }
    let requests = script.lock().expect("no panic").requests();
    assert!(requests <= MOST_REQUESTS, "operation {operation} asked {requests} times");
    // A step that has ended when the deadline comes is reported, which takes no time.
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
    let call = || {
        CallOptions::default().with_deadline(DEADLINE).with_progress(|event: aks_acr::Event| {
            drop(event.to_string());
        })
    };
    let operation = OPERATIONS[usize::from(operation)];
    let scene = Scene {
        cluster: "group/dev",
        registry: "myregistry",
        manifests: MANIFESTS,
        // No operation here writes files.
        folder: Path::new("unused"),
        target: None,
    };
    let arguments = match operation {
        Operation::WaitForRollout => {
            operate(&client, Operation::Apply, scene.arguments(Operation::Apply).with("registry", "myregistry"), call()).await?;
            scene.arguments(operation)
        }
        Operation::PollImport => return poll(&client, scene, call).await,
        _ => scene.prepared(&client, operation).await?,
    };
    let arguments = match operation {
        Operation::AttachmentsOfRegistry => arguments.with("query_graph", true),
        Operation::CreateCluster => arguments.with("ssh_key", PUBLIC_KEY),
        Operation::Apply => arguments.with("registry", "myregistry"),
        // Its roles would be waited for as long as a whole call may take.
        Operation::ApplyModeChange => arguments.with("propagation_time", 0),
        Operation::Kubeconfig => arguments.with("context", "here"),
        _ => arguments,
    };
    operate(&client, operation, arguments, call()).await.map(drop)
}

/// Polls an import, as a program does that keeps the handle.
async fn poll(client: &Client, scene: Scene<'_>, call: impl Fn() -> CallOptions) -> Result<()> {
    let started = operate(client, Operation::StartImport, scene.arguments(Operation::StartImport), call()).await?;
    let Some(handle) = started.get("handle") else { return Ok(()) };
    let mut handle: ImportHandle = serde_json::from_value(handle.clone()).expect("a stored handle can be read");
    for _ in 0..20 {
        let status = client.poll_import(&mut handle, call()).await?;
        drop(format!("{status:?}"));
        tokio::time::sleep(handle.asked_wait().unwrap_or(Duration::from_secs(10)).min(DEADLINE / 40)).await;
    }
    Ok(())
}
