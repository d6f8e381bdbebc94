//! Limit ranges of a namespace: resources that containers get, and how much they may ask for.

use serde_json::{Value, json};

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{list, map, name, namespace, text};
use super::quantity::Quantity;
use super::refusal::Refusal;

impl Kubernetes {
    /// Gives the containers of a new pod the defaults of its namespace.
    pub(super) fn limit_by_default(&self, pod: &mut Value) {
        let place = namespace(pod).to_owned();
        let ranges: Vec<Value> = self.store.list("limitranges", &place).cloned().collect();
        for limit in
            ranges.iter().flat_map(|range| list(range, "/spec/limits")).filter(|limit| is_of(limit, "Container"))
        {
            for containers in ["initContainers", "containers"] {
                let containers = map(pod, &["spec"]).get_mut(containers).and_then(Value::as_array_mut);
                for container in containers.into_iter().flatten() {
                    fill(container, "limits", &limit["default"]);
                    fill(container, "requests", &limit["defaultRequest"]);
                }
            }
        }
    }

    /// Refuses a pod that asks for more or for less than a limit range of its namespace allows.
    pub(super) fn check_limit_ranges(&self, kind: &Kind, place: &str, object: &Value) -> Result<(), Refusal> {
        if kind.kind != "Pod" {
            return Ok(());
        }
        for range in self.store.list("limitranges", place) {
            let flaws: Vec<String> =
                list(range, "/spec/limits").iter().flat_map(|limit| flaws(limit, object)).collect();
            let why = match &flaws[..] {
                [] => continue,
                [flaw] => flaw.clone(),
                flaws => format!("[{}]", flaws.join(", ")),
            };
            return Err(Refusal::forbidden(kind, name(object), &why));
        }
        Ok(())
    }
}

fn is_of(limit: &Value, kind: &str) -> bool {
    text(limit, "/type") == kind
}

fn fill(container: &mut Value, part: &str, defaults: &Value) {
    for (resource, amount) in defaults.as_object().into_iter().flatten() {
        map(container, &["resources", part]).entry(resource).or_insert_with(|| amount.clone());
    }
}

fn flaws(limit: &Value, pod: &Value) -> Vec<String> {
    if is_of(limit, "Container") {
        let containers = list(pod, "/spec/initContainers").iter().chain(list(pod, "/spec/containers"));
        return containers.flat_map(|container| flaws_of(limit, "Container", &container["resources"])).collect();
    }
    if is_of(limit, "Pod") {
        return flaws_of(limit, "Pod", &total(pod));
    }
    Vec::new()
}

/// What the containers of a pod ask for together.
fn total(pod: &Value) -> Value {
    let mut total = json!({});
    for container in list(pod, "/spec/containers") {
        for part in ["requests", "limits"] {
            for (resource, amount) in container["resources"][part].as_object().into_iter().flatten() {
                let sum = map(&mut total, &[part]).get(resource).and_then(Quantity::of).unwrap_or_else(Quantity::zero);
                if let Some(amount) = Quantity::of(amount) {
                    map(&mut total, &[part]).insert(resource.clone(), json!(sum.plus(&amount).text()));
                }
            }
        }
    }
    total
}

fn flaws_of(limit: &Value, kind: &str, resources: &Value) -> Vec<String> {
    let mut flaws = Vec::new();
    // At least this much is to be asked for, and at most that much be allowed.
    for (bound, word, main, other) in [("min", "minimum", "request", "limit"), ("max", "maximum", "limit", "request")] {
        for (resource, enforced) in limit[bound].as_object().into_iter().flatten() {
            let Some(bar) = Quantity::of(enforced) else { continue };
            let given = |part: &str| resources[format!("{part}s")].get(resource).and_then(Quantity::of);
            let is_off = |amount: &Quantity| if bound == "min" { bar.exceeds(amount) } else { amount.exceeds(&bar) };
            let what = format!("{word} {resource} usage per {kind} is {}", bar.text());
            match (given(main), given(other).filter(is_off)) {
                (None, _) => flaws.push(format!("{what}.  No {main} is specified")),
                (Some(amount), _) if is_off(&amount) => flaws.push(format!("{what}, but {main} is {}", amount.text())),
                (_, Some(amount)) => flaws.push(format!("{what}, but {other} is {}", amount.text())),
                _ => {}
            }
        }
    }
    flaws
}
