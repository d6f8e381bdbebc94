//! The request that creates a cluster.

use crate::{
    action::WRITE_CLUSTER,
    cluster::{CLUSTER_API, NetworkPolicy, NewCluster, NewNodePool},
    http::ArmRequest,
    id::ResourceId,
};
use azure_core::http::Method;
use serde_json::{Value, json};

pub(super) const STEP: &str = "creating the cluster";
/// The name that Azure's own tools give to the user on nodes.
const USER: &str = "azureuser";

/// See [Create](https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update). It must create a cluster and never change
/// one: the header says so, to a service that respects it; and it is sent again only after another read.
pub(super) fn put_cluster(new: &NewCluster, location: &str, ssh_key: Option<&str>) -> ArmRequest {
    ArmRequest::new(Method::Put, new.id.as_str(), CLUSTER_API)
        .header("if-none-match", "*")
        .body(body(new, location, ssh_key))
        .step(STEP)
        // A role can be assigned there: the cluster does not exist yet.
        .needs(WRITE_CLUSTER, new.id.group_id())
        .once()
}

/// What az sends for its defaults. Empty strings let the service choose; without `linuxProfile` there is no SSH access to the
/// nodes.
fn body(new: &NewCluster, location: &str, ssh_key: Option<&str>) -> Value {
    let version = new.kubernetes_version.as_deref().unwrap_or_default();
    let pools: Vec<Value> = new.pools().iter().map(|one| pool(one, new.settings.subnet.as_deref(), version)).collect();
    let mut body = json!({
        "location": location,
        "identity": { "type": "SystemAssigned" },
        "sku": { "name": "Base", "tier": new.tier.as_str() },
        "properties": {
            "kubernetesVersion": version,
            "dnsPrefix": dns_prefix(&new.id),
            "enableRBAC": true,
            "disableLocalAccounts": false,
            "agentPoolProfiles": pools,
            "networkProfile": network(new),
            "addonProfiles": {},
            "storageProfile": {},
            "bootstrapProfile": { "artifactSource": "Direct" },
        },
    });
    if !new.tags.is_empty() {
        body["tags"] = json!(new.tags);
    }
    if let Some(identity) = &new.control_plane_identity {
        body["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": { identity.as_str(): {} } });
    }
    let settings = &new.settings;
    let key = ssh_key.map(|key| json!({ "adminUsername": USER, "ssh": { "publicKeys": [{ "keyData": key }] } }));
    let kubelet = new.kubelet_identity.as_ref().map(|id| json!({ "kubeletidentity": { "resourceId": id } }));
    let entra = json!({
        "managed": true, "enableAzureRBAC": settings.azure_rbac, "adminGroupObjectIDs": settings.admin_groups
    });
    let optional = [
        ("linuxProfile", key),
        ("identityProfile", kubelet),
        ("aadProfile", settings.entra.then_some(entra)),
        ("apiServerAccessProfile", settings.private_api_server.then(|| json!({ "enablePrivateCluster": true }))),
        ("oidcIssuerProfile", settings.oidc_issuer.then(|| json!({ "enabled": true }))),
        ("securityProfile", settings.workload_identity.then(|| json!({ "workloadIdentity": { "enabled": true } }))),
    ];
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        body["properties"][name] = value;
    }
    body
}

fn pool(pool: &NewNodePool, subnet: Option<&str>, version: &str) -> Value {
    let autoscaling = pool.min_count.zip(pool.max_count);
    let mut body = json!({
        "name": pool.name,
        "mode": pool.mode.as_str(),
        "type": "VirtualMachineScaleSets",
        "count": pool.nodes(),
        "vmSize": pool.vm_size.as_deref().unwrap_or_default(),
        "osType": pool.os_type.as_str(),
        "orchestratorVersion": version,
        "enableAutoScaling": autoscaling.is_some(),
        "enableNodePublicIP": false,
        "enableEncryptionAtHost": false,
        "enableUltraSSD": false,
        "enableFIPS": false,
        "nodeTaints": pool.taints,
        "upgradeSettings": {},
        "scaleSetPriority": "Regular",
    });
    let labels = (!pool.labels.is_empty()).then(|| json!(pool.labels));
    let zones = (!pool.availability_zones.is_empty()).then(|| json!(pool.availability_zones));
    let optional = [
        ("osSKU", pool.os_sku.as_ref().map(|sku| json!(sku))),
        ("maxPods", pool.max_pods.map(Value::from)),
        ("minCount", autoscaling.map(|(least, _)| least.into())),
        ("maxCount", autoscaling.map(|(_, most)| most.into())),
        ("availabilityZones", zones),
        ("nodeLabels", labels),
        ("vnetSubnetID", pool.subnet.as_deref().or(subnet).map(Value::from)),
    ];
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        body[name] = value;
    }
    body
}

/// The plugin in the two fields that Azure has for it, and Cilium's data plane with its policies: see
/// [az](https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium).
fn network(new: &NewCluster) -> Value {
    let mut body = json!({ "loadBalancerSku": "standard", "outboundType": "loadBalancer" });
    if let Some(plugin) = new.settings.network_plugin {
        let (plugin, mode) = plugin.on_the_wire();
        body["networkPlugin"] = plugin.into();
        if let Some(mode) = mode {
            body["networkPluginMode"] = mode.into();
        }
    }
    if let Some(policy) = new.settings.network_policy {
        body["networkPolicy"] = policy.as_str().into();
        if policy == NetworkPolicy::Cilium {
            body["networkDataplane"] = "cilium".into();
        }
    }
    body
}

/// As az derives it: 10 characters of the name, 16 of the group, 6 of the subscription; it starts with a letter.
fn dns_prefix(id: &ResourceId) -> String {
    let part = |text: &str, most: usize| {
        text.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').take(most).collect::<String>()
    };
    let mut name = part(id.name(), 10);
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name = part(&format!("a{name}"), 10);
    }
    format!("{name}-{}-{}", part(id.group(), 16), part(&id.subscription().to_string(), 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(group: &str, name: &str) -> ResourceId {
        ResourceId::new(
            "22222222-2222-2222-2222-222222222222".parse().unwrap(),
            group,
            "Microsoft.ContainerService/managedClusters",
            name,
        )
    }

    #[test]
    fn the_name_in_dns_is_the_one_that_az_would_give() {
        assert_eq!(dns_prefix(&id("rg1", "c1")), "c1-rg1-222222");
        assert_eq!(
            dns_prefix(&id("a_resource.group(of)many", "my_long-cluster-name")),
            "mylong-clu-aresourcegroupof-222222"
        );
        assert_eq!(dns_prefix(&id("g", "1st")), "a1st-g-222222");
    }

    #[test]
    fn pools_and_settings_are_sent_as_azure_names_them() {
        let mut new = NewCluster::new(id("g", "c"));
        let mut system = NewNodePool::new("system");
        system.mode = crate::NodePoolMode::System;
        let mut win = NewNodePool::new("win");
        (win.os_type, win.os_sku, win.count) = (crate::NodeOs::Windows, Some("Windows2022".to_owned()), Some(1));
        (win.min_count, win.max_count, win.max_pods) = (Some(1), Some(3), Some(30));
        win.availability_zones = vec!["1".to_owned()];
        win.labels.insert("os".to_owned(), "win".to_owned());
        new.node_pools = vec![system, win];
        new.tags.insert("team".to_owned(), "web".to_owned());
        let settings = &mut new.settings;
        settings.network_plugin = Some(crate::NetworkPlugin::AzureOverlay);
        settings.network_policy = Some(NetworkPolicy::Cilium);
        settings.subnet = Some("/s".to_owned());
        (settings.private_api_server, settings.entra, settings.azure_rbac) = (true, true, true);
        (settings.oidc_issuer, settings.workload_identity) = (true, true);
        let body = body(&new, "westeurope", None);
        let of = |path: &str| body.pointer(path).cloned().unwrap_or_default();
        assert_eq!(of("/tags/team"), "web");
        let network = of("/properties/networkProfile");
        assert_eq!(network["networkPlugin"], "azure");
        assert_eq!(
            (&network["networkPluginMode"], &network["networkDataplane"]),
            (&json!("overlay"), &json!("cilium"))
        );
        let windows = of("/properties/agentPoolProfiles/1");
        let expected = json!({"mode": "User", "osType": "Windows", "osSKU": "Windows2022", "enableAutoScaling": true,
            "minCount": 1, "maxCount": 3, "maxPods": 30, "availabilityZones": ["1"], "nodeLabels": {"os": "win"},
            "vnetSubnetID": "/s"});
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(windows[name], *value, "{name}");
        }
        assert_eq!(of("/properties/agentPoolProfiles/0/count"), 3);
        assert_eq!(of("/properties/apiServerAccessProfile/enablePrivateCluster"), true);
        assert_eq!(of("/properties/aadProfile/enableAzureRBAC"), true);
        assert_eq!(of("/properties/oidcIssuerProfile/enabled"), true);
        assert_eq!(of("/properties/securityProfile/workloadIdentity/enabled"), true);
    }

    #[test]
    fn a_key_is_sent_only_if_given() {
        let new = NewCluster::new(id("g", "c"));
        assert!(body(&new, "westeurope", None)["properties"].get("linuxProfile").is_none());
        let with = body(&new, "westeurope", Some("ssh-rsa AAAA"));
        assert_eq!(with["properties"]["linuxProfile"]["ssh"]["publicKeys"][0]["keyData"], "ssh-rsa AAAA");
    }
}
