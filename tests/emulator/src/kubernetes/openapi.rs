//! As much of an OpenAPI description as `kubectl` asks for: which kinds may be patched, and that the server checks fields.

use serde_json::{Map, Value, json};

use super::kinds::Kinds;

/// `/openapi/v3`: where the descriptions of the groups are.
pub(super) fn index(kinds: &Kinds) -> Value {
    let mut paths = Map::new();
    for kind in kinds.all() {
        let path = if kind.group.is_empty() {
            format!("api/{}", kind.version)
        } else {
            format!("apis/{}/{}", kind.group, kind.version)
        };
        let url = json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={}", kinds.all().len())});
        paths.insert(path, url);
    }
    json!({"paths": paths})
}

/// The description of one group in one version; `None` when nothing of it is served.
pub(super) fn document(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let served: Vec<_> = kinds.all().iter().filter(|kind| kind.group == group && kind.version == version).collect();
    if served.is_empty() {
        return None;
    }
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let mut paths = Map::new();
    for kind in served {
        let place = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
        let parameters: Vec<_> = ["fieldManager", "fieldValidation", "dryRun", "force"]
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}))
            .collect();
        let patch = json!({"parameters": parameters, "x-kubernetes-action": "patch", "responses": {},
            "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind}});
        paths.insert(format!("{root}{place}/{}/{{name}}", kind.plural), json!({"patch": patch}));
    }
    let info = json!({"title": "Kubernetes", "version": version});
    Some(json!({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}))
}
