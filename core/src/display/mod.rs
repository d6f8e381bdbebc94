//! One readable line, or a table, for each result without another text: the same in every language.

mod clusters;
mod endpoints;
mod explanation;
mod grants;
mod images;
mod node_identities;
mod proof;
mod table;

#[cfg(test)]
mod tests {
    use crate::{
        ClusterAttachments, ClusterIdentities, CreatedRegistry, Detachment, ImportStatus, MergedKubeconfig,
        PlannedAction, Pod, Registry, StartedImport,
    };
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use std::fmt::Display;

    const ID: &str = "22222222-2222-2222-2222-222222222222";
    const REGISTRY: &str = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry";
    const CLUSTER: &str = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/dev";

    fn line<T: DeserializeOwned + Display>(value: Value) -> String {
        serde_json::from_value::<T>(value).unwrap().to_string()
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for the call")]
    fn grant(reach: Value, condition: Option<&str>, is_certain: bool) -> Value {
        json!({
            "registry": REGISTRY, "principal_id": ID, "principal_type": null, "principal_state": "unknown", "clusters": [],
            "role_definition_id": ID, "role_name": "AcrPull", "assignment_id": "/a", "reach": reach, "condition": condition,
            "is_certain": is_certain, "membership": "none",
        })
    }

    #[test]
    fn attachments_read_as_a_table_and_none_as_a_sentence() {
        let attachments = |grants: Value| {
            line::<ClusterAttachments>(
                json!({"cluster": CLUSTER, "principal_id": ID, "grants": grants, "subscriptions": [ID]}),
            )
        };
        let inherited = json!({"kind": "inherited", "from": "/subscriptions/s"});
        let table =
            attachments(json!([grant(json!({"kind": "direct"}), None, true), grant(inherited, Some("c"), false)]));
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
            .collect();
        assert_eq!(rows[0], ["REGISTRY", "ROLE", "PRINCIPAL", "ASSIGNED", "CONDITION", "CERTAIN"]);
        assert_eq!(rows[1], ["myregistry", "AcrPull", ID, "direct", "-", "yes"]);
        assert_eq!(rows[2], ["myregistry", "AcrPull", ID, "from /subscriptions/s", "yes", "no"]);
        assert!(attachments(json!([])).starts_with("no grant found for dev"));
    }

    #[test]
    fn results_read_as_lines() {
        let identities = |kubelet: Value, application: Value| {
            line::<ClusterIdentities>(json!({
                "cluster": CLUSTER, "state": "Creating", "kubelet": kubelet, "control_plane": [], "add_ons": [],
                "service_principal": application, "entra": null, "local_accounts_disabled": false,
            }))
        };
        let kubelet = json!({"object_id": ID, "client_id": null, "resource_id": null});
        assert_eq!(identities(kubelet, Value::Null), format!("g/dev pulls with kubelet identity {ID}"));
        assert_eq!(identities(Value::Null, Value::Null), "g/dev has no kubelet identity (state: Creating)");
        assert!(identities(Value::Null, json!("app")).ends_with("of application app"));

        let registry = json!({"id": REGISTRY, "login_server": "myregistry.azurecr.io", "location": "westeurope", "sku": "Basic",
            "mode": "LegacyRegistryPermissions", "state": "Succeeded"});
        let text = "g/myregistry: myregistry.azurecr.io, Basic in westeurope (Succeeded)";
        assert_eq!(line::<Registry>(registry.clone()), text);
        let found = json!({"registry": registry, "is_new": false, "correlation_id": null,
            "differences": [{"property": "sku", "asked": "Premium", "found": "Basic"}]});
        assert_eq!(
            line::<CreatedRegistry>(found),
            format!("exists: {text}; differs in sku: asked for Premium, found Basic")
        );

        let detached = |outcome: &str, removed: Value, remaining: Value| {
            line::<Detachment>(
                json!({"outcome": outcome, "principal_id": ID, "registry": REGISTRY, "removed": removed, "remaining": remaining}),
            )
        };
        let removed = json!([{"assignment_id": "/a", "role": "AcrPull", "condition": null, "correlation_id": null}]);
        assert_eq!(detached("removed", removed, json!([])), format!("removed AcrPull of {ID} on myregistry"));
        let remaining = json!([grant(json!({"kind": "direct"}), None, true)]);
        let text = detached("nothing_to_remove", json!([]), remaining);
        assert_eq!(
            text,
            format!("nothing to remove for {ID} on myregistry; still gives access: AcrPull for {ID} on myregistry")
        );

        assert_eq!(
            line::<ImportStatus>(json!({"kind": "running", "tags": {"a:1": "Pending"}})),
            "running: a:1 Pending"
        );
        let started =
            json!({"kind": "started", "handle": {"registry": REGISTRY, "targets": ["a:1"], "link": "https://secret/"}});
        assert_eq!(line::<StartedImport>(started), "started: import of a:1 into myregistry");
        let nothing = json!({"kind": "nothing", "outcome": {"kind": "inherited", "from": "/s"}});
        assert_eq!(line::<PlannedAction>(nothing), "write nothing: inherited from /s, nothing written");
        let merged = json!({"file": "/home/u/.kube/config", "context": "dev", "outcome": "added", "previous_context": null,
            "current_context_changed": true, "is_open_to_others": true});
        assert!(
            line::<MergedKubeconfig>(merged)
                .ends_with("added, now the current context; other users can read or write this file")
        );
        assert_eq!(Pod::new("default", "web", "Running").to_string(), "default/web: Running, 0/0 ready");
    }
}
