//! The causes in `tests/vectors/node_causes.json`: the events and states of a pod on an emulated node are those of a real one, for each
//! pair of versions of kubelet and containerd. The suite `tests/peers/node` writes them; its `differences.json` has all that is not equal.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::control::fault::FaultOrder;
use super::scene_file::Scene;
use crate::emulator::Emulator;
use crate::seed::RegistrySeed;

const NAMESPACE: &str = "/api/v1/namespaces/default";
/// Longer than two tries to pull, with the wait between them.
const SECONDS: u64 = 14;
/// Pairs of versions of kubelet and containerd.
const PAIRS: usize = 2;
/// For so long the node keeps a credential.
const KEPT: Duration = Duration::from_secs(3600);

#[derive(Deserialize)]
struct Differences {
    counts: Vec<Uncounted>,
    causes: Vec<Known>,
}

/// Events that kubelet repeats whenever it looks after the pod.
#[derive(Deserialize)]
struct Uncounted {
    events: Vec<String>,
}

/// A cause that is known not to be equal, in `events` or `states`.
#[derive(Deserialize)]
struct Known {
    cause: String,
    part: String,
    kubelet: String,
    containerd: String,
}

impl Differences {
    fn has(&self, cause: &str, part: &str, real: &Real) -> bool {
        let is = |known: &Known| {
            (&*known.cause, &*known.part, &known.kubelet, &known.containerd)
                == (cause, part, &real.kubelet, &real.containerd)
        };
        self.causes.iter().any(is)
    }
}

#[derive(Deserialize)]
struct Cause {
    #[serde(rename = "cause")]
    name: String,
    image: String,
    scene: Value,
    #[serde(default)]
    grants: Vec<(String, String)>,
    /// Registries with an image whose program runs.
    #[serde(default)]
    pushed: Vec<String>,
    #[serde(default)]
    faults: Vec<Value>,
    #[serde(default)]
    revoked: Vec<String>,
    /// Registries whose mode becomes ABAC.
    #[serde(default)]
    switched: Vec<String>,
    /// Whether the credential that the node keeps expires before the pod.
    #[serde(default)]
    expired: bool,
    /// Whether only the first try counts.
    #[serde(default)]
    once: bool,
    /// A pod before, which runs.
    first: Option<Pod>,
    #[serde(flatten)]
    pod: Pod,
    outcomes: Vec<Real>,
}

/// What was seen on a real node.
#[derive(Deserialize)]
struct Real {
    kubelet: String,
    containerd: String,
    events: Vec<Event>,
    states: Vec<(String, String)>,
}

#[derive(Clone, Deserialize)]
struct Pod {
    secret: Option<Given>,
    policy: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Given {
    User(String, String),
    Admin(String),
}

/// A scene, and the API server of its cluster.
struct Place {
    azure: Emulator,
    grants: Vec<(String, String)>,
}

impl Place {
    fn of(cause: &Cause, real: &Real) -> Self {
        let mut scene = cause.scene.clone();
        scene["clusters"] = json!([{"group": "group", "name": "dev", "version": real.kubelet, "containerd": real.containerd,
            "nodes": [{"name": "node-0"}]}]);
        let scene: Scene = serde_json::from_value(scene).unwrap();
        let azure = scene.set(Emulator::new()).unwrap();
        for registry in &cause.pushed {
            azure.push_image(&format!("{registry}.azurecr.io/team/app:v1"), &["linux/amd64"]);
        }
        let kubelet = azure.kubelet_object_id("group", "dev");
        let grant = |(role, registry): &(String, String)| {
            let scope = azure.registry_id("group", registry);
            (registry.clone(), azure.grant(role, &kubelet, &scope))
        };
        let grants = cause.grants.iter().map(grant).collect();
        for fault in &cause.faults {
            let mut fault = fault.clone();
            fault["times"] = 1000.into();
            serde_json::from_value::<FaultOrder>(fault).unwrap().obey(&azure);
        }
        Self { azure, grants }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let token = self.azure.act(|world| world.clusters[0].admin_token.clone());
        let request = Request::builder()
            .method(method)
            .uri(format!("{NAMESPACE}/{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) });
        let answer = self.azure.kubernetes().oneshot(request.unwrap()).await.unwrap();
        let is_done = answer.status().is_success();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(is_done, "{method} {path}: {bytes:?}");
        serde_json::from_slice(&bytes).unwrap()
    }

    fn secret(&self, given: &Given, name: &str, image: &str) -> Value {
        let (username, password) = match given {
            Given::User(name, password) => (name.clone(), password.clone()),
            Given::Admin(name) => (name.clone(), self.azure.act(|world| world.registries[0].passwords[0].clone())),
        };
        let host = image.split('/').next().unwrap();
        let config = json!({"auths": {host: {"username": username, "password": password}}});
        json!({"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": STANDARD.encode(config.to_string())}})
    }

    /// Events and states of a pod until it has failed twice.
    async fn outcome(&self, name: &str, image: &str, pod: &Pod, uncounted: &[Uncounted]) -> Outcome {
        let policy = pod.policy.as_deref().unwrap_or("Always");
        let mut spec = json!({"automountServiceAccountToken": false,
            "containers": [{"name": "c", "image": image, "imagePullPolicy": policy}]});
        if let Some(given) = &pod.secret {
            self.call("POST", "secrets", self.secret(given, name, image)).await;
            spec["imagePullSecrets"] = json!([{"name": name}]);
        }
        self.call("POST", "pods", json!({"metadata": {"name": name}, "spec": spec})).await;
        let (mut events, mut states) = (BTreeMap::new(), Vec::new());
        for second in 0..SECONDS {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let pod = self.call("GET", &format!("pods/{name}"), Value::Null).await;
            let state = state(&pod["status"]["containerStatuses"][0]["state"]);
            if state.0 != "ContainerCreating" && !states.contains(&state) {
                states.push(state);
            }
            let path = format!("events?fieldSelector=involvedObject.name={name}");
            for event in self.call("GET", &path, Value::Null).await["items"].as_array().unwrap() {
                see(&mut events, event, second, uncounted);
            }
        }
        let mut events: Vec<_> = events.into_values().collect();
        events.sort_by_key(|(first, _)| *first);
        (events.into_iter().map(|(_, event)| event).collect(), states)
    }
}

type Event = (String, String, String, Option<bool>);
type Outcome = (Vec<Event>, Vec<(String, String)>);
type Seen = BTreeMap<String, ((u64, u64), Event)>;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Reason and message of a state.
fn state(state: &Value) -> (String, String) {
    let (kind, state) = state.as_object().and_then(|state| state.iter().next()).unwrap();
    let reason = state.get("reason").map_or_else(|| kind.clone(), text);
    (reason, text(&state["message"]))
}

/// An event of a container, with the moment at which it was first there.
fn see(seen: &mut Seen, event: &Value, second: u64, uncounted: &[Uncounted]) {
    if event["involvedObject"]["fieldPath"].is_null() {
        return;
    }
    let version = text(&event["metadata"]["resourceVersion"]).parse().unwrap();
    let (reason, message) = (text(&event["reason"]), text(&event["message"]));
    let is_repeated = uncounted.iter().any(|one| one.events.contains(&reason) || one.events.contains(&message));
    let again = (!is_repeated).then(|| event["count"].as_u64().unwrap() > 1);
    let message = message.replace("in 1s (1s including waiting)", "in TIME (TIME including waiting)");
    let known = seen.entry(text(&event["metadata"]["name"])).or_insert(((second, version), Event::default()));
    known.1 = (text(&event["type"]), reason, message, again);
}

/// Events up to the pull: a scene's images have no program that runs, but on real nodes, and its size is not known here.
fn comparable(cause: &Cause, (mut events, mut states): Outcome) -> Outcome {
    if cause.once {
        let last = events.iter().position(|event| event.2 == "Error: ErrImagePull");
        events.truncate(last.map_or(0, |at| at + 1));
        for event in &mut events {
            event.3 = event.3.map(|_| false);
        }
        states.truncate(1);
        return (events, states);
    }
    let pulled = events.iter().position(|event| event.1 == "Pulled");
    let Some(at) = pulled else { return (events, states) };
    if let Some((before, _)) = events[at].2.clone().split_once("Image size: ") {
        events[at].2 = format!("{before}Image size: SIZE bytes.");
    }
    if cause.pushed.is_empty() {
        events.truncate(at + 1);
        return (events, Vec::new());
    }
    (events, states)
}

/// What the pod of a cause comes to on an emulated node of these versions.
async fn emulated(cause: &Cause, real: &Real, uncounted: &[Uncounted]) -> Outcome {
    let place = Place::of(cause, real);
    if let Some(first) = &cause.first {
        let (_, states) = place.outcome("first", &cause.image, first, uncounted).await;
        assert_eq!(states, [(String::from("running"), String::new())], "{}", cause.name);
    }
    for (_, grant) in place.grants.iter().filter(|(registry, _)| cause.revoked.contains(registry)) {
        assert!(place.azure.revoke(grant));
    }
    for registry in &cause.switched {
        place.azure.set_registry("group", registry, RegistrySeed::abac);
    }
    if cause.expired {
        tokio::time::sleep(KEPT).await;
    }
    comparable(cause, place.outcome("p", &cause.image, &cause.pod, uncounted).await)
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_pod_on_an_emulated_node_has_the_events_and_states_of_one_on_a_real_node() {
    let causes: Vec<Cause> = read("vectors/node_causes.json");
    let differences: Differences = read("peers/node/differences.json");
    let mut compared = BTreeMap::new();
    for cause in &causes {
        for real in &cause.outcomes {
            let (events, states) = emulated(cause, real, &differences.counts).await;
            let versions = format!("kubelet {}, containerd {}", real.kubelet, real.containerd);
            let known = |part| differences.has(&cause.name, part, real);
            assert_eq!(events == real.events, !known("events"), "{}, {versions}: {events:#?}", cause.name);
            assert_eq!(states == real.states, !known("states"), "{}, {versions}: {states:#?}", cause.name);
            *compared.entry(versions).or_insert(0) += 1;
        }
    }
    assert!(
        compared.len() >= PAIRS && compared.values().all(|count| *count == causes.len() && *count >= 43),
        "{compared:?}"
    );
}
