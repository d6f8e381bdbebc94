//! Waits for a deployment: its state and its pods are watched at the same time.

use super::{
    client::Kubernetes,
    pull_memory::PullMemory,
    rollout::{DeploymentObject, RolloutProgress, hash_in},
    watch::{
        Change, Listed, changes, checked_name, list, list_pods, next, pause_after, pods_path, read_causes_from_events,
        too_long,
    },
};
use crate::{
    call::{Call, Event},
    cluster::{Rollout, WorkloadRef, pods::read_pod},
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    kubernetes::{is_passing, send},
};
use futures::{StreamExt, stream::BoxStream};
use kube::{
    Client,
    api::{ListParams, WatchParams},
    core::Request,
};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

const STEP: &str = "waiting for the rollout";
/// A watch without a version reports the current state first. The deployment's own version cannot be used: it is that of its last
/// change, and too old for a watch once enough else has changed.
const FROM_NOW: &str = "";

/// The paths to read.
struct Paths {
    deployments: String,
    replica_sets: String,
    pods: String,
}

impl Paths {
    fn new(namespace: &str) -> Result<Self> {
        let apps = format!("/apis/apps/v1/namespaces/{}", checked_name(namespace)?);
        Ok(Self {
            deployments: format!("{apps}/deployments"),
            replica_sets: format!("{apps}/replicasets"),
            pods: pods_path(namespace)?,
        })
    }
}

/// The state of the wait across reconnections.
struct Wait<'a> {
    workload: &'a WorkloadRef,
    paths: Paths,
    rolling: RolloutProgress,
    memory: PullMemory,
    reported: Option<(u32, Option<String>)>,
}

impl Kubernetes {
    pub async fn wait_for_rollout(
        &self,
        cluster: &ResourceId,
        workload: &WorkloadRef,
        propagation_timeout: Duration,
        call: &Call,
    ) -> Result<Rollout> {
        checked_name(&workload.name)?;
        let paths = Paths::new(&workload.namespace)?;
        let mut wait = Wait {
            workload,
            paths,
            rolling: RolloutProgress::new(propagation_timeout),
            memory: PullMemory::default(),
            reported: None,
        };
        let ended = self.wait_for_rollout_rounds(cluster, &mut wait, call).await;
        ended.map_err(|err| match err.kind() {
            ErrorKind::DeadlineExceeded => wait.rolling.add_state(err),
            _ => {
                err.with_context("workload", workload.to_string()).with_context("namespace", workload.namespace.clone())
            }
        })
    }

    async fn wait_for_rollout_rounds(&self, cluster: &ResourceId, wait: &mut Wait<'_>, call: &Call) -> Result<Rollout> {
        loop {
            let begun = Instant::now();
            match self.wait_for_rollout_round(cluster, wait, call).await {
                Ok(Round::Ended(end)) => return Ok(end),
                Ok(Round::Outdated) => {}
                Ok(Round::Cut) => pause_after(begun, STEP, call).await?,
                Err(err) if is_passing(&err) => pause_after(begun, STEP, call).await?,
                Err(err) => return Err(err),
            }
        }
    }

    /// From reading everything to the end, or to where it must be read again.
    async fn wait_for_rollout_round(&self, cluster: &ResourceId, wait: &mut Wait<'_>, call: &Call) -> Result<Round> {
        let client = self.client(cluster, call).await?;
        let version = wait.look(&client, call).await?;
        if let Some(end) = wait.judge(call) {
            return end.map(Round::Ended);
        }
        let mut changes = wait.changes(&client, &version, call).await?;
        loop {
            let taken = match wait.next(&mut changes, call).await? {
                Some(change) => wait.take(change)?,
                None => Taken::Cut,
            };
            if let Some(end) = wait.judge(call) {
                return end.map(Round::Ended);
            }
            match taken {
                Taken::Known => {}
                Taken::Outdated => return Ok(Round::Outdated),
                Taken::Cut => return Ok(Round::Cut),
            }
        }
    }
}

/// How a round ended.
enum Round {
    Ended(Rollout),
    /// Another pod template is being rolled out.
    Outdated,
    /// A watch was interrupted.
    Cut,
}

/// What a change means for the round.
enum Taken {
    Known,
    Outdated,
    Cut,
}

impl Wait<'_> {
    /// Reads the deployment, its newest replica set and its pods; returns the pods' version.
    async fn look(&mut self, client: &Client, call: &Call) -> Result<String> {
        let request =
            Request::new(self.paths.deployments.as_str()).get(&self.workload.name, &kube::api::GetParams::default());
        let deployment: DeploymentObject = send(client, request, "reading the deployment", call).await?.value;
        let of_it = || ListParams::default().labels(&deployment.selector());
        let mut hash = None;
        let find_hash = |set: &Value| {
            hash = hash.take().or_else(|| hash_in(&deployment, set));
            0
        };
        list(client, &self.paths.replica_sets, of_it(), "listing replica sets", call, find_hash).await?;
        let (mut pods, Listed { version, .. }) = list_pods(client, &self.paths.pods, of_it(), call).await?;
        for pod in &mut pods {
            self.memory.recall(pod);
        }
        read_causes_from_events(client, &self.workload.namespace, &mut pods, call).await?;
        self.rolling.begin(deployment, hash, pods).map_err(|err| too_long(err, STEP))?;
        Ok(version)
    }

    async fn changes(&self, client: &Client, version: &str, call: &Call) -> Result<BoxStream<'static, Result<Change>>> {
        let of_it = WatchParams::default().labels(&self.rolling.deployment.selector());
        let itself = WatchParams::default().fields(&format!("metadata.name={}", self.workload.name));
        let pods = changes(client, &self.paths.pods, &of_it, version, STEP, call);
        let deployment = changes(client, &self.paths.deployments, &itself, FROM_NOW, STEP, call);
        let (pods, deployment) = futures::try_join!(pods, deployment)?;
        Ok(futures::stream::select(pods, deployment).boxed())
    }

    /// The next change. If the propagation timeout ends first, that counts as a change of nothing.
    async fn next(&self, changes: &mut BoxStream<'static, Result<Change>>, call: &Call) -> Result<Option<Change>> {
        let change = next(changes, STEP, call);
        match self.rolling.wait_until() {
            Some(until) => tokio::time::timeout_at(until, change).await.unwrap_or(Ok(Some(Change::Nothing))),
            None => change.await,
        }
    }

    fn take(&mut self, change: Change) -> Result<Taken> {
        Ok(match change {
            Change::Nothing => Taken::Known,
            Change::Over => Taken::Cut,
            Change::Present(object) if is_deployment(&object) => {
                let Ok(deployment) = DeploymentObject::deserialize(&object) else { return Ok(Taken::Outdated) };
                let is_same_round = deployment.round() == self.rolling.deployment.round();
                self.rolling.deployment = deployment;
                if is_same_round { Taken::Known } else { Taken::Outdated }
            }
            Change::Present(object) => {
                let mut pod = read_pod(&object);
                self.memory.recall(&mut pod);
                self.rolling.put(pod).map_err(|err| too_long(err, STEP))?;
                Taken::Known
            }
            // A deployment that is gone is found to be so by the next look.
            Change::Gone(object) if is_deployment(&object) => Taken::Outdated,
            Change::Gone(object) => {
                let pod = read_pod(&object);
                self.memory.forget(&pod.uid);
                self.rolling.remove(&pod.name);
                Taken::Known
            }
        })
    }

    /// Reports the progress if it has changed, and returns the result if this is the end.
    fn judge(&mut self, call: &Call) -> Option<Result<Rollout, Error>> {
        let verdict = self.rolling.verdict();
        // The deployment may be seen to be complete before the last of its pods is.
        let ready = verdict.as_ref().and_then(|end| end.as_ref().ok()).map_or(self.rolling.ready(), |end| end.ready);
        let cause = self.rolling.cause().map(|failure| failure.cause.to_string());
        let state = Some((ready, cause.clone()));
        if self.reported != state {
            call.report(Event::Rollout { ready, wanted: self.rolling.wanted(), cause });
            self.reported = state;
        }
        verdict
    }
}

/// Watched objects name their kind.
fn is_deployment(object: &Value) -> bool {
    object["kind"] == "Deployment"
}
