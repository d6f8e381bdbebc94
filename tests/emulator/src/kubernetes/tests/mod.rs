//! Tests of the whole cluster: requests in, objects and events out, over a small registry.

mod api;
mod hostile;
mod jobs;
mod limits;
mod policies;
mod repeats;
mod rollout;
mod running;
mod schema;
mod sets;
mod watching;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, Kubernetes, NodeSpec, Watch};
use crate::node::fake::FakeNetwork;

/// A cluster, the network of its nodes, and the time.
struct World {
    kubernetes: Kubernetes,
    network: FakeNetwork,
    now: Instant,
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const PODS: &str = "/api/v1/namespaces/default/pods";

impl World {
    fn new() -> Self {
        Self::with_nodes(&[("linux", "amd64"), ("linux", "amd64")])
    }

    fn specs(platforms: &[(&str, &str)]) -> Vec<NodeSpec> {
        let nodes = platforms.iter().enumerate().map(|(index, (os, architecture))| NodeSpec {
            name: format!("aks-nodepool1-{index}"),
            pool: "nodepool1".to_owned(),
            os: (*os).to_owned(),
            architecture: (*architecture).to_owned(),
            containerd: crate::node::USUAL_CONTAINERD,
            identity: Some(crate::kubernetes::NodeIdentity::fake()),
            machine: crate::kubernetes::machine::Machine::default(),
        });
        nodes.collect()
    }

    fn with_nodes(platforms: &[(&str, &str)]) -> Self {
        let now = Instant::now();
        Self {
            kubernetes: Kubernetes::new("1.33.4", Self::specs(platforms), now, std::time::SystemTime::now()),
            network: FakeNetwork::with_nginx(),
            now,
        }
    }

    /// A world in which the nodes may pull.
    fn granted() -> Self {
        let mut world = Self::new();
        world.network.grant("r.azurecr.io/nginx");
        world
    }

    fn answer(&mut self, request: http::request::Builder, body: Bytes) -> Answer {
        self.kubernetes.serve(&request.body(body).unwrap(), "tester", self.now)
    }

    fn send_as(&mut self, method: &str, path: &str, media: &str, body: &Value) -> (u16, Value) {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).header("content-type", media);
        let Answer::Whole(response) = self.answer(request, bytes) else { panic!("a watch came back") };
        // A path that leads nowhere is answered with text.
        let text = || Value::from(std::str::from_utf8(response.body()).unwrap());
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_else(|_| text()))
    }

    fn send(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send_as(method, path, "application/json", body)
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn apply(&mut self, path: &str, options: &str, object: &Value) -> (u16, Value) {
        let path = format!("{path}/{}?{options}", object["metadata"]["name"].as_str().unwrap());
        self.send_as("PATCH", &path, "application/apply-patch+yaml", object)
    }

    fn deploy(&mut self, object: &Value) {
        let (status, body) = self.apply(DEPLOYMENTS, "fieldManager=tester", object);
        assert!(status < 300, "{body}");
    }

    fn open_watch(&mut self, path: &str) -> Watch {
        match self.answer(Request::builder().uri(path), Bytes::new()) {
            Answer::Watch(parts, watch) => {
                assert_eq!(parts.status, 200);
                *watch
            }
            Answer::Whole(response) => panic!("{response:?}"),
        }
    }

    fn lines(&mut self, watch: &mut Watch) -> Vec<Value> {
        self.kubernetes.watch(watch).iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.kubernetes.advance(self.now, &mut self.network);
    }

    fn pods(&mut self) -> Vec<Value> {
        self.get(PODS)["items"].as_array().unwrap().clone()
    }

    fn deployment(&mut self) -> Value {
        self.get(&format!("{DEPLOYMENTS}/web"))
    }

    /// Events as `reason xcount message`.
    fn events(&mut self, part: &str) -> Vec<String> {
        let events = self.get("/api/v1/namespaces/default/events");
        let events = events["items"].as_array().unwrap().clone();
        let shown = |event: &Value| {
            format!("{} x{} {}", event["reason"].as_str().unwrap(), event["count"], event["message"].as_str().unwrap())
        };
        events.iter().map(shown).filter(|line| line.contains(part)).collect()
    }
}

/// A deployment `web` of one container.
fn web(image: &str, replicas: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "nginx", "image": image, "ports": [{"containerPort": 80}]}]}}}})
}

fn nginx(replicas: u32) -> Value {
    web("r.azurecr.io/nginx:v1", replicas)
}

/// The waiting reason of a pod's first container, or empty.
fn waiting(pod: &Value) -> &str {
    pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str().unwrap_or_default()
}

/// A condition of an object as `status reason`.
fn condition(object: &Value, kind: &str) -> String {
    let conditions = object["status"]["conditions"].as_array().unwrap();
    let found = conditions.iter().find(|condition| condition["type"] == kind).unwrap();
    format!("{} {}", found["status"].as_str().unwrap(), found["reason"].as_str().unwrap_or_default())
}
