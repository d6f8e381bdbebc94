//! Clusters as people make them: several pools, a subnet, sign-in by Entra; and why Azure does not make one.

use crate::{
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, Scene},
};
use aks_acr::{
    ClusterRef, CreateClusterOptions, CreatedCluster, Error, ErrorKind, NetworkPlugin, NetworkPolicy, NewNodePool,
    NodeOs, NodePoolMode, RefusalKind,
};
use libtest_mimic::Failed;

pub fn cases() -> Vec<Case> {
    cases! { "pools";
        everywhere: [];
        on_emulator: [
            a_cluster_has_the_pools_that_were_asked_for,
            a_second_call_finds_no_difference,
            what_differs_is_named_by_pool_and_setting_and_nothing_is_written,
            an_impossible_cluster_is_refused_before_the_first_request,
            an_exhausted_quota_names_family_and_numbers,
            a_size_that_the_region_lacks_is_named,
            a_region_without_zones_is_named,
            a_full_region_is_a_conflict,
            a_full_subnet_names_its_numbers,
            an_absent_subnet_is_not_found,
            a_caller_who_may_not_use_the_subnet_is_told_so,
            a_version_that_the_region_lacks_names_the_next_step,
            a_policy_is_named,
        ];
    }
}

fn pool(name: &str, change: impl Fn(&mut NewNodePool)) -> NewNodePool {
    let mut pool = NewNodePool::new(name);
    pool.count = Some(1);
    change(&mut pool);
    pool
}

fn system() -> NewNodePool {
    pool("system", |pool| pool.mode = NodePoolMode::System)
}

fn mixed(subnet: &str) -> CreateClusterOptions {
    CreateClusterOptions::default()
        .with_node_pool(system())
        .with_node_pool(pool("win", |pool| {
            pool.os_type = NodeOs::Windows;
            pool.os_sku = Some("Windows2022".to_owned());
        }))
        .with_node_pool(pool("arm", |pool| {
            pool.vm_size = Some("Standard_D2pds_v5".to_owned());
            (pool.count, pool.min_count, pool.max_count) = (Some(2), Some(1), Some(3));
            pool.availability_zones = vec!["1".to_owned(), "2".to_owned()];
            pool.labels.insert("team".to_owned(), "web".to_owned());
            pool.taints = vec!["arch=arm64:NoSchedule".to_owned()];
        }))
        .with_network_plugin(NetworkPlugin::AzureOverlay)
        .with_network_policy(NetworkPolicy::Calico)
        .with_subnet(subnet)
        .with_private_api_server(true)
        .with_entra(true)
        .with_azure_rbac(true)
        .with_oidc_issuer(true)
        .with_workload_identity(true)
        .with_tag("team", "web")
}

async fn create(scene: &Scene, options: CreateClusterOptions) -> aks_acr::Result<CreatedCluster> {
    scene.client.create_cluster(&ClusterRef::new(GROUP, "made")?, options).await
}

fn subnet(scene: &Scene, prefix: &str) -> String {
    scene.azure.add_subnet(GROUP, "network", "nodes", prefix)
}

/// The properties that Azure has, in its words.
async fn written(scene: &Scene) -> Result<serde_json::Value, Failed> {
    use aks_acr::azure_core::http::{Method, Request, Url};
    let path = format!(
        "https://management.azure.com/subscriptions/{}/resourceGroups/{GROUP}/providers/Microsoft.ContainerService/managedClusters/made\
         ?api-version=2026-05-01",
        scene.azure.subscription()
    );
    let mut request = Request::new(Url::parse(&path)?, Method::Get);
    let scope = ["https://management.azure.com/.default"];
    let token = scene.azure.credential().get_token(&scope, None).await?;
    request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
    let answer = scene.azure.transport().execute_request(&request).await?;
    Ok(serde_json::from_slice(answer.try_into_raw_response().await?.body())?)
}

async fn a_cluster_has_the_pools_that_were_asked_for() -> Checked {
    let scene = Scene::new()?;
    let made = create(&scene, mixed(&subnet(&scene, "10.1.0.0/24"))).await?;
    assert!(made.is_new);
    let issuer = some(made.cluster.oidc_issuer, "an issuer")?;
    assert!(issuer.starts_with("https://"), "{issuer}");
    let body = written(&scene).await?;
    let pools = &body["properties"]["agentPoolProfiles"];
    let of = |name: &str, field: &str| {
        let found = pools.as_array().into_iter().flatten().find(|one| one["name"] == name);
        found.map(|one| one[field].clone()).unwrap_or_default()
    };
    assert_eq!((of("win", "osType"), of("win", "osSKU")), ("Windows".into(), "Windows2022".into()));
    assert_eq!((of("arm", "minCount"), of("arm", "maxCount"), of("arm", "count")), (1.into(), 3.into(), 2.into()));
    assert_eq!(of("arm", "availabilityZones"), serde_json::json!(["1", "2"]));
    assert_eq!(of("arm", "nodeTaints"), serde_json::json!(["arch=arm64:NoSchedule"]));
    assert_eq!((of("system", "mode"), of("win", "mode")), ("System".into(), "User".into()));
    let properties = &body["properties"];
    assert_eq!(properties["networkProfile"]["networkPluginMode"], "overlay");
    assert_eq!(properties["networkProfile"]["networkPolicy"], "calico");
    assert_eq!(properties["apiServerAccessProfile"]["enablePrivateCluster"], true);
    assert_eq!(properties["aadProfile"]["enableAzureRBAC"], true);
    assert_eq!(properties["securityProfile"]["workloadIdentity"]["enabled"], true);
    assert_eq!(body["tags"]["team"], "web");
    Ok(())
}

async fn a_second_call_finds_no_difference() -> Checked {
    let scene = Scene::new()?;
    let subnet = subnet(&scene, "10.1.0.0/24");
    create(&scene, mixed(&subnet)).await?;
    let before = scene.writes().len();
    let again = create(&scene, mixed(&subnet)).await?;
    assert_eq!((again.is_new, again.differences, scene.writes().len()), (false, Vec::new(), before));
    Ok(())
}

async fn what_differs_is_named_by_pool_and_setting_and_nothing_is_written() -> Checked {
    let scene = Scene::new()?;
    create(&scene, CreateClusterOptions::default().with_node_pool(system()).with_tag("team", "data")).await?;
    let before = scene.writes().len();
    let found = create(&scene, mixed("/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s")).await?;
    assert_eq!(scene.writes().len(), before);
    let shown: Vec<String> = found.differences.iter().map(ToString::to_string).collect();
    for part in [
        "private_api_server: asked for true, found false",
        "entra: asked for true, found false",
        "oidc_issuer: asked for true, found false",
        "tags.team: asked for web, found data",
        "node_pools[win]: asked for a pool, found none",
        "node_pools[arm]: asked for a pool, found none",
        "network_policy: asked for calico, found none",
    ] {
        assert!(shown.iter().any(|one| one == part), "{part}: {shown:#?}");
    }
    assert!(shown.iter().any(|one| one.starts_with("node_pools[system].subnet: asked for ")), "{shown:#?}");
    assert!(!shown.iter().any(|one| one.starts_with("node_count")), "{shown:#?}");
    Ok(())
}

async fn an_impossible_cluster_is_refused_before_the_first_request() -> Checked {
    let scene = Scene::new()?;
    let base = || CreateClusterOptions::default().with_node_pool(system());
    let windows = || pool("win", |pool| pool.os_type = NodeOs::Windows);
    let all = [
        (base().with_node_pool(pool("Web", |_| ())), "node_pools[Web].name"),
        (base().with_node_pool(pool("windows1", |pool| pool.os_type = NodeOs::Windows)), "node_pools[windows1].name"),
        (base().with_node_pool(windows()), "network_plugin"),
        (base().with_node_pool(windows()).with_network_plugin(NetworkPlugin::Kubenet), "network_plugin"),
        (CreateClusterOptions::default().with_node_pool(pool("web", |_| ())), "System"),
        (base().with_node_count(5), "node_count"),
        (base().with_subnet("10.0.0.0/16"), "subnet"),
        (base().with_workload_identity(true), "oidc_issuer"),
        (base().with_azure_rbac(true), "entra"),
        (base().with_tag("a/b", ""), "tags"),
    ];
    for (options, part) in all {
        let err = refused(create(&scene, options).await, ErrorKind::InvalidInput)?;
        assert!(err.to_string().contains(part), "{part}: {err}");
    }
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

fn says(err: &Error, parts: &[&str]) {
    let shown = format!("{err:#}");
    for part in parts {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(err.created(), None, "{shown}");
}

async fn an_exhausted_quota_names_family_and_numbers() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_core_quota("westeurope", "standardDSv5Family", 10);
    // The cluster of the scene uses some of it.
    let err = refused(create(&scene, CreateClusterOptions::default().with_node_count(20)).await, ErrorKind::Conflict)?;
    assert_eq!(err.code(), Some("ErrCode_InsufficientVCPUQuota"));
    says(
        &err,
        &["the quota for virtual machines", "requested: 40", "family: standardDSv5Family", "hint: request more quota"],
    );
    Ok(())
}

async fn a_size_that_the_region_lacks_is_named() -> Checked {
    let scene = Scene::new()?;
    scene.azure.remove_vm_size("westeurope", "Standard_D4s_v5");
    let options = CreateClusterOptions::default().with_vm_size("Standard_D4s_v5");
    let err = refused(create(&scene, options).await, ErrorKind::InvalidInput)?;
    says(&err, &["the VM size is not available", "Standard_D4s_v5", "choose another vm_size or location"]);
    Ok(())
}

async fn a_region_without_zones_is_named() -> Checked {
    let scene = Scene::new()?;
    scene.azure.remove_zones("westeurope");
    let zoned = pool("zoned", |pool| pool.availability_zones = vec!["1".to_owned()]);
    let options = CreateClusterOptions::default().with_node_pool(system()).with_node_pool(zoned);
    let err = refused(create(&scene, options).await, ErrorKind::InvalidInput)?;
    says(&err, &["no availability zones", "westeurope", "leave availability_zones out"]);
    Ok(())
}

async fn a_full_region_is_a_conflict() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_region_full("westeurope", true);
    let err = refused(create(&scene, CreateClusterOptions::default()).await, ErrorKind::Conflict)?;
    says(&err, &["takes no new clusters", "choose another location"]);
    scene.azure.set_region_full("westeurope", false);
    create(&scene, CreateClusterOptions::default()).await?;
    Ok(())
}

async fn a_full_subnet_names_its_numbers() -> Checked {
    let scene = Scene::new()?;
    let subnet = subnet(&scene, "10.1.0.0/26");
    let options = || CreateClusterOptions::default().with_subnet(&*subnet).with_network_plugin(NetworkPlugin::Azure);
    let err = refused(create(&scene, options()).await, ErrorKind::Conflict)?;
    says(
        &err,
        &["too few free addresses", "needed addresses: 93", "free addresses: 59", "subnet: nodes", "azure_overlay"],
    );
    create(&scene, options().with_network_plugin(NetworkPlugin::AzureOverlay)).await?;
    Ok(())
}

async fn an_absent_subnet_is_not_found() -> Checked {
    let scene = Scene::new()?;
    let absent = subnet(&scene, "10.1.0.0/24").replace("nodes", "absent");
    let err = refused(create(&scene, CreateClusterOptions::default().with_subnet(absent)).await, ErrorKind::NotFound)?;
    says(&err, &["no such subnet", "Could not find subnet absent in vnet network"]);
    Ok(())
}

async fn a_caller_who_may_not_use_the_subnet_is_told_so() -> Checked {
    let scene = Scene::new()?;
    let subnet = scene.azure.add_subnet("networks", "network", "nodes", "10.1.0.0/24");
    let group = format!("{}/resourceGroups/{GROUP}", scene.everything());
    let client = scene.caller(&[("Contributor", &group)])?;
    let options = CreateClusterOptions::default().with_subnet(subnet);
    let err = refused(client.create_cluster(&ClusterRef::new(GROUP, "made")?, options).await, ErrorKind::Forbidden)?;
    assert_eq!(err.refusal(), Some(RefusalKind::MissingRight));
    assert_eq!(err.missing_action(), Some("Microsoft.Network/virtualNetworks/subnets/join/action"));
    assert_eq!(err.smallest_role(), Some("Network Contributor"));
    Ok(())
}

async fn a_version_that_the_region_lacks_names_the_next_step() -> Checked {
    let scene = Scene::new()?;
    let options = CreateClusterOptions::default().with_kubernetes_version("1.5");
    let err = refused(create(&scene, options).await, ErrorKind::InvalidInput)?;
    says(&err, &["does not offer this Kubernetes version", "az aks get-versions"]);
    Ok(())
}

async fn a_policy_is_named() -> Checked {
    let scene = Scene::new()?;
    scene.azure.add_policy("no-clusters", "Microsoft.ContainerService/managedClusters", &scene.everything());
    let err = refused(create(&scene, CreateClusterOptions::default()).await, ErrorKind::Forbidden)?;
    assert_eq!((err.refusal(), err.policies()[0].name.as_str()), (Some(RefusalKind::Policy), "no-clusters"));
    Ok(())
}
