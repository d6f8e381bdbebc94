//! Reads pods with what decides whether their images are pulled: their nodes, pull secrets and events. Each list is read once, however
//! many pods there are, and nothing beside the pods is read while none of them waits.

use super::{
    client::Kubernetes,
    event_time::last_seen,
    later_secrets, nodes,
    not_created::{NewestPods, failed_workload, failed_workloads},
    pull_memory::set_cause,
    pull_secret::{READING, check_namespace, read},
    pulls::{self, PULLED, SUCCESSFULLY, allowed, events_path, pods_path, secret_names},
    rollout::{
        blocker::{Obstacle, obstacle_of},
        failure_of,
        members::controller,
        object::Object,
        preparing::{is_preparing, obstacle_in},
    },
    watch::{cause_in, checked_name, list},
};
use crate::{
    call::Call,
    cluster::{
        NotCreated, ObservedNode, ObservedPod, ObservedPods, ObservedSecret, PodScope, RolloutBlocker, SecretState,
        UnreadObjects, WorkloadRef,
        pods::{pull_failures, read_pod},
        pull_secret::{DOCKER_CONFIG_KEY, entries},
        workload::WorkloadKind,
    },
    diagnosis::text::PullFailure,
    error::{Error, ErrorKind, Result},
    http::weight_of,
    id::ResourceId,
    image::ImageReference,
    kubernetes::send,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::{
    Client,
    api::{GetParams, ListParams},
    core::Request,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::SystemTime,
};

/// Of a pod, kubelet's event says which of its pull secrets are missing. See `getPullSecretsForPod` in
/// [kubelet_pods.go](https://github.com/kubernetes/kubernetes/blob/v1.33.3/pkg/kubelet/kubelet_pods.go).
const WITHOUT_SECRET: &str = "FailedToRetrieveImagePullSecret";
/// The key of the older type of pull secrets, which has the registries at its top.
const DOCKERCFG_KEY: &str = ".dockercfg";
/// How many events a page has: a pod that cannot pull has three or four, and those of 500 pods come in one response.
const EVENTS: u32 = 2000;
/// How many secrets are read, and how many at the same time.
const MOST_SECRETS: usize = 16;
const SECRETS_AT_ONCE: usize = 4;

/// Which pods of a list are meant.
enum Wanted {
    All,
    /// Those of these controllers, by UID.
    Of(BTreeSet<String>),
}

/// A pod under observation.
struct Observed {
    pod: ObservedPod,
    uid: String,
    is_preparing: bool,
    /// The UID of the workload or the `ReplicaSet` that created it.
    owner: Option<String>,
    /// Its containers whose images are pulled only if the node does not have them, each with its image.
    if_not_present: Vec<(String, String)>,
    has_account: bool,
}

/// The images that nodes have, of those that pods on them cannot pull.
type Present = BTreeMap<String, BTreeSet<String>>;

impl Kubernetes {
    pub async fn observe_pods(&self, cluster: &ResourceId, scope: &PodScope, call: &Call) -> Result<ObservedPods> {
        let client = &self.client(cluster, call).await?;
        if scope.only_pulls {
            return Box::pin(pulls::observe(client, scope, call)).await;
        }
        let mut unread = Vec::new();
        let (pods, not_created) = Box::pin(read_pods(client, scope, &mut unread, call)).await?;
        let waits = |one: &Observed| one.is_preparing || !one.pod.failures.is_empty();
        if !pods.iter().any(waits) && !scope.with_pulls {
            let pods = pods.into_iter().map(|one| one.pod).collect();
            return Ok(ObservedPods { not_created, unread, ..ObservedPods::new(pods) });
        }
        let (events, nodes) = futures::join!(events(client, scope, &pods, call), nodes_of(client, &pods, call));
        let (events, nodes) = (allowed("events", events, &mut unread)?, allowed("nodes", nodes, &mut unread)?);
        let (nodes, images) = nodes.unwrap_or_default();
        let (mut pods, mut missing) = (pods, BTreeSet::new());
        for one in &mut pods {
            one.hear(events.as_ref().and_then(|all| all.get(&one.uid)), &mut missing);
            one.see(&images);
        }
        if scope.with_account_secrets {
            // The pods that a node creates itself have no service account.
            let with_account = pods.iter().filter(|one| one.has_account).map(|one| &one.pod);
            let accounts = later_secrets::of_accounts(client, with_account, call).await;
            if let Some(accounts) = allowed("serviceaccounts", accounts, &mut unread)? {
                pods.iter_mut()
                    .filter(|one| one.has_account)
                    .for_each(|one| later_secrets::add(&mut one.pod, &accounts));
            }
        }
        let pods: Vec<ObservedPod> = pods.into_iter().map(|one| one.pod).collect();
        let secrets = secrets(client, &pods, &missing, call).await?;
        Ok(ObservedPods { nodes, secrets, not_created, unread, ..ObservedPods::new(pods) })
    }
}

async fn read_pods(
    client: &Client,
    scope: &PodScope,
    unread: &mut Vec<UnreadObjects>,
    call: &Call,
) -> Result<(Vec<Observed>, Vec<NotCreated>)> {
    if let (Some(name), Some(namespace)) = (&scope.pod, &scope.namespace) {
        let path = pods_path(Some(namespace))?;
        let request = Request::new(&path).get(checked_name(name)?, &GetParams::default());
        let pod: Value = send(client, request, "reading the pod", call).await?.value;
        return Ok((vec![Observed::of(&pod)], Vec::new()));
    }
    if let Some(workload) = &scope.workload {
        return read_workload(client, workload, scope, unread, call).await;
    }
    let pods = list_pods(client, scope.namespace.as_deref(), scope.labels.clone(), &Wanted::All, call).await?;
    if let (true, Some(namespace)) = (pods.is_empty(), &scope.namespace) {
        check_namespace(client, namespace, call).await?;
    }
    let newest = newest_of(&pods);
    let (sets, others) =
        futures::join!(failed_replica_sets(client, scope, call), failed_workloads(client, scope, &newest, call));
    let (sets, (others, not_read)) = (allowed("replicasets", sets, unread)?, others?);
    unread.extend(not_read);
    Ok((pods, sets.into_iter().flatten().chain(others).collect()))
}

/// The pods of a workload, those of earlier templates included.
async fn read_workload(
    client: &Client,
    workload: &WorkloadRef,
    scope: &PodScope,
    unread: &mut Vec<UnreadObjects>,
    call: &Call,
) -> Result<(Vec<Observed>, Vec<NotCreated>)> {
    let kind = workload.known_kind()?;
    let namespace = checked_name(&workload.namespace)?;
    let path = format!("/apis/{}/v1/namespaces/{namespace}/{}", kind.group(), kind.plural());
    let request = Request::new(&path).get(checked_name(&workload.name)?, &GetParams::default());
    let object: Object = send(client, request, "reading the workload", call).await?.value;
    let selector = object.selector();
    let (mut owners, mut not_created) = (BTreeSet::from([object.uid().to_owned()]), Vec::new());
    if kind == WorkloadKind::Deployment {
        let take = |set: &Value| {
            if controller(set) == Some(object.uid()) {
                owners.extend(set["metadata"]["uid"].as_str().map(str::to_owned));
                not_created.extend(failure(set));
            }
            0
        };
        let path = format!("/apis/apps/v1/namespaces/{namespace}/replicasets");
        list(client, &path, ListParams::default().labels(&selector), "listing replica sets", call, take).await?;
    }
    let labels = [Some(selector.as_str()), scope.labels.as_deref()].into_iter().flatten().filter(|one| !one.is_empty());
    let labels = labels.collect::<Vec<_>>().join(",");
    let pods = list_pods(client, Some(namespace), Some(labels), &Wanted::Of(owners), call).await?;
    let failure = failed_workload(client, (namespace, kind), &object, &newest_of(&pods), call).await;
    not_created.extend(allowed("events", failure, unread)?.flatten());
    Ok((pods, not_created))
}

fn newest_of(pods: &[Observed]) -> NewestPods {
    let mut newest = NewestPods::new();
    for (owner, pod) in pods.iter().filter_map(|one| Some((one.owner.clone()?, &one.pod.pod))) {
        let known = newest.entry(owner).or_default();
        *known = (*known).max(pod.created);
    }
    newest
}

/// The `ReplicaSets` that cannot create pods.
async fn failed_replica_sets(client: &Client, scope: &PodScope, call: &Call) -> Result<Vec<NotCreated>> {
    let path = match &scope.namespace {
        Some(namespace) => format!("/apis/apps/v1/namespaces/{}/replicasets", checked_name(namespace)?),
        None => "/apis/apps/v1/replicasets".to_owned(),
    };
    let mut failed = Vec::new();
    let parameters = scope.labels.iter().fold(ListParams::default(), |all, labels| all.labels(labels));
    let take = |set: &Value| {
        let failure = failure(set);
        let weight = failure.as_ref().map_or(0, |one| one.blocker.object.len() + one.blocker.message.len());
        failed.extend(failure);
        weight
    };
    list(client, &path, parameters, "listing replica sets", call, take).await?;
    Ok(failed)
}

fn failure(set: &Value) -> Option<NotCreated> {
    Some(NotCreated::new(set["metadata"]["namespace"].as_str().unwrap_or_default(), failure_of(set)?))
}

async fn list_pods(
    client: &Client,
    namespace: Option<&str>,
    labels: Option<String>,
    wanted: &Wanted,
    call: &Call,
) -> Result<Vec<Observed>> {
    let (path, mut pods) = (pods_path(namespace)?, BTreeMap::new());
    let parameters = labels.iter().fold(ListParams::default(), |all, labels| all.labels(labels));
    let take = |pod: &Value| {
        let is_wanted = match wanted {
            Wanted::All => true,
            Wanted::Of(owners) => controller(pod).is_some_and(|owner| owners.contains(owner)),
        };
        // What waits no longer matters once it is being deleted.
        if !is_wanted || !pod["metadata"]["deletionTimestamp"].is_null() {
            return 0;
        }
        let one = Observed::of(pod);
        let weight = one.weight();
        // A list that expires between two pages is read again.
        pods.insert((one.pod.pod.namespace.clone(), one.pod.pod.name.clone()), one);
        weight
    };
    list(client, &path, parameters, "listing the pods", call, take).await?;
    Ok(pods.into_values().collect())
}

impl Observed {
    fn of(object: &Value) -> Self {
        let pod = read_pod(object);
        let spec = &object["spec"];
        let failures = pull_failures(object);
        let obstacle = obstacle_of(object).filter(|_| failures.is_empty());
        let is_done = object["status"]["phase"] == "Succeeded";
        Self {
            uid: pod.uid.clone(),
            is_preparing: is_preparing(object),
            owner: controller(object).map(str::to_owned),
            if_not_present: if_not_present(object),
            has_account: spec["serviceAccountName"].is_string(),
            pod: ObservedPod {
                blocker: obstacle.map(|obstacle| blocker(&pod.name, obstacle)),
                service_account: spec["serviceAccountName"].as_str().unwrap_or("default").to_owned(),
                pull_secrets: secret_names(object),
                is_healthy: is_done || (pod.is_ready && pod.status == "Running"),
                failures,
                pulls: pulls::of_containers(object),
                ..ObservedPod::new(pod)
            },
        }
    }

    fn weight(&self) -> usize {
        let texts = |one: &RolloutBlocker| one.object.len() + one.reason.len() + one.message.len();
        let names = self.pod.pull_secrets.iter().map(String::len).sum::<usize>() + self.pod.service_account.len();
        let failures = self.pod.failures.iter().map(weight_of).sum::<usize>();
        let containers: usize = self.if_not_present.iter().map(|(name, image)| name.len() + image.len()).sum();
        let containers = containers + self.owner.as_ref().map_or(0, String::len);
        let own = size_of::<Self>() + weight_of(&self.pod.pod) + pulls::weight(&self.pod.pulls) + containers;
        own + failures + names + self.pod.blocker.as_ref().map_or(0, texts)
    }

    /// The names under which a node would list the image, if it is not always pulled.
    fn names(&self, failure: &PullFailure) -> Vec<String> {
        // The image of a volume has a policy of its own.
        let is_own = |(name, image): &(String, String)| *name == failure.container && *image == failure.image;
        let image = ImageReference::parse(&failure.image).ok().filter(|_| self.if_not_present.iter().any(is_own));
        image.as_ref().map(nodes::names_of).unwrap_or_default()
    }

    /// Takes what the node says: that it has an image, and pulls it all the same.
    fn see(&mut self, images: &Present) {
        let Some(present) = self.pod.pod.node.as_ref().and_then(|node| images.get(node)) else { return };
        let is_present = |failure: &&PullFailure| self.names(failure).iter().any(|name| present.contains(name));
        let again: Vec<String> =
            self.pod.failures.iter().filter(is_present).map(|failure| failure.container.clone()).collect();
        self.pod.pulled_again = again;
    }

    /// Takes what the events say: the cause of a failed pull that the status has dropped, its time, and why a pod is not prepared.
    fn hear(&mut self, heard: Option<&Heard>, missing: &mut BTreeSet<(String, String)>) {
        let Some(heard) = heard else { return };
        self.pod.pulled.clone_from(&heard.pulled);
        self.pod.last_failed = heard.causes.values().filter_map(|(at, _)| *at).max();
        for failure in self.pod.failures.iter_mut().filter(|failure| !failure.finding.is_known()) {
            if let Some((_, text)) = heard.causes.get(&failure.container) {
                set_cause(failure, text);
            }
        }
        if self.is_preparing && self.pod.blocker.is_none() {
            self.pod.blocker = heard.obstacle.clone().map(|(_, obstacle)| blocker(&self.pod.pod.name, obstacle));
        }
        let namespace = &self.pod.pod.namespace;
        missing.extend(heard.missing.iter().map(|name| (namespace.clone(), name.clone())));
    }
}

fn blocker(pod: &str, (kind, reason, message): Obstacle) -> RolloutBlocker {
    RolloutBlocker::new(kind, format!("Pod/{pod}"), reason, message)
}

/// What the events say about a pod.
#[derive(Default)]
struct Heard {
    /// The last cause of a failed pull and its time, by container.
    causes: BTreeMap<String, (Option<SystemTime>, String)>,
    obstacle: Option<(Option<SystemTime>, Obstacle)>,
    /// The pull secrets that do not exist.
    missing: BTreeSet<String>,
    /// The message about a pull that succeeded.
    pulled: Option<String>,
}

impl Heard {
    /// Takes an event; returns how many bytes it keeps.
    fn take(&mut self, event: &Value) -> usize {
        let at = last_seen(event);
        if let Some((_, text)) = cause_in(event) {
            let container = container_of(event);
            let is_newest = self.causes.get(container).is_none_or(|(last, _)| at >= *last);
            if is_newest {
                self.causes.insert(container.to_owned(), (at, text.to_owned()));
                return text.len() + container.len();
            }
        } else if event["reason"] == PULLED {
            let message = event["message"].as_str().unwrap_or_default();
            // The same reason stands for an image that was not pulled, because the node has it.
            self.pulled = message.starts_with(SUCCESSFULLY).then(|| message.to_owned());
            return message.len();
        } else if event["reason"] == WITHOUT_SECRET {
            let names = event["message"].as_str().map(names_in).unwrap_or_default();
            let weight = names.iter().map(String::len).sum();
            self.missing.extend(names);
            return weight;
        } else if let Some(obstacle) = obstacle_in(event) {
            let is_newest = self.obstacle.as_ref().is_none_or(|(last, _)| at >= *last);
            if is_newest {
                let weight = obstacle.1.len() + obstacle.2.len();
                self.obstacle = Some((at, obstacle));
                return weight;
            }
        }
        0
    }
}

/// The container in `spec.containers{web}`.
fn container_of(event: &Value) -> &str {
    let path = event["involvedObject"]["fieldPath"].as_str().unwrap_or_default();
    path.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}')).unwrap_or_default()
}

/// The secrets in `Unable to retrieve some image pull secrets (a, b); …`.
fn names_in(message: &str) -> Vec<String> {
    let inside = message.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    let names = inside.unwrap_or_default().split(',').map(str::trim);
    names.filter(|name| checked_name(name).is_ok()).map(str::to_owned).collect()
}

/// The warnings about these pods, by the pod's UID.
async fn events(client: &Client, scope: &PodScope, pods: &[Observed], call: &Call) -> Result<HashMap<String, Heard>> {
    let namespace = scope.workload.as_ref().map(|workload| &workload.namespace).or(scope.namespace.as_ref());
    let path = events_path(namespace.map(String::as_str))?;
    let mut fields = "involvedObject.kind=Pod".to_owned();
    if !scope.with_pulls {
        fields.push_str(",type=Warning");
    }
    if let Some(name) = &scope.pod {
        fields.push_str(",involvedObject.name=");
        fields.push_str(name);
    }
    let parameters = ListParams::default().fields(&fields).limit(EVENTS);
    let mut heard: HashMap<String, Heard> = pods.iter().map(|one| (one.uid.clone(), Heard::default())).collect();
    let take = |event: &Value| {
        let uid = event["involvedObject"]["uid"].as_str().unwrap_or_default();
        heard.get_mut(uid).map_or(0, |heard| heard.take(event))
    };
    list(client, &path, parameters, "listing events", call, take).await?;
    Ok(heard)
}

/// The containers whose images are pulled only if the node does not have them. The API server gives each container a policy.
fn if_not_present(pod: &Value) -> Vec<(String, String)> {
    let of = |list: &str| pod["spec"][list].as_array().into_iter().flatten();
    let used = of("initContainers").chain(of("containers")).filter(|one| one["imagePullPolicy"] == "IfNotPresent");
    used.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["image"].as_str()?.to_owned()))).collect()
}

/// The nodes of pods whose images are not pulled, if there are any, and those of pods whose images were.
async fn nodes_of(client: &Client, pods: &[Observed], call: &Call) -> Result<(Vec<ObservedNode>, Present)> {
    if pods.iter().all(|one| one.pod.failures.is_empty()) {
        return Ok(Default::default());
    }
    let failing = pods.iter().flat_map(|one| one.pod.failures.iter().flat_map(|failure| one.names(failure)));
    let failing: BTreeSet<String> = failing.collect();
    let mut images = Present::new();
    let known = pods.iter().filter(|one| !one.pod.failures.is_empty() || !one.pod.pulls.is_empty());
    let names: BTreeSet<&str> = known.filter_map(|one| one.pod.pod.node.as_deref()).collect();
    let mut nodes = BTreeMap::new();
    let take = |node: &Value| {
        let Some(one) = nodes::read(node, None).filter(|one| names.contains(one.name.as_str())) else { return 0 };
        let present: BTreeSet<String> =
            nodes::listed(node).filter(|name| failing.contains(*name)).map(str::to_owned).collect();
        let weight = one.weight() + present.iter().map(String::len).sum::<usize>();
        images.insert(one.name.clone(), present);
        nodes.insert(one.name.clone(), one);
        weight
    };
    nodes::list_nodes(client, take, call).await?;
    Ok((nodes.into_values().collect(), images))
}

/// The pull secrets of pods whose images are not pulled. Events say which are missing to a caller that cannot read secrets.
async fn secrets(
    client: &Client,
    pods: &[ObservedPod],
    missing: &BTreeSet<(String, String)>,
    call: &Call,
) -> Result<Vec<ObservedSecret>> {
    let failing = pods.iter().filter(|pod| !pod.failures.is_empty());
    let secrets_of = |pod: &ObservedPod| pod.pull_secrets.iter().chain(&pod.later_secrets).cloned().collect::<Vec<_>>();
    let named = failing.flat_map(|pod| secrets_of(pod).into_iter().map(|name| (pod.pod.namespace.clone(), name)));
    let named: BTreeSet<(String, String)> = named.collect();
    let read_one = |(at, (namespace, name)): (usize, (String, String))| async move {
        let state =
            if at < MOST_SECRETS { secret(client, &namespace, &name, call).await? } else { SecretState::Unread };
        Ok::<_, Error>(ObservedSecret::new(namespace, name, state))
    };
    let mut secrets: Vec<ObservedSecret> =
        stream::iter(named.into_iter().enumerate()).map(read_one).buffered(SECRETS_AT_ONCE).try_collect().await?;
    for one in &mut secrets {
        if one.state == SecretState::Unread && missing.contains(&(one.namespace.clone(), one.name.clone())) {
            one.state = SecretState::Missing;
        }
    }
    Ok(secrets)
}

/// A secret's type and hosts. Its credentials are dropped here.
async fn secret(client: &Client, namespace: &str, name: &str, call: &Call) -> Result<SecretState> {
    let path = format!("/api/v1/namespaces/{}/secrets", checked_name(namespace)?);
    match read(client, &path, checked_name(name)?, READING, call).await {
        Ok(None) => Ok(SecretState::Missing),
        Ok(Some(secret)) => Ok(present(&secret)),
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(SecretState::Unread),
        Err(err) => Err(err),
    }
}

fn present(secret: &Value) -> SecretState {
    let data = |key: &str| {
        let bytes = STANDARD.decode(secret["data"][key].as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    let config = data(DOCKER_CONFIG_KEY).or_else(|| data(DOCKERCFG_KEY).map(|auths| format!("{{\"auths\":{auths}}}")));
    let hosts = config.map(|config| entries(&config)).unwrap_or_default();
    SecretState::Present {
        secret_type: secret["type"].as_str().unwrap_or_default().to_owned(),
        hosts: hosts.into_iter().map(|(host, _)| host).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_names_the_secrets_that_are_missing() {
        let one = "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.";
        assert_eq!(names_in(one), ["regcred"]);
        assert_eq!(names_in("Unable to retrieve some image pull secrets (a, b); attempting"), ["a", "b"]);
        assert!(names_in("(../x)").is_empty() && names_in("nothing").is_empty());
    }

    #[test]
    fn of_a_secret_only_its_type_and_its_hosts_are_kept() {
        let config = STANDARD.encode(r#"{"auths":{"ghcr.io":{"username":"robot","password":"hidden-word"}}}"#);
        let secret =
            present(&json!({ "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": config } }));
        let SecretState::Present { hosts, .. } = &secret else { panic!("{secret:?}") };
        assert_eq!(hosts, &["ghcr.io"]);
        assert!(!format!("{secret:?}").contains("hidden-word") && !format!("{secret:?}").contains("robot"));
        let older = STANDARD.encode(r#"{"https://ghcr.io":{"auth":"eDp5"}}"#);
        let older = present(&json!({ "type": "kubernetes.io/dockercfg", "data": { ".dockercfg": older } }));
        assert!(matches!(older, SecretState::Present { hosts, .. } if hosts == ["https://ghcr.io"]));
    }

    #[test]
    fn the_container_of_an_event_is_in_its_path() {
        let of = |path: &str| container_of(&json!({ "involvedObject": { "fieldPath": path } })).to_owned();
        assert_eq!([of("spec.containers{web}"), of("spec.initContainers{a}"), of("")], ["web", "a", ""]);
    }
}
