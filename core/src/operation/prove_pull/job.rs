//! The Job whose pod pulls the image. No request is made here.

use super::{ProvePullOptions, pools::Pool};
use crate::{
    cluster::{Manifest, NodeTaint, WorkloadRef, workload::WorkloadKind},
    error::Result,
    image::{Digest, ImageReference},
};
use serde_json::{Map, Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Nothing of the image runs: no system has anything at this path ([Debian's
/// policy](https://www.debian.org/doc/debian-policy/ch-opersys.html) says that it must not exist), so that the container ends with `StartError` once the
/// image is pulled.
const PROGRAM: &str = "/nonexistent/aks-acr-pull-proof";
/// The user that Kubernetes' documentation calls nobody.
const NOBODY: u32 = 65534;
/// How long Kubernetes keeps the Job after its end, if this library does not delete it.
const TTL_SECONDS: u32 = 60;
/// How many digits of its hash a name has.
const HASH_DIGITS: usize = 8;

/// A Job and where it is.
#[derive(Debug)]
pub(super) struct Canary {
    pub namespace: String,
    pub name: String,
    pub manifest: Manifest,
    may_exist: AtomicBool,
}

impl Canary {
    /// The same pool, image and options have the same name: a call that is repeated finds the Job of the call before.
    pub fn new(
        pool: &Pool,
        image: &ImageReference,
        options: &ProvePullOptions,
        tolerated: &[NodeTaint],
        deadline: Duration,
    ) -> Result<Self> {
        let template = template(pool, image, options, tolerated);
        let digest = Digest::of(template.to_string().as_bytes()).to_string();
        let hash = digest.split(':').next_back().unwrap_or_default().get(..HASH_DIGITS).unwrap_or_default().to_owned();
        let name = format!("aks-acr-pull-{}-{hash}", pool.name);
        let object = json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata(options, Some((&options.namespace, &name))),
            "spec": {
                "backoffLimit": 0,
                // A failing pull fails no Job (kubernetes/kubernetes#101584): the deadline ends it.
                "activeDeadlineSeconds": deadline.as_secs().max(1),
                "ttlSecondsAfterFinished": TTL_SECONDS,
                "template": template,
            },
        });
        let manifest = Manifest::parse_all(&object.to_string())?.swap_remove(0);
        Ok(Self { namespace: options.namespace.clone(), name, manifest, may_exist: AtomicBool::new(false) })
    }
}

impl Canary {
    /// Remembers that the API server may have created the Job, which then has to be deleted.
    pub fn created(&self) {
        self.may_exist.store(true, Ordering::Relaxed);
    }

    pub fn may_exist(&self) -> bool {
        self.may_exist.load(Ordering::Relaxed)
    }

    pub fn workload(&self) -> WorkloadRef {
        WorkloadRef {
            kind: WorkloadKind::Job.name().to_owned(),
            name: self.name.clone(),
            namespace: self.namespace.clone(),
        }
    }
}

fn metadata(options: &ProvePullOptions, place: Option<(&str, &str)>) -> Value {
    let mut labels = options.labels.clone();
    labels.insert("app.kubernetes.io/managed-by".to_owned(), "aks-acr".to_owned());
    labels.insert("app.kubernetes.io/component".to_owned(), "pull-proof".to_owned());
    let mut metadata = json!({ "labels": labels });
    if !options.annotations.is_empty() {
        metadata["annotations"] = json!(options.annotations);
    }
    if let Some((namespace, name)) = place {
        metadata["namespace"] = namespace.into();
        metadata["name"] = name.into();
    }
    metadata
}

/// The pod. It meets the level `restricted` of Pod Security, and has what AKS Deployment Safeguards ask for: limits, requests and both
/// probes.
fn template(pool: &Pool, image: &ImageReference, options: &ProvePullOptions, tolerated: &[NodeTaint]) -> Value {
    let is_windows = pool.os.as_deref() == Some("windows");
    let mut spec = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 0,
        "containers": [container(image, is_windows)],
        "affinity": affinity(pool),
        "securityContext": { "runAsNonRoot": true },
    });
    if is_windows {
        spec["os"] = json!({ "name": "windows" });
    } else {
        spec["os"] = json!({ "name": "linux" });
        spec["securityContext"] = json!({ "runAsNonRoot": true, "runAsUser": NOBODY, "runAsGroup": NOBODY,
            "seccompProfile": { "type": "RuntimeDefault" } });
    }
    let tolerations: Vec<Value> = pool.taints.iter().chain(tolerated).map(toleration).collect();
    if !tolerations.is_empty() {
        spec["tolerations"] = tolerations.into();
    }
    if let Some(account) = &options.service_account {
        spec["serviceAccountName"] = account.as_str().into();
    }
    if let Some(class) = &options.priority_class {
        spec["priorityClassName"] = class.as_str().into();
    }
    if !options.pull_secrets.is_empty() {
        spec["imagePullSecrets"] = options.pull_secrets.iter().map(|name| json!({ "name": name })).collect();
    }
    json!({ "metadata": metadata(options, None), "spec": spec })
}

fn container(image: &ImageReference, is_windows: bool) -> Value {
    let resources = json!({ "cpu": "100m", "memory": "100Mi" });
    // A container that does not start is never probed.
    let probe = json!({ "exec": { "command": [PROGRAM] }, "initialDelaySeconds": 3600 });
    let mut container = json!({
        "name": "pull",
        "image": image.to_string(),
        "imagePullPolicy": "Always",
        "command": [PROGRAM],
        "resources": { "requests": resources, "limits": resources },
        "readinessProbe": probe,
        "livenessProbe": probe,
    });
    if !is_windows {
        container["securityContext"] = json!({ "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] } });
    }
    container
}

fn affinity(pool: &Pool) -> Value {
    let wanted = json!({ "key": "kubernetes.azure.com/agentpool", "operator": "In", "values": [pool.name] });
    let mut term = json!({ "matchExpressions": [wanted] });
    if let Some(node) = &pool.node {
        // As the DaemonSet controller binds a pod to its node.
        term["matchFields"] = json!([{ "key": "metadata.name", "operator": "In", "values": [node] }]);
    }
    let terms = json!({ "nodeSelectorTerms": [term] });
    json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": terms } })
}

fn toleration(taint: &NodeTaint) -> Value {
    let mut toleration = Map::from_iter([("key".to_owned(), taint.key.as_str().into())]);
    if taint.value.is_empty() {
        toleration.insert("operator".to_owned(), "Exists".into());
    } else {
        toleration.insert("operator".to_owned(), "Equal".into());
        toleration.insert("value".to_owned(), taint.value.as_str().into());
    }
    if !taint.effect.is_empty() {
        toleration.insert("effect".to_owned(), taint.effect.as_str().into());
    }
    toleration.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(os: &str) -> Pool {
        let taints = vec![NodeTaint::new("gpu", "", "NoSchedule"), NodeTaint::new("sku", "big", "NoExecute")];
        Pool { name: "gpu1".to_owned(), os: Some(os.to_owned()), architecture: None, taints, node: None }
    }

    fn spec(os: &str) -> Value {
        let (image, options) = ("r.azurecr.io/app:v1".parse().unwrap(), ProvePullOptions::default());
        template(&pool(os), &image, &options, &[])["spec"].take()
    }

    fn name(pool: &Pool, image: &str, minutes: u64) -> String {
        let (image, options) = (image.parse().unwrap(), ProvePullOptions::default());
        Canary::new(pool, &image, &options, &[], Duration::from_secs(60 * minutes)).unwrap().name
    }

    /// Each field that the [level restricted](https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted) asks for, and
    /// each that [Deployment Safeguards](https://learn.microsoft.com/azure/aks/deployment-safeguards) ask for of a pod.
    #[test]
    fn the_pod_is_restricted_limited_and_probed() {
        let spec = spec("linux");
        let container = &spec["containers"][0];
        for (field, wanted) in [
            (&spec["securityContext"]["runAsNonRoot"], json!(true)),
            (&spec["securityContext"]["seccompProfile"]["type"], json!("RuntimeDefault")),
            (&container["securityContext"]["allowPrivilegeEscalation"], json!(false)),
            (&container["securityContext"]["capabilities"], json!({ "drop": ["ALL"] })),
            (&spec["automountServiceAccountToken"], json!(false)),
            (&container["imagePullPolicy"], json!("Always")),
            (&spec["volumes"], Value::Null),
            (&spec["hostNetwork"], Value::Null),
        ] {
            assert_eq!(*field, wanted);
        }
        for field in ["requests", "limits"] {
            assert!(
                container["resources"][field]["cpu"].is_string() && container["resources"][field]["memory"].is_string()
            );
        }
        assert!(container["livenessProbe"].is_object() && container["readinessProbe"].is_object());
    }

    /// Kubernetes [rejects](https://kubernetes.io/docs/concepts/windows/intro/#compatibility-v1-pod-spec-containers) these fields on Windows.
    #[test]
    fn a_pod_for_windows_has_no_field_of_linux() {
        let spec = spec("windows");
        assert_eq!((&spec["os"]["name"], &spec["containers"][0]["securityContext"]), (&json!("windows"), &Value::Null));
        assert_eq!(spec["securityContext"], json!({ "runAsNonRoot": true }));
    }

    #[test]
    fn taints_are_tolerated_as_they_are() {
        let any = json!({ "key": "gpu", "operator": "Exists", "effect": "NoSchedule" });
        let one = json!({ "key": "sku", "operator": "Equal", "value": "big", "effect": "NoExecute" });
        assert_eq!(spec("linux")["tolerations"], json!([any, one]));
    }

    /// The deadline is not part of it, so that a repeated call finds the Job of the first.
    #[test]
    fn what_is_proven_names_the_job() {
        let one = name(&pool("linux"), "r.azurecr.io/app:v1", 1);
        assert_eq!(one, name(&pool("linux"), "r.azurecr.io/app:v1", 9));
        assert_ne!(one, name(&pool("linux"), "r.azurecr.io/app:v2", 1));
        let of_node = Pool { node: Some("aks-gpu1-12345678-vmss000000".to_owned()), ..pool("linux") };
        assert_ne!(one, name(&of_node, "r.azurecr.io/app:v1", 1));
        assert!(one.starts_with("aks-acr-pull-gpu1-") && one.len() <= 63, "{one}");
    }
}
