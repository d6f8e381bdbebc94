//! The request that creates a cluster.

use crate::{
    action::WRITE_CLUSTER,
    cluster::{CLUSTER_API, NewCluster},
    http::ArmRequest,
    id::ResourceId,
};
use azure_core::http::Method;
use serde_json::{Value, json};

pub(super) const STEP: &str = "creating the cluster";
/// The name that Azure's own tools give to the first pool, and to the user on its nodes.
const POOL: &str = "nodepool1";
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
    let mut body = json!({
        "location": location,
        "identity": { "type": "SystemAssigned" },
        "sku": { "name": "Base", "tier": new.tier.as_str() },
        "properties": {
            "kubernetesVersion": version,
            "dnsPrefix": dns_prefix(&new.id),
            "enableRBAC": true,
            "disableLocalAccounts": false,
            "agentPoolProfiles": [{
                "name": POOL,
                "mode": "System",
                "type": "VirtualMachineScaleSets",
                "count": new.node_count,
                "vmSize": new.vm_size.as_deref().unwrap_or_default(),
                "osType": "Linux",
                "orchestratorVersion": version,
                "enableAutoScaling": false,
                "enableNodePublicIP": false,
                "enableEncryptionAtHost": false,
                "enableUltraSSD": false,
                "enableFIPS": false,
                "nodeTaints": [],
                "upgradeSettings": {},
                "scaleSetPriority": "Regular",
            }],
            "networkProfile": { "loadBalancerSku": "standard", "outboundType": "loadBalancer" },
            "addonProfiles": {},
            "storageProfile": {},
            "bootstrapProfile": { "artifactSource": "Direct" },
        },
    });
    if let Some(identity) = &new.control_plane_identity {
        body["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": { identity.as_str(): {} } });
    }
    if let Some(identity) = &new.kubelet_identity {
        body["properties"]["identityProfile"] = json!({ "kubeletidentity": { "resourceId": identity } });
    }
    if let Some(key) = ssh_key {
        body["properties"]["linuxProfile"] =
            json!({ "adminUsername": USER, "ssh": { "publicKeys": [{ "keyData": key }] } });
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
    fn a_key_is_sent_only_if_given() {
        let new = NewCluster::new(id("g", "c"));
        assert!(body(&new, "westeurope", None)["properties"].get("linuxProfile").is_none());
        let with = body(&new, "westeurope", Some("ssh-rsa AAAA"));
        assert_eq!(with["properties"]["linuxProfile"]["ssh"]["publicKeys"][0]["keyData"], "ssh-rsa AAAA");
    }
}
