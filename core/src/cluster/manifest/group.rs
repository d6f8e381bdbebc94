//! API groups: which of them are Kubernetes' own.

/// The API group in an `apiVersion`. That of the core is empty.
pub(super) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether an API group may be one of Kubernetes' own: their names have no dot or end with a reserved suffix. Definitions of
/// Kubernetes' projects have that suffix, too.
pub(super) fn is_of_kubernetes(group: &str) -> bool {
    is_built_in(group) || group.ends_with(".k8s.io")
}

/// Whether an API group is served by every API server. From the groups of `k8s.io/api` and of the API server's own extensions.
pub(super) fn is_built_in(group: &str) -> bool {
    const WITH_SUFFIX: [&str; 18] = [
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "authentication",
        "authorization",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "internal.apiserver",
        "networking",
        "node",
        "rbac.authorization",
        "resource",
        "scheduling",
        "storage",
        "storagemigration",
    ];
    match group.strip_suffix(".k8s.io") {
        Some(name) => WITH_SUFFIX.contains(&name),
        None => ["", "apps", "batch", "autoscaling", "policy", "extensions"].contains(&group),
    }
}
