//! Which object a 404 of Kubernetes refers to.

use kube::core::Status;

/// The message for a 404 at a path.
pub(crate) fn sentence(status: &Status, path: &str) -> String {
    let details = status.details.as_ref().filter(|details| !details.name.is_empty() && !details.kind.is_empty());
    let Some(details) = details else {
        return "the cluster's API does not serve this resource".to_owned();
    };
    let (kind, name) = (singular(&details.kind), details.name.escape_debug());
    if details.kind == "namespaces" {
        return format!("no namespace '{name}' in the cluster; create it first, or set another `namespace`");
    }
    match namespace(path) {
        Some(namespace) => {
            format!("no {kind} '{name}' in namespace '{namespace}'; set `namespace` if it is in another")
        }
        None => format!("no {kind} '{name}' in the cluster"),
    }
}

/// The namespace in a path.
fn namespace(path: &str) -> Option<&str> {
    let mut parts = path.split('/');
    parts.find(|part| *part == "namespaces")?;
    let namespace = parts.next()?;
    parts.next().map(|_| namespace)
}

/// A resource's singular name: Kubernetes returns the plural.
fn singular(plural: &str) -> String {
    match plural {
        "endpoints" => plural.to_owned(),
        _ if plural.ends_with("ies") => format!("{}y", &plural[..plural.len() - 3]),
        _ if ["sses", "xes", "ches", "shes"].iter().any(|end| plural.ends_with(end)) => {
            plural[..plural.len() - 2].to_owned()
        }
        _ => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::kubernetes::status::{from_status_at, read};
    use serde_json::json;

    fn said(details: &serde_json::Value, path: &str) -> String {
        let body = json!({"kind": "Status", "status": "Failure", "message": "what Kubernetes says", "reason": "NotFound", "details": details, "code": 404});
        from_status_at(read(404, body.to_string().as_bytes()), "", path).to_string()
    }

    #[test]
    fn what_is_missing_is_named_with_its_kind_and_namespace() {
        let path = "/apis/apps/v1/namespaces/team/deployments/web";
        for (details, wanted) in [
            (
                json!({"name": "web", "group": "apps", "kind": "deployments"}),
                "no deployment 'web' in namespace 'team'; set `namespace`",
            ),
            (json!({"name": "p", "kind": "networkpolicies"}), "no networkpolicy 'p' in namespace 'team'"),
            (json!({"name": "i", "kind": "ingresses"}), "no ingress 'i' in namespace 'team'"),
            (json!({"name": "s", "kind": "services"}), "no service 's' in namespace 'team'"),
            (json!({"name": "team", "kind": "namespaces"}), "no namespace 'team' in the cluster; create it first"),
            (json!({}), "does not serve this resource"),
        ] {
            let said = said(&details, path);
            assert!(said.contains(wanted) && said.contains("what Kubernetes says"), "{said}");
        }
        let cluster_wide =
            said(&json!({"name": "a", "kind": "storageclasses"}), "/apis/storage.k8s.io/v1/storageclasses/a");
        assert!(cluster_wide.starts_with("no storageclass 'a' in the cluster ("), "{cluster_wide}");
        let namespace = said(&json!({"name": "a", "kind": "nodes"}), "/api/v1/namespaces/a");
        assert!(namespace.starts_with("no node 'a' in the cluster"), "{namespace}");
    }
}
