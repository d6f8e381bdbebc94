//! What the API server refuses in the specification of a pod, in the order of `ValidatePodSpec` of Kubernetes 1.33.

use serde_json::{Value, json};

use super::object::{list, number, text};
use super::quantity::Quantity;
use super::refusal::Flaw;
use super::validate_metadata;

const VOLUMES: [&str; 9] =
    ["emptyDir", "hostPath", "secret", "nfs", "persistentVolumeClaim", "downwardAPI", "configMap", "projected", "csi"];

/// The flaws of a template at a pointer.
pub(super) fn template(object: &Value, pointer: &str, flaws: &mut Vec<Flaw>) {
    let field = pointer[1..].replace('/', ".");
    let part = |name: &str| object.pointer(&format!("{pointer}/metadata/{name}"));
    validate_metadata::labels(part("labels"), &format!("{field}.labels"), flaws);
    validate_metadata::annotations(part("annotations"), &format!("{field}.annotations"), flaws);
    self::flaws(object, &format!("{pointer}/spec"), flaws);
}

/// The flaws of a pod's specification at a pointer.
pub(super) fn flaws(object: &Value, pointer: &str, flaws: &mut Vec<Flaw>) {
    let field = pointer[1..].replace('/', ".");
    let volumes = list(object, &format!("{pointer}/volumes"));
    for (index, volume) in volumes.iter().enumerate() {
        let mut kinds = VOLUMES.iter().filter(|kind| volume.get(**kind).is_some());
        if let Some(second) = kinds.nth(1) {
            let at = format!("{field}.volumes[{index}].{second}");
            flaws.push(Flaw::forbidden(at, "may not specify more than 1 volume type"));
        }
    }
    let containers = list(object, &format!("{pointer}/containers"));
    if containers.is_empty() {
        flaws.push(Flaw::required(format!("{field}.containers"), ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for (list_name, entries) in
        [("containers", containers), ("initContainers", list(object, &format!("{pointer}/initContainers")))]
    {
        for (index, container) in entries.iter().enumerate() {
            let at = format!("{field}.{list_name}[{index}]");
            let name = text(container, "/name");
            if !name.is_empty() && names.contains(&name) {
                let message = format!("Duplicate value: \"{name}\"");
                flaws.push(Flaw { reason: "FieldValueDuplicate", field: format!("{at}.name"), message });
            }
            names.push(name);
            self::container(container, volumes, &at, flaws);
        }
    }
    let spec = object.pointer(pointer).unwrap_or(&Value::Null);
    let restart = ["Always", "OnFailure", "Never"];
    one_of(&spec["restartPolicy"], &restart, format!("{field}.restartPolicy"), flaws);
    one_of(
        &spec["dnsPolicy"],
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
        format!("{field}.dnsPolicy"),
        flaws,
    );
    for (index, toleration) in list(spec, "/tolerations").iter().enumerate() {
        one_of(&toleration["operator"], &["Equal", "Exists"], format!("{field}.tolerations[{index}].operator"), flaws);
    }
}

/// Rejects an unknown word; an absent one is not checked.
pub(super) fn one_of(value: &Value, known: &[&str], field: String, flaws: &mut Vec<Flaw>) {
    let Some(given) = value.as_str().filter(|given| !given.is_empty() && !known.contains(given)) else { return };
    let known: Vec<_> = known.iter().map(|one| format!("\"{one}\"")).collect();
    flaws.push(Flaw::unsupported(field, &json!(given), &format!("supported values: {}", known.join(", "))));
}

fn container(container: &Value, volumes: &[Value], at: &str, flaws: &mut Vec<Flaw>) {
    let name = text(container, "/name");
    if name.is_empty() {
        flaws.push(Flaw::required(format!("{at}.name"), ""));
    } else {
        let rules = validate_metadata::of_container(name);
        flaws.extend(rules.iter().map(|rule| Flaw::invalid(format!("{at}.name"), &json!(name), rule)));
    }
    let image = text(container, "/image");
    if image.is_empty() {
        flaws.push(Flaw::required(format!("{at}.image"), ""));
    } else if image != image.trim() {
        let detail = "must not have leading or trailing whitespace";
        flaws.push(Flaw::invalid(format!("{at}.image"), &json!(image), detail));
    }
    for (index, port) in list(container, "/ports").iter().enumerate() {
        let at = format!("{at}.ports[{index}]");
        match number(port, "/containerPort") {
            None | Some(0) => flaws.push(Flaw::required(format!("{at}.containerPort"), "")),
            Some(number) if !(1..=65535).contains(&number) => {
                let detail = "must be between 1 and 65535, inclusive";
                flaws.push(Flaw::invalid(format!("{at}.containerPort"), &json!(number), detail));
            }
            Some(_) => {}
        }
        one_of(&port["protocol"], &["SCTP", "TCP", "UDP"], format!("{at}.protocol"), flaws);
    }
    for (index, variable) in list(container, "/env").iter().enumerate() {
        self::variable(variable, &format!("{at}.env[{index}]"), flaws);
    }
    for (index, mount) in list(container, "/volumeMounts").iter().enumerate() {
        self::mount(mount, volumes, &format!("{at}.volumeMounts[{index}]"), flaws);
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
        if container.get(probe).is_some_and(|probe| handlers.iter().all(|handler| probe.get(handler).is_none())) {
            flaws.push(Flaw::required(format!("{at}.{probe}"), "must specify a handler type"));
        }
    }
    one_of(&container["imagePullPolicy"], &["Always", "IfNotPresent", "Never"], format!("{at}.imagePullPolicy"), flaws);
    resources(container, at, flaws);
}

fn variable(variable: &Value, at: &str, flaws: &mut Vec<Flaw>) {
    let name = text(variable, "/name");
    if name.is_empty() {
        flaws.push(Flaw::required(format!("{at}.name"), ""));
    } else if name.contains('=') || !name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let detail = "a valid environment variable name must consist only of printable ASCII characters other than '='";
        flaws.push(Flaw::invalid(format!("{at}.name"), &json!(name), detail));
    }
    if !text(variable, "/value").is_empty() && variable.get("valueFrom").is_some() {
        let detail = "may not be specified when `value` is not empty";
        flaws.push(Flaw::invalid(format!("{at}.valueFrom"), &json!(""), detail));
    }
}

fn mount(mount: &Value, volumes: &[Value], at: &str, flaws: &mut Vec<Flaw>) {
    let name = text(mount, "/name");
    if name.is_empty() {
        flaws.push(Flaw::required(format!("{at}.name"), ""));
    } else if volumes.iter().all(|volume| volume["name"] != name) {
        let message = format!("Not found: \"{name}\"");
        flaws.push(Flaw { reason: "FieldValueNotFound", field: format!("{at}.name"), message });
    }
    if text(mount, "/mountPath").is_empty() {
        flaws.push(Flaw::required(format!("{at}.mountPath"), ""));
    }
}

fn resources(container: &Value, at: &str, flaws: &mut Vec<Flaw>) {
    for part in ["limits", "requests"] {
        let amounts = container.pointer(&format!("/resources/{part}")).and_then(Value::as_object);
        for (name, amount) in amounts.into_iter().flatten() {
            if let Some(flaw) = Quantity::flaw(amount, &format!("{at}.resources.{part}[{name}]")) {
                flaws.push(flaw);
            }
        }
    }
    let requests = container.pointer("/resources/requests").and_then(Value::as_object);
    for (name, request) in requests.into_iter().flatten() {
        let limit = &container["resources"]["limits"][name];
        let (Some(least), Some(most)) = (Quantity::of(request), Quantity::of(limit)) else { continue };
        if least.exceeds(&most) {
            let detail = format!("must be less than or equal to {name} limit of {}", most.text());
            flaws.push(Flaw::invalid(format!("{at}.resources.requests"), &json!(least.text()), &detail));
        }
    }
}
