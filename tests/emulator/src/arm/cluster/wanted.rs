//! What the body of a write asks of a cluster.

use http::StatusCode;
use serde_json::{Value, json};

use crate::cluster::pool;
use crate::reply::{self, Reply, aks_error};
use crate::seed::{ClusterSeed, SeedNode};

/// The version that the service chooses, and the newest of each minor version that it knows.
pub(super) const VERSION: &str = "1.33.4";
pub(super) const VERSIONS: [&str; 5] = ["1.30.14", "1.31.12", "1.32.8", VERSION, "1.34.0"];

/// Minor versions of Kubernetes 1 that regions have had since nodes pull with credential providers, and a few to come.
const MINORS: std::ops::RangeInclusive<u32> = 26..=40;

/// What only the service says of a cluster, or what is read from elsewhere in the body.
const STATE: [&str; 14] = [
    "provisioningState",
    "powerState",
    "kubernetesVersion",
    "currentKubernetesVersion",
    "dnsPrefix",
    "fqdn",
    "azurePortalFQDN",
    "agentPoolProfiles",
    "servicePrincipalProfile",
    "nodeResourceGroup",
    "identityProfile",
    "maxAgentPools",
    "resourceUID",
    "disableLocalAccounts",
];

/// An error of this provider about one member of the body.
pub(super) fn bad(code: &str, target: &str, message: &str) -> Reply {
    let body = json!({"code": code, "details": null, "message": message, "subcode": "", "target": target});
    reply::json(StatusCode::BAD_REQUEST, &body)
}

/// What every body must have.
pub(super) fn check(sent: &Value) -> Result<(), Reply> {
    if sent["location"].as_str().is_none_or(str::is_empty) {
        return Err(aks_error(StatusCode::BAD_REQUEST, "InvalidParameter", "Required parameter location is missing."));
    }
    if !sent["properties"].is_object() && !sent["properties"].is_null() {
        return Err(bad("InvalidParameter", "properties", "The properties are no object."));
    }
    let pools = sent["properties"]["agentPoolProfiles"].as_array();
    for pool in pools.into_iter().flatten() {
        let name = pool["name"].as_str().unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let starts_well = name.starts_with(|letter: char| letter.is_ascii_lowercase());
        let windows = pool["osType"].as_str().is_some_and(|os| os.eq_ignore_ascii_case("Windows"));
        if windows && name.len() > 6 {
            // See https://github.com/Azure/AKS/issues/1986.
            let message = "Windows agent pool name can not be longer than 6 characters.";
            return Err(bad("InvalidParameter", "agentPoolProfile.name", message));
        }
        let plugin = sent["properties"]["networkProfile"]["networkPlugin"].as_str();
        if windows && plugin.is_some_and(|plugin| !plugin.eq_ignore_ascii_case("azure")) {
            // See https://github.com/Azure/AKS/issues/1101.
            let message = "Windows agent pools can only be added to AKS clusters using Azure-CNI.";
            return Err(bad("BadRequest", "networkProfile.networkPlugin", message));
        }
        if !starts_well || name.len() > 12 || !name.chars().all(plain) {
            let message = format!(
                "The agent pool name '{name}' is not valid: it starts with a lower-case letter and has up to 12 lower-case \
                 letters and digits."
            );
            return Err(bad("InvalidParameter", "agentPoolProfile.name", &message));
        }
        check_size(pool["vmSize"].as_str().unwrap_or_default(), sent["location"].as_str().unwrap_or_default())?;
        if pool::count(pool) > 1000 {
            return Err(bad("InvalidParameter", "agentPoolProfile.count", "An agent pool has up to 1000 nodes."));
        }
    }
    Ok(())
}

/// Which sizes a subscription has in a region differs, so that any is taken that is named as sizes are, such as
/// `Standard_D4ps_v5`; an empty one is chosen.
fn check_size(size: &str, location: &str) -> Result<(), Reply> {
    let family = ["standard_", "basic_"].iter().find_map(|kind| {
        let (start, rest) = size.split_at_checked(kind.len())?;
        start.eq_ignore_ascii_case(kind).then_some(rest)
    });
    let is_one = family.is_some_and(|rest| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        rest.starts_with(|one: char| one.is_ascii_alphabetic())
            && rest.contains(|one: char| one.is_ascii_digit())
            && rest.chars().all(plain)
    });
    if size.is_empty() || is_one {
        return Ok(());
    }
    let message = format!(
        "The VM size of {size} is not allowed in your subscription in location '{location}'. For more details, please \
         visit https://aka.ms/aks/quotas-skus-regions"
    );
    Err(bad("BadRequest", "agentPoolProfile.vmSize", &message))
}

/// What a creation must have besides. The codes are the provider's, their occasions as documented.
pub(super) fn check_new(name: &str, sent: &Value) -> Result<(), Reply> {
    let fits = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    let edges = name.starts_with(|one: char| one.is_ascii_alphanumeric())
        && name.ends_with(|one: char| one.is_ascii_alphanumeric());
    if !fits || !edges || name.len() > 63 {
        let message = format!("The cluster name '{name}' is not valid.");
        return Err(bad("InvalidParameter", "name", &message));
    }
    let pools = sent["properties"]["agentPoolProfiles"].as_array().map_or(&[][..], Vec::as_slice);
    let is = |value: &Value, word: &str| value.as_str().is_some_and(|one| one.eq_ignore_ascii_case(word));
    if !pools
        .iter()
        .any(|pool| (pool["mode"].is_null() || is(&pool["mode"], "System")) && !is(&pool["osType"], "Windows"))
    {
        let message = "There must be at least one system agent pool.";
        return Err(bad("InvalidParameter", "properties.agentPoolProfiles", message));
    }
    Ok(())
}

/// What the service chooses at a creation, where nothing was asked for.
pub(super) fn chosen() -> Value {
    json!({
        "networkProfile": {
            "networkPolicy": "none", "podCidrs": ["10.244.0.0/16"], "serviceCidrs": ["10.0.0.0/16"],
            "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}, "backendPoolType": "nodeIPConfiguration"},
            "ipFamilies": ["IPv4"],
        },
        "securityProfile": {},
        "storageProfile": {
            "diskCSIDriver": {"enabled": true}, "fileCSIDriver": {"enabled": true},
            "snapshotController": {"enabled": true},
        },
        "workloadAutoScalerProfile": {},
    })
}

/// The version asked for and the one that runs: an empty one is chosen, one of two numbers means its newest. Which
/// versions a region has changes from month to month, so that any is taken that has been or may soon be one.
pub(super) fn version(sent: &Value) -> Result<(String, String), Reply> {
    let asked = sent["properties"]["kubernetesVersion"].as_str().unwrap_or_default();
    if asked.is_empty() {
        return Ok((VERSION.to_owned(), VERSION.to_owned()));
    }
    let numbers: Vec<&str> = asked.split('.').collect();
    // Rust reads `+33` as a number too.
    let is_number = |part: &&str| part.parse::<u32>().is_ok() && part.bytes().all(|byte| byte.is_ascii_digit());
    let all_numbers = numbers.iter().all(is_number);
    let newest = |minor: &str| VERSIONS.iter().find(|known| known.starts_with(&format!("{minor}.")));
    let is_near = numbers.first() == Some(&"1")
        && numbers.get(1).and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| MINORS.contains(&minor));
    let all_numbers = all_numbers && is_near;
    let found = match numbers.len() {
        2 if all_numbers => Some(newest(asked).map_or_else(|| format!("{asked}.0"), |known| (*known).to_owned())),
        3 if all_numbers => Some(asked.to_owned()),
        _ => None,
    };
    let Some(found) = found else {
        let message = format!(
            "Version {asked} is not supported in this region. Please use [az aks get-versions] command to get the supported \
             version list in this region. For more information, please check https://aka.ms/supported-version-list"
        );
        return Err(bad("K8sVersionNotSupported", "properties.kubernetesVersion", &message));
    };
    Ok((asked.to_owned(), found))
}

/// Takes over into the settings what the body says; what it leaves out stays. Whether Azure resets that is not known.
pub(super) fn take(seed: &mut ClusterSeed, sent: &Value) {
    let properties = &sent["properties"];
    if let Some(disabled) = properties["disableLocalAccounts"].as_bool() {
        seed.local_accounts_disabled = disabled;
    }
    let entra = &properties["aadProfile"];
    if entra["managed"] == true {
        seed.entra = true;
        seed.azure_rbac = entra["enableAzureRBAC"] == true;
        let groups = entra["adminGroupObjectIDs"].as_array().cloned().unwrap_or_default();
        seed.admin_groups = groups.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
    }
    let mut kept = without_nulls(properties);
    if let Some(kept) = kept.as_object_mut() {
        kept.retain(|name, _| !STATE.contains(&name.as_str()));
        if kept.get("addonProfiles") == Some(&json!({})) {
            kept.remove("addonProfiles");
        }
    }
    if kept.is_object() {
        crate::registry::merge(&mut seed.properties, &kept);
    }
}

/// A null says that the client knows the member and has no wish about it.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        other => other.clone(),
    }
}

/// The one pool of a body, as it is to be.
pub(super) fn one_pool(sent: &Value, before: Option<&Value>) -> Value {
    pool::settled(&without_nulls(&sent["properties"]["agentPoolProfiles"][0]), before)
}

/// The pools as they are to be, and their nodes; `None` when the body says nothing of pools.
pub(super) fn pools(
    cluster: &str,
    sent: &Value,
    known: &[Value],
    present: &[SeedNode],
) -> Option<(Vec<Value>, Vec<SeedNode>)> {
    let asked = sent["properties"]["agentPoolProfiles"].as_array()?;
    let mut pools: Vec<Value> = asked
        .iter()
        .map(|pool| {
            let before = known.iter().find(|known| known["name"] == pool["name"]);
            pool::settled(&without_nulls(pool), before)
        })
        .collect();
    if let Some(first) = pools.first_mut().filter(|_| asked[0]["mode"].is_null()) {
        first["mode"] = "System".into();
    }
    let nodes = pools.iter().flat_map(|one| pool::nodes(cluster, one, present)).collect();
    Some((pools, nodes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(version: &str) -> Value {
        json!({"properties": {"kubernetesVersion": version}})
    }

    #[test]
    fn a_version_of_two_numbers_means_its_newest() {
        assert_eq!(version(&asked("1.32")).unwrap(), (String::from("1.32"), String::from("1.32.8")));
        assert_eq!(version(&asked("")).unwrap().1, VERSION);
        for wrong in ["newest", "1.99", "1.99.0", "2.0", "1.5.1", "1", "1.33.4.1", "1.+33.1", "1.33.+4"] {
            assert_eq!(version(&asked(wrong)).unwrap_err().status(), 400, "{wrong}");
        }
        assert_eq!(version(&asked("1.35.1")).unwrap().1, "1.35.1");
    }

    #[test]
    fn a_size_is_named_as_sizes_are() {
        for size in
            ["", "Standard_D2s_v5", "standard_d4ps_v5", "Standard_E32-16s_v3", "Basic_A2", "Standard_NC24ads_A100_v4"]
        {
            assert!(check_size(size, "westeurope").is_ok(), "{size}");
        }
        for size in ["Nope", "Standard_", "Standard_Nope", "D2s_v5", "Standard_D2s v5", "Standard-D2s-v5"] {
            assert_eq!(check_size(size, "westeurope").unwrap_err().status(), 400, "{size}");
        }
    }
}
