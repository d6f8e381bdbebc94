//! A request that a node sends to its API server.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

/// One write.
#[derive(Debug)]
pub(crate) struct Write {
    method: Method,
    path: String,
    content: &'static str,
    body: Bytes,
}

impl Write {
    /// A new object.
    pub(super) fn create(path: impl Into<String>, object: &Value) -> Self {
        Self::new(Method::POST, path.into(), "application/json", object)
    }

    /// A removal.
    pub(super) fn delete(path: String) -> Self {
        Self { method: Method::DELETE, path, content: "application/json", body: Bytes::new() }
    }

    pub(super) fn with_body(mut self, body: &Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self
    }

    /// Other values for some fields.
    pub(super) fn change(path: String, change: &Value) -> Self {
        Self::new(Method::PATCH, path, "application/merge-patch+json", change)
    }

    /// One field as it is in an object.
    pub(super) fn merge(path: String, object: &Value, field: &str) -> Self {
        Self::change(path, &json!({field: object[field]}))
    }

    /// The status of the pod with this uid. Conditions that others have set stay.
    pub(super) fn status(path: &str, id: &str, status: &Value) -> Self {
        let mut status = status.clone();
        for condition in status["conditions"].as_array_mut().into_iter().flatten() {
            // Conditions are merged: what is not there any more has to be taken away.
            for field in ["reason", "message"] {
                if condition.get(field).is_none() {
                    condition[field] = Value::Null;
                }
            }
        }
        let change = json!({"metadata": {"uid": id}, "status": status});
        Self::new(Method::PATCH, format!("{path}/status"), "application/strategic-merge-patch+json", &change)
    }

    /// The lease by which a node says that it is alive.
    pub(super) fn lease(node: &str, time: &str) -> Self {
        let renewed = time.replace('Z', ".000000Z");
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": node, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": renewed}});
        let path = format!(
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}?fieldManager=kubelet&force=true"
        );
        Self::new(Method::PATCH, path, "application/apply-patch+yaml", &lease)
    }

    fn new(method: Method, path: String, content: &'static str, body: &Value) -> Self {
        Self { method, path, content, body: Bytes::from(body.to_string()) }
    }

    /// What to send. The server takes the first word of the user agent for the field manager.
    pub(crate) fn request(&self) -> http::Result<Request<Bytes>> {
        Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header("content-type", self.content)
            .header("user-agent", "kubelet/aks-acr-emulator")
            .body(self.body.clone())
    }

    /// What it is about, for a message.
    pub(crate) fn subject(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
