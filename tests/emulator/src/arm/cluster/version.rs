//! Versions of Kubernetes: those of a region, and those that a cluster or a pool can be upgraded to.

use http::StatusCode;
use serde_json::{Value, json};

use super::wanted::{VERSION, VERSIONS};
use super::{Place, READ, pools};
use crate::arm::Call;
use crate::arm::group::demand_sight;
use crate::reply::{self, Reply};
use crate::world::World;

/// The first two numbers of a version.
fn minor(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(minor, _)| minor)
}

/// The newest of the same minor version and of the next one: no upgrade skips one.
fn upgrades(version: &str) -> Vec<&'static str> {
    let number = |version: &str| minor(version).rsplit('.').next().and_then(|minor| minor.parse::<u32>().ok());
    let near = |known: &&&str| {
        let (known, own) = (number(known), number(version));
        known == own || known.zip(own).is_some_and(|(known, own)| known == own + 1)
    };
    VERSIONS.iter().filter(near).copied().filter(|known| *known != version).collect()
}

/// See [List Kubernetes versions](https://learn.microsoft.com/rest/api/aks/managed-clusters/list-kubernetes-versions).
pub(super) fn of_region(world: &World, call: &Call<'_>, subscription: &str) -> Result<Reply, Reply> {
    let action = "Microsoft.ContainerService/locations/kubernetesVersions/read";
    demand_sight(world, call, action, &format!("/subscriptions/{subscription}"))?;
    let shown = |version: &&str| {
        json!({
            "version": minor(version), "isDefault": if *version == VERSION { json!(true) } else { Value::Null },
            "isPreview": null, "capabilities": {"supportPlan": ["KubernetesOfficial"]},
            "patchVersions": {*version: {"upgrades": upgrades(version)}},
        })
    };
    Ok(reply::json(StatusCode::OK, &json!({"values": VERSIONS.iter().map(shown).collect::<Vec<_>>()})))
}

/// See [Get upgrade profile](https://learn.microsoft.com/rest/api/aks/managed-clusters/get-upgrade-profile).
pub(super) fn of_cluster(world: &World, call: &Call<'_>, place: Place<'_>) -> Result<Reply, Reply> {
    call.demand_action(world, READ, &place.id())?;
    let cluster = &world.clusters[place.find(world)?];
    let version = &cluster.seed.version;
    let to: Vec<Value> =
        upgrades(version).iter().map(|version| json!({"kubernetesVersion": version, "isPreview": null})).collect();
    let profile =
        |name: &Value, os: &Value| json!({"name": name, "kubernetesVersion": version, "osType": os, "upgrades": to});
    let pools: Vec<Value> = cluster.pools.iter().map(|pool| profile(&pool["name"], &pool["osType"])).collect();
    let body = json!({
        "id": format!("{}/upgradeprofiles/default", cluster.id()), "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/upgradeprofiles",
        "properties": {"controlPlaneProfile": profile(&Value::Null, &json!("Linux")), "agentPoolProfiles": pools},
    });
    Ok(reply::json(StatusCode::OK, &body))
}

/// See [Get upgrade profile](https://learn.microsoft.com/rest/api/aks/agent-pools/get-upgrade-profile) of an agent pool.
pub(super) fn of_pool(world: &World, call: &Call<'_>, place: Place<'_>, name: &str) -> Result<Reply, Reply> {
    call.demand_action(world, "Microsoft.ContainerService/managedClusters/agentPools/read", &place.id())?;
    let cluster = &world.clusters[place.find(world)?];
    let pool =
        cluster.pools.iter().find(|pool| pool["name"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(name)));
    let pool = pool.ok_or_else(|| pools::missing(place, name))?;
    let to: Vec<Value> = upgrades(&cluster.seed.version)
        .iter()
        .map(|version| json!({"kubernetesVersion": version, "isPreview": null}))
        .collect();
    let body = json!({
        "id": format!("{}/agentPools/{name}/upgradeProfiles/default", cluster.id()), "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles",
        "properties": {"kubernetesVersion": cluster.seed.version, "osType": pool["osType"], "upgrades": to,
            "latestNodeImageVersion": "AKSUbuntu-2204gen2containerd-202610.19.0"},
    });
    Ok(reply::json(StatusCode::OK, &body))
}
