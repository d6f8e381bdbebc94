//! A cluster's body: what is sent to have one made, and what comes back.

use super::{Cluster, NewCluster, SshKey};
use crate::{
    difference::{Difference, Differences},
    error::{Error, ErrorKind, Result},
    http::ArmRequest,
    id::ResourceId,
    identity::{CLUSTER_API, READ_CLUSTER},
};
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const STEP: &str = "creating the cluster";
pub(crate) const WRITE: &str = "Microsoft.ContainerService/managedClusters/write";
/// The name that Azure's own tools give to the first pool, and to the user on its nodes.
const POOL: &str = "nodepool1";
const USER: &str = "azureuser";

/// See [Get](https://learn.microsoft.com/rest/api/aks/managed-clusters/get).
pub(super) fn get_cluster(id: &ResourceId) -> ArmRequest {
    ArmRequest::get(id.as_str(), CLUSTER_API).step("reading the cluster").needs(READ_CLUSTER, id.as_str())
}

/// See [Create](https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update). It is to make one, never to change
/// one: that is what the header says, to a service that minds it; and it is sent again only after another look.
pub(super) fn put_cluster(new: &NewCluster, location: &str, ssh_key: Option<&str>) -> ArmRequest {
    ArmRequest::new(Method::Put, new.id.as_str(), CLUSTER_API)
        .header("if-none-match", "*")
        .body(body(new, location, ssh_key))
        .step(STEP)
        .needs(WRITE, new.id.as_str())
        .once()
}

/// What az sends for its defaults. Empty texts let the service choose; without `linuxProfile` nobody signs in to the nodes.
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
    if let Some(key) = ssh_key {
        body["properties"]["linuxProfile"] =
            json!({ "adminUsername": USER, "ssh": { "publicKeys": [{ "keyData": key }] } });
    }
    body
}

/// As az derives it: 10 letters of the name, 16 of the group, 6 of the subscription; it begins with a letter.
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

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WireCluster {
    id: Option<String>,
    location: String,
    sku: WireSku,
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireSku {
    tier: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties {
    provisioning_state: Option<String>,
    kubernetes_version: Option<String>,
    current_kubernetes_version: Option<String>,
    fqdn: Option<String>,
    private_fqdn: Option<String>,
    agent_pool_profiles: Option<Vec<Pool>>,
    linux_profile: Option<Linux>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Pool {
    mode: String,
    count: Option<u32>,
    vm_size: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Linux {
    ssh: Option<Ssh>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Ssh {
    public_keys: Vec<Key>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Key {
    key_data: String,
}

impl WireCluster {
    /// Whether its state is this word, in whatever case.
    pub fn is(&self, word: &str) -> bool {
        self.state().eq_ignore_ascii_case(word)
    }

    pub fn state(&self) -> &str {
        self.properties.provisioning_state.as_deref().unwrap_or_default()
    }

    fn pool(&self) -> Option<&Pool> {
        let pools = self.properties.agent_pool_profiles.as_deref().unwrap_or_default();
        pools.iter().find(|pool| pool.mode.eq_ignore_ascii_case("System")).or(pools.first())
    }

    pub fn read(&self, asked: &ResourceId) -> Result<Cluster> {
        let id = match &self.id {
            Some(id) => id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?,
            None => asked.clone(),
        };
        let (pool, properties) = (self.pool(), &self.properties);
        let version = properties.current_kubernetes_version.as_ref().or(properties.kubernetes_version.as_ref());
        Ok(Cluster {
            id,
            location: self.location.clone(),
            state: self.state().to_owned(),
            kubernetes_version: version.cloned().unwrap_or_default(),
            tier: self.sku.tier.clone(),
            node_count: pool.and_then(|pool| pool.count).unwrap_or_default(),
            vm_size: pool.and_then(|pool| pool.vm_size.clone()).unwrap_or_default(),
            host: properties.fqdn.clone().or(properties.private_fqdn.clone()),
        })
    }

    /// How it differs from the cluster that would have been made. What was left to the service is not compared.
    pub fn differences(&self, asked: &NewCluster) -> Vec<Difference> {
        let mut differences = Differences::default();
        differences.check_location(asked.location.as_deref(), &self.location);
        let pool = self.pool();
        let count = pool.and_then(|pool| pool.count).unwrap_or_default();
        differences.check("node_count", &asked.node_count.to_string(), &count.to_string());
        if let Some(size) = &asked.vm_size {
            differences.check("vm_size", size, pool.and_then(|pool| pool.vm_size.as_deref()).unwrap_or_default());
        }
        if let Some(version) = asked.kubernetes_version.as_deref().filter(|version| !self.runs(version)) {
            let runs = self.properties.current_kubernetes_version.as_deref();
            differences.check("kubernetes_version", version, runs.unwrap_or_default());
        }
        differences.check("tier", asked.tier.as_str(), &self.sku.tier);
        if let SshKey::Public(key) = &asked.ssh_key {
            let keys = self.properties.linux_profile.as_ref().and_then(|linux| linux.ssh.as_ref());
            let keys = keys.map(|ssh| ssh.public_keys.as_slice()).unwrap_or_default();
            if !keys.iter().any(|one| is_same_key(&one.key_data, key)) {
                let found = if keys.is_empty() { "none" } else { "another key" };
                differences.check("ssh_key", "the given key", found);
            }
        }
        differences.into_vec()
    }

    /// Two numbers mean whatever third there is.
    fn runs(&self, version: &str) -> bool {
        let runs = self.properties.current_kubernetes_version.as_deref().unwrap_or_default();
        let asked = self.properties.kubernetes_version.as_deref();
        asked == Some(version)
            || runs == version
            || runs.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// What stands behind the key itself is a remark.
fn is_same_key(one: &str, other: &str) -> bool {
    let key = |text: &str| text.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    key(one) == key(other)
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
    fn a_key_is_sent_only_where_there_is_one() {
        let new = NewCluster::new(id("g", "c"));
        assert!(body(&new, "westeurope", None)["properties"].get("linuxProfile").is_none());
        let with = body(&new, "westeurope", Some("ssh-rsa AAAA"));
        assert_eq!(with["properties"]["linuxProfile"]["ssh"]["publicKeys"][0]["keyData"], "ssh-rsa AAAA");
    }

    #[test]
    fn a_cluster_that_runs_the_newest_of_a_version_does_not_differ() {
        let mut asked = NewCluster::new(id("g", "c"));
        asked.kubernetes_version = Some("1.33".to_owned());
        let found = |runs: &str| -> WireCluster {
            let pools = json!([{ "mode": "System", "count": 3, "vmSize": "x" }]);
            let properties = json!({ "currentKubernetesVersion": runs, "agentPoolProfiles": pools });
            serde_json::from_value(json!({ "sku": { "tier": "free" }, "properties": properties })).unwrap()
        };
        assert_eq!(found("1.33.4").differences(&asked), []);
        assert_eq!(found("1.3.3").differences(&asked)[0].property, "kubernetes_version");
    }
}
