//! Tests of nodes without a server: what it would show comes in, what they write comes out.

use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::{NodeSpec, Remote, WATCHED, Write};
use crate::node::fake::FakeNetwork;

struct World {
    remote: Remote,
    writes: UnboundedReceiver<Write>,
    network: FakeNetwork,
    now: Instant,
}

const NODE: &str = "aks-nodepool1-0";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/aks-nodepool1-0";

impl World {
    /// With one node that may pull.
    fn new() -> Self {
        let (now, (queue, writes)) = (Instant::now(), unbounded_channel());
        let mut remote = Remote::new("1.33.3", now, SystemTime::now(), queue);
        remote.adjust(&[spec()], now);
        for resource in WATCHED {
            remote.replace(resource, Vec::new(), now);
        }
        let mut network = FakeNetwork::with_nginx();
        network.grant("r.azurecr.io/nginx");
        Self { remote, writes, network, now }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.now += Duration::from_millis(100);
            self.remote.advance(self.now, &mut self.network);
        }
    }

    /// What was written since the last call.
    fn written(&mut self) -> Vec<Write> {
        std::iter::from_fn(|| self.writes.try_recv().ok()).collect()
    }

    fn run(&mut self, image: &str) {
        let containers = json!([{"name": "c", "image": image, "imagePullPolicy": "Always"}]);
        let pod = json!({"metadata": {"name": "web", "namespace": "default", "uid": "u1"}, "status": {"phase": "Pending"},
            "spec": {"nodeName": NODE, "restartPolicy": "Always", "containers": containers}});
        self.remote.change("pods", "ADDED", pod, self.now);
    }
}

fn spec() -> NodeSpec {
    NodeSpec {
        name: NODE.to_owned(),
        pool: String::from("nodepool1"),
        os: String::from("linux"),
        architecture: String::from("amd64"),
        containerd: crate::node::USUAL_CONTAINERD,
        identity: Some(crate::kubernetes::NodeIdentity::fake()),
        machine: crate::kubernetes::machine::Machine::default(),
    }
}

fn body(write: &Write) -> Value {
    serde_json::from_slice(write.request().unwrap().body()).unwrap_or_default()
}

fn subjects(writes: &[Write]) -> Vec<String> {
    writes.iter().map(Write::subject).collect()
}

fn is_status(write: &Write) -> bool {
    write.subject() == "PATCH /api/v1/namespaces/default/pods/web/status"
}

#[test]
fn a_node_that_leaves_takes_its_lease_along() {
    let mut world = World::new();
    world.written();
    world.remote.adjust(&[], world.now);
    world.remote.renew_leases(world.now);
    let written = subjects(&world.written());
    assert_eq!(written, [format!("DELETE /api/v1/nodes/{NODE}"), format!("DELETE {LEASE}")]);
}

#[test]
fn a_pod_has_an_address_in_the_network_of_its_node() {
    let mut world = World::new();
    let network = body(&world.written()[0])["spec"]["podCIDR"].as_str().unwrap().to_owned();
    world.run("r.azurecr.io/nginx:v1");
    world.pass(5);
    let writes = world.written();
    let status = body(writes.iter().rfind(|write| is_status(write)).unwrap());
    let address = status["status"]["podIP"].as_str().unwrap();
    let prefix = network.strip_suffix(".0/24").unwrap();
    assert!(address.starts_with(&format!("{prefix}.")), "{address} is not in {network}");
}

#[test]
fn a_status_that_the_server_has_not_taken_is_written_again() {
    let mut world = World::new();
    world.run("r.azurecr.io/nginx:v1");
    world.pass(10);
    let statuses: Vec<Write> = world.written().into_iter().filter(is_status).collect();
    let before = body(statuses.last().unwrap());
    assert_eq!(before["status"]["phase"], "Running");
    world.pass(60);
    assert_eq!(subjects(&world.written()), [""; 0], "a kubelet writes what has changed");
    for lost in statuses {
        world.remote.lost(lost);
        let again = world.written();
        assert_eq!(again.len(), 1);
        assert_eq!(body(&again[0]), before, "the newest one");
    }
    world.remote.replace("pods", Vec::new(), world.now);
    world.pass(1);
    world.remote.lost(Write::status("/api/v1/namespaces/default/pods/web", "u1", &json!({})));
    assert_eq!(subjects(&world.written()), [""; 0], "the pod is gone");
}

#[test]
fn a_lost_write_is_sent_again_only_while_it_is_true() {
    let mut world = World::new();
    let sends = |world: &mut World, write: Write| {
        let subject = write.subject();
        world.remote.lost(write);
        let written = subjects(&world.written());
        assert!(written.is_empty() || written == [subject], "{written:?}");
        !written.is_empty()
    };
    let [node, status, lease] = <[Write; 3]>::try_from(world.written()).unwrap();
    assert!(sends(&mut world, node) && sends(&mut world, status));
    assert!(!sends(&mut world, lease), "the next one comes soon");
    world.remote.adjust(&[], world.now);
    let [gone, lease] = <[Write; 2]>::try_from(world.written()).unwrap();
    assert!(sends(&mut world, gone) && sends(&mut world, lease));
    world.remote.adjust(&[spec()], world.now);
    world.written();
    let stale = Write::delete(format!("/api/v1/nodes/{NODE}")).of_node(NODE, false);
    assert!(!sends(&mut world, stale), "another node has that name by now");
}

#[test]
fn the_count_of_an_event_brings_the_event_along() {
    let mut world = World::new();
    world.run("r.azurecr.io/none:v1");
    world.pass(60);
    let writes = world.written();
    let path = "/api/v1/namespaces/default/events";
    let reason = |write: &Write| body(write)["reason"].as_str().unwrap_or_default().to_owned();
    let created = writes.iter().find(|write| reason(write) == "BackOff").map(body).unwrap();
    let name = created["metadata"]["name"].as_str().unwrap();
    let counted = writes.iter().find(|write| write.subject() == format!("PATCH {path}/{name}")).unwrap();
    let instead = counted.if_missing().unwrap();
    assert_eq!((instead.request().unwrap().method(), instead.subject()), (&Method::POST, format!("POST {path}")));
    let mut whole = created;
    for (field, value) in body(counted).as_object().unwrap() {
        whole[field] = value.clone();
    }
    assert_eq!(whole["count"], 2);
    assert_eq!(body(instead), whole);
}
