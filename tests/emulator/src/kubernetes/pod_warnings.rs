//! What the API server warns of in a pod that it accepts.

use serde_json::Value;

use super::kinds::Kind;
use super::object::list;

/// Warnings for an object that is a pod, or makes pods.
pub(super) fn of(kind: &Kind, object: &Value) -> Vec<String> {
    let spec = match kind.kind.as_str() {
        "Pod" => "spec",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => "spec.template.spec",
        "CronJob" => "spec.jobTemplate.spec.template.spec",
        _ => return Vec::new(),
    };
    let constraints = list(object, &format!("/{}/topologySpreadConstraints", spec.replace('.', "/")));
    let bare = constraints.iter().enumerate().filter(|(_, constraint)| constraint["labelSelector"].is_null());
    bare.map(|(at, _)| {
        format!("{spec}.topologySpreadConstraints[{at}].labelSelector: a null labelSelector results in matching no pod")
    })
    .collect()
}
