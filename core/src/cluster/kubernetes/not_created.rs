//! Why `StatefulSets`, `DaemonSets` and Jobs lack pods: unlike a `ReplicaSet`, they have no condition for it, only events.

use super::{
    pulls::{allowed, events_path},
    rollout::{
        events::{Creation, FAILED},
        object::Object,
    },
    watch::{checked_name, list},
};
use crate::{
    call::Call,
    cluster::{NotCreated, PodScope, RolloutPhase, UnreadObjects, workload::WorkloadKind},
    error::Result,
    kubernetes::unreadable,
};
use kube::{Client, api::ListParams};
use serde::Deserialize as _;
use serde_json::Value;
use std::{collections::BTreeMap, time::SystemTime};

const STEP: &str = "listing the workloads";

/// When the newest pod of each workload was created, by the workload's UID.
pub(super) type NewestPods = BTreeMap<String, Option<SystemTime>>;

/// The events about each workload, by its UID.
type Failures = BTreeMap<String, Vec<Value>>;

/// The workloads in the scope whose pods are not created. Each kind is listed once, and only if there are events about one of that kind.
pub(super) async fn failed_workloads(
    client: &Client,
    scope: &PodScope,
    newest: &NewestPods,
    call: &Call,
) -> Result<(Vec<NotCreated>, Vec<UnreadObjects>)> {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let events = failures(client, scope, call).await;
    for (kind, failures) in &allowed("events", events, &mut unread)?.unwrap_or_default() {
        let failed = of_kind(client, (*kind, failures), scope, newest, call).await;
        found.extend(allowed(kind.plural(), failed, &mut unread)?.into_iter().flatten());
    }
    Ok((found, unread))
}

async fn failures(client: &Client, scope: &PodScope, call: &Call) -> Result<BTreeMap<WorkloadKind, Failures>> {
    let path = events_path(scope.namespace.as_deref())?;
    let mut failures = BTreeMap::<WorkloadKind, Failures>::new();
    let take = |event: &Value| {
        let Some((kind, uid)) = subject(event) else { return 0 };
        failures.entry(kind).or_default().entry(uid.to_owned()).or_default().push(event.clone());
        event.to_string().len()
    };
    let parameters = ListParams::default().fields(&format!("reason={FAILED}"));
    list(client, &path, parameters, "listing events", call, take).await?;
    Ok(failures)
}

async fn of_kind(
    client: &Client,
    (kind, failures): (WorkloadKind, &Failures),
    scope: &PodScope,
    newest: &NewestPods,
    call: &Call,
) -> Result<Vec<NotCreated>> {
    let within = match &scope.namespace {
        Some(namespace) => format!("namespaces/{}/", checked_name(namespace)?),
        None => String::new(),
    };
    let path = format!("/apis/{}/v1/{within}{}", kind.group(), kind.plural());
    let parameters = scope.labels.iter().fold(ListParams::default(), |all, labels| all.labels(labels));
    // A list that expires between two pages is read again.
    let mut read = BTreeMap::new();
    let take = |item: &Value| {
        let text = |field: &str| item["metadata"][field].as_str();
        let (Some(uid), Some(namespace)) = (text("uid"), text("namespace")) else { return 0 };
        let Some(events) = failures.get(uid) else { return 0 };
        let object = Object::deserialize(item).map(|object| (namespace.to_owned(), object, events));
        read.insert(uid.to_owned(), object);
        size_of::<Object>()
    };
    list(client, &path, parameters, STEP, call, take).await?;
    let read = read.into_values().collect::<Result<Vec<_>, _>>().map_err(|err| unreadable(&err, STEP))?;
    let all = read.iter().filter_map(|(namespace, object, events)| failure((namespace, kind), object, events, newest));
    Ok(all.collect())
}

/// Why one workload lacks pods. Its events are read only if it does.
pub(super) async fn failed_workload(
    client: &Client,
    (namespace, kind): (&str, WorkloadKind),
    object: &Object,
    newest: &NewestPods,
    call: &Call,
) -> Result<Option<NotCreated>> {
    if !lacks_pods(object, kind) {
        return Ok(None);
    }
    let mut events = Vec::new();
    let take = |event: &Value| {
        events.push(event.clone());
        event.to_string().len()
    };
    let parameters = ListParams::default().fields(&format!("involvedObject.uid={},reason={FAILED}", object.uid()));
    list(client, &events_path(Some(namespace))?, parameters, "listing events", call, take).await?;
    Ok(failure((namespace, kind), object, &events, newest))
}

/// The kind and the UID of the workload that an event is about. A `ReplicaSet` has a condition, and is not one.
fn subject(event: &Value) -> Option<(WorkloadKind, &str)> {
    let text = |field: &str| event["involvedObject"][field].as_str();
    let kind = WorkloadKind::ALL.into_iter().find(|kind| text("kind") == Some(kind.name()))?;
    Some((kind, text("uid")?))
}

fn failure(
    (namespace, kind): (&str, WorkloadKind),
    object: &Object,
    events: &[Value],
    newest: &NewestPods,
) -> Option<NotCreated> {
    let mut creation = Creation::since(object.changed());
    for event in events {
        creation.listed(event);
    }
    creation.pod_exists(newest.get(object.uid()).copied().flatten());
    let blocker = creation.blocker(format!("{}/{}", kind.name(), object.name()), lacks_pods(object, kind))?;
    Some(NotCreated::new(namespace, blocker))
}

/// Whether it has fewer pods than it is to have, and has not ended. A Deployment's pods are those of its `ReplicaSets`.
fn lacks_pods(object: &Object, kind: WorkloadKind) -> bool {
    let is_over =
        matches!(object.phase(kind), RolloutPhase::Complete | RolloutPhase::Failed { .. } | RolloutPhase::Paused);
    kind != WorkloadKind::Deployment && !is_over && object.lacks_pods(kind)
}
