//! The Kubernetes of one cluster: objects, controllers, nodes. It knows nothing of Azure.

#![allow(dead_code, reason = "a placeholder")]

use bytes::Bytes;
use tokio::time::Instant;

use crate::node::Network;

pub(crate) struct NodeSpec {
    pub(crate) name: String,
    pub(crate) pool: String,
    pub(crate) os: String,
    pub(crate) architecture: String,
}

pub(crate) struct Kubernetes {
    nodes: Vec<NodeSpec>,
    version: String,
}

pub(crate) struct Watch;

pub(crate) enum Answer {
    Whole(http::Response<Bytes>),
    Watch(http::response::Parts, Watch),
}

impl Kubernetes {
    pub(crate) fn new(version: &str, nodes: Vec<NodeSpec>, _now: Instant) -> Self {
        Self {
            nodes,
            version: version.to_owned(),
        }
    }

    pub(crate) fn serve(
        &mut self,
        request: &http::Request<Bytes>,
        _user: &str,
        _now: Instant,
    ) -> Answer {
        let body = match request.uri().path() {
            "/version" => serde_json::json!({"gitVersion": format!("v{}", self.version)}),
            "/api/v1/nodes" => {
                serde_json::json!({"kind": "NodeList", "items": self.nodes.iter().map(|node| {
                serde_json::json!({"metadata": {"name": node.name, "labels": {"agentpool": node.pool,
                    "kubernetes.io/os": node.os, "kubernetes.io/arch": node.architecture}}})
            }).collect::<Vec<_>>()})
            }
            "/watch" => return Answer::Watch(http::Response::new(()).into_parts().0, Watch),
            _ => serde_json::json!({}),
        };
        Answer::Whole(http::Response::new(Bytes::from(body.to_string())))
    }

    pub(crate) fn advance(&mut self, _now: Instant, network: &mut dyn Network) {
        if self.version.is_empty() {
            let _ = (
                network.tenant(),
                network.identity_token(""),
                network.send(http::Request::new(Bytes::new())),
            );
        }
    }

    pub(crate) fn next_event(&self) -> Option<Instant> {
        self.version.is_empty().then(Instant::now)
    }

    pub(crate) fn watch(&mut self, _watch: &mut Watch) -> Vec<Bytes> {
        self.nodes.truncate(usize::MAX);
        Vec::new()
    }
}
