//! Runs one Job per node pool, and deletes it again.

use super::{
    ProvePullOptions, PullProofVia, caller,
    job::Canary,
    judge::{Ended, wait},
    pools::{Pool, divide},
    proof::{PoolProof, ProofOutcome, PullProof, PullProofKind},
};
use crate::{
    call::Call,
    cluster::{ApplyOptions, ClusterRef, NodeTaint, ObservedNode, ObservedPod, ObservedPods, PodScope},
    diagnosis::{catalogue::PullRetry, report::Report},
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    image::{ImageDetails, ImageReference},
    operation::{
        Parts,
        explain::{ExplainOptions, explain_observed},
    },
};
use futures::{StreamExt as _, join, stream};
use std::time::Duration;
use tokio::time::Instant;

/// How many pools are tried at a time.
const AT_ONCE: usize = 8;
/// What is left of the deadline for the deletion of the Jobs.
const CLEANUP: Duration = Duration::from_secs(5);
/// How long an image's registry may take to say which platforms the image has: it is optional.
const REGISTRY_TIMEOUT: Duration = Duration::from_secs(3);
const LONGEST_PROBE: Duration = Duration::from_secs(30);
/// The longest time that a Job may live, if the call has no deadline.
const LONGEST_JOB: Duration = Duration::from_secs(60 * 60);
/// How often the Job is created, if another call that proves the same deletes it.
const MOST_STARTS: u32 = 3;
const REPLACED: &str = "other calls that prove the same pull have deleted the Job";
/// The status of a pod whose container did not start: the image was pulled before.
const NOT_STARTED: &str = "StartError";

/// What all pools have in common.
struct Run<'a> {
    parts: &'a Parts,
    cluster: &'a ClusterRef,
    id: &'a ResourceId,
    image: &'a ImageReference,
    options: &'a ProvePullOptions,
    tolerated: &'a [NodeTaint],
    nodes: Option<&'a [ObservedNode]>,
    call: &'a Call,
}

pub(crate) async fn prove_pull(
    parts: &Parts,
    cluster: &ClusterRef,
    image: &ImageReference,
    options: &ProvePullOptions,
    call: &Call,
) -> Result<PullProof> {
    let tolerated = options.check()?;
    if options.via == PullProofVia::CallerToken {
        let id = cluster.id(parts.subscription_id());
        return caller::prove(parts, &id, image, options, call).await;
    }
    if !call.remaining().is_zero() && call.remaining() <= CLEANUP {
        let text = "the deadline is too short: its last 5 seconds are kept to delete the Jobs";
        return Err(Error::new(ErrorKind::DeadlineExceeded, text));
    }
    let id = &cluster.id(parts.subscription_id());
    let reading = async {
        let (settings, nodes, details) = join!(
            parts.inventory().cluster_settings(id, call),
            parts.cluster_deployer().nodes(cluster, Some(image), call),
            describe(parts, image, call),
        );
        // Which nodes are to pull is chosen from the list.
        let nodes = if options.nodes_per_pool > 1 { nodes.map(Some) } else { allowed(nodes) };
        Ok((settings?, nodes?, details?))
    };
    let (settings, nodes, details) = call.step("reading the cluster, its nodes and the image", reading).await?;
    let (tried, mut pools) = divide(&settings, nodes.as_deref(), details.as_ref(), options)?;
    let run = Run { parts, cluster, id, image, options, tolerated: &tolerated, nodes: nodes.as_deref(), call };
    let proving = async {
        let each: Vec<_> = tried.iter().map(|pool| run.prove(pool)).collect();
        // All of them end, so that each Job is deleted.
        let ended: Vec<Result<(PoolProof, bool)>> = stream::iter(each).buffer_unordered(AT_ONCE).collect().await;
        ended.into_iter().collect::<Result<Vec<_>>>()
    };
    let proven = call.step("waiting for the nodes to pull the image", proving).await?;
    let cleaned_up = proven.iter().all(|(_, is_deleted)| *is_deleted);
    pools.extend(proven.into_iter().map(|(pool, _)| pool));
    Ok(PullProof::of(id, image, pools, cleaned_up, parts.time()))
}

/// Without the permission to list nodes, Azure's word on the pools counts, and less is proven.
fn allowed(nodes: Result<Vec<ObservedNode>>) -> Result<Option<Vec<ObservedNode>>> {
    match nodes {
        Err(err) if err.kind() == ErrorKind::Forbidden && err.missing_action().is_none() => Ok(None),
        nodes => nodes.map(Some),
    }
}

/// The image's platforms, if its registry is one of Azure's that is reached from here. Otherwise every pool is tried.
async fn describe(parts: &Parts, image: &ImageReference, call: &Call) -> Result<Option<ImageDetails>> {
    if !parts.cloud().has_registry(image.registry()) {
        return Ok(None);
    }
    let limited = call.at_most(LONGEST_PROBE).with_registry_timeout(REGISTRY_TIMEOUT);
    match parts.registry_importer().describe(image, &limited).await {
        Err(err) if err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO => Err(err),
        described => Ok(described.ok().flatten()),
    }
}

impl Run<'_> {
    /// Proves one pool. Says also whether its Job was deleted.
    async fn prove(&self, pool: &Pool) -> Result<(PoolProof, bool)> {
        let lives = self.call.remaining().min(LONGEST_JOB);
        let canary = Canary::new(pool, self.image, self.options, self.tolerated, lives)?;
        let limited = self.call.at_most(self.call.remaining().saturating_sub(CLEANUP));
        let ended = self.pull(pool, &canary, &limited).await;
        if !canary.may_exist() {
            return ended.map(|proof| (proof, true));
        }
        // A caller that cancels does not wait: Kubernetes deletes the Job after its deadline.
        if ended.as_ref().is_err_and(|err| err.kind() == ErrorKind::Cancelled) {
            return ended.map(|proof| (proof, false));
        }
        let is_deleted = self.delete(&canary).await.is_ok();
        ended.map(|proof| (proof, is_deleted))
    }

    async fn delete(&self, canary: &Canary) -> Result<()> {
        let job = (canary.namespace.as_str(), canary.name.as_str());
        self.parts.cluster_deployer().delete_job(self.cluster, job, &self.call.at_most(CLEANUP)).await.map(drop)
    }

    async fn pull(&self, pool: &Pool, canary: &Canary, call: &Call) -> Result<PoolProof> {
        for _ in 1..MOST_STARTS {
            match self.attempt(pool, canary, call).await {
                // Another call that proves the same has deleted the Job.
                Err(err) if err.kind() == ErrorKind::NotFound && self.is_gone(canary, call).await? => {}
                Ok(None) => self.delete(canary).await?,
                Ok(Some(proof)) => return Ok(proof),
                Err(err) => return Err(err),
            }
        }
        let last = self.attempt(pool, canary, call).await?;
        Ok(last.unwrap_or_else(|| PoolProof::new(&pool.name, ProofOutcome::Inconclusive).because(REPLACED)))
    }

    /// One try. `None`: the Job has ended before this call, and says nothing about now.
    async fn attempt(&self, pool: &Pool, canary: &Canary, call: &Call) -> Result<Option<PoolProof>> {
        let is_new = self.start(canary, call).await?;
        if !is_new && self.has_ended(canary, call).await? {
            return Ok(None);
        }
        let begun = Instant::now();
        let mut ended = self.wait(canary, (false, begun), call).await?;
        if matches!(ended, Ended::Unclear) {
            let observed = self.observe(canary, call).await?;
            let report = self.report(&observed, call).await?;
            let is_final =
                report.as_ref().is_some_and(|one| one.root_finding().is_some_and(|one| one.retry == PullRetry::Never));
            if is_final {
                return Ok(Some(self.failed(pool, &observed, report)));
            }
            ended = self.wait(canary, (true, begun), call).await?;
        }
        // What is read now has what is left of the deadline.
        let observed = self.observe(canary, self.call).await?;
        if let Some(proof) = self.proven(pool, &observed) {
            return Ok(Some(proof));
        }
        let report = self.report(&observed, self.call).await?;
        if report.is_some() {
            return Ok(Some(self.failed(pool, &observed, report)));
        }
        if !is_new && observed.pods.is_empty() && matches!(ended, Ended::Finished) {
            return Ok(None);
        }
        Ok(Some(
            self.described(pool, ProofOutcome::Inconclusive, observed.pods.first()).because(reason(&ended, &observed)),
        ))
    }

    /// Creates the Job. Returns whether it is new: a call that was interrupted leaves its Job.
    async fn start(&self, canary: &Canary, call: &Call) -> Result<bool> {
        let manifests = std::slice::from_ref(&canary.manifest);
        let deployer = self.parts.cluster_deployer();
        let applied = deployer.apply(self.cluster, manifests, &ApplyOptions::default(), call).await;
        if !applied.as_ref().is_err_and(is_rejected) {
            canary.created();
        }
        Ok(applied?.first().is_some_and(|one| one.is_new))
    }

    async fn has_ended(&self, canary: &Canary, call: &Call) -> Result<bool> {
        let found = self.observe(canary, call).await?;
        let has_ended = |pod: &ObservedPod| pod.pod.status == NOT_STARTED || pod.is_healthy;
        Ok(!found.pods.is_empty() && found.pods.iter().all(has_ended))
    }

    async fn is_gone(&self, canary: &Canary, call: &Call) -> Result<bool> {
        match self.observe(canary, call).await {
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(true),
            observed => observed.map(|_| false),
        }
    }

    async fn wait(&self, canary: &Canary, judged: (bool, Instant), call: &Call) -> Result<Ended> {
        wait(self.parts, self.cluster, canary, self.options, judged, call).await
    }

    async fn observe(&self, canary: &Canary, call: &Call) -> Result<ObservedPods> {
        let scope = PodScope { workload: Some(canary.workload()), with_pulls: true, ..PodScope::default() };
        self.parts.cluster_deployer().observe_pods(self.cluster, &scope, call).await
    }

    /// The report about a failed pull, if one failed.
    async fn report(&self, observed: &ObservedPods, call: &Call) -> Result<Option<Report>> {
        if observed.pods.iter().all(|pod| pod.failures.is_empty()) {
            return Ok(None);
        }
        let options = ExplainOptions::default().with_query_graph(self.options.query_graph);
        let options = self.options.registry.iter().cloned().fold(options, ExplainOptions::with_registry);
        let explained = explain_observed(self.parts, (self.cluster, self.id), observed, &options, &[], call).await?;
        let mut report = explained.groups.into_iter().next().map(|group| group.report);
        let needs = report.iter_mut().flat_map(|report| &mut report.findings).flat_map(|found| &mut found.needs);
        for need in needs.filter(|need| need.option.as_deref() == Some("registries")) {
            need.option = Some("registry".to_owned());
        }
        Ok(report)
    }

    fn proven(&self, pool: &Pool, observed: &ObservedPods) -> Option<PoolProof> {
        let pod = observed.pods.iter().find(|pod| pod.failures.is_empty() && pod.pod.image_id.is_some())?;
        let node = self.node(pod);
        let was_absent = node.is_some_and(|node| node.has_image == Some(false));
        let kind = if was_absent { PullProofKind::KubeletPulledLayers } else { PullProofKind::KubeletResolvedManifest };
        Some(PoolProof { proof: Some(kind), ..self.described(pool, ProofOutcome::Proven, Some(pod)) })
    }

    fn failed(&self, pool: &Pool, observed: &ObservedPods, report: Option<Report>) -> PoolProof {
        let pod = observed.pods.iter().find(|pod| !pod.failures.is_empty());
        let found = report.as_ref().and_then(|report| report.findings.first());
        let proof = self.described(pool, ProofOutcome::Failed, pod);
        let proof = match found {
            Some(found) => proof.because(found.message.clone()),
            None => proof,
        };
        let failure = pod.and_then(|pod| pod.failures.first());
        PoolProof { message: failure.map(|one| one.message.clone()), report, ..proof }
    }

    fn described(&self, pool: &Pool, outcome: ProofOutcome, pod: Option<&ObservedPod>) -> PoolProof {
        PoolProof {
            node: pod.and_then(|pod| pod.pod.node.clone()).or_else(|| pool.node.clone()),
            os: pool.os.clone(),
            architecture: pool.architecture.clone(),
            image_id: pod.and_then(|pod| pod.pod.image_id.clone()),
            message: pod.and_then(|pod| pod.pulled.clone()),
            ..PoolProof::new(&pool.name, outcome).on(pod.and_then(|pod| self.node(pod)))
        }
    }

    fn node(&self, pod: &ObservedPod) -> Option<&ObservedNode> {
        let name = pod.pod.node.as_ref()?;
        self.nodes?.iter().find(|node| node.name == *name)
    }
}

/// Whether the API server said no, so that there is no Job. Any other error says nothing about that.
fn is_rejected(err: &Error) -> bool {
    matches!(err.kind(), ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::InvalidInput)
}

/// Why no node began to pull.
fn reason(ended: &Ended, observed: &ObservedPods) -> String {
    let blocker = observed.pods.first().and_then(|pod| pod.blocker.as_ref());
    let blocker = match ended {
        Ended::Blocked(blocker) => Some(blocker.as_ref()),
        _ => blocker,
    };
    match (blocker, observed.pods.first()) {
        (Some(blocker), _) => blocker.to_string(),
        (None, Some(pod)) if matches!(ended, Ended::Finished) => {
            format!("the pod ended with the status {} before it pulled", pod.pod.status)
        }
        (None, Some(pod)) => format!("the time was over while the pod had the status {}", pod.pod.status),
        (None, None) => "no pod was created before the time was over".to_owned(),
    }
}

/// Names the role that is enough. A refusal by Azure names its action itself.
pub(super) fn refused(err: Error) -> Error {
    if err.kind() != ErrorKind::Forbidden || err.missing_action().is_some() {
        return err;
    }
    let hint = "to run a Job, a cluster with Azure RBAC needs the role Azure Kubernetes Service RBAC Writer on the namespace; another one the \
                cluster role edit";
    err.with_context("hint", hint)
}
