//! Setting up networks: resources, and what users run in them.

#![expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]

use serde_json::{Value, json};

use super::{Hosts, Patterns, Proxy, network_of, subnet};
use crate::arm::{private_endpoint, stored};
use crate::emulator::Emulator;
use crate::principal::stable_id;

/// The resource group in an ID.
fn group_of(id: &str) -> &str {
    id.split('/').nth(4).unwrap_or_default()
}

impl Emulator {
    /// Adds or replaces a resource of `Microsoft.Network`, by the path below its resource group's providers, with all that Azure does then:
    /// a private endpoint is connected with its registry, and a zone group makes records. Returns the resource's ID.
    ///
    /// # Panics
    /// If the emulator does not have this type of resource.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// # use serde_json::json;
    /// let azure = Emulator::new().with_cluster("group", "dev");
    /// let id = azure.put_network("group", "privateDnsZones/privatelink.azurecr.io", json!({"location": "global"}));
    /// assert!(id.ends_with("/privatelink.azurecr.io"));
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "made for the call")]
    pub fn put_network(&self, group: &str, path: &str, body: Value) -> String {
        self.act(|world| {
            let subscription = world.subscription().to_owned();
            world.ensure_group(&subscription, group, "westeurope");
            let id = format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/{path}");
            let kind = path.split('/').step_by(2).collect::<Vec<_>>().join("/");
            let Some(kind) = stored::kind(&kind) else { panic!("the emulator does not have {kind}") };
            stored::store(world, &id, kind, &body);
            private_endpoint::stored(world, &id, kind);
            id
        })
    }

    /// Makes a private endpoint for a registry in a subnet, in the registry's resource group. Its connection is approved, or waits for approval. Returns its ID.
    pub fn add_private_endpoint(&self, registry: &str, subnet: &str, approved: bool) -> String {
        let field = if approved { "privateLinkServiceConnections" } else { "manualPrivateLinkServiceConnections" };
        let connection =
            json!([{"name": "registry", "properties": {"privateLinkServiceId": registry, "groupIds": ["registry"]}}]);
        let body = json!({"location": "westeurope", "properties": {"subnet": {"id": subnet}, field: connection}});
        let name = format!("endpoint-{}", &stable_id(&format!("{registry} {subnet}"))[..8]);
        self.put_network(group_of(registry), &format!("privateEndpoints/{name}"), body)
    }

    /// Approves a connection of a registry by its name. Returns whether it exists.
    pub fn approve_connection(&self, group: &str, registry: &str, name: &str) -> bool {
        self.act(|world| {
            let Some(at) = world.registry_named(group, registry) else { return false };
            let all = world.registries[at].properties["privateEndpointConnections"].as_array_mut();
            let found = all.into_iter().flatten().find(|one| one["name"] == name);
            let approve = |one: &mut Value| {
                one["properties"]["privateLinkServiceConnectionState"]["status"] = "Approved".into();
            };
            found.map(approve).is_some()
        })
    }

    /// Makes the zone for registries with private endpoints, in a resource group, and the zone group that writes an endpoint's records into
    /// it. Returns the zone's ID.
    pub fn add_private_zone(&self, group: &str, endpoint: &str) -> String {
        let zone = self.put_network(group, "privateDnsZones/privatelink.azurecr.io", json!({"location": "global"}));
        let config = json!([{"name": "registry", "properties": {"privateDnsZoneId": zone}}]);
        let name = endpoint.rsplit('/').next().unwrap_or_default();
        let body = json!({"properties": {"privateDnsZoneConfigs": config}});
        self.put_network(group_of(endpoint), &format!("privateEndpoints/{name}/privateDnsZoneGroups/default"), body);
        zone
    }

    /// Makes another zone of the same name in another resource group, as a hub has one for all networks, with a copy of the address records.
    /// Returns its ID.
    pub fn copy_zone(&self, zone: &str, group: &str) -> String {
        let name = zone.rsplit('/').next().unwrap_or_default();
        let path = format!("privateDnsZones/{name}");
        let copy = self.put_network(group, &path, json!({"location": "global"}));
        let within = format!("{zone}/A/").to_ascii_lowercase();
        let records: Vec<(String, Value)> = self.act(|world| {
            let here = world.resources.iter().filter(|(id, _)| id.starts_with(&within));
            here.map(|(id, body)| (id[within.len()..].to_owned(), json!({"properties": body["properties"]}))).collect()
        });
        for (record, body) in records {
            self.put_network(group, &format!("{path}/A/{record}"), body);
        }
        copy
    }

    /// Links a zone to a network, by their IDs. Returns the link's ID.
    pub fn link_zone(&self, zone: &str, network: &str) -> String {
        let group = group_of(zone);
        let path = zone.split_once("/Microsoft.Network/").map_or("", |(_, path)| path);
        let body = json!({"location": "global", "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": false}});
        self.put_network(group, &format!("{path}/virtualNetworkLinks/{}", &stable_id(network)[..8]), body)
    }

    /// Removes a resource of `Microsoft.Network` by its ID, with what is below it. Returns whether it existed.
    pub fn delete_network(&self, id: &str) -> bool {
        self.act(|world| stored::remove(world, id))
    }

    /// Sets up a DNS server, which resolves the private zones of a network, or only public names.
    pub fn set_name_server(&self, address: &str, network: Option<&str>) {
        self.act(|world| world.hosts.name_servers.insert(address.to_owned(), network.map(str::to_owned)));
    }

    /// Sets up an HTTP proxy at a host and port: in a subnet, or outside of Azure. It does not connect to the hosts in `refuses`.
    pub fn set_proxy(&self, address: &str, subnet: Option<&str>, refuses: &[&str]) {
        let refuses = refuses.iter().map(|one| (*one).to_owned()).collect();
        let proxy = Proxy { refuses, subnet: subnet.map(str::to_owned), is_silent: false };
        self.act(|world| world.hosts.proxies.insert(address.to_owned(), proxy));
    }

    /// Sets up an HTTP proxy that does not respond.
    pub fn set_silent_proxy(&self, address: &str) {
        let proxy = Proxy { is_silent: true, ..Proxy::default() };
        self.act(|world| world.hosts.proxies.insert(address.to_owned(), proxy));
    }

    /// Sets the address of the firewall that the routes of a network lead to.
    pub fn set_firewall(&self, network: &str, address: &str) {
        self.act(|world| world.hosts.firewalls.insert(network.to_ascii_lowercase(), address.to_owned()));
    }

    /// Makes the firewall of a cluster's network drop what its nodes send to the public address of a host, or let it through again. A host may
    /// begin with `*.`, as in the rules of firewalls. Returns whether the cluster exists.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_cluster("group", "dev");
    /// // Nodes reach login servers, and not the layers behind them.
    /// assert!(azure.set_egress("group", "dev", "*.blob.core.windows.net", false));
    /// ```
    pub fn set_egress(&self, group: &str, cluster: &str, host: &str, allowed: bool) -> bool {
        self.set_firewall_rule(|hosts| &mut hosts.blocked, (group, cluster), host, !allowed)
    }

    /// Makes the firewall of a cluster's network inspect TLS to the public address of a host, or let it through as it is. Nodes do not trust
    /// the firewall's certificates. A host may begin with `*.`. Returns whether the cluster exists.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_cluster("group", "dev");
    /// assert!(azure.set_inspection("group", "dev", "*.azurecr.io", true));
    /// ```
    pub fn set_inspection(&self, group: &str, cluster: &str, host: &str, inspected: bool) -> bool {
        self.set_firewall_rule(|hosts| &mut hosts.inspected, (group, cluster), host, inspected)
    }

    /// Adds a host to a list of the firewall of a cluster's network, or removes it.
    fn set_firewall_rule(
        &self,
        list: fn(&mut Hosts) -> &mut Patterns,
        (group, cluster): (&str, &str),
        host: &str,
        listed: bool,
    ) -> bool {
        let Some(subnet) = self.subnet_of_nodes(group, cluster) else { return false };
        self.act(|world| {
            let network = network_of(&subnet).to_ascii_lowercase();
            let (all, host) = (list(&mut world.hosts).entry(network).or_default(), host.to_ascii_lowercase());
            if listed {
                all.insert(host);
            } else {
                all.remove(&host);
            }
            true
        })
    }

    /// The IDs of the links of a private DNS zone.
    #[must_use]
    pub fn links_of(&self, zone: &str) -> Vec<String> {
        let within = format!("{zone}/virtualNetworkLinks/").to_ascii_lowercase();
        self.act(|world| world.resources.keys().filter(|id| id.starts_with(&within)).cloned().collect())
    }

    /// The IDs of all private endpoints.
    #[must_use]
    pub fn endpoint_ids(&self) -> Vec<String> {
        let id = |one: &Value| one["id"].as_str().map(str::to_owned);
        self.act(|world| super::endpoints(world).filter_map(id).collect())
    }

    /// The ID of the subnet of a cluster's nodes, if the cluster exists.
    pub(crate) fn subnet_of_nodes(&self, group: &str, name: &str) -> Option<String> {
        self.act(|world| world.cluster_named(group, name).map(|found| subnet::of_nodes(world, found)))
    }

    /// The ID of the virtual network that AKS made for a cluster. Empty if the cluster does not exist.
    #[must_use]
    pub fn network_id(&self, group: &str, name: &str) -> String {
        self.act(|world| world.cluster_named(group, name).map(crate::cluster::Cluster::network_id).unwrap_or_default())
    }
}
