//! Waiting for a deployment: its state and its pods are watched side by side.

use super::{
    connect::Kubernetes,
    pull_memory::PullMemory,
    rolling::{DeploymentObject, Rolling, current_hash},
    send::send,
    watch::{Change, Listed, changes, checked_name, list, next, pods_path, read_causes_from_events},
};
use crate::{
    call::{Call, Event},
    cluster::{Deployment, Pod, RollOut, pods::read_pod},
    error::{Error, ErrorKind, Result},
    id::ResourceId,
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

const STEP: &str = "waiting for the roll-out";
const RECONNECT: Duration = Duration::from_secs(2);
/// A watch without a version tells the present state first. The deployment's own version would not do: it is that of its last
/// change, and too old for a watch once enough else has changed since.
const FROM_NOW: &str = "";

/// The paths of what is looked at.
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
    deployment: &'a Deployment,
    paths: Paths,
    rolling: Rolling,
    memory: PullMemory,
    told: Option<(u32, Option<String>)>,
}

impl Kubernetes {
    pub async fn roll_out(
        &self,
        cluster: &ResourceId,
        deployment: &Deployment,
        patience: Duration,
        call: &Call,
    ) -> Result<RollOut> {
        checked_name(&deployment.name)?;
        let paths = Paths::new(&deployment.namespace)?;
        let mut wait =
            Wait { deployment, paths, rolling: Rolling::new(patience), memory: PullMemory::default(), told: None };
        loop {
            match self.roll_out_round(cluster, &mut wait, call).await {
                Ok(Some(end)) => return Ok(end),
                Ok(None) => {}
                Err(err) if err.kind() == ErrorKind::Unavailable => call.sleep(STEP, RECONNECT).await?,
                Err(err) if err.kind() == ErrorKind::DeadlineExceeded => return Err(wait.rolling.add_state(err)),
                Err(err) => return Err(err.with_context("deployment", deployment.to_string())),
            }
        }
    }

    /// From a look at all to the end, or to where a new look is needed.
    async fn roll_out_round(&self, cluster: &ResourceId, wait: &mut Wait<'_>, call: &Call) -> Result<Option<RollOut>> {
        let client = self.client(cluster, call).await?;
        let looked = wait.look(&client, call).await;
        let version = self.checked(cluster, looked).await?;
        if let Some(end) = wait.judge(call) {
            return end.map(Some);
        }
        let mut changes = wait.changes(&client, &version, call).await?;
        loop {
            let Some(change) = wait.next(&mut changes, call).await? else { return Ok(None) };
            let must_look_again = wait.take(change);
            if let Some(end) = wait.judge(call) {
                return end.map(Some);
            }
            if must_look_again {
                return Ok(None);
            }
        }
    }
}

impl Wait<'_> {
    /// Reads the deployment, its newest replica set and its pods; gives the pods' version.
    async fn look(&mut self, client: &Client, call: &Call) -> Result<String> {
        let request =
            Request::new(self.paths.deployments.as_str()).get(&self.deployment.name, &kube::api::GetParams::default());
        let deployment: DeploymentObject = send(client, request, "reading the deployment", call).await?.value;
        let of_it = || ListParams::default().labels(&deployment.selector());
        let sets = list(client, &self.paths.replica_sets, of_it(), "listing replica sets", call).await?;
        let Listed { items, version, .. } = list(client, &self.paths.pods, of_it(), "listing the pods", call).await?;
        let mut pods: Vec<Pod> = items.iter().map(read_pod).collect();
        for pod in &mut pods {
            self.memory.recall(pod);
        }
        read_causes_from_events(client, &self.deployment.namespace, &mut pods, call).await?;
        let hash = current_hash(&deployment, &sets.items);
        self.rolling.begin(deployment, hash, pods);
        Ok(version)
    }

    async fn changes(&self, client: &Client, version: &str, call: &Call) -> Result<BoxStream<'static, Result<Change>>> {
        let of_it = WatchParams::default().labels(&self.rolling.deployment.selector());
        let itself = WatchParams::default().fields(&format!("metadata.name={}", self.deployment.name));
        let pods = changes(client, &self.paths.pods, &of_it, version, STEP, call);
        let deployment = changes(client, &self.paths.deployments, &itself, FROM_NOW, STEP, call);
        let (pods, deployment) = futures::try_join!(pods, deployment)?;
        Ok(futures::stream::select(pods, deployment).boxed())
    }

    /// The next change; where patience ends before it, the end of patience counts as one.
    async fn next(&self, changes: &mut BoxStream<'static, Result<Change>>, call: &Call) -> Result<Option<Change>> {
        let change = next(changes, STEP, call);
        match self.rolling.patient_until() {
            Some(until) => tokio::time::timeout_at(until, change).await.unwrap_or(Ok(Some(Change::Over))),
            None => change.await,
        }
    }

    /// Takes a change. Says whether all must be looked at again.
    fn take(&mut self, change: Change) -> bool {
        match change {
            Change::Over => true,
            Change::Present(object) if is_deployment(&object) => {
                let Ok(deployment) = DeploymentObject::deserialize(&object) else { return true };
                let is_same_round = deployment.round() == self.rolling.deployment.round();
                self.rolling.deployment = deployment;
                !is_same_round
            }
            Change::Present(object) => {
                let mut pod = read_pod(&object);
                self.memory.recall(&mut pod);
                self.rolling.put(pod);
                false
            }
            // A deployment that is gone is found to be so by the next look.
            Change::Gone(object) if is_deployment(&object) => true,
            Change::Gone(object) => {
                self.rolling.remove(&read_pod(&object).name);
                false
            }
        }
    }

    /// Tells how far it is where that has changed, and gives the end if this is it.
    fn judge(&mut self, call: &Call) -> Option<Result<RollOut, Error>> {
        let verdict = self.rolling.verdict();
        // The deployment may be seen to be complete before the last of its pods is.
        let ready = verdict.as_ref().and_then(|end| end.as_ref().ok()).map_or(self.rolling.ready(), |end| end.ready);
        let cause = self.rolling.cause().map(ToString::to_string);
        let state = Some((ready, cause.clone()));
        if self.told != state {
            call.report(Event::RollingOut { ready, wanted: self.rolling.wanted(), cause });
            self.told = state;
        }
        verdict
    }
}

/// Watched objects name their kind.
fn is_deployment(object: &Value) -> bool {
    object["kind"] == "Deployment"
}
