//! Quotas of a namespace: how many objects of a kind it may have, and how much processor time and memory its pods may ask for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{list, name, namespace, text};
use super::quantity::Quantity;
use super::refusal::Refusal;

impl Kubernetes {
    /// Refuses an object that is more than a quota has left.
    pub(super) fn check_quota(&self, kind: &Kind, place: &str, object: &Value) -> Result<(), Refusal> {
        if !kind.namespaced || kind.kind == "Event" {
            return Ok(());
        }
        for quota in self.store.list("resourcequotas", place) {
            let missing = missing(quota, kind, object);
            if !missing.is_empty() {
                let why = format!("failed quota: {}: must specify {}", name(quota), missing.join("; "));
                return Err(Refusal::forbidden(kind, name(object), &why));
            }
            let hard = quota["spec"]["hard"].as_object().into_iter().flatten();
            let over: Vec<Over> =
                hard.filter_map(|(resource, hard)| self.over(kind, place, object, resource, hard)).collect();
            if !over.is_empty() {
                let why = format!("exceeded quota: {}, {}", name(quota), described(&over));
                return Err(Refusal::forbidden(kind, name(object), &why));
            }
        }
        Ok(())
    }

    /// What is used of each resource that a quota limits, where it can be counted.
    pub(super) fn used_of_quota(&self, quota: &Value) -> BTreeMap<String, Value> {
        let hard = quota["spec"]["hard"].as_object().into_iter().flatten();
        hard.filter_map(|(resource, _)| {
            let used = self.used(resource, namespace(quota))?;
            Some((resource.clone(), json!(used.text())))
        })
        .collect()
    }

    fn over(&self, kind: &Kind, place: &str, object: &Value, resource: &str, hard: &Value) -> Option<Over> {
        let requested = amount(resource, &kind.resource(), object).filter(|amount| !amount.is_zero())?;
        let (used, hard) = (self.used(resource, place)?, Quantity::of(hard)?);
        let sum = used.plus(&requested);
        sum.exceeds(&hard).then(|| Over { resource: resource.to_owned(), requested, used, hard })
    }

    fn used(&self, resource: &str, place: &str) -> Option<Quantity> {
        let kind = self.kinds.all().iter().find(|kind| counts(resource, &kind.resource()))?.resource();
        let amounts = self.store.list(&kind, place).filter_map(|object| amount(resource, &kind, object));
        Some(amounts.fold(Quantity::zero(), |sum, amount| sum.plus(&amount)))
    }
}

/// A resource of which too little is left.
struct Over {
    resource: String,
    requested: Quantity,
    used: Quantity,
    hard: Quantity,
}

fn described(over: &[Over]) -> String {
    let all = |part: &dyn Fn(&Over) -> String| {
        over.iter().map(|one| format!("{}={}", one.resource, part(one))).collect::<Vec<_>>().join(",")
    };
    format!(
        "requested: {}, used: {}, limited: {}",
        all(&|one| one.requested.text()),
        all(&|one| one.used.text()),
        all(&|one| one.hard.text())
    )
}

/// What a pod's containers do not ask for although a quota limits it, as `cpu for: a,b`, in the order of names.
fn missing(quota: &Value, kind: &Kind, pod: &Value) -> Vec<String> {
    if kind.resource() != "pods" {
        return Vec::new();
    }
    let containers = || list(pod, "/spec/containers").iter().chain(list(pod, "/spec/initContainers"));
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for resource in quota["spec"]["hard"].as_object().into_iter().flatten().map(|(resource, _)| resource) {
        let Some((part, name)) = compute(resource) else { continue };
        let lacks = |container: &&Value| container.pointer(&format!("/resources/{part}/{name}")).is_none();
        for container in containers().filter(lacks) {
            missing.entry(resource).or_default().push(text(container, "/name"));
        }
    }
    missing.into_iter().map(|(resource, names)| format!("{resource} for: {}", names.join(","))).collect()
}

/// Whether a quota's resource is about objects of such a kind.
fn counts(resource: &str, kind: &str) -> bool {
    resource == kind || resource.strip_prefix("count/") == Some(kind) || (kind == "pods" && compute(resource).is_some())
}

/// What one object takes of a resource.
fn amount(resource: &str, kind: &str, object: &Value) -> Option<Quantity> {
    if !counts(resource, kind) {
        return None;
    }
    // A pod that has ended uses nothing, but is an object all the same.
    let ended = kind == "pods" && matches!(text(object, "/status/phase"), "Succeeded" | "Failed");
    match compute(resource) {
        _ if ended && !resource.starts_with("count/") => Some(Quantity::zero()),
        Some((part, name)) => {
            let of = |container: &Value| Quantity::of(container.pointer(&format!("/resources/{part}/{name}"))?);
            let amounts = |containers: &str| list(object, containers).iter().filter_map(of).collect::<Vec<_>>();
            let sum = amounts("/spec/containers").iter().fold(Quantity::zero(), |sum, amount| sum.plus(amount));
            // Init containers run one after another, before the others.
            Some(amounts("/spec/initContainers").into_iter().fold(sum, Quantity::or))
        }
        None => Some(Quantity::one()),
    }
}

/// `requests.cpu` as the part of a container's resources and the name in it.
fn compute(resource: &str) -> Option<(&str, &str)> {
    match resource {
        "cpu" | "memory" => Some(("requests", resource)),
        _ => resource
            .split_once('.')
            .filter(|(part, name)| matches!(*part, "requests" | "limits") && matches!(*name, "cpu" | "memory")),
    }
}
