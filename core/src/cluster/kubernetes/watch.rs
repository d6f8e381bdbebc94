//! Pods: a list of them, and their changes from then on.

use super::{
    client::Kubernetes,
    event_time::last_seen,
    pull_memory::{PullMemory, is_uninformative, set_cause},
};
use crate::{
    call::Call,
    cluster::{Pod, PodEvent, PodListener, PodSelection, Pods, pods::read_pod},
    error::{Error, ErrorKind, Result},
    http::{Kept, MOST_PAGES, TooLarge, each_item, weight_of},
    id::ResourceId,
    kubernetes::{Answer, from_kube, from_status, is_passing, is_too_large, read_with, unreadable, within_a_try},
};
use bytes::Bytes;
use futures::{
    FutureExt, Stream, StreamExt,
    stream::{self, BoxStream},
};
use kube::{
    Client,
    api::{ListParams, WatchParams},
    core::{Request, WatchEvent},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::ControlFlow,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// A watch that ends sooner than this was interrupted, and is reopened no sooner than this.
const SHORT_WATCH: Duration = Duration::from_secs(5);
/// Kubernetes is asked to end a watch after this many seconds: load balancers drop an idle connection after four minutes, and neither
/// side notices. See [TCP reset and idle timeout](https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset).
const WATCH_SECONDS: u32 = 180;
/// A watch that is silent this long counts as interrupted. An idle one gets a bookmark about once a minute; a watch without bookmarks
/// only costs another list.
const LONGEST_SILENCE: Duration = Duration::from_secs(90);
/// How many objects a list requests at once.
const PAGE: u32 = 250;
/// How often a list is read from its beginning, if the cluster forgets its version between two pages.
const LISTS: u32 = 4;

/// Where a watch of a list starts, and when the list was read.
pub(super) struct Listed {
    pub version: String,
    pub at: SystemTime,
}

/// Reads a list page by page. `take` gets each item, and returns how many bytes it keeps. It may get an item twice: if a page has
/// expired, the list is read again.
pub(super) async fn list(
    client: &Client,
    path: &str,
    parameters: ListParams,
    step: &str,
    call: &Call,
    mut take: impl FnMut(&Value) -> usize + Send,
) -> Result<Listed> {
    for _ in 1..LISTS {
        match list_once(client, path, parameters.clone(), step, call, &mut take).await {
            Err(err) if is_expired(&err) => {}
            listed => return listed,
        }
    }
    list_once(client, path, parameters, step, call, &mut take).await.map_err(passing_if_expired)
}

/// Kubernetes keeps old versions for five minutes, or until the database is compacted.
fn is_expired(err: &Error) -> bool {
    err.status() == Some(410)
}

/// Another call may be quicker than the compaction.
fn passing_if_expired(err: Error) -> Error {
    if is_expired(&err) { err.with_transient(true) } else { err }
}

async fn list_once(
    client: &Client,
    path: &str,
    parameters: ListParams,
    step: &str,
    call: &Call,
    take: &mut (impl FnMut(&Value) -> usize + Send),
) -> Result<Listed> {
    #[derive(Deserialize)]
    struct Page<'a> {
        metadata: Metadata,
        /// It may be null; a response without it is not a list.
        #[serde(borrow)]
        items: &'a RawValue,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        resource_version: Option<String>,
        #[serde(rename = "continue")]
        next: Option<String>,
    }
    let page = parameters.limit.unwrap_or(PAGE);
    let (mut parameters, mut kept) = (parameters.limit(page), Kept::default());
    for _ in 0..MOST_PAGES {
        let request = Request::new(path).list(&parameters);
        // An invalid page is requested again: nothing of it was taken.
        let read = |body: &Bytes| serde_json::from_slice::<Page<'_>>(body).map(|_| body.clone());
        let Answer { value: body, at, .. } = read_with(client, request, step, call, read).await?;
        let odd = |err: serde_json::Error| unreadable(&err, step);
        let Page { metadata, items } = serde_json::from_slice(&body).map_err(odd)?;
        each_item(items, step, odd, |item| kept.add(take(&item)).map_err(|err| too_long(err, step)))?;
        match metadata.next.filter(|next| !next.is_empty()) {
            Some(next) => parameters = parameters.continue_token(&next),
            None => return Ok(Listed { version: metadata.resource_version.unwrap_or_default(), at }),
        }
    }
    Err(TooLarge::Pages.error(step))
}

/// A list that is too long can be requested in parts.
pub(super) fn too_long(err: TooLarge, step: &str) -> Error {
    err.error(step).with_context("hint", "select fewer pods by their labels")
}

/// Reads the pods of a list.
pub(super) async fn list_pods(
    client: &Client,
    path: &str,
    parameters: ListParams,
    call: &Call,
) -> Result<(Vec<Pod>, Listed)> {
    let (pods, _, listed) = list_pods_with(client, path, parameters, call, |_| ((), 0)).await?;
    Ok((pods, listed))
}

/// Reads the pods of a list, and something else of each, with the bytes that it keeps.
pub(super) async fn list_pods_with<T: Send>(
    client: &Client,
    path: &str,
    parameters: ListParams,
    call: &Call,
    read: impl Fn(&Value) -> (T, usize) + Send + Sync,
) -> Result<(Vec<Pod>, Vec<T>, Listed)> {
    let mut left = LISTS;
    loop {
        let (mut pods, mut others) = (Vec::new(), Vec::new());
        let mut take = |item: &Value| {
            let pod = read_pod(item);
            let (other, kept) = read(item);
            let weight = pod_weight(&pod) + size_of::<T>() + kept;
            pods.push(pod);
            others.push(other);
            weight
        };
        left -= 1;
        match list_once(client, path, parameters.clone(), "listing the pods", call, &mut take).await {
            Err(err) if is_expired(&err) && left > 0 => {}
            listed => return Ok((pods, others, listed.map_err(passing_if_expired)?)),
        }
    }
}

pub(super) fn pod_weight(pod: &Pod) -> usize {
    size_of::<Pod>() + weight_of(pod)
}

/// An event of a watch: an existing object, a deleted one, or the need to read the list again.
pub(super) enum Change {
    Present(Value),
    Gone(Value),
    Over,
}

/// The changes after a version. It ends with `Over`, also after a long silence; an error ends the whole wait.
pub(super) async fn changes(
    client: &Client,
    path: &str,
    parameters: &WatchParams,
    version: &str,
    step: &str,
    call: &Call,
) -> Result<BoxStream<'static, Result<Change>>> {
    let parameters = WatchParams { bookmarks: true, ..parameters.clone() }.timeout(WATCH_SECONDS);
    let request = Request::new(path).watch(&parameters, version);
    let request = request.map_err(|err| Error::new(ErrorKind::Unexpected, "cannot make a request").with_source(err))?;
    // On the heap: it is big, and nested.
    let open = async { client.request_events::<Value>(request).await.map_err(|err| from_kube(err, step)) }.boxed();
    let events = until_silent(call.run(step, within_a_try(step, open)).await?);
    let step = step.to_owned();
    let changes = events.filter_map(move |event| std::future::ready(read_event(event, &step)));
    Ok(changes.chain(stream::once(async { Ok(Change::Over) })).boxed())
}

/// Ends after a long silence. Bookmarks count: this comes before they are filtered out.
fn until_silent<T: Send + 'static>(events: impl Stream<Item = T> + Send + 'static) -> impl Stream<Item = T> + Send {
    stream::unfold(events.boxed(), |mut events| async move {
        let next = tokio::time::timeout(LONGEST_SILENCE, events.next()).await;
        Some((next.ok()??, events))
    })
}

fn read_event(event: Result<WatchEvent<Value>, kube::Error>, step: &str) -> Option<Result<Change>> {
    match event {
        Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Some(Ok(Change::Present(object))),
        Ok(WatchEvent::Deleted(object)) => Some(Ok(Change::Gone(object))),
        Ok(WatchEvent::Bookmark(_)) => None,
        // Too old a version, or a broken connection: the list is read again.
        Ok(WatchEvent::Error(status)) if status.code == 410 || status.code >= 500 => Some(Ok(Change::Over)),
        Ok(WatchEvent::Error(status)) => Some(Err(from_status(*status, step))),
        // An event without end would come again.
        Err(err) if is_too_large(&err) => Some(Err(from_kube(err, step))),
        Err(_) => Some(Ok(Change::Over)),
    }
}

/// Waits, unless the watch that started then has lived for a while.
pub(super) async fn pause_after(begun: Instant, step: &str, call: &Call) -> Result<()> {
    match SHORT_WATCH.checked_sub(begun.elapsed()) {
        Some(rest) => call.sleep(step, rest).await,
        None => Ok(()),
    }
}

pub(super) fn pods_path(namespace: &str) -> Result<String> {
    Ok(format!("/api/v1/namespaces/{}/pods", checked_name(namespace)?))
}

/// Names of namespaces and objects are parts of paths: only valid Kubernetes names are accepted.
pub(super) fn checked_name(name: &str) -> Result<&str> {
    let is_plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-' || letter == '.';
    let has_letters = name.chars().any(|letter| letter.is_ascii_alphanumeric());
    if has_letters
        && name.len() <= 253
        && name.chars().all(is_plain)
        && !name.starts_with(['-', '.'])
        && !name.ends_with(['-', '.'])
    {
        return Ok(name);
    }
    Err(Error::invalid("expected lower-case letters, digits, '-' and '.', as Kubernetes has it", "name", name))
}

fn list_parameters(selection: &PodSelection) -> ListParams {
    let all = ListParams::default();
    selection.labels.as_ref().map_or(all.clone(), |labels| all.labels(labels))
}

fn watch_parameters(selection: &PodSelection) -> WatchParams {
    let all = WatchParams::default();
    selection.labels.as_ref().map_or(all.clone(), |labels| all.labels(labels))
}

impl Kubernetes {
    pub async fn pods(&self, cluster: &ResourceId, selection: &PodSelection, call: &Call) -> Result<Pods> {
        let path = pods_path(&selection.namespace)?;
        let client = self.client(cluster, call).await?;
        let (mut pods, Listed { at, .. }) = list_pods(&client, &path, list_parameters(selection), call).await?;
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        read_causes_from_events(&client, &selection.namespace, &mut pods, call).await?;
        Ok(Pods { pods, at })
    }

    pub async fn watch(
        &self,
        cluster: &ResourceId,
        selection: &PodSelection,
        listener: &mut PodListener<'_>,
        call: &Call,
    ) -> Result<()> {
        let mut audience =
            Audience { told: BTreeMap::new(), kept: Kept::default(), memory: PullMemory::default(), listener };
        loop {
            let begun = Instant::now();
            match self.watch_once(cluster, selection, &mut audience, call).await {
                Ok(ControlFlow::Break(())) => return Ok(()),
                Ok(ControlFlow::Continue(())) => {}
                Err(err) if is_passing(&err) => {}
                Err(err) => return Err(err),
            }
            pause_after(begun, "watching the pods", call).await?;
        }
    }

    async fn watch_once(
        &self,
        cluster: &ResourceId,
        selection: &PodSelection,
        audience: &mut Audience<'_, '_>,
        call: &Call,
    ) -> Result<ControlFlow<()>> {
        let path = pods_path(&selection.namespace)?;
        let client = self.client(cluster, call).await?;
        let (pods, listed) = list_pods(&client, &path, list_parameters(selection), call).await?;
        if audience.report_list(pods)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let mut changes =
            changes(&client, &path, &watch_parameters(selection), &listed.version, "watching the pods", call).await?;
        while let Some(change) = next(&mut changes, "watching the pods", call).await? {
            let flow = match change {
                Change::Present(object) => audience.report(read_pod(&object))?,
                Change::Gone(object) => audience.report_deleted(read_pod(&object).name),
                Change::Over => break,
            };
            if flow.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

pub(super) async fn next(
    changes: &mut (impl Stream<Item = Result<Change>> + Unpin + Send),
    step: &str,
    call: &Call,
) -> Result<Option<Change>> {
    call.run(step, async { changes.next().await.transpose() }).await
}

/// The listener, and what it has received: an unchanged pod is not reported again.
struct Audience<'a, 'b> {
    told: BTreeMap<String, Pod>,
    kept: Kept,
    memory: PullMemory,
    listener: &'a mut PodListener<'b>,
}

impl Audience<'_, '_> {
    fn report_list(&mut self, pods: Vec<Pod>) -> Result<ControlFlow<()>> {
        let names: HashSet<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
        let gone: Vec<String> = self.told.keys().filter(|name| !names.contains(name.as_str())).cloned().collect();
        for name in gone {
            if self.report_deleted(name).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        for pod in pods {
            if self.report(pod)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn report(&mut self, mut pod: Pod) -> Result<ControlFlow<()>> {
        self.memory.recall(&mut pod);
        if self.told.get(&pod.name) == Some(&pod) {
            return Ok(ControlFlow::Continue(()));
        }
        let weight = pod_weight(&pod);
        if let Some(before) = self.told.insert(pod.name.clone(), pod.clone()) {
            self.kept.remove(pod_weight(&before));
        }
        self.kept.add(weight).map_err(|err| too_long(err, "watching the pods"))?;
        Ok((self.listener)(PodEvent::Present(Box::new(pod))))
    }

    fn report_deleted(&mut self, name: String) -> ControlFlow<()> {
        if let Some(pod) = self.told.remove(&name) {
            self.kept.remove(pod_weight(&pod));
            self.memory.forget(&pod.uid);
        }
        (self.listener)(PodEvent::Gone { name })
    }
}

/// Older kubelets leave the cause out of the waiting container: then the pod's events have it.
pub(super) async fn read_causes_from_events(
    client: &Client,
    namespace: &str,
    pods: &mut [Pod],
    call: &Call,
) -> Result<()> {
    let is_mute = |pod: &Pod| pod.pull_failure.as_ref().is_some_and(is_uninformative);
    if !pods.iter().any(is_mute) {
        return Ok(());
    }
    let path = format!("/api/v1/namespaces/{}/events", checked_name(namespace)?);
    let failed = ListParams::default().fields("involvedObject.kind=Pod,reason=Failed");
    let mut causes: HashMap<String, (Option<SystemTime>, Option<String>)> =
        pods.iter().filter(|pod| is_mute(pod)).map(|pod| (pod.uid.clone(), (None, None))).collect();
    // The one seen last counts. They are listed by name, which says nothing of time.
    let take = |event: &Value| {
        let Some((uid, text)) = cause_in(event) else { return 0 };
        let Some(cause) = causes.get_mut(uid) else { return 0 };
        let seen = last_seen(event);
        if cause.1.is_some() && seen < cause.0 {
            return 0;
        }
        *cause = (seen, Some(text.to_owned()));
        text.len()
    };
    match list(client, &path, failed, "listing events", call, take).await {
        // Without the permission to read events, only the cause is missing.
        Err(err) if err.kind() == ErrorKind::Forbidden => return Ok(()),
        listed => listed.map(drop)?,
    }
    for pod in pods.iter_mut().filter(|pod| is_mute(pod)) {
        let text = causes.get(&pod.uid).and_then(|(_, text)| text.as_deref());
        if let (Some(failure), Some(text)) = (&mut pod.pull_failure, text) {
            set_cause(failure, text);
        }
    }
    Ok(())
}

/// The pod and the cause in an event. Kubelet writes two events for a failed pull; the short one, `Error: ErrImagePull`, has no cause.
pub(super) fn cause_in(event: &Value) -> Option<(&str, &str)> {
    let (message, uid) = (event["message"].as_str()?, event["involvedObject"]["uid"].as_str()?);
    message.starts_with("Failed to pull image").then_some((uid, message))
}
