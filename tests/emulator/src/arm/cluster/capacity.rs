//! What a region has left for new nodes: cores of a quota, sizes, zones, capacity of its own, addresses of a subnet. The texts are Azure's, from public threads;
//! what is refused is decided by the clusters that are there.

use http::StatusCode;
use serde_json::{Value, json};

use super::wanted::bad;
use crate::arm::Call;
use crate::cluster::pool;
use crate::emulator::Emulator;
use crate::rbac::Wanted;
use crate::reply::{self, Reply, aks_error};
use crate::world::World;

/// The right to put something into a subnet.
const JOIN: &str = "Microsoft.Network/virtualNetworks/subnets/join/action";

/// The limits of regions; a region without any has no limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capacity {
    /// Region, family, and how many cores of it the subscriptions may have.
    cores: Vec<(String, String, u64)>,
    /// Region and size.
    missing_sizes: Vec<(String, String)>,
    without_zones: Vec<String>,
    full: Vec<String>,
}

#[expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]
impl Emulator {
    /// Limits the cores of a family of virtual machines (such as `standardDSv5Family`) in a region.
    pub fn set_core_quota(&self, region: &str, family: &str, cores: u64) {
        let limit = (region.to_owned(), family.to_owned(), cores);
        self.act(|world| world.capacity.cores.push(limit));
    }

    /// Makes a VM size unavailable in a region.
    pub fn remove_vm_size(&self, region: &str, size: &str) {
        let missing = (region.to_owned(), size.to_owned());
        self.act(|world| world.capacity.missing_sizes.push(missing));
    }

    /// Makes a region have no availability zones.
    pub fn remove_zones(&self, region: &str) {
        self.act(|world| world.capacity.without_zones.push(region.to_owned()));
    }

    /// Makes a region take no new clusters, or take them again.
    pub fn set_region_full(&self, region: &str, full: bool) {
        self.act(|world| {
            world.capacity.full.retain(|one| one != region);
            world.capacity.full.extend(full.then(|| region.to_owned()));
        });
    }

    /// Adds a subnet, in a virtual network that is made with it. The answer is its ID.
    pub fn add_subnet(&self, group: &str, network: &str, name: &str, prefix: &str) -> String {
        use crate::arm::stored::store;
        self.act(|world| {
            let subscription = world.subscription().to_owned();
            world.ensure_group(&subscription, group, "westeurope");
            let id = format!(
                "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{network}"
            );
            if !world.resources.contains_key(&id.to_ascii_lowercase()) {
                store(world, &id, "virtualNetworks", &json!({"location": "westeurope", "properties": {}}));
            }
            let subnet = format!("{id}/subnets/{name}");
            let body = json!({"properties": {"addressPrefix": prefix}});
            store(world, &subnet, "virtualNetworks/subnets", &body);
            subnet
        })
    }
}

/// Refuses a new cluster, or new pools, that the region has no room for.
pub(super) fn demand(world: &World, call: &Call<'_>, sent: &Value, region: &str) -> Result<(), Reply> {
    let capacity = &world.capacity;
    let is_here = |one: &str| one.eq_ignore_ascii_case(region);
    if capacity.full.iter().any(|full| is_here(full)) {
        // See https://github.com/Azure/AKS/issues/4113; the code has another name since 2025: MicrosoftDocs/SupportArticles-docs#1834.
        let message = format!(
            "Creating a new cluster is unavailable at this time in region {region}. In order to create a new cluster, we \
             recommend using an alternate region. For a list of all the Azure regions, visit https://aka.ms/aks/regions."
        );
        return Err(aks_error(StatusCode::BAD_REQUEST, "AksCapacityHeavyUsage", &message));
    }
    let pools = sent["properties"]["agentPoolProfiles"].as_array().map_or(&[][..], Vec::as_slice);
    for one in pools {
        let size = size_of(one);
        if capacity.missing_sizes.iter().any(|(at, missing)| is_here(at) && missing.eq_ignore_ascii_case(&size)) {
            // See https://github.com/dotnet/core/issues/8181.
            let message = format!(
                "The VM size of {size} is not allowed in your subscription in location '{region}'. For more details, please \
                 visit https://aka.ms/aks/quotas-skus-regions"
            );
            return Err(bad("BadRequest", "agentPoolProfile.vmSize", &message));
        }
        let has_zones = one["availabilityZones"].as_array().is_some_and(|zones| !zones.is_empty());
        if has_zones && capacity.without_zones.iter().any(|at| is_here(at)) {
            // See https://github.com/cloud-barista/cb-spider/issues/1246.
            let message = format!("Availability zone is not supported in region {region}.");
            return Err(bad("AvailabilityZoneNotSupported", "agentPoolProfile.availabilityZone", &message));
        }
    }
    demand_cores(world, pools, region)?;
    demand_addresses(world, call, sent, pools)
}

fn size_of(pool: &Value) -> String {
    let size = pool["vmSize"].as_str().unwrap_or_default();
    if size.is_empty() { pool::SIZE.to_owned() } else { size.to_owned() }
}

/// The family of a size, as quotas name it: `Standard_D2ads_v5` is of `standardDADSv5Family`.
fn family(size: &str) -> String {
    let mut parts = size.split('_').skip(1);
    let letters: String = parts.next().unwrap_or_default().chars().filter(char::is_ascii_alphabetic).collect();
    format!("standard{}{}Family", letters.to_ascii_uppercase(), parts.collect::<String>())
}

fn cores(size: &str) -> u64 {
    let name = size.split('_').nth(1).unwrap_or_default();
    let number: String =
        name.chars().skip_while(|one| !one.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    number.parse().unwrap_or(1)
}

/// See the output in <https://github.com/1ChristianAlex/motordesk/issues/14>.
fn demand_cores(world: &World, pools: &[Value], region: &str) -> Result<(), Reply> {
    let needs = |pool: &Value| cores(&size_of(pool)) * pool::count(pool);
    for (at, limited, limit) in &world.capacity.cores {
        let is_of = |pool: &&Value| family(&size_of(pool)).eq_ignore_ascii_case(limited);
        if !at.eq_ignore_ascii_case(region) {
            continue;
        }
        let here = world.clusters.iter().filter(|cluster| cluster.location.eq_ignore_ascii_case(region));
        let used: u64 = here.flat_map(|cluster| &cluster.pools).filter(is_of).map(needs).sum();
        let (wanted, left) = (pools.iter().filter(is_of).map(needs).sum::<u64>(), limit.saturating_sub(used));
        if wanted > left {
            let message = format!(
                "Insufficient vcpu quota requested {wanted}, remaining {left} for family {limited} for region {region}. Surge \
                 nodes would also consume vcpu quota."
            );
            return Err(aks_error(StatusCode::BAD_REQUEST, "ErrCode_InsufficientVCPUQuota", &message));
        }
    }
    Ok(())
}

/// The addresses that the nodes of a pool take, with their pods unless these are in a network of their own: 3 nodes with 110 pods
/// take 333, as in <https://github.com/rancher/rancher/issues/20784>.
fn addresses(sent: &Value, pool: &Value) -> u64 {
    let network = &sent["properties"]["networkProfile"];
    let nodes = match pool["enableAutoScaling"].as_bool() {
        Some(true) => pool["maxCount"].as_u64().unwrap_or_default(),
        _ => pool::count(pool),
    };
    let in_subnet = network["networkPlugin"] == "azure" && network["networkPluginMode"] != "overlay";
    let pods = pool["maxPods"].as_u64().filter(|pods| *pods > 0).unwrap_or(30);
    if in_subnet { nodes * (pods + 1) } else { nodes }
}

fn demand_addresses(world: &World, call: &Call<'_>, sent: &Value, pools: &[Value]) -> Result<(), Reply> {
    let mut subnets: Vec<&str> = pools.iter().filter_map(|pool| pool["vnetSubnetID"].as_str()).collect();
    subnets.sort_unstable();
    subnets.dedup();
    for id in subnets {
        let Some(subnet) = world.resources.get(&id.to_ascii_lowercase()) else {
            return Err(no_subnet(id));
        };
        demand_join(world, call, id)?;
        let prefix =
            subnet["properties"]["addressPrefix"].as_str().or(subnet["properties"]["addressPrefixes"][0].as_str());
        let prefix = prefix.unwrap_or_default();
        let bits: u32 = prefix.rsplit_once('/').and_then(|(_, bits)| bits.parse().ok()).unwrap_or(32);
        // Azure keeps five addresses of each subnet.
        let room = (1_u64 << 32_u32.saturating_sub(bits)).saturating_sub(5);
        let is_in = |pool: &&Value| pool["vnetSubnetID"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(id));
        let others = world.clusters.iter().map(|cluster| {
            let network = json!({"properties": {"networkProfile": cluster.seed.properties["networkProfile"]}});
            cluster.pools.iter().filter(is_in).map(|pool| addresses(&network, pool)).sum::<u64>()
        });
        let wanted: u64 = pools.iter().filter(is_in).map(|pool| addresses(sent, pool)).sum();
        let left = room.saturating_sub(others.sum());
        if wanted > left {
            // See https://github.com/Azure/AKS-Construction/issues/701.
            let name = id.rsplit('/').next().unwrap_or_default();
            let message = format!(
                "Pre-allocated IPs {wanted} exceeds IPs available {left} in Subnet Cidr {prefix}, Subnet Name {name}. If Autoscaler \
                 is enabled, the max-count from each nodepool is counted towards this total (which means that pre-allocated IPs \
                 count represents a theoretical max value, not the actual number of IPs requested). \
                 http://aka.ms/aks/insufficientsubnetsize"
            );
            return Err(bad("InsufficientSubnetSize", "agentPoolProfile.count", &message));
        }
    }
    Ok(())
}

/// See <https://github.com/sassoftware/viya4-iac-azure/issues/163>.
fn no_subnet(id: &str) -> Reply {
    let parts: Vec<&str> = id.split('/').collect();
    let [_, _, subscription, _, group, _, _, _, network, _, subnet] = parts[..] else {
        let message = "The value of parameter agentPoolProfile.vnetSubnetID is invalid.";
        return bad("InvalidParameter", "agentPoolProfile.vnetSubnetID", message);
    };
    let message = format!(
        "Could not find subnet {subnet} in vnet {network} from resource group {group} of subscription {subscription}."
    );
    bad("SubnetNotFound", "agentPoolProfile.vnetSubnetID", &message)
}

fn demand_join(world: &World, call: &Call<'_>, subnet: &str) -> Result<(), Reply> {
    if world.permits(&call.caller, &Wanted::action(JOIN, subnet), call.now) {
        return Ok(());
    }
    let message = format!(
        "The client '{}' with object id '{}' has permission to perform action '{}' on scope '{}'; however, it does not have \
         permission to perform action(s) '{JOIN}' on the linked scope(s) '{subnet}' (respectively) or the linked scope(s) are \
         invalid.",
        call.caller.client_id,
        call.caller.object_id,
        super::WRITE,
        call.path
    );
    Err(reply::gateway_error(StatusCode::FORBIDDEN, "LinkedAuthorizationFailed", &message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_says_its_family_and_its_cores() {
        assert_eq!((family("Standard_D2s_v5").as_str(), cores("Standard_D2s_v5")), ("standardDSv5Family", 2));
        assert_eq!((family("Standard_D16ads_v5").as_str(), cores("Standard_D16ads_v5")), ("standardDADSv5Family", 16));
    }

    #[test]
    fn pods_take_addresses_of_the_subnet_unless_they_have_a_network_of_their_own() {
        let pool = json!({"count": 3, "maxPods": 110});
        let with = |network: Value| addresses(&json!({"properties": {"networkProfile": network}}), &pool);
        assert_eq!(with(json!({"networkPlugin": "azure"})), 333);
        assert_eq!(with(json!({"networkPlugin": "azure", "networkPluginMode": "overlay"})), 3);
        assert_eq!(with(json!({"networkPlugin": "kubenet"})), 3);
    }
}
