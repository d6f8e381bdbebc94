//! The story: create a registry and a cluster, import an image, see the deployment fail to pull, attach the registry, see it run;
//! on the emulator, detach it again and see the next pod fail.

use crate::screen::Screen;
use crate::stage::Stage;
use aks_acr::{
    ApplyOptions, AttachOptions, CallOptions, CreateClusterOptions, CreateRegistryOptions, DetachOptions, Difference,
    Error, ErrorKind, ImportOptions, Manifest, PodSelection, Pods, RegistryRef, Result, RolloutOptions, WorkloadRef,
};
use std::time::Duration;

const MANIFEST: &str = include_str!("../../acr-nginx.yaml");

/// When the registry is attached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Attach {
    /// When the cluster is created, so that no pull fails.
    AtCreation,
    /// After a pull has failed without it.
    Later,
    /// Never: the story fails because the pods cannot pull.
    Never,
}

/// Runs the story and returns the pods at its end.
pub async fn tell(stage: &Stage, screen: &Screen, when: Attach) -> Result<Pods> {
    let client = &stage.client;
    let call = || CallOptions::default().with_progress(screen.progress());

    let created = client.create_registry(
        &stage.registry_group,
        &stage.registry,
        CreateRegistryOptions::default().with_call(call()),
    );
    let created = created.await?;
    let (registry, made) = (&created.registry, (created.is_new, &created.differences[..]));
    let removal = format!("az acr delete -g {} -n {}", stage.registry_group, stage.registry);
    let facts = format!("{}  {}  {}", registry.login_server, registry.sku, registry.mode.as_str());
    screen.line("registry", format!("{facts}  {}", how_it_came(made, &removal)));
    let registry_ref = RegistryRef::from(registry);

    // Nodes cost money, and one is enough. An existing cluster is not changed.
    let mut options = CreateClusterOptions::default().with_node_count(1).with_call(call());
    if when == Attach::AtCreation {
        options = options.with_registry(registry_ref.clone());
    }
    let created = client.create_cluster(&stage.cluster, options).await?;
    let (cluster, made) = (&created.cluster, (created.is_new, &created.differences[..]));
    let removal = format!("az aks delete -g {} -n {}", stage.cluster.group(), stage.cluster.name());
    let facts = format!("{}  Kubernetes {}  {}", cluster.id.name(), cluster.kubernetes_version, cluster.state);
    screen.line("cluster", format!("{facts}  {}", how_it_came(made, &removal)));
    for attachment in &created.attachments {
        screen.line("attached", format!("{:?}  {}", attachment.outcome, attachment.role));
    }

    let options = ImportOptions::default().with_target("nginx:v1").with_call(call());
    let import = client.import_image(&registry_ref, &stage.source, options).await?;
    screen.line("import", format!("{}  {}", import.target, import.proof));

    let options = ApplyOptions::default().with_registry(registry_ref.clone()).with_call(call());
    for applied in client.apply(&stage.cluster, Manifest::parse_all(MANIFEST)?, options).await? {
        screen.line("deploy", format!("{applied} applied"));
    }

    // On Azure the registry may already be attached; then the pods run immediately.
    let deployment = WorkloadRef::new("nginx0-deployment");
    match client.wait_for_rollout(&stage.cluster, &deployment, RolloutOptions::default().with_call(call())).await {
        Ok(done) => screen.line("rollout", format!("{}/{} ready", done.ready, done.wanted)),
        Err(err) if err.kind() == ErrorKind::PullFailed => screen.line("rollout", pull_failed(&err)),
        Err(err) => return Err(err),
    }

    let mark = stage.mark();
    let plan = stage.reader.plan_attach(&stage.cluster, &registry_ref, AttachOptions::default()).await?;
    screen.line("plan", format!("{plan}  (read rights suffice; {})", stage.requests_since(mark)));

    if stage.has_reader() && when != Attach::AtCreation {
        let mark = stage.mark();
        if let Err(err) = stage.reader.attach(&stage.cluster, &registry_ref, AttachOptions::default()).await {
            screen.line("refused", format!("{}  ({})", refusal(&err), stage.refusals_since(mark)));
        }
    }

    if when != Attach::Never {
        for step in ["attach", "again"] {
            let mark = stage.mark();
            let attachment =
                client.attach(&stage.cluster, &registry_ref, AttachOptions::default().with_call(call())).await?;
            screen
                .line(step, format!("{:?}  {}  ({})", attachment.outcome, attachment.role, stage.requests_since(mark)));
        }
    }
    screen.line("cluster", stage.cluster_writes());

    let done =
        client.wait_for_rollout(&stage.cluster, &deployment, RolloutOptions::default().with_call(call())).await?;
    screen.line("rollout", format!("{}/{} ready", done.ready, done.wanted));
    client.pods(&stage.cluster, &PodSelection::default().with_labels("app=nginx0"), CallOptions::default()).await
}

/// Removes the grant and requests a new pod, which cannot pull; running pods continue. Only on the emulator: a node
/// caches its credential for an hour, and the emulator's clock skips it.
pub async fn undo(stage: &Stage, screen: &Screen) -> Result<Pods, Box<dyn std::error::Error>> {
    let (client, registry) = (&stage.client, stage.registry.parse::<RegistryRef>()?);
    for step in ["detach", "again"] {
        let mark = stage.mark();
        let detachment = client.detach(&stage.cluster, &registry, DetachOptions::default()).await?;
        let remaining = format!("{} other grants remain", detachment.remaining.len());
        screen.line(step, format!("{}  {remaining}  ({})", detachment.outcome, stage.requests_since(mark)));
    }
    // A node uses its cached credential for up to an hour; this advances the emulator's clock past that.
    tokio::time::sleep(Duration::from_secs(61 * 60)).await;
    screen.line("clock", "61 minutes later; requests a new pod");
    // Without this a node would start its cached image.
    let manifest = MANIFEST.replace("- name: nginx", "- imagePullPolicy: Always\n          name: nginx");
    let options = ApplyOptions::default().with_registry(registry);
    client.apply(&stage.cluster, Manifest::parse_all(&manifest)?, options).await?;
    match client
        .wait_for_rollout(&stage.cluster, &WorkloadRef::new("nginx0-deployment"), RolloutOptions::default())
        .await
    {
        Err(err) if err.kind() == ErrorKind::PullFailed => screen.line("rollout", pull_failed(&err)),
        Err(err) => return Err(err.into()),
        Ok(_) => return Err("the new pod pulled without the grant".into()),
    }
    let selection = PodSelection::default().with_labels("app=nginx0");
    Ok(client.pods(&stage.cluster, &selection, CallOptions::default()).await?)
}

fn how_it_came((is_new, differences): (bool, &[Difference]), removal: &str) -> String {
    if is_new {
        return format!("created; to remove it:\n{:<9} {removal}", "");
    }
    let texts = differences.iter().map(|one| format!("\n{:<9} {one}", ""));
    format!("exists, not changed{}", texts.collect::<String>())
}

fn pull_failed(err: &Error) -> String {
    let fact =
        |wanted: &str| err.context().find(|(name, _)| *name == wanted).map_or("unknown", |(_, value)| value).to_owned();
    let cause = err.pull_failure().map(ToString::to_string).unwrap_or_default();
    format!("{}  {cause}\n{:<9} retrying does not help: missing {}", fact("ready"), "", fact("missing grant"))
}

fn refusal(err: &Error) -> String {
    let or_unknown = |part: Option<&str>| part.unwrap_or("unknown").to_owned();
    let (code, action, role) =
        (or_unknown(err.code()), or_unknown(err.missing_action()), or_unknown(err.smallest_role()));
    format!("{code}: {action}\n{:<9} smallest role with it: {role}", "")
}
