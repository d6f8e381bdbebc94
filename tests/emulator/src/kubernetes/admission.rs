//! Admission: what the API server changes in an object after its defaults.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{self, list, map, name, namespace, text, uid};
use super::refusal::Refusal;
use super::store::Key;
use super::{Kubernetes, defaults_pod};

const PRIORITY_CLASSES: &str = "priorityclasses.scheduling.k8s.io";

impl Kubernetes {
    pub(super) fn admit(&mut self, kind: &Kind, object: &mut Value) {
        match kind.kind.as_str() {
            "Pod" => self.admit_pod(object),
            "Service" => self.admit_service(object),
            _ => {}
        }
    }

    /// A pod runs as a service account that exists: `plugin/pkg/admission/serviceaccount` of Kubernetes. A name that is to be generated is
    /// generated after that.
    pub(super) fn check_account(&self, kind: &Kind, object: &Value) -> Result<(), Refusal> {
        let account = match text(object, "/spec/serviceAccountName") {
            "" => "default",
            account => account,
        };
        let namespace = namespace(object);
        if kind.kind != "Pod" || self.store.get(&Key::new("serviceaccounts", namespace, account)).is_some() {
            return Ok(());
        }
        let why =
            format!("error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found");
        let shown = match text(object, "/metadata/generateName") {
            "" => name(object),
            prefix => prefix,
        };
        Err(Refusal::forbidden(kind, shown, &why))
    }

    /// A pod has a priority class that exists: `plugin/pkg/admission/priority` of Kubernetes. An API server has two from its start.
    pub(super) fn check_priority(&self, kind: &Kind, object: &Value) -> Result<(), Refusal> {
        let class = text(object, "/spec/priorityClassName");
        let is_built_in = ["", "system-cluster-critical", "system-node-critical"].contains(&class);
        if kind.kind != "Pod" || is_built_in || self.store.get(&Key::new(PRIORITY_CLASSES, "", class)).is_some() {
            return Ok(());
        }
        let shown = match text(object, "/metadata/generateName") {
            "" => name(object),
            prefix => prefix,
        };
        Err(Refusal::forbidden(kind, shown, &format!("no PriorityClass with name {class} was found")))
    }

    fn take_priority(&self, object: &mut Value) {
        let value = match text(object, "/spec/priorityClassName") {
            "system-cluster-critical" => json!(2_000_000_000),
            "system-node-critical" => json!(2_000_001_000),
            class => match self.store.get(&Key::new(PRIORITY_CLASSES, "", class)) {
                Some(class) => class["value"].clone(),
                None => return,
            },
        };
        map(object, &["spec"]).insert("priority".to_owned(), value);
    }

    /// A pod takes the pull secrets of its service account, and the limits of its namespace.
    fn admit_pod(&mut self, object: &mut Value) {
        self.take_priority(object);
        defaults_pod::admitted_pod(object);
        self.mount_token(object);
        self.limit_by_default(object);
        let account = text(object, "/spec/serviceAccountName");
        let account = self.store.get(&Key::new("serviceaccounts", namespace(object), account));
        let secrets = account.and_then(|account| account.get("imagePullSecrets")).cloned();
        if let Some(secrets) = secrets.filter(|_| list(object, "/spec/imagePullSecrets").is_empty()) {
            map(object, &["spec"]).insert("imagePullSecrets".to_owned(), secrets);
        }
    }

    /// A service gets an address, and ports on the nodes where it wants them.
    fn admit_service(&mut self, object: &mut Value) {
        if object.pointer("/spec/clusterIP").is_some() || object["spec"]["type"] == "ExternalName" {
            return;
        }
        let address = self.names.service_address();
        let spec = map(object, &["spec"]);
        spec.insert("clusterIP".to_owned(), json!(address));
        spec.insert("clusterIPs".to_owned(), json!([address]));
        spec.insert("ipFamilies".to_owned(), json!(["IPv4"]));
        if matches!(spec.get("type").and_then(Value::as_str), Some("LoadBalancer" | "NodePort")) {
            let first = 30000 + address.bytes().map(u32::from).sum::<u32>() % 2000;
            let ports = spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten();
            for (number, port) in (first..).zip(ports) {
                object::default_to(map(port, &[]), "nodePort", json!(number));
            }
        }
        spec.insert("ipFamilyPolicy".to_owned(), json!("SingleStack"));
    }

    /// A service keeps what it was given if a change does not name it: `patchAllocatedValues` in
    /// `pkg/registry/core/service/storage` of Kubernetes.
    pub(super) fn keep_allocated(before: &Value, after: &mut Value) {
        let has_address = |object: &Value| object["spec"]["type"] != "ExternalName";
        if !has_address(before) || !has_address(after) {
            return;
        }
        if text(after, "/spec/clusterIP").is_empty() {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if let Some(value) = before["spec"].get(field) {
                    map(after, &["spec"]).insert(field.to_owned(), value.clone());
                }
            }
        }
        let given = list(before, "/spec/ports").to_vec();
        let is_open = |object: &Value| matches!(text(object, "/spec/type"), "LoadBalancer" | "NodePort");
        if !is_open(before) || !is_open(after) {
            return;
        }
        let ports = map(after, &["spec"]).get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten();
        for port in ports {
            let same = |one: &&Value| one["port"] == port["port"] && one["protocol"] == port["protocol"];
            if let Some(number) = given.iter().find(same).and_then(|one| one.get("nodePort")).cloned() {
                object::default_to(map(port, &[]), "nodePort", number);
            }
        }
    }

    /// The volume with a service account's token, as the API server's admission makes it.
    fn mount_token(&self, object: &mut Value) {
        const PLACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
        let account = text(object, "/spec/serviceAccountName");
        let account = self.store.get(&Key::new("serviceaccounts", namespace(object), account));
        let of_account = account.and_then(|account| account.get("automountServiceAccountToken")).cloned();
        let wanted = object["spec"].get("automountServiceAccountToken").cloned().or(of_account);
        if wanted == Some(json!(false)) {
            return;
        }
        let volume = format!("kube-api-access-{}", super::names::suffix_of(uid(object)));
        let mut is_used = false;
        for field in ["initContainers", "containers"] {
            let containers = map(object, &["spec"]).get_mut(field).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                if list(container, "/volumeMounts").iter().any(|mount| mount["mountPath"] == PLACE) {
                    continue;
                }
                is_used = true;
                let mounts = map(container, &[]).entry("volumeMounts").or_insert_with(|| json!([]));
                if let Some(mounts) = mounts.as_array_mut() {
                    mounts.push(json!({"name": volume, "mountPath": PLACE, "readOnly": true}));
                }
            }
        }
        if !is_used {
            return;
        }
        let sources = json!([
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]);
        let volumes = map(object, &["spec"]).entry("volumes").or_insert_with(|| json!([]));
        if let Some(volumes) = volumes.as_array_mut() {
            volumes.push(json!({"name": volume, "projected": {"defaultMode": 420, "sources": sources}}));
        }
    }
}
