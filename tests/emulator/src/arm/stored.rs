//! Networks, private endpoints and private DNS zones: resources that are kept as they were sent, with what the service adds.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Call, demand_group, page, private_endpoint, resource_missing};
use crate::reply::{self, Reply};
use crate::world::World;

/// The kinds, as a path has them after the group: pairs of a type and a name.
const KINDS: [&str; 17] = [
    "virtualNetworks",
    "virtualNetworks/subnets",
    "virtualNetworks/virtualNetworkPeerings",
    "privateEndpoints",
    "privateEndpoints/privateDnsZoneGroups",
    "natGateways",
    "publicIPAddresses",
    "publicIPPrefixes",
    "privateDnsZones",
    "privateDnsZones/virtualNetworkLinks",
    "privateDnsZones/A",
    "privateDnsZones/AAAA",
    "privateDnsZones/CNAME",
    "privateDnsZones/MX",
    "privateDnsZones/PTR",
    "privateDnsZones/SOA",
    "privateDnsZones/TXT",
];

/// All stored resources, by their ids in lower case.
pub(crate) type Stored = BTreeMap<String, Value>;

/// A kind as it is written here, however it is written.
pub(crate) fn kind(path: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| kind.eq_ignore_ascii_case(path))
}

pub(super) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let ["subscriptions", _, "resourcegroups", _, "providers", "microsoft.network", rest @ ..] = lower else {
        return None;
    };
    let types: Vec<&str> = rest.iter().step_by(2).copied().collect();
    let kind = kind(&types.join("/"));
    let is_one = rest.len().is_multiple_of(2);
    let place = Place { segments, kind: kind.unwrap_or("privateDnsZones/recordsets") };
    let answer = match (call.method(), kind, is_one) {
        (&Method::GET, Some(_), true) => place.get(world, call),
        (&Method::GET, Some(_), false) => place.list(world, call, Some(place.kind)),
        // All records of a zone.
        (&Method::GET, None, false) if matches!(types[..], ["privatednszones", "all"]) => place.list(world, call, None),
        (&Method::PUT | &Method::PATCH, Some(_), true) => place.put(world, call),
        (&Method::DELETE, Some(_), true) => place.delete(world, call),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

struct Place<'a> {
    segments: &'a [&'a str],
    kind: &'static str,
}

impl Place<'_> {
    fn id(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    fn demand(&self, world: &World, call: &Call<'_>, verb: &str) -> Result<(), Reply> {
        call.demand_action(world, &format!("Microsoft.Network/{}/{verb}", self.kind), &self.id())?;
        demand_group(world, self.segments[1], self.segments[3])
    }

    fn missing(&self) -> Reply {
        let name = self.segments.last().copied().unwrap_or_default();
        resource_missing(&format!("Microsoft.Network/{}", self.kind), self.segments[3], name)
    }

    fn get(&self, world: &World, call: &Call<'_>) -> Result<Reply, Reply> {
        self.demand(world, call, "read")?;
        let found = shown(&world.resources, &self.id()).ok_or_else(|| self.missing())?;
        Ok(reply::json(StatusCode::OK, &found))
    }

    /// Those of one kind, or the records of a zone.
    fn list(&self, world: &World, call: &Call<'_>, kind: Option<&str>) -> Result<Reply, Reply> {
        self.demand(world, call, "read")?;
        let (parent, _) =
            self.id().rsplit_once('/').map(|(above, last)| (above.to_owned(), last.to_owned())).unwrap_or_default();
        let within = format!("{}/", parent.to_ascii_lowercase());
        let is_meant = |body: &Value| {
            let of = body["type"].as_str().unwrap_or_default();
            let records = of.rsplit('/').next().is_some_and(|last| last.chars().all(|one| one.is_ascii_uppercase()));
            kind.map_or(records, |kind| of.eq_ignore_ascii_case(&format!("Microsoft.Network/{kind}")))
        };
        let items = world.resources.iter().filter(|(id, body)| id.starts_with(&within) && is_meant(body));
        let items: Vec<Value> = items.filter_map(|(id, _)| shown(&world.resources, id)).collect();
        Ok(page(world, call, &items))
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Result<Reply, Reply> {
        self.demand(world, call, "write")?;
        let id = self.id();
        if let Some((above, _)) = id.rsplit_once('/').and_then(|(above, _)| above.rsplit_once('/'))
            && self.kind.contains('/')
            && !world.resources.contains_key(&above.to_ascii_lowercase())
        {
            let (parent, _) = self.kind.rsplit_once('/').unwrap_or_default();
            let name = above.rsplit('/').next().unwrap_or_default();
            return Err(resource_missing(&format!("Microsoft.Network/{parent}"), self.segments[3], name));
        }
        let sent = call.json()?;
        let is_new = store(world, &id, self.kind, &sent);
        private_endpoint::stored(world, &id, self.kind);
        let body = shown(&world.resources, &id).unwrap_or_default();
        Ok(reply::json(if is_new { StatusCode::CREATED } else { StatusCode::OK }, &body))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Result<Reply, Reply> {
        self.demand(world, call, "delete")?;
        let there = remove(world, &self.id());
        Ok(reply::empty(if there { StatusCode::OK } else { StatusCode::NO_CONTENT }))
    }
}

/// Removes a resource with what is below it. Returns whether it existed.
pub(crate) fn remove(world: &mut World, id: &str) -> bool {
    let id = id.to_ascii_lowercase();
    let below = format!("{id}/");
    let gone: Vec<String> =
        world.resources.keys().filter(|one| **one == id || one.starts_with(&below)).cloned().collect();
    for one in gone.iter().rev() {
        private_endpoint::removed(world, one);
        world.resources.remove(one);
    }
    !gone.is_empty()
}

/// Keeps a resource. What it has inline is a resource of its own.
pub(crate) fn store(world: &mut World, id: &str, kind: &str, sent: &Value) -> bool {
    let mut body = sent.clone();
    if !body["properties"].is_object() {
        body["properties"] = json!({});
    }
    let mut inline = |name: &str| body["properties"].as_object_mut().and_then(|properties| properties.remove(name));
    let (subnets, peerings) = (inline("subnets"), inline("virtualNetworkPeerings"));
    body["id"] = id.into();
    body["name"] = id.rsplit('/').next().unwrap_or_default().into();
    body["type"] = format!("Microsoft.Network/{kind}").into();
    body["etag"] = world.ids.id().to_string().into();
    let record = kind.rsplit('/').next().filter(|last| last.chars().all(|one| one.is_ascii_uppercase()));
    if let Some((zone, _)) = record.and(id.rsplit_once('/')).and_then(|(above, _)| above.rsplit_once('/')) {
        let (name, zone) = (body["name"].as_str().unwrap_or_default(), zone.rsplit('/').next().unwrap_or_default());
        let full = if name == "@" { format!("{zone}.") } else { format!("{name}.{zone}.") };
        body["properties"]["fqdn"] = full.into();
        body["properties"]["isAutoRegistered"] = false.into();
    } else {
        body["properties"]["provisioningState"] = "Succeeded".into();
    }
    if kind == "virtualNetworks/virtualNetworkPeerings" && body["properties"]["peeringState"].is_null() {
        body["properties"]["peeringState"] = "Connected".into();
    }
    if kind == "privateDnsZones/virtualNetworkLinks" {
        body["properties"]["virtualNetworkLinkState"] = "Completed".into();
    }
    let is_new = world.resources.insert(id.to_ascii_lowercase(), body).is_none();
    for (children, name) in [(subnets, "subnets"), (peerings, "virtualNetworkPeerings")] {
        for child in children.iter().filter_map(Value::as_array).flatten() {
            if let Some(own) = child["name"].as_str() {
                store(world, &format!("{id}/{name}/{own}"), &format!("virtualNetworks/{name}"), child);
            }
        }
    }
    if kind == "privateDnsZones" && is_new {
        // Every zone begins with the record that makes it one.
        let soa = json!({"properties": {"ttl": 3600, "soaRecord": {"host": "azureprivatedns.net",
            "email": "azureprivatedns-host.microsoft.com", "serialNumber": 1, "refreshTime": 3600, "retryTime": 300,
            "expireTime": 2_419_200, "minimumTtl": 10}}});
        store(world, &format!("{id}/SOA/@"), "privateDnsZones/SOA", &soa);
    }
    is_new
}

/// A resource with what is below it.
fn shown(resources: &Stored, id: &str) -> Option<Value> {
    let id = id.to_ascii_lowercase();
    let mut body = resources.get(&id)?.clone();
    let below = |kind: &str| {
        let within = format!("{id}/{kind}/").to_ascii_lowercase();
        resources.iter().filter(move |(one, _)| one.starts_with(&within)).map(|(_, body)| body.clone())
    };
    let kind = body["type"].as_str().unwrap_or_default().to_owned();
    body.as_object_mut().map(|body| body.remove("members"));
    if kind.ends_with("/virtualNetworks") {
        body["properties"]["subnets"] = below("subnets").map(|subnet| with_endpoints(resources, subnet)).collect();
        body["properties"]["virtualNetworkPeerings"] = below("virtualNetworkPeerings").collect();
    }
    if kind.ends_with("/virtualNetworks/subnets") {
        body = with_endpoints(resources, body);
    }
    if kind.ends_with("/privateDnsZones") {
        let links = below("virtualNetworkLinks").count();
        let records = resources.keys().filter(|one| one.starts_with(&format!("{id}/"))).count() - links;
        body["properties"]["numberOfRecordSets"] = records.into();
        body["properties"]["maxNumberOfRecordSets"] = 25_000.into();
        body["properties"]["numberOfVirtualNetworkLinks"] = links.into();
        body["properties"]["maxNumberOfVirtualNetworkLinks"] = 1000.into();
    }
    Some(body)
}

/// A subnet with the private endpoints in it.
fn with_endpoints(resources: &Stored, mut subnet: Value) -> Value {
    let is_here = |one: &&Value| {
        let place = one["properties"]["subnet"]["id"].as_str();
        one["type"] == "Microsoft.Network/privateEndpoints"
            && place.zip(subnet["id"].as_str()).is_some_and(|(place, id)| place.eq_ignore_ascii_case(id))
    };
    let endpoints: Vec<Value> = resources.values().filter(is_here).map(|one| json!({"id": one["id"]})).collect();
    if !endpoints.is_empty() {
        subnet["properties"]["privateEndpoints"] = endpoints.into();
    }
    subnet
}
