//! Pod Security admission: what a namespace's labels forbid or warn of. The checks are the commonest of each profile, with the texts of
//! `k8s.io/pod-security-admission/policy` v0.33; `tests/peers/kubernetes` holds them against a real API server.

use serde_json::Value;

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{list, name, text};
use super::refusal::Refusal;
use super::store::Key;

const PREFIX: &str = "pod-security.kubernetes.io";

impl Kubernetes {
    /// What the label `warn` of the namespace says of an object with pods.
    pub(super) fn pod_security_warnings(&self, kind: &Kind, place: &str, object: &Value) -> Vec<String> {
        let Some(spec) = pod_spec(kind, object) else { return Vec::new() };
        let would = |profile: String| violation(&profile, spec).map(|violation| format!("would violate {violation}"));
        self.profile(place, "warn").and_then(would).into_iter().collect()
    }

    /// Refuses a pod that the label `enforce` of the namespace forbids.
    pub(super) fn check_pod_security(&self, kind: &Kind, place: &str, object: &Value) -> Result<(), Refusal> {
        let spec = pod_spec(kind, object).filter(|_| kind.kind == "Pod");
        match spec.and_then(|spec| violation(&self.profile(place, "enforce")?, spec)) {
            Some(violation) => Err(Refusal::forbidden(kind, name(object), &format!("violates {violation}"))),
            None => Ok(()),
        }
    }

    fn profile(&self, place: &str, mode: &str) -> Option<String> {
        let namespace = self.store.get(&Key::new("namespaces", "", place))?;
        Some(namespace["metadata"]["labels"].get(format!("{PREFIX}/{mode}"))?.as_str()?.to_owned())
    }
}

fn pod_spec<'a>(kind: &Kind, object: &'a Value) -> Option<&'a Value> {
    object.pointer(match kind.kind.as_str() {
        "Pod" => "/spec",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => "/spec/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    })
}

/// `PodSecurity "restricted:latest": allowPrivilegeEscalation != false (…), …`.
fn violation(profile: &str, spec: &Value) -> Option<String> {
    let mut found = Vec::new();
    match profile {
        "baseline" => found.extend(baseline(spec)),
        "restricted" => {
            // In the order of the checks' names there.
            found.extend(privilege_escalation(spec));
            found.extend(capabilities(spec));
            found.extend(baseline(spec));
            found.extend(non_root(spec));
            found.extend(seccomp(spec));
        }
        _ => {}
    }
    (!found.is_empty()).then(|| format!("PodSecurity \"{profile}:latest\": {}", found.join(", ")))
}

fn baseline(spec: &Value) -> impl Iterator<Item = String> {
    let shared: Vec<_> = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|field| spec[*field] == true)
        .map(|field| format!("{field}=true"))
        .collect();
    let privileged = said(spec, |container| container.pointer("/securityContext/privileged") == Some(&true.into()));
    let names = |object: &Value, pointer: &str| text(object, pointer).to_owned();
    let paths: Vec<_> = list(spec, "/volumes")
        .iter()
        .filter(|volume| volume.get("hostPath").is_some())
        .map(|volume| format!("\"{}\"", names(volume, "/name")))
        .collect();
    let ports: Vec<_> = list(spec, "/containers")
        .iter()
        .flat_map(|container| list(container, "/ports"))
        .filter_map(|port| port["hostPort"].as_i64().filter(|port| *port != 0))
        .map(|port| port.to_string())
        .collect();
    let with_port = said(spec, |container| {
        list(container, "/ports").iter().any(|port| port["hostPort"].as_i64().is_some_and(|port| port != 0))
    });
    [
        (!shared.is_empty()).then(|| format!("host namespaces ({})", shared.join(", "))),
        (!paths.is_empty()).then(|| {
            let plural = if paths.len() == 1 { "" } else { "s" };
            format!("hostPath volumes (volume{plural} {})", paths.join(", "))
        }),
        with_port.map(|who| {
            let plural = if ports.len() == 1 { "" } else { "s" };
            let verb = if who.starts_with("containers") { "use" } else { "uses" };
            format!("hostPort ({who} {verb} hostPort{plural} {})", ports.join(", "))
        }),
        privileged.map(|who| format!("privileged ({who} must not set securityContext.privileged=true)")),
    ]
    .into_iter()
    .flatten()
}

fn privilege_escalation(spec: &Value) -> Option<String> {
    let who = said(spec, |container| container["securityContext"]["allowPrivilegeEscalation"] != false)?;
    Some(format!("allowPrivilegeEscalation != false ({who} must set securityContext.allowPrivilegeEscalation=false)"))
}

fn capabilities(spec: &Value) -> Option<String> {
    let drops_all = |container: &Value| {
        list(container, "/securityContext/capabilities/drop").iter().any(|capability| capability == "ALL")
    };
    let who = said(spec, |container| !drops_all(container))?;
    Some(format!("unrestricted capabilities ({who} must set securityContext.capabilities.drop=[\"ALL\"])"))
}

fn non_root(spec: &Value) -> Option<String> {
    let of_pod = spec["securityContext"]["runAsNonRoot"] == true;
    let who = said(spec, |container| match container["securityContext"].get("runAsNonRoot") {
        Some(own) => own != true,
        None => !of_pod,
    })?;
    Some(format!("runAsNonRoot != true (pod or {who} must set securityContext.runAsNonRoot=true)"))
}

fn seccomp(spec: &Value) -> Option<String> {
    let of_pod = text(spec, "/securityContext/seccompProfile/type");
    let who = said(spec, |container| {
        let own = text(container, "/securityContext/seccompProfile/type");
        !matches!(if own.is_empty() { of_pod } else { own }, "RuntimeDefault" | "Localhost")
    })?;
    Some(format!(
        "seccompProfile (pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
    ))
}

/// The containers of which something is true: `container "a"`, `containers "a", "b"`.
fn said(spec: &Value, is: impl Fn(&Value) -> bool) -> Option<String> {
    let all = list(spec, "/initContainers").iter().chain(list(spec, "/containers"));
    let names: Vec<_> =
        all.filter(|container| is(container)).map(|one| format!("\"{}\"", text(one, "/name"))).collect();
    match &names[..] {
        [] => None,
        [one] => Some(format!("container {one}")),
        many => Some(format!("containers {}", many.join(", "))),
    }
}
