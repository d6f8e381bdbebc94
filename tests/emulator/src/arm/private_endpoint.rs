//! Private endpoints and their DNS zone groups: what Azure does when one is made. See the API `Microsoft.Network/privateEndpoints`
//! (`privateEndpoint.json` in azure-rest-api-specs) and [private link for
//! registries](https://learn.microsoft.com/azure/container-registry/container-registry-private-link).

use serde_json::{Value, json};

use super::stored::store;
use crate::network::free_address;
use crate::registry::Registry;
use crate::world::World;

/// What follows from a resource that was kept.
pub(crate) fn stored(world: &mut World, id: &str, kind: &str) {
    match kind {
        "privateEndpoints" => connect(world, id),
        "privateEndpoints/privateDnsZoneGroups" => write_records(world, id),
        _ => {}
    }
}

/// The same of a resource that is about to be removed.
pub(crate) fn removed(world: &mut World, id: &str) {
    let Some(body) = world.resources.get(&id.to_ascii_lowercase()).cloned() else { return };
    match body["type"].as_str().unwrap_or_default() {
        "Microsoft.Network/privateEndpoints" => {
            for registry in &mut world.registries {
                if let Some(all) = registry.properties["privateEndpointConnections"].as_array_mut() {
                    all.retain(|one| !is(&one["properties"]["privateEndpoint"]["id"], id));
                }
            }
        }
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups" => {
            for (zone, record) in records(&body) {
                world.resources.remove(&format!("{zone}/a/{record}").to_ascii_lowercase());
            }
            let endpoint = id.to_ascii_lowercase().split("/privatednszonegroups/").next().map(str::to_owned);
            if let Some(endpoint) = endpoint.and_then(|endpoint| world.resources.get_mut(&endpoint)) {
                endpoint["properties"]["customDnsConfigs"] = custom_dns(endpoint);
            }
        }
        _ => {}
    }
}

fn is(value: &Value, id: &str) -> bool {
    value.as_str().is_some_and(|one| one.eq_ignore_ascii_case(id))
}

/// The connection that an endpoint asks for: its registry, and whether the registry's owner has to approve it.
fn wish(endpoint: &Value) -> Option<(String, bool)> {
    let of = |field: &str| {
        let id = &endpoint["properties"][field][0]["properties"]["privateLinkServiceId"];
        id.as_str().map(str::to_owned)
    };
    of("privateLinkServiceConnections")
        .map(|id| (id, false))
        .or_else(|| of("manualPrivateLinkServiceConnections").map(|id| (id, true)))
}

/// Gives an endpoint its addresses, and adds the connection to the registry, which enables its data endpoints.
fn connect(world: &mut World, id: &str) {
    let key = id.to_ascii_lowercase();
    let Some((target, is_manual)) = world.resources.get(&key).and_then(wish) else { return };
    let Some(at) = world.registries.iter().position(|one| one.id().eq_ignore_ascii_case(&target)) else { return };
    let registry = &mut world.registries[at];
    registry.properties["dataEndpointEnabled"] = true.into();
    registry.name_data_endpoints();
    let status = if is_manual { "Pending" } else { "Approved" };
    let name = id.rsplit('/').next().unwrap_or_default().to_owned();
    registry.add_connection(id, &name, status);
    let hosts = hosts(registry);
    let subnet = world.resources[&key]["properties"]["subnet"]["id"].as_str().unwrap_or_default().to_owned();
    let members: Vec<Value> = hosts
        .iter()
        .zip(0..)
        .map(|((member, host), at)| {
            let address = free_address(world, &subnet, at);
            json!({"name": member, "properties": {"privateIPAddress": address, "fqdn": host}})
        })
        .collect();
    if let Some(endpoint) = world.resources.get_mut(&key) {
        endpoint["members"] = members.into();
        endpoint["properties"]["customDnsConfigs"] = custom_dns(endpoint);
    }
}

/// What an endpoint without a zone group shows, for records that are kept by hand.
fn custom_dns(endpoint: &Value) -> Value {
    let members = endpoint["members"].as_array().into_iter().flatten().map(|one| &one["properties"]);
    members.map(|one| json!({"fqdn": one["fqdn"], "ipAddresses": [one["privateIPAddress"]]})).collect()
}

/// The members of the group `registry`, with their hosts.
fn hosts(registry: &Registry) -> Vec<(String, String)> {
    let data = registry.properties["dataEndpointHostNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let data = data.map(|host| {
        let region = host.split('.').nth(1).unwrap_or_default();
        (format!("registry_data_{region}"), host.to_owned())
    });
    [("registry".to_owned(), registry.login_server().to_owned())].into_iter().chain(data).collect()
}

/// Writes the records of an endpoint's hosts into the zones of its group.
fn write_records(world: &mut World, id: &str) {
    let key = id.to_ascii_lowercase();
    let Some((endpoint, _)) = key.split_once("/privatednszonegroups/") else { return };
    let members = world.resources.get(endpoint).map(|one| one["members"].clone());
    let members = members.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let mut configs =
        world.resources[&key]["properties"]["privateDnsZoneConfigs"].as_array().cloned().unwrap_or_default();
    for config in &mut configs {
        let zone = config["properties"]["privateDnsZoneId"].as_str().unwrap_or_default().to_owned();
        let suffix = zone.rsplit('/').next().unwrap_or_default().trim_start_matches("privatelink.").to_owned();
        let mut sets = Vec::new();
        for member in members.iter().map(|one| &one["properties"]) {
            let host = member["fqdn"].as_str().unwrap_or_default();
            let Some(record) = host.strip_suffix(&suffix).and_then(|rest| rest.strip_suffix('.')) else { continue };
            let address = &member["privateIPAddress"];
            let body = json!({"properties": {"ttl": 10, "aRecords": [{"ipv4Address": address}]}});
            store(world, &format!("{zone}/A/{record}"), "privateDnsZones/A", &body);
            sets.push(json!({
                "recordType": "A", "recordSetName": record, "fqdn": format!("{record}.privatelink.{suffix}"), "ttl": 10,
                "provisioningState": "Succeeded", "ipAddresses": [address],
            }));
        }
        config["properties"]["recordSets"] = sets.into();
    }
    if let Some(group) = world.resources.get_mut(&key) {
        group["properties"]["privateDnsZoneConfigs"] = configs.into();
    }
    // An endpoint with a zone group leaves its DNS to that.
    if let Some(endpoint) = world.resources.get_mut(endpoint) {
        endpoint["properties"]["customDnsConfigs"] = json!([]);
    }
}

/// The records that a group has made: the zone, and the name in it.
fn records(group: &Value) -> Vec<(String, String)> {
    let configs = group["properties"]["privateDnsZoneConfigs"].as_array().into_iter().flatten();
    let of = |config: &Value| {
        let zone = config["properties"]["privateDnsZoneId"].as_str().unwrap_or_default().to_owned();
        let sets = config["properties"]["recordSets"].as_array().cloned().unwrap_or_default();
        sets.into_iter().map(move |set| (zone.clone(), set["recordSetName"].as_str().unwrap_or_default().to_owned()))
    };
    configs.flat_map(of).collect()
}

impl Registry {
    /// Adds a connection, or leaves the one that there is for this endpoint.
    fn add_connection(&mut self, endpoint: &str, name: &str, status: &str) {
        if self.connection_status(endpoint).is_some() {
            return;
        }
        let name = format!("{name}.{}", crate::principal::stable_id(endpoint).replace('-', ""));
        let description = if status == "Approved" { "Auto-Approved" } else { "" };
        let connection = json!({
            "id": format!("{}/privateEndpointConnections/{name}", self.id()),
            "name": name,
            "type": "Microsoft.ContainerRegistry/registries/privateEndpointConnections",
            "properties": {
                "privateEndpoint": {"id": endpoint},
                "privateLinkServiceConnectionState": {"status": status, "description": description, "actionsRequired": "None"},
                "provisioningState": "Succeeded",
            },
        });
        match self.properties["privateEndpointConnections"].as_array_mut() {
            Some(all) => all.push(connection),
            None => self.properties["privateEndpointConnections"] = json!([connection]),
        }
    }
}
