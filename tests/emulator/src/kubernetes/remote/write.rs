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
    about: About,
    if_missing: Option<Box<Write>>,
}

/// What a write is about, which decides what follows when it is lost.
#[derive(Debug)]
pub(super) enum About {
    /// What matters at its moment only: an event, or a sign of life.
    Moment,
    /// The status of the pod with this path and uid.
    Status { pod: String, id: String },
    /// The end of one pod, which its uid names.
    Removal,
    /// A node that there is, or is no longer.
    Node { name: String, exists: bool },
}

impl Write {
    /// A new object.
    pub(super) fn create(path: impl Into<String>, object: &Value) -> Self {
        Self::new(Method::POST, path.into(), "application/json", object)
    }

    /// A removal.
    pub(super) fn delete(path: String) -> Self {
        Self { body: Bytes::new(), ..Self::new(Method::DELETE, path, "application/json", &Value::Null) }
    }

    /// The same as one that is about a node.
    pub(super) fn of_node(self, name: &str, exists: bool) -> Self {
        Self { about: About::Node { name: name.to_owned(), exists }, ..self }
    }

    /// The same as one that removes a pod.
    pub(super) fn of_removal(self) -> Self {
        Self { about: About::Removal, ..self }
    }

    /// The new count of an event. Events expire and can be deleted: then it is created again, as client-go does in `recordEvent` of
    /// `tools/record/event.go`.
    pub(crate) fn count_of_event(place: &str, name: &str, change: &Value, event: &Value) -> Self {
        let create = Self::create(place, event);
        Self { if_missing: Some(Box::new(create)), ..Self::change(format!("{place}/{name}"), change) }
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
        let about = About::Status { pod: path.to_owned(), id: id.to_owned() };
        let write =
            Self::new(Method::PATCH, format!("{path}/status"), "application/strategic-merge-patch+json", &change);
        Self { about, ..write }
    }

    /// Where the lease of a node is.
    pub(super) fn path_of_lease(node: &str) -> String {
        format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}")
    }

    /// The lease by which a node says that it is alive.
    pub(super) fn lease(node: &str, time: &str) -> Self {
        let renewed = time.replace('Z', ".000000Z");
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": node, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": renewed}});
        let path = format!("{}?fieldManager=kubelet&force=true", Self::path_of_lease(node));
        Self::new(Method::PATCH, path, "application/apply-patch+yaml", &lease)
    }

    fn new(method: Method, path: String, content: &'static str, body: &Value) -> Self {
        let body = Bytes::from(body.to_string());
        Self { method, path, content, body, about: About::Moment, if_missing: None }
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

    /// What to send if the object is missing.
    pub(crate) fn if_missing(&self) -> Option<&Self> {
        self.if_missing.as_deref()
    }

    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// What it is about, for a message.
    pub(crate) fn subject(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
