//! What each cell asserts.
//!
//! 1. The verdict is what the nodes do, and the kubelet's message is that of the root cause.
//! 2. An explanation of the same pods names the same root cause.
//! 3. A proof agrees pool by pool, and leaves no object.
//! 4. The next step, carried out as the report has it, removes the cause; causes come in the order of a pull; at the end the pods run.
//! 5. The check costs no more requests than the design allows.
//! 6. The verdict is unknown only in cells of the checked-in list (see `lists.rs`).

use crate::{
    cell::{Cell, Pods},
    scene::{REGISTRY, Scene, Shown, TWO_TRIES, is_of_round, registry_in},
    step::{self, Carried},
};
use aks_acr::{
    AttachOptions, CheckOptions, ErrorKind, ExplainOptions, ExplainTarget, Explanation, Finding, FindingId,
    FindingStatus, KubernetesReads, NextStep, ProofOutcome, ProvePullOptions, PullRetry, RegistryRef, Report, Verdict,
};
use aks_acr_emulator::{From, Service, summary};
use libtest_mimic::Failed;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// More causes than that are not planted.
const MOST_STEPS: usize = 8;
/// Longer than nodes keep a credential in these cells.
const CREDENTIALS_END: Duration = Duration::from_secs(61);

/// The causes that the settings of the cluster and of the registry show.
const SHOWN_BY_SETTINGS: [FindingId; 5] = [
    FindingId::CLUSTER_STOPPED,
    FindingId::REGISTRY_NOT_READY,
    FindingId::PUBLIC_ACCESS_DISABLED,
    FindingId::PRIVATE_ENDPOINT_NOT_APPROVED,
    FindingId::ARM_TOKENS_REFUSED,
];

/// Fails with the name of the cell and all that was seen.
macro_rules! ensure {
    ($is_true:expr, $($text:tt)+) => {
        if !$is_true {
            return Err(format!($($text)+).into());
        }
    };
}
pub(crate) use ensure;

pub async fn run(cell: &Cell) -> Result<(), Failed> {
    let scene = Scene::of(cell)?;
    if cell.is_switched {
        scene.switch().await?;
    }
    (cell.prepare)(&scene);
    for object in cell.objects.iter().flat_map(|objects| objects(&scene)) {
        scene.apply(&object).await?;
    }
    if let Some(pod) = &cell.warm_up {
        scene.warm_up(pod).await?;
    }
    let report = judged(&scene, cell).await?;
    hidden(&scene, &report.redacted()?)?;
    warned(&scene, cell, &report).await?;
    if cell.wanted.is_closed {
        return followed(&scene, cell, report, false).await;
    }
    scene.start(0, &cell.pod).await?;
    tokio::time::sleep(TWO_TRIES).await;
    let pods = scene.pods(0).await?;
    as_nodes_do(&report, cell, &pods)?;
    let explanation = explained(&scene, cell).await?;
    hidden(&scene, &explanation.redacted()?)?;
    as_explained(&report, cell, &explanation)?;
    proven(&scene, cell, &explanation).await?;
    followed(&scene, cell, report, pods.iter().all(|pod| pod.is_running)).await
}

/// No name, ID or region of the scene remains in what may be shown to others, and no key is one.
fn hidden(scene: &Scene, redacted: &impl Serialize) -> Result<(), Failed> {
    let odd = odd_keys(&serde_json::to_value(redacted)?);
    ensure!(odd.is_empty(), "keys that are no fields: {odd:?}");
    let text = serde_json::to_string(redacted)?.to_lowercase();
    let ids = [scene.azure.subscription().to_string(), scene.puller()];
    let names = [REGISTRY, "team", "nodepool1", "westeurope", "northeurope"].into_iter().map(str::to_owned);
    let left: Vec<String> = names.chain(ids).filter(|name| !name.is_empty() && text.contains(name.as_str())).collect();
    ensure!(left.is_empty(), "{left:?} in {text}");
    Ok(())
}

/// Keys that no field of ours has: names and IDs have other letters, but for short names, which are looked for.
fn odd_keys(value: &Value) -> Vec<String> {
    let is_field = |key: &str| key.bytes().all(|one| one.is_ascii_alphabetic() || one == b'_' || one == b'1');
    match value {
        Value::Array(all) => all.iter().flat_map(odd_keys).collect(),
        Value::Object(all) => {
            let own = all.keys().filter(|key| !is_field(key)).cloned();
            own.chain(all.values().flat_map(odd_keys)).collect()
        }
        _ => Vec::new(),
    }
}

pub async fn check(scene: &Scene, cell: &Cell) -> Result<Report, Failed> {
    let nodes = if cell.asked.nodes { KubernetesReads::Always } else { KubernetesReads::default() };
    let options = CheckOptions::default().with_query_graph(cell.asked.query_graph).with_kubernetes(nodes);
    let options = if cell.asked.with_image { options.with_image(scene.pod(cell).image.parse()?) } else { options };
    Ok(scene.client.check(&scene.cluster, &registry(scene, cell)?, options).await?)
}

fn registry(scene: &Scene, cell: &Cell) -> Result<RegistryRef, Failed> {
    match cell.asked.subscription {
        Some(subscription) => registry_in(subscription),
        None if cell.asked.by_name => Ok(REGISTRY.parse()?),
        None => scene.by_id(),
    }
}

/// A plan of attach warns of what a check finds, if the settings of cluster and registry show it.
async fn warned(scene: &Scene, cell: &Cell, report: &Report) -> Result<(), Failed> {
    let options = AttachOptions::default().with_query_graph(cell.asked.query_graph);
    let plan = match scene.client.plan_attach(&scene.cluster, &registry(scene, cell)?, options).await {
        Ok(plan) => plan,
        // Nothing can be planned without a principal or a registry; what a check finds then has other tests.
        Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::Unsupported | ErrorKind::InvalidInput) => {
            return Ok(());
        }
        Err(err) => return Err(err.into()),
    };
    for warning in &plan.warnings {
        let is_found = report.findings.iter().any(|one| one.id == warning.id);
        ensure!(is_found, "the plan warns of {}: {}\n{report}", warning.id, warning.message);
    }
    let shown = report.root_cause.as_ref().filter(|root| SHOWN_BY_SETTINGS.contains(root));
    let is_warned = shown.is_none_or(|root| plan.warnings.iter().any(|one| one.id == *root));
    ensure!(is_warned, "the plan does not warn of it: {:?}\n{report}", plan.warnings);
    Ok(())
}

async fn explained(scene: &Scene, cell: &Cell) -> Result<Explanation, Failed> {
    let options = ExplainOptions::default().with_query_graph(cell.asked.query_graph);
    let named = cell.asked.subscription.filter(|_| cell.asked.is_named_inside).map(registry_in).transpose()?;
    let options = named.into_iter().fold(options, ExplainOptions::with_registry);
    Ok(scene.client.explain(&scene.cluster, &ExplainTarget::Pods, options).await?)
}

/// The check, with what it costs.
async fn judged(scene: &Scene, cell: &Cell) -> Result<Report, Failed> {
    let mark = scene.azure.mark();
    let report = check(scene, cell).await?;
    let sent = scene.azure.requests_since(mark).into_iter();
    let sent: Vec<_> = sent.filter(|one| one.from == From::Client && one.service != Service::Entra).collect();
    // How often a throttled request fits into its three seconds is chance.
    let is_repeated = |at: usize| {
        let one = &sent[at];
        one.status == Some(429)
            && sent[at + 1..].iter().any(|next| (&next.method, &next.path) == (&one.method, &one.path))
    };
    let sent: Vec<_> = (0..sent.len()).filter(|at| !is_repeated(*at)).map(|at| sent[at].clone()).collect();
    let cost = summary(&sent);
    let most = cell.wanted.cost;
    ensure!(cost.count <= most.0 && cost.depth <= most.1, "{} requests, {} deep: {sent:#?}", cost.count, cost.depth);
    ensure!(report.replayed()? == report, "its facts do not lead to the same report\n{report}");
    let found = report.findings.first().map(|one| (one.status, one.id.clone()));
    ensure!(found == cell.wanted.found, "expected {:?}, found {found:?}\n{report}", cell.wanted.found);
    ensure!(report.verdict == cell.wanted.verdict(), "the verdict is {}\n{report}", report.verdict);
    let root = (report.verdict == Verdict::CannotPull).then(|| report.findings[0].id.clone());
    ensure!(report.root_cause == root, "the root cause is {:?}\n{report}", report.root_cause);
    Ok(report)
}

/// The first assertion. What the rules of the set say of the nodes has to be true as well.
fn as_nodes_do(report: &Report, cell: &Cell, pods: &[Shown]) -> Result<(), Failed> {
    for pod in pods {
        let is_wanted = cell.wanted.pods.run_in(&pod.pool);
        ensure!(pod.is_running == is_wanted, "expected running = {is_wanted}: {pod:?}\n{report}");
        if let (false, Some(text)) = (pod.is_running, cell.wanted.text) {
            let has_text = pod.message.as_ref().is_some_and(|message| message.contains(text));
            ensure!(has_text, "expected the text {text:?}: {pod:?}\n{report}");
        }
    }
    if cell.wanted.is_of_pod {
        let is_assumed = report.assumptions.iter().any(|one| one.contains("no pull secret of the pod"));
        ensure!(is_assumed, "nothing says that a pod's own secrets are left out\n{report}");
        return Ok(());
    }
    are_assumed(cell, report)?;
    let is_any_running = pods.iter().any(|pod| pod.is_running);
    match report.verdict {
        // Only what passes by itself, and is named, may keep the pods of a positive verdict from running.
        Verdict::CanPull if !cell.wanted.later.is_zero() => {
            let is_warned = report.findings.iter().any(|one| one.retry != PullRetry::Never);
            let is_assumed = report.assumptions.iter().any(|one| one.contains("within the last hour"));
            ensure!(is_warned || is_assumed, "nothing says that pods may fail for a while\n{report}");
        }
        Verdict::CanPull if !cell.wanted.assumed.is_empty() => {}
        Verdict::CanPull => ensure!(is_any_running, "can pull, and no pod runs: {pods:?}\n{report}"),
        Verdict::CannotPull => {
            ensure!(pods.iter().any(|pod| !pod.is_running), "cannot pull, and all run: {pods:?}\n{report}");
        }
        _ => {}
    }
    Ok(())
}

/// What only nodes show is listed by a check that says that nothing stands in the way.
fn are_assumed(cell: &Cell, report: &Report) -> Result<(), Failed> {
    let lacks = |part: &&&str| !report.assumptions.iter().any(|one| one.contains(**part));
    let missing = cell.wanted.assumed.iter().find(lacks).filter(|_| report.verdict == Verdict::CanPull);
    ensure!(missing.is_none(), "nothing says that this is taken for granted: {missing:?}\n{report}");
    Ok(())
}

/// The second assertion. What is unknown from outside is known from inside, or the pods run.
fn as_explained(report: &Report, cell: &Cell, explanation: &Explanation) -> Result<(), Failed> {
    let wanted = cell.wanted.cause();
    ensure!(explanation.root_cause.as_ref() == wanted, "expected the cause {wanted:?}\n{explanation}\n{report}");
    let Some(group) = explanation.groups.first() else { return Ok(()) };
    // A node that has the image pulls it again for other credentials, since Kubernetes 1.35 only.
    let is_again = group.report.findings.iter().any(|one| one.id == FindingId::CREDENTIALS_RECHECKED);
    ensure!(is_again == cell.warm_up.is_some(), "pulled again: {is_again}\n{explanation}");
    ensure!(
        group.report.verdict == Verdict::CannotPull,
        "the verdict inside is {}\n{explanation}",
        group.report.verdict
    );
    if report.root_cause == explanation.root_cause {
        let (here, there) = (&group.report.findings[0].next_step, &report.findings[0].next_step);
        ensure!(here == there, "the next steps differ: {here:?}, {there:?}");
    }
    Ok(())
}

/// The third assertion.
async fn proven(scene: &Scene, cell: &Cell, explanation: &Explanation) -> Result<(), Failed> {
    let before = scene.count().await?;
    let secrets = cell.pod.secrets.iter();
    let options = secrets.fold(ProvePullOptions::default(), ProvePullOptions::with_pull_secret);
    let options = options.with_propagation_timeout(Duration::from_secs(20)).with_query_graph(cell.asked.query_graph);
    let named = cell.asked.subscription.filter(|_| cell.asked.is_named_inside).map(registry_in).transpose()?;
    let options = named.into_iter().fold(options, ProvePullOptions::with_registry);
    let proof = scene.client.prove_pull(&scene.cluster, &cell.pod.image.parse()?, options).await?;
    ensure!(proof.cleaned_up, "a Job was left: {proof}");
    hidden(scene, &proof.redacted()?)?;
    for pool in proof.pools.iter().filter(|pool| pool.outcome != ProofOutcome::Skipped) {
        let runs = cell.wanted.proof.as_ref().map_or(cell.wanted.pods.run_in(&pool.pool), |(pulls, _)| *pulls);
        let wanted = if runs { ProofOutcome::Proven } else { ProofOutcome::Failed };
        ensure!(pool.outcome == wanted, "pool {}: expected {wanted}\n{proof}\n{explanation}", pool.pool);
        let Some(report) = &pool.report else { continue };
        let cause = cell.wanted.proof.as_ref().map_or(cell.wanted.cause(), |(_, cause)| cause.as_ref());
        let is_same = report.root_cause.as_ref() == cause;
        ensure!(is_same, "the proof names {:?}\n{report}\n{explanation}", report.root_cause);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let after = scene.count().await?;
    ensure!(after == before, "{before} pods before the proof, {after} after it");
    Ok(())
}

/// The fourth assertion. `is_running`: the first pods run already.
async fn followed(scene: &Scene, cell: &Cell, first: Report, is_running: bool) -> Result<(), Failed> {
    let mut report = first;
    // A finding with two causes, such as two missing records, has another next step after the first.
    let mut before: Vec<(FindingId, NextStep)> = Vec::new();
    let mut last: Option<Finding> = None;
    for _ in 0..MOST_STEPS {
        let Some(found) = report.root_finding().cloned() else { break };
        ensure!(
            !before.contains(&(found.id.clone(), found.next_step.clone())),
            "{} is still there after its next step\n{report}",
            found.id
        );
        if let Some(last) = &last {
            let is_in_order = last.stage < found.stage || place(&last.id) <= place(&found.id);
            ensure!(is_in_order, "{} comes after {}\n{report}", found.id, last.id);
        }
        if carried(scene, cell, &found).await? == Carried::ByHand {
            return Ok(());
        }
        before.push((found.id.clone(), found.next_step.clone()));
        last = Some(found);
        report = check(scene, cell).await?;
    }
    ensure!(report.root_cause.is_none(), "causes without an end: {before:?}\n{report}");
    if before.is_empty() && is_running {
        return Ok(());
    }
    from_inside(scene, cell, &report).await
}

/// New pods run in the end, after the steps that an explanation names for what is known only inside.
async fn from_inside(scene: &Scene, cell: &Cell, report: &Report) -> Result<(), Failed> {
    let mut before: Vec<FindingId> = Vec::new();
    for round in 1..=MOST_STEPS {
        tokio::time::sleep(CREDENTIALS_END.max(cell.wanted.later)).await;
        scene.start(round, &scene.pod(cell)).await?;
        tokio::time::sleep(TWO_TRIES).await;
        let pods = scene.pods(round).await?;
        // A pool that lacks the platform stays without it.
        // Nor do causes that pass by themselves have a step.
        let is_partial = matches!(cell.wanted.pods, Pods::Of(_));
        let runs = |pod: &Shown| pod.is_running || (is_partial && !cell.wanted.pods.run_in(&pod.pool));
        if pods.iter().all(runs) {
            return Ok(());
        }
        are_assumed(cell, report)?;
        let explanation = explained(scene, cell).await?;
        // Pods of before wait for their next try, and still say what was.
        let mut same = explanation.groups.iter().filter(|group| group.pods.iter().any(|name| is_of_round(round, name)));
        let root = same.find_map(|group| group.report.root_finding().cloned());
        let Some(found) = root else {
            return Err(format!("the pods do not run, without a cause: {pods:?}\n{explanation}\n{report}").into());
        };
        ensure!(!before.contains(&found.id), "{} is still there: {pods:?}\n{explanation}\n{report}", found.id);
        if carried(scene, cell, &found).await? == Carried::ByHand {
            return Ok(());
        }
        before.push(found.id);
    }
    Err(format!("causes without an end: {before:?}\n{report}").into())
}

async fn carried(scene: &Scene, cell: &Cell, found: &Finding) -> Result<Carried, Failed> {
    ensure!(found.status == FindingStatus::Failing, "{} is not failing", found.id);
    ensure!(!found.next_step.summary.is_empty(), "{} has no next step", found.id);
    step::carry_out(scene, cell, found).await
}

fn place(id: &FindingId) -> usize {
    FindingId::ALL.iter().position(|one| one == id).unwrap_or(usize::MAX)
}
