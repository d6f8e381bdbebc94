//! Watches the rollout of a workload: its own state and its pods at the same time, and the events of controllers that report nothing
//! else.

pub(super) mod blocker;
pub(super) mod events;
pub(super) mod members;
pub(super) mod object;
pub(super) mod preparing;
mod progress;

use super::{
    client::Kubernetes,
    pull_memory::PullMemory,
    watch::{
        Change, Listed, changes, checked_name, list, list_pods_with, next, pause_after, read_causes_from_events,
        too_long,
    },
};
use crate::{
    call::Call,
    cluster::{
        Pod, RolloutBlocker, RolloutListener, RolloutPhase, WorkloadRef, WorkloadState, pods::read_pod,
        workload::WorkloadKind,
    },
    error::{ErrorKind, Result},
    id::ResourceId,
    kubernetes::{is_passing, send},
};
use events::Creation;
use futures::{StreamExt, stream::BoxStream};
use kube::{
    Client,
    api::{GetParams, ListParams, WatchParams},
    core::Request,
};
use members::{Belonging, Facts, Members, controller};
use object::{Newest, Object};
use preparing::Preparing;
use serde::Deserialize;
use serde_json::Value;
use std::ops::ControlFlow;
use tokio::time::Instant;

const STEP: &str = "waiting for the rollout";
/// A watch without a version reports the current state first. The workload's own version cannot be used: it is that of its last
/// change, and too old for a watch once enough else has changed.
const FROM_NOW: &str = "";
const TEMPLATE_HASH: &str = "pod-template-hash";

/// The paths to read.
struct Paths {
    workloads: String,
    replica_sets: String,
    pods: String,
    events: String,
}

impl Paths {
    fn new(kind: WorkloadKind, namespace: &str) -> Result<Self> {
        let namespace = checked_name(namespace)?;
        Ok(Self {
            workloads: format!("/apis/{}/v1/namespaces/{namespace}/{}", kind.group(), kind.plural()),
            replica_sets: format!("/apis/apps/v1/namespaces/{namespace}/replicasets"),
            pods: format!("/api/v1/namespaces/{namespace}/pods"),
            events: format!("/api/v1/namespaces/{namespace}/events"),
        })
    }
}

/// What is known about the rollout, across reconnections.
struct Watched<'a> {
    workload: &'a WorkloadRef,
    kind: WorkloadKind,
    paths: Paths,
    object: Object,
    members: Members,
    /// Why pods are not created.
    creation: Creation,
    /// Pods whose status does not say why they do not start.
    preparing: Preparing,
    memory: PullMemory,
}

impl Kubernetes {
    pub async fn watch_rollout(
        &self,
        cluster: &ResourceId,
        workload: &WorkloadRef,
        listener: &mut RolloutListener<'_>,
        call: &Call,
    ) -> Result<()> {
        checked_name(&workload.name)?;
        let kind = workload.known_kind()?;
        let mut watched = Watched {
            workload,
            kind,
            paths: Paths::new(kind, &workload.namespace)?,
            object: Object::default(),
            members: Members::default(),
            creation: Creation::default(),
            preparing: Preparing::default(),
            memory: PullMemory::default(),
        };
        loop {
            let begun = Instant::now();
            match self.watch_round(cluster, &mut watched, listener, call).await {
                Ok(Round::Stopped) => return Ok(()),
                Ok(Round::Outdated) => {}
                Ok(Round::Cut) => pause_after(begun, STEP, call).await?,
                Err(err) if is_passing(&err) => pause_after(begun, STEP, call).await?,
                Err(err) => return Err(err),
            }
        }
    }

    /// One round: reads everything, then watches until the listener stops it or everything must be read again.
    async fn watch_round(
        &self,
        cluster: &ResourceId,
        watched: &mut Watched<'_>,
        listener: &mut RolloutListener<'_>,
        call: &Call,
    ) -> Result<Round> {
        let client = self.client(cluster, call).await?;
        watched.read_workload(&client, call).await?;
        // A complete rollout needs no pods, and a caller may lack the permission to read them.
        if watched.object.phase(watched.kind) == RolloutPhase::Complete && listener(watched.state()).is_break() {
            return Ok(Round::Stopped);
        }
        let version = watched.read_pods(&client, call).await?;
        if listener(watched.state()).is_break() {
            return Ok(Round::Stopped);
        }
        let mut changes = watched.changes(&client, version.as_deref(), call).await?;
        loop {
            let taken = match within(watched.preparing.due(), next(&mut changes, STEP, call)).await {
                Some(change) => match change? {
                    Some(change) => watched.take(change)?,
                    None => return Ok(Round::Cut),
                },
                None => watched.read_preparing(&client, call).await?,
            };
            if listener(watched.state()).is_break() {
                return Ok(Round::Stopped);
            }
            if let ControlFlow::Break(round) = taken {
                return Ok(round);
            }
        }
    }
}

/// What happens until then. Nothing does, if it is over.
async fn within<T>(until: Option<Instant>, next: impl Future<Output = T>) -> Option<T> {
    match until {
        Some(until) if until <= Instant::now() => None,
        Some(until) => tokio::time::timeout_at(until, next).await.ok(),
        None => Some(next.await),
    }
}

/// How a round ended.
enum Round {
    Stopped,
    /// Another pod template is being rolled out.
    Outdated,
    /// A watch was interrupted.
    Cut,
}

impl Watched<'_> {
    async fn read_workload(&mut self, client: &Client, call: &Call) -> Result<()> {
        let request = Request::new(self.paths.workloads.as_str()).get(&self.workload.name, &GetParams::default());
        self.object = send(client, request, "reading the workload", call).await?.value;
        self.object.check_strategy(self.kind)
    }

    /// Reads the pods of the newest template, and why more are not created; returns the pods' version. Without the permission to list
    /// pods or ReplicaSets, only the workload's own state is used, as in `kubectl rollout status`.
    async fn read_pods(&mut self, client: &Client, call: &Call) -> Result<Option<String>> {
        match self.read_all_pods(client, call).await {
            Ok(version) => Ok(Some(version)),
            Err(err) if err.kind() == ErrorKind::Forbidden => {
                self.members = Members::default();
                Ok(None)
            }
            Err(err) => Err(err),
        }
    }

    async fn read_all_pods(&mut self, client: &Client, call: &Call) -> Result<String> {
        let belonging = self.find_newest(client, call).await?;
        let parameters = ListParams::default().labels(&self.object.selector());
        let read = |pod: &Value| {
            let facts = Facts::of(pod);
            let weight = facts.weight();
            (facts, weight)
        };
        let (mut pods, facts, Listed { version, .. }) =
            list_pods_with(client, &self.paths.pods, parameters, call, read).await?;
        for pod in &mut pods {
            self.memory.recall(pod);
        }
        self.preparing.retain(&pods);
        read_causes_from_events(client, &self.workload.namespace, &mut pods, call).await?;
        self.members = Members::new(belonging);
        for (pod, facts) in pods.iter().zip(facts) {
            self.put(pod, facts)?;
        }
        Ok(version)
    }

    fn put(&mut self, pod: &Pod, facts: Facts) -> Result<()> {
        let (created, mut facts) = (facts.created, facts);
        let is_preparing = facts.is_preparing && self.members.has(pod, &facts);
        if is_preparing {
            facts.obstacle = self.preparing.put(pod).or(facts.obstacle);
        } else {
            self.preparing.remove(&pod.uid);
        }
        if self.members.put(pod, facts).map_err(|err| too_long(err, STEP))? {
            self.creation.pod_exists(created);
        }
        Ok(())
    }

    /// Reads from events why pods are not prepared. Without the permission to list events, the cause is unknown.
    async fn read_preparing(&mut self, client: &Client, call: &Call) -> Result<ControlFlow<Round>> {
        self.preparing.begin();
        let preparing = &mut self.preparing;
        let take = |event: &Value| preparing.listed(event);
        let warnings = ListParams::default().fields(preparing::FIELDS);
        match list(client, &self.paths.events, warnings, "listing events", call, take).await {
            Err(err) if err.kind() == ErrorKind::Forbidden => self.preparing.forbid(),
            listed => drop(listed?),
        }
        for (name, obstacle) in self.preparing.causes() {
            self.members.explain(name, obstacle).map_err(|err| too_long(err, STEP))?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How the pods of the newest template are recognized. Also finds out why no more pods are created.
    async fn find_newest(&mut self, client: &Client, call: &Call) -> Result<Belonging> {
        let owner = Some(self.object.uid().to_owned()).filter(|uid| !uid.is_empty());
        match self.object.newest(self.kind) {
            Newest::OfRevision(revision) => self.find_replica_set(client, &revision, call).await,
            Newest::Labeled(name, value) => {
                self.read_events(client, call).await?;
                Ok(Belonging { owner, label: Some((name, value)) })
            }
            Newest::Owned => {
                self.read_events(client, call).await?;
                Ok(Belonging { owner, label: None })
            }
            Newest::Unknown => Ok(Belonging::default()),
        }
    }

    /// The Deployment's own ReplicaSet with its revision: others may have the same labels, or the same revision.
    async fn find_replica_set(&mut self, client: &Client, revision: &str, call: &Call) -> Result<Belonging> {
        let (deployment, mut found, mut failure) = (self.object.uid().to_owned(), Belonging::default(), None);
        let take = |set: &Value| {
            let is_newest = set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == revision;
            if is_newest && controller(set) == Some(deployment.as_str()) {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                found.owner = text(&set["metadata"]["uid"]);
                found.label = text(&set["metadata"]["labels"][TEMPLATE_HASH]).map(|hash| (TEMPLATE_HASH, hash));
                failure = failure_of(set);
            }
            0
        };
        let of_it = ListParams::default().labels(&self.object.selector());
        list(client, &self.paths.replica_sets, of_it, "listing replica sets", call, take).await?;
        self.creation = Creation::of_condition(failure);
        Ok(found)
    }

    /// Reads from events why pods could not be created, for controllers that have no condition that reports it. If the permission
    /// to list events is missing, only this reason is unknown.
    async fn read_events(&mut self, client: &Client, call: &Call) -> Result<()> {
        let mut creation = Creation::since(self.object.changed());
        let take = |event: &Value| creation.listed(event);
        let of_it = ListParams::default().fields(&self.event_fields());
        match list(client, &self.paths.events, of_it, "listing events", call, take).await {
            Err(err) if err.kind() == ErrorKind::Forbidden => return Ok(()),
            listed => creation.version = Some(listed?.version),
        }
        self.creation = creation;
        Ok(())
    }

    fn event_fields(&self) -> String {
        format!("involvedObject.uid={},reason={}", self.object.uid(), events::FAILED)
    }

    async fn changes(
        &self,
        client: &Client,
        pods_from: Option<&str>,
        call: &Call,
    ) -> Result<BoxStream<'static, Result<Change>>> {
        let itself = WatchParams::default().fields(&format!("metadata.name={}", self.workload.name));
        let of_it = WatchParams::default().labels(&self.object.selector());
        let failures = WatchParams::default().fields(&self.event_fields());
        let events_from = self.creation.version.as_deref();
        let open = |path: &str, parameters: WatchParams, from: Option<&str>| {
            let (path, from) = (path.to_owned(), from.map(str::to_owned));
            async move {
                match from {
                    Some(from) => changes(client, &path, &parameters, &from, STEP, call).await,
                    None => Ok(futures::stream::pending().boxed()),
                }
            }
        };
        let (pods, workload, events) = futures::try_join!(
            open(&self.paths.pods, of_it, pods_from),
            open(&self.paths.workloads, itself, Some(FROM_NOW)),
            open(&self.paths.events, failures, events_from),
        )?;
        Ok(futures::stream::select_all([pods, workload, events]).boxed())
    }

    fn take(&mut self, change: Change) -> Result<ControlFlow<Round>> {
        Ok(match change {
            Change::Over => ControlFlow::Break(Round::Cut),
            Change::Present(object) if object["kind"] == self.kind.name() => return Ok(self.take_workload(&object)),
            Change::Present(event) if event["kind"] == "Event" => {
                self.creation.happened(&event);
                ControlFlow::Continue(())
            }
            Change::Present(object) => {
                let mut pod = read_pod(&object);
                self.memory.recall(&mut pod);
                self.put(&pod, Facts::of(&object))?;
                ControlFlow::Continue(())
            }
            // A workload that is gone is found to be so by the next read.
            Change::Gone(object) if object["kind"] == self.kind.name() => ControlFlow::Break(Round::Outdated),
            Change::Gone(event) if event["kind"] == "Event" => ControlFlow::Continue(()),
            Change::Gone(object) => {
                let pod = read_pod(&object);
                self.memory.forget(&pod.uid);
                self.preparing.remove(&pod.uid);
                self.members.remove(&pod.name);
                ControlFlow::Continue(())
            }
        })
    }

    fn take_workload(&mut self, object: &Value) -> ControlFlow<Round> {
        let Ok(object) = Object::deserialize(object) else { return ControlFlow::Break(Round::Outdated) };
        let is_same_round = object.round(self.kind) == self.object.round(self.kind);
        self.object = object;
        if is_same_round { ControlFlow::Continue(()) } else { ControlFlow::Break(Round::Outdated) }
    }

    fn state(&self) -> WorkloadState {
        let (kind, phase) = (self.kind, self.object.phase(self.kind));
        let ready = match (kind, &phase) {
            // A Deployment also counts old pods, until they are gone.
            (WorkloadKind::Deployment, RolloutPhase::Complete) => self.object.ready(kind),
            (WorkloadKind::Deployment, _) => self.members.ready(),
            _ => self.object.ready(kind),
        };
        let mut state = WorkloadState::new(phase, ready, self.object.wanted(kind));
        if state.phase != RolloutPhase::Complete {
            state.waiting_for = self.object.waiting_for(kind);
            state.blockers = self.members.blockers();
            let object = format!("{}/{}", kind.name(), self.object.name());
            if let Some(blocker) = self.creation.blocker(object, self.object.lacks_pods(kind)) {
                state = state.with_blocker(blocker);
            }
        }
        state
    }
}

/// The condition of a ReplicaSet that could not create a pod.
pub(super) fn failure_of(set: &Value) -> Option<RolloutBlocker> {
    let conditions = set["status"]["conditions"].as_array()?;
    let failure = conditions.iter().find(|one| one["type"] == "ReplicaFailure" && one["status"] == "True")?;
    let name = set["metadata"]["name"].as_str()?;
    let text = |field: &str| failure[field].as_str().unwrap_or_default();
    Some(blocker::not_created(format!("ReplicaSet/{name}"), text("reason"), text("message")))
}
