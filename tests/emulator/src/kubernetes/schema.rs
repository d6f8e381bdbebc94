//! What merging must know of the built-in kinds: which lists have keys, and which maps are one value.

use serde_json::Value;

/// How a list merges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ListKind {
    /// As one value.
    Atomic,
    /// By the values of these fields.
    Keyed(&'static [&'static str]),
    /// As a set of values.
    Set,
}

/// How the list at a path of field names merges. Custom kinds know only the lists of their metadata.
pub(super) fn list_kind(fields: &[&str], custom: bool) -> ListKind {
    let [parents @ .., last] = fields else {
        return ListKind::Atomic;
    };
    if parents == ["metadata"] {
        return match *last {
            "finalizers" => ListKind::Set,
            "ownerReferences" => ListKind::Keyed(&["uid"]),
            _ => ListKind::Atomic,
        };
    }
    if custom {
        return ListKind::Atomic;
    }
    let parent = parents.last().copied().unwrap_or_default();
    match (parent, *last) {
        ("containers" | "initContainers", "ports") => ListKind::Keyed(&["containerPort", "protocol"]),
        ("containers" | "initContainers", "env")
        | ("", "secrets")
        | ("spec", "containers" | "initContainers" | "volumes" | "imagePullSecrets") => ListKind::Keyed(&["name"]),
        ("containers" | "initContainers", "volumeMounts") => ListKind::Keyed(&["mountPath"]),
        ("spec", "ports") => ListKind::Keyed(&["port", "protocol"]),
        ("spec", "topologySpreadConstraints") => ListKind::Keyed(&["topologyKey", "whenUnsatisfiable"]),
        ("spec", "hostAliases") => ListKind::Keyed(&["ip"]),
        ("spec", "finalizers" | "validationActions") => ListKind::Set,
        ("status", "conditions") => ListKind::Keyed(&["type"]),
        _ => ListKind::Atomic,
    }
}

/// Whether the map at a path of field names is one value.
pub(super) fn is_atomic_map(fields: &[&str]) -> bool {
    let within_spec = fields.len() > 1;
    fields.last().is_some_and(|last| {
        (within_spec
            && matches!(
                *last,
                "selector"
                    | "matchConstraints"
                    | "matchResources"
                    | "nodeSelector"
                    | "labelSelector"
                    | "configMapKeyRef"
                    | "secretKeyRef"
                    | "fieldRef"
                    | "resourceFieldRef"
                    // Of nodes; those of pods are lists.
                    | "requiredDuringSchedulingIgnoredDuringExecution"
            ))
            || matches!(fields, ["roleRef"] | [.., "service", "port"])
    })
}

/// The value of a key field of a list's entry; a protocol that is not given is TCP.
pub(super) fn key_value(entry: &Value, key: &str) -> Option<Value> {
    let given = entry.get(key).filter(|value| !value.is_null()).cloned();
    given.or_else(|| (key == "protocol").then(|| Value::from("TCP")))
}

/// Whether two entries of a list have the same values in the key fields.
pub(super) fn same_entry(one: &Value, other: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| key_value(one, key) == key_value(other, key))
}
