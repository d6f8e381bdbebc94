//! A cluster that exists: its state, what it is, and how it differs from the one that would have been created.

use super::compare::{self, ExistingPool};
use crate::{
    cluster::{Cluster, ClusterBody, NewCluster, SshKey},
    difference::{Difference, Differences},
    error::Result,
    http::Provisioned,
    id::ResourceId,
};
use serde::{Deserialize, de::IgnoredAny};
use std::collections::BTreeMap;

/// What creation reads of a cluster.
pub(super) struct ExistingCluster {
    body: ClusterBody,
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    key_data: Option<String>,
}

impl ExistingCluster {
    pub fn new(body: ClusterBody) -> Self {
        let state = body.state();
        Self { body, state }
    }

    /// What its state means. A cluster without a state counts as not yet created.
    pub fn provisioned(&self) -> Provisioned {
        Provisioned::of(&self.state)
    }

    pub fn state(&self) -> &str {
        &self.state
    }

    fn text(&self, path: &str) -> Result<String> {
        self.body.part(path).map(Option::unwrap_or_default)
    }

    fn pools(&self) -> Result<Vec<ExistingPool>> {
        Ok(self.body.part("properties/agentPoolProfiles")?.unwrap_or_default())
    }

    fn pool(&self) -> Result<Option<ExistingPool>> {
        Ok(compare::main_pool(&self.pools()?).cloned())
    }

    pub fn read(&self, asked: &ResourceId) -> Result<Cluster> {
        let pool = self.pool()?;
        let version = match self.body.part("properties/currentKubernetesVersion")? {
            Some(version) => version,
            None => self.text("properties/kubernetesVersion")?,
        };
        let host = match self.body.part("properties/fqdn")? {
            Some(host) => Some(host),
            None => self.body.part("properties/privateFQDN")?,
        };
        Ok(Cluster {
            id: self.body.id(asked)?,
            location: self.text("location")?,
            state: self.state.clone(),
            kubernetes_version: version,
            tier: self.text("sku/tier")?,
            node_count: pool.as_ref().and_then(|pool| pool.count),
            vm_size: pool.and_then(|pool| pool.vm_size).unwrap_or_default(),
            host,
            node_resource_group: self.text("properties/nodeResourceGroup")?,
            oidc_issuer: self.body.part("properties/oidcIssuerProfile/issuerURL")?,
            etag: self.body.part("eTag")?,
            uid: self.body.part("properties/resourceUID")?,
        })
    }

    /// How it differs from the cluster that would have been created.
    /// Properties left to the service are not compared.
    pub fn differences(&self, asked: &NewCluster) -> Result<Vec<Difference>> {
        let mut differences = Differences::default();
        differences.check_location(asked.location.as_deref(), &self.text("location")?);
        if asked.node_pools.is_empty() {
            let pool = self.pool()?;
            // A pool of several VM sizes reports its count elsewhere: it differs from the requested pool, but does not have 0 nodes.
            let count = pool.as_ref().and_then(|pool| pool.count).map(|count| count.to_string());
            differences.check("node_count", &asked.node_count.to_string(), count.as_deref().unwrap_or("unknown"));
            if let Some(size) = &asked.vm_size {
                differences.check("vm_size", size, &pool.and_then(|pool| pool.vm_size).unwrap_or_default());
            }
        }
        if let Some(version) = &asked.kubernetes_version
            && !self.runs(version)?
        {
            differences.check("kubernetes_version", version, &self.text("properties/currentKubernetesVersion")?);
        }
        differences.check("tier", asked.tier.as_str(), &self.text("sku/tier")?);
        if let SshKey::Public(key) = &asked.ssh_key {
            let keys: Vec<Key> = self.body.part("properties/linuxProfile/ssh/publicKeys")?.unwrap_or_default();
            if !keys.iter().filter_map(|one| one.key_data.as_deref()).any(|one| is_same_key(one, key)) {
                let found = if keys.is_empty() { "none" } else { "another key" };
                differences.check("ssh_key", "the given key", found);
            }
        }
        let id = |given: Option<&ResourceId>| given.map(|id| id.as_str().to_owned());
        if let Some(asked) = id(asked.control_plane_identity.as_ref()) {
            let own: Option<BTreeMap<String, Option<IgnoredAny>>> =
                self.body.part("identity/userAssignedIdentities")?;
            let own: Vec<String> = own.unwrap_or_default().into_keys().collect();
            let found = if own.is_empty() { "one created with the cluster".to_owned() } else { own.join(", ") };
            differences.check("control_plane_identity", &asked, &found);
        }
        if let Some(asked) = id(asked.kubelet_identity.as_ref()) {
            let found = self.text("properties/identityProfile/kubeletidentity/resourceId")?;
            differences.check("kubelet_identity", &asked, if found.is_empty() { "none" } else { &found });
        }
        compare::settings(asked, &self.body, &mut differences)?;
        compare::pools(asked, &self.pools()?, &mut differences);
        Ok(differences.into_vec())
    }

    /// A version of two numbers, such as 1.33, matches any patch version.
    fn runs(&self, version: &str) -> Result<bool> {
        let runs = self.text("properties/currentKubernetesVersion")?;
        let asked = self.text("properties/kubernetesVersion")?;
        let is_patch = runs.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'));
        Ok(asked == version || runs == version || is_patch)
    }
}

/// The comment after a key does not count.
fn is_same_key(one: &str, other: &str) -> bool {
    let key = |text: &str| text.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn id() -> ResourceId {
        let subscription = "22222222-2222-2222-2222-222222222222".parse().unwrap();
        ResourceId::new(subscription, "g", "Microsoft.ContainerService/managedClusters", "c")
    }

    fn existing(properties: &Value) -> ExistingCluster {
        let body = json!({ "sku": { "tier": "free" }, "properties": properties });
        ExistingCluster::new(serde_json::from_value(body).unwrap())
    }

    #[test]
    fn a_cluster_that_runs_the_newest_patch_of_a_version_does_not_differ() {
        let mut asked = NewCluster::new(id());
        asked.kubernetes_version = Some("1.33".to_owned());
        let differences = |runs: &str| {
            let pools = json!([{ "mode": "System", "count": 3, "vmSize": "x" }]);
            let properties = json!({ "provisioningState": "Succeeded", "currentKubernetesVersion": runs, "agentPoolProfiles": pools });
            existing(&properties).differences(&asked).unwrap()
        };
        assert_eq!(differences("1.33.4"), []);
        assert_eq!(differences("1.3.3")[0].property, "kubernetes_version");
    }

    #[test]
    fn a_node_count_that_azure_does_not_state_is_unknown_and_not_zero() {
        let asked = NewCluster::new(id());
        let several = json!({ "scale": { "manual": [{ "size": "x", "count": 3 }] } });
        for pools in [
            json!([{ "mode": "System", "count": null, "vmSize": null }]),
            json!([{ "mode": "System", "type": "VirtualMachines", "virtualMachinesProfile": several }]),
            json!([]),
            json!(null),
        ] {
            let found = existing(&json!({ "provisioningState": "Succeeded", "agentPoolProfiles": pools }));
            assert_eq!(found.differences(&asked).unwrap()[0].to_string(), "node_count: asked for 3, found unknown");
            let read = found.read(&id()).unwrap();
            assert_eq!(read.node_count, None, "{pools}");
            assert!(read.to_string().contains("an unknown number of nodes in "), "{read}");
        }
        // A pool that is scaled to zero has no nodes: that is known.
        let found = existing(&json!({ "agentPoolProfiles": [{ "mode": "System", "count": 0, "vmSize": "x" }] }));
        let read = found.read(&id()).unwrap();
        assert_eq!(read.node_count, Some(0));
        assert!(read.to_string().contains("0 nodes of x in "), "{read}");
    }

    #[test]
    fn a_single_pool_is_compared_with_the_system_pool_in_each_setting() {
        let subnet = |name: &str| {
            format!(
                "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/\
                 subnets/{name}"
            )
        };
        let mut asked = NewCluster::new(id());
        asked.settings.subnet = Some(subnet("nodes"));
        let pools = json!([
            { "name": "user", "mode": "User", "count": 9, "vnetSubnetID": subnet("other") },
            { "name": "system", "mode": "System", "count": 3, "vnetSubnetID": subnet("nodes") },
        ]);
        let found = existing(&json!({ "provisioningState": "Succeeded", "agentPoolProfiles": pools }));
        assert_eq!(found.differences(&asked).unwrap(), []);
    }

    #[test]
    fn a_cluster_without_a_readable_state_is_not_taken_for_a_finished_one() {
        for state in [json!(null), json!(""), json!(3), json!({}), json!(["Succeeded"])] {
            let read = existing(&json!({ "provisioningState": state })).provisioned();
            assert_eq!(read, Provisioned::NotYet, "{state}");
        }
        for properties in [json!(null), json!("Succeeded"), json!([])] {
            assert_eq!(existing(&properties).provisioned(), Provisioned::NotYet, "{properties}");
        }
    }

    /// Azure writes this field with capitals: see `ManagedClusterProperties.privateFQDN` in its REST API.
    #[test]
    fn a_private_cluster_has_a_host() {
        let host = |properties: Value| existing(&properties).read(&id()).unwrap().host;
        let private = json!({ "provisioningState": "Succeeded", "fqdn": null, "privateFQDN": "c.privatelink.westeurope.azmk8s.io" });
        assert_eq!(host(private).as_deref(), Some("c.privatelink.westeurope.azmk8s.io"));
        let both =
            json!({ "provisioningState": "Succeeded", "fqdn": "c.hcp.westeurope.azmk8s.io", "privateFQDN": "p" });
        assert_eq!(host(both).as_deref(), Some("c.hcp.westeurope.azmk8s.io"));
    }

    #[test]
    fn a_part_of_an_unexpected_type_is_named() {
        let odd = existing(&json!({ "provisioningState": "Succeeded", "agentPoolProfiles": [{ "count": "3" }] }));
        let err = odd.read(&id()).unwrap_err();
        assert!(err.to_string().contains("properties.agentPoolProfiles"), "{err}");
    }
}
