//! What an API server says about itself: its version and the kinds it serves, in the old form and the aggregated one.

use serde_json::{Value, json};

use super::kinds::{Kind, Kinds};

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// The aggregated form's media type, without the parameter that names the list.
pub(super) const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// `/version`.
pub(super) fn version(version: &str) -> Value {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let before = minor.parse::<u32>().unwrap_or(1).saturating_sub(1).to_string();
    json!({"major": major, "minor": minor, "emulationMajor": major, "emulationMinor": minor,
        "minCompatibilityMajor": major, "minCompatibilityMinor": before, "gitVersion": format!("v{version}"), "gitTreeState": "clean",
        "gitCommit": "0".repeat(40), "buildDate": "2025-01-01T00:00:00Z", "goVersion": "go1.24", "compiler": "gc",
        "platform": "linux/amd64"})
}

/// `/api` in the old form.
pub(super) fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:443"}]})
}

/// `/apis` in the old form.
pub(super) fn groups(kinds: &Kinds) -> Value {
    let groups: Vec<_> = group_names(kinds).iter().map(|group| group_of(kinds, group)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`; `None` when nothing of it is served.
pub(super) fn group(kinds: &Kinds, group: &str) -> Option<Value> {
    if !group_names(kinds).iter().any(|known| known == group) {
        return None;
    }
    let mut body = group_of(kinds, group);
    body["kind"] = json!("APIGroup");
    body["apiVersion"] = json!("v1");
    Some(body)
}

/// `/api/v1` and `/apis/{group}/{version}`; `None` when nothing of it is served.
pub(super) fn resources(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let served: Vec<_> = of_version(kinds, group, version).flat_map(entries).collect();
    if served.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": served}))
}

/// `/api` (only the core group) or `/apis` (all others) in the aggregated form.
pub(super) fn aggregated(kinds: &Kinds, core: bool) -> Value {
    let names = if core { vec![String::new()] } else { group_names(kinds) };
    let items: Vec<_> = names
        .iter()
        .map(|group| {
            let versions: Vec<_> =
                versions(kinds, group).iter().map(|version| aggregated_version(kinds, group, version)).collect();
            let metadata = if core {
                json!({"creationTimestamp": null})
            } else {
                json!({"name": group, "creationTimestamp": null})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_version(kinds: &Kinds, group: &str, version: &str) -> Value {
    let resources: Vec<_> = of_version(kinds, group, version)
        .map(|kind| {
            let response = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
            let mut resource = json!({"resource": kind.plural, "responseKind": response,
                "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
                "singularResource": kind.singular, "verbs": VERBS});
            if !kind.short.is_empty() {
                resource["shortNames"] = json!(kind.short);
            }
            if !kind.categories.is_empty() {
                resource["categories"] = json!(kind.categories);
            }
            let subresources: Vec<_> = subresources(kind)
                .map(|(name, response)| json!({"subresource": name, "responseKind": response, "verbs": ["get", "patch", "update"]}))
                .collect();
            if !subresources.is_empty() {
                resource["subresources"] = json!(subresources);
            }
            resource
        })
        .collect();
    json!({"version": version, "freshness": "Current", "resources": resources})
}

fn entries(kind: &Kind) -> Vec<Value> {
    let mut entry = json!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
        "kind": kind.kind, "verbs": VERBS});
    if !kind.short.is_empty() {
        entry["shortNames"] = json!(kind.short);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    let mut entries = vec![entry];
    entries.extend(subresources(kind).map(|(name, response)| {
        json!({"name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
            "group": response["group"], "version": response["version"], "kind": response["kind"],
            "verbs": ["get", "patch", "update"]})
    }));
    entries
}

fn subresources(kind: &Kind) -> impl Iterator<Item = (&'static str, Value)> + '_ {
    let own = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    let status = kind.status.then_some(("status", own));
    let scale = kind.scale.then(|| ("scale", json!({"group": "autoscaling", "version": "v1", "kind": "Scale"})));
    status.into_iter().chain(scale)
}

fn of_version<'a>(kinds: &'a Kinds, group: &str, version: &str) -> impl Iterator<Item = &'a Kind> {
    kinds.all().iter().filter(move |kind| kind.group == group && kind.version == version)
}

fn group_names(kinds: &Kinds) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for kind in kinds.all().iter().filter(|kind| !kind.group.is_empty()) {
        if !names.contains(&kind.group) {
            names.push(kind.group.clone());
        }
    }
    names
}

fn versions(kinds: &Kinds, group: &str) -> Vec<String> {
    let mut versions: Vec<String> = Vec::new();
    for kind in kinds.all().iter().filter(|kind| kind.group == group) {
        if !versions.contains(&kind.version) {
            versions.push(kind.version.clone());
        }
    }
    versions
}

fn group_of(kinds: &Kinds, group: &str) -> Value {
    let versions: Vec<_> = versions(kinds, group)
        .iter()
        .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    json!({"name": group, "versions": versions, "preferredVersion": preferred})
}
