//! Clusters that are made, with the registries that their nodes can pull from.

use crate::{
    backend::call,
    case::{Case, Checked, cases, refused, some},
    emulator::{GROUP, REGISTRY, Scene, client, deployment},
};
use aks_acr::{
    ApplyOptions, AttachOutcome, CallOptions, CancellationToken, ClusterRef, ClusterTier, CreateClusterOptions,
    CreatedCluster, ErrorKind, Event, Manifest, RolloutOptions, SshKey, WorkloadRef,
};
use aks_acr_emulator::{ClusterSeed, Fault, Request, Timing};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

pub const FRESH: &str = "fresh";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

pub fn cases() -> Vec<Case> {
    cases! { "cluster";
        everywhere: [];
        on_emulator: [
            create_makes_what_az_makes_by_default,
            create_makes_what_was_asked,
            create_attaches_every_registry_that_was_given,
            create_grants_once_at_a_registry_that_was_given_twice,
            create_grants_as_soon_as_the_kubelet_identity_shows,
            pods_run_in_a_cluster_that_was_made_attached,
            create_tells_the_operations_own_words,
            create_takes_the_groups_region_unless_one_is_named,
            create_with_an_absent_registry_makes_no_cluster,
            create_in_an_absent_group_is_not_found,
            create_reports_the_missing_right,
            create_without_the_right_to_grant_says_that_the_cluster_exists,
            create_registers_no_provider_unless_it_was_asked_to,
            create_registers_the_provider_on_request_and_goes_on,
            create_names_another_provider_that_is_missing_and_registers_none_for_it,
            create_that_azure_refuses_is_told_in_azures_words,
            create_that_fails_on_the_way_names_the_state_of_what_is_left,
            create_that_shows_its_failure_at_the_cluster_first_is_told_in_the_operations_words,
            create_over_a_cluster_without_a_kubelet_identity_ends_at_once,
            create_ends_when_its_deadline_does,
            create_that_is_cancelled_ends_at_once,
            create_reuses_a_key_pair_and_makes_what_is_missing,
            create_makes_no_key_where_no_cluster_is_made,
        ];
    }
}

pub fn fresh() -> aks_acr::Result<ClusterRef> {
    ClusterRef::new(GROUP, FRESH)
}

pub async fn create(scene: &Scene, options: CreateClusterOptions) -> aks_acr::Result<CreatedCluster> {
    scene.client.create_cluster(&fresh()?, options).await
}

pub fn attached() -> aks_acr::Result<CreateClusterOptions> {
    Ok(CreateClusterOptions::default().with_registry(REGISTRY.parse()?))
}

pub fn slow() -> Timing {
    Timing::none().with_cluster_creation(Duration::from_secs(300))
}

pub fn is_put(request: &Request) -> bool {
    request.method == "PUT" && request.path.to_lowercase().contains("/managedclusters/")
}

pub fn is_grant(request: &Request) -> bool {
    request.method == "PUT" && request.path.contains("/roleAssignments/")
}

/// The cluster's body as Azure shows it.
async fn body(scene: &Scene) -> Result<Value, libtest_mimic::Failed> {
    let url = format!("https://management.azure.com{}?api-version=2026-05-01", scene.azure.cluster_id(GROUP, FRESH));
    let token = scene.azure.credential().get_token(&["https://management.azure.com/.default"], None).await?;
    let mut request = azure_core::http::Request::new(url.parse()?, azure_core::http::Method::Get);
    request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
    let answer = scene.azure.transport().execute_request(&request).await?.try_into_raw_response().await?;
    Ok(serde_json::from_slice(answer.body())?)
}

async fn create_makes_what_az_makes_by_default() -> Checked {
    let scene = Scene::new()?;
    let created = create(&scene, CreateClusterOptions::default()).await?;
    assert_eq!(
        (created.is_new, created.differences.as_slice(), created.attachments.as_slice()),
        (true, &[][..], &[][..])
    );
    let cluster = created.cluster;
    assert_eq!((cluster.state.as_str(), cluster.tier.as_str(), cluster.node_count), ("Succeeded", "Free", Some(3)));
    assert!(!cluster.vm_size.is_empty() && !cluster.kubernetes_version.is_empty(), "the service has chosen");
    let body = body(&scene).await?;
    assert_eq!(body["identity"]["type"], "SystemAssigned");
    let properties = &body["properties"];
    assert_eq!(properties["dnsPrefix"], format!("fresh-group-{}", &scene.azure.subscription()[..6]));
    assert_eq!(properties["linuxProfile"], Value::Null, "without a key there is nobody to sign in");
    let pool = &properties["agentPoolProfiles"][0];
    assert_eq!(
        (&pool["name"], &pool["mode"], &pool["osType"]),
        (&json!("nodepool1"), &json!("System"), &json!("Linux"))
    );
    Ok(())
}

async fn create_makes_what_was_asked() -> Checked {
    let scene = Scene::new()?;
    let options = CreateClusterOptions::default()
        .with_node_count(1)
        .with_vm_size("Standard_D4ps_v5")
        .with_kubernetes_version("1.32")
        .with_tier(ClusterTier::Standard)
        .with_location("northeurope")
        .with_ssh_key(SshKey::Public(KEY.to_owned()));
    let made = create(&scene, options.clone()).await?.cluster;
    assert_eq!((made.node_count, made.vm_size.as_str(), made.tier.as_str()), (Some(1), "Standard_D4ps_v5", "Standard"));
    assert_eq!((made.location.as_str(), &made.kubernetes_version[..5]), ("northeurope", "1.32."));
    let linux = &body(&scene).await?["properties"]["linuxProfile"];
    assert_eq!(
        (&linux["adminUsername"], &linux["ssh"]["publicKeys"][0]["keyData"]),
        (&json!("azureuser"), &json!(KEY))
    );
    let again = create(&scene, options).await?;
    assert_eq!((again.is_new, again.differences), (false, vec![]));
    Ok(())
}

async fn create_attaches_every_registry_that_was_given() -> Checked {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_registry("elsewhere", "another");
    let options = attached()?.with_registry(scene.azure.registry_id("elsewhere", "another").parse()?);
    let created = create(&scene, options).await?;
    let kubelet = scene.azure.kubelet_object_id(GROUP, FRESH);
    let told: Vec<_> = created.attachments.iter().map(|one| (one.registry.name(), &one.outcome)).collect();
    assert_eq!(told, [(REGISTRY, &AttachOutcome::Granted), ("another", &AttachOutcome::Granted)]);
    for one in &created.attachments {
        assert_eq!(one.principal_id.to_string(), kubelet);
    }
    assert_eq!(scene.azure.role_assignments().iter().filter(|one| one.principal_id == kubelet).count(), 2);
    Ok(())
}

async fn create_grants_once_at_a_registry_that_was_given_twice() -> Checked {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_registry("elsewhere", "another");
    let options = attached()?
        .with_registry("another".parse()?)
        .with_registry(format!("{REGISTRY}.azurecr.io").parse()?)
        .with_registry(scene.by_id());
    let created = create(&scene, options).await?;
    let told: Vec<_> = created.attachments.iter().map(|one| (one.registry.name(), &one.outcome)).collect();
    assert_eq!(told, [(REGISTRY, &AttachOutcome::Granted), ("another", &AttachOutcome::Granted)]);
    assert_eq!(scene.sent(is_grant).len(), 2);
    Ok(())
}

async fn create_grants_as_soon_as_the_kubelet_identity_shows() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow().with_kubelet_identity(Duration::from_secs(60)));
    let begun = Instant::now();
    let (told, call) = listener();
    let granted =
        |event: &(Duration, Event)| matches!(&event.1, Event::Started { step } if step.starts_with("granting"));
    create(&scene, attached()?.with_call(call)).await?;
    assert!(begun.elapsed() >= Duration::from_secs(300));
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let (at, _) = some(told.iter().find(|event| granted(event)), "grant")?;
    assert!(*at >= Duration::from_secs(60) && *at < Duration::from_secs(75), "{at:?}");
    Ok(())
}

/// What was reported, and when.
type Told = Arc<Mutex<Vec<(Duration, Event)>>>;

fn listener() -> (Told, CallOptions) {
    let told = Told::default();
    let (hears, begun) = (told.clone(), Instant::now());
    let listen = move |event: Event| {
        hears.lock().unwrap_or_else(PoisonError::into_inner).push((begun.elapsed(), event));
    };
    (told, CallOptions::default().with_progress(listen))
}

async fn pods_run_in_a_cluster_that_was_made_attached() -> Checked {
    let scene = Scene::new()?;
    scene.azure.push_image("myregistry.azurecr.io/web:1", &["linux/amd64"]);
    scene
        .azure
        .set_timing(slow().with_kubelet_identity(Duration::from_secs(60)).with_propagation(Duration::from_secs(60)));
    for (options, runs) in [(attached()?, true), (CreateClusterOptions::default(), false)] {
        let cluster = ClusterRef::new(GROUP, if runs { "with" } else { "without" })?;
        scene.client.create_cluster(&cluster, options).await?;
        let manifests = Manifest::parse_all(&deployment("web", "myregistry.azurecr.io/web:1", 2))?;
        scene.client.apply(&cluster, manifests, ApplyOptions::default()).await?;
        let ended = scene.client.wait_for_rollout(&cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await;
        if runs {
            assert_eq!(ended?.ready, 2);
        } else {
            refused(ended, ErrorKind::PullFailed)?;
        }
    }
    Ok(())
}

async fn create_tells_the_operations_own_words() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let (told, call) = listener();
    create(&scene, CreateClusterOptions::default().with_call(call)).await?;
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let mut words: Vec<&str> = told
        .iter()
        .filter_map(|(_, event)| if let Event::Polling { status, .. } = event { Some(status.as_str()) } else { None })
        .collect();
    words.dedup();
    let wanted = [
        "InProgress",
        "ProvisioningControlPlane",
        "CreatingAgentPools: 0/3 nodes completed",
        "CreatingAgentPools: 3/3 nodes completed",
        "ReconcilingAddons",
    ];
    assert_eq!(words, wanted);
    Ok(())
}

async fn create_takes_the_groups_region_unless_one_is_named() -> Checked {
    let scene = Scene::new()?;
    let _ = scene.azure.clone().with_group("north", "northeurope");
    let cluster = ClusterRef::new("north", FRESH)?;
    let created = scene.client.create_cluster(&cluster, CreateClusterOptions::default()).await?;
    assert_eq!(created.cluster.location, "northeurope");
    Ok(())
}

async fn create_with_an_absent_registry_makes_no_cluster() -> Checked {
    let scene = Scene::new()?;
    let options = CreateClusterOptions::default().with_registry("absent1".parse()?);
    refused(create(&scene, options).await, ErrorKind::NotFound)?;
    assert_eq!(scene.writes(), []);
    Ok(())
}

async fn create_in_an_absent_group_is_not_found() -> Checked {
    let scene = Scene::new()?;
    for options in [CreateClusterOptions::default(), CreateClusterOptions::default().with_location("westeurope")] {
        let created = scene.client.create_cluster(&ClusterRef::new("no-group", FRESH)?, options).await;
        assert_eq!(refused(created, ErrorKind::NotFound)?.code(), Some("ResourceGroupNotFound"));
    }
    Ok(())
}

async fn create_reports_the_missing_right() -> Checked {
    let scene = Scene::new()?;
    let client = scene.caller(&[("Reader", &scene.everything())])?;
    let err = refused(client.create_cluster(&fresh()?, CreateClusterOptions::default()).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.ContainerService/managedClusters/write"));
    let role = some(err.smallest_role(), "role")?;
    let client = scene.caller(&[("Reader", &scene.everything()), (role, &scene.everything())])?;
    client.create_cluster(&fresh()?, CreateClusterOptions::default()).await?;
    Ok(())
}

/// The refusal is reported at once, not when the cluster has been created.
async fn create_without_the_right_to_grant_says_that_the_cluster_exists() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow().with_kubelet_identity(Duration::from_secs(60)));
    let client = scene.caller(&[("Contributor", &scene.everything())])?;
    let begun = Instant::now();
    let err = refused(client.create_cluster(&fresh()?, attached()?).await, ErrorKind::Forbidden)?;
    assert_eq!(err.missing_action(), Some("Microsoft.Authorization/roleAssignments/write"));
    let facts: Vec<_> = err.context().collect();
    assert!(facts.contains(&("not attached", REGISTRY)), "{err}");
    assert!(facts.contains(&("the cluster exists, in state", "Creating")), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(90));
    let again = create(&scene, attached()?).await?;
    assert_eq!((again.is_new, &again.attachments[0].outcome), (false, &AttachOutcome::Granted));
    Ok(())
}

async fn create_registers_no_provider_unless_it_was_asked_to() -> Checked {
    let scene = Scene::new()?;
    scene.azure.unregister_provider("Microsoft.ContainerService");
    let err = refused(create(&scene, CreateClusterOptions::default()).await, ErrorKind::NotRegistered)?;
    assert!(err.to_string().contains("Microsoft.ContainerService"), "{err}");
    assert_eq!(scene.sent(|request| request.path.ends_with("/register")), []);
    Ok(())
}

async fn create_registers_the_provider_on_request_and_goes_on() -> Checked {
    let scene = Scene::new()?;
    scene.azure.unregister_provider("Microsoft.ContainerService");
    scene.azure.set_timing(slow().with_registration(Duration::from_secs(90)));
    let created = create(&scene, CreateClusterOptions::default().with_register_providers(true)).await?;
    assert_eq!((created.is_new, created.cluster.state.as_str()), (true, "Succeeded"));
    assert_eq!(scene.sent(|request| request.path.ends_with("/register")).len(), 1);
    Ok(())
}

/// Azure names the provider in a detail of the refusal; one that it does not name is the cluster's own.
async fn create_names_another_provider_that_is_missing_and_registers_none_for_it() -> Checked {
    let code = "MissingSubscriptionRegistration";
    let refusal = |details| json!({ "error": { "code": code, "message": "not registered", "details": details } });
    for register in [false, true] {
        let scene = Scene::new()?;
        let detail = json!([{ "code": code, "target": "Microsoft.Compute", "message": "not registered" }]);
        scene.azure.fault(Fault::on("PUT", "/managedClusters/").status(409).body(refusal(detail)).times(9));
        let options = CreateClusterOptions::default().with_register_providers(register);
        let err = refused(create(&scene, options).await, ErrorKind::NotRegistered)?;
        let text = err.to_string();
        assert!(
            text.contains("az provider register -n Microsoft.Compute") && !text.contains("ContainerService"),
            "{text}"
        );
        assert_eq!(scene.sent(|request| request.path.ends_with("/register")), []);
        assert_eq!(scene.sent(|one| one.method == "PUT" && one.path.contains("/managedClusters/")).len(), 1);
    }
    let scene = Scene::new()?;
    scene.azure.fault(Fault::on("PUT", "/managedClusters/").status(409).body(refusal(json!([]))));
    let err = refused(create(&scene, CreateClusterOptions::default()).await, ErrorKind::NotRegistered)?;
    assert!(err.to_string().contains("Microsoft.ContainerService"), "{err}");
    Ok(())
}

async fn create_that_azure_refuses_is_told_in_azures_words() -> Checked {
    let scene = Scene::new()?;
    let body = json!({ "code": "ErrCode_InsufficientVCPUQuota", "message": "Insufficient regional vcpu quota left", "details": null });
    scene.azure.fault(Fault::on("PUT", "/managedClusters/").status(400).body(body));
    let err = refused(create(&scene, CreateClusterOptions::default()).await, ErrorKind::Conflict)?;
    assert_eq!(err.code(), Some("ErrCode_InsufficientVCPUQuota"));
    assert!(format!("{err:#}").contains("Insufficient regional vcpu quota"));
    Ok(())
}

async fn create_that_fails_on_the_way_names_the_state_of_what_is_left() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let failed = json!({ "status": "Failed", "error": { "code": "CreateVMSSAgentPoolFailed", "message": "no room" } });
    scene.azure.fault(Fault::on("GET", "/operations/").status(200).body(failed));
    let err = refused(create(&scene, attached()?).await, ErrorKind::OperationFailed)?;
    assert_eq!(err.code(), Some("CreateVMSSAgentPoolFailed"));
    assert!(err.context().any(|(name, _)| name == "state"), "{err}");
    Ok(())
}

/// The cluster is looked at for its kubelet identity, and its state may come before the operation's.
async fn create_that_shows_its_failure_at_the_cluster_first_is_told_in_the_operations_words() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow().with_kubelet_identity(Duration::from_secs(200)));
    let reads = |scene: &Scene| scene.sent(|one| one.method == "GET" && one.path.contains("/managedClusters/")).len();
    let (created, ()) = tokio::join!(create(&scene, attached()?), async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        scene.azure.set_cluster_state(GROUP, FRESH, "Failed");
        let id = scene.azure.cluster_id(GROUP, FRESH);
        let shown = json!({ "id": id, "location": "westeurope", "properties": { "provisioningState": "Failed" } });
        scene.azure.fault(Fault::on("GET", "/managedClusters/").status(200).body(shown));
        let before = reads(&scene);
        while reads(&scene) == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Now the cluster has been read as failed, and the operation says so later.
        let failed =
            json!({ "status": "Failed", "error": { "code": "CreateVMSSAgentPoolFailed", "message": "no room" } });
        scene.azure.fault(Fault::on("GET", "/operations/").status(200).body(failed));
    });
    let err = refused(created, ErrorKind::OperationFailed)?;
    assert_eq!(err.code(), Some("CreateVMSSAgentPoolFailed"));
    assert!(format!("{err:#}").contains("no room"), "{err:#}");
    assert!(err.context().any(|fact| fact == ("state", "Failed")), "{err}");
    Ok(())
}

async fn create_over_a_cluster_without_a_kubelet_identity_ends_at_once() -> Checked {
    let seed = || ClusterSeed::new(GROUP, FRESH);
    for (seed, kind) in
        [(seed().without_kubelet_identity(), ErrorKind::NotFound), (seed().service_principal(), ErrorKind::Unsupported)]
    {
        let scene = Scene::with_cluster(seed)?;
        let begun = Instant::now();
        let err = refused(create(&scene, attached()?).await, kind)?;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(err.to_string().contains("attach the registries with the object ID"), "{err}");
        assert!(err.context().any(|fact| fact == ("not attached", REGISTRY)), "{err}");
        assert!(!err.context().any(|(name, _)| name == "hint"), "to run it again would not help: {err}");
    }
    Ok(())
}

async fn create_ends_when_its_deadline_does() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let begun = Instant::now();
    let options = attached()?.with_call(CallOptions::default().with_deadline(Duration::from_secs(60)));
    refused(create(&scene, options).await, ErrorKind::DeadlineExceeded)?;
    assert!(begun.elapsed() <= Duration::from_secs(61));
    Ok(())
}

async fn create_that_is_cancelled_ends_at_once() -> Checked {
    let scene = Scene::new()?;
    scene.azure.set_timing(slow());
    let cancel = CancellationToken::new();
    let options = attached()?.with_call(CallOptions::default().with_cancel(cancel.clone()));
    let (created, ()) = tokio::join!(create(&scene, options), async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        cancel.cancel();
    });
    refused(created, ErrorKind::Cancelled)?;
    let state = scene.client.identity_resolver().identities(&fresh()?, &call()).await?.state;
    assert_eq!(state, "Creating", "what Azure has begun goes on");
    Ok(())
}

async fn create_reuses_a_key_pair_and_makes_what_is_missing() -> Checked {
    let folder = std::env::temp_dir().join(crate::backend::random_name("aks-acr-keys-"));
    let pair = folder.join("id_rsa");
    let scene = Scene::new()?;
    let mut keys = Vec::new();
    for name in ["first", "second"] {
        let options = CreateClusterOptions::default().with_ssh_key(SshKey::Pair(pair.clone()));
        scene.client.create_cluster(&ClusterRef::new(GROUP, name)?, options).await?;
        let beside = std::fs::read_to_string(folder.join("id_rsa.pub"))?;
        let options = CreateClusterOptions::default().with_ssh_key(SshKey::Public(beside.clone()));
        let again = scene.client.create_cluster(&ClusterRef::new(GROUP, name)?, options).await?;
        assert_eq!(again.differences, [], "the cluster has the key of the pair");
        keys.push(beside);
    }
    std::fs::remove_dir_all(&folder)?;
    assert_eq!(keys[0], keys[1]);
    Ok(())
}

async fn create_makes_no_key_where_no_cluster_is_made() -> Checked {
    let folder = std::env::temp_dir().join(crate::backend::random_name("aks-acr-keys-"));
    let scene = Scene::new()?;
    let options = || CreateClusterOptions::default().with_ssh_key(SshKey::Pair(folder.join("id_rsa")));
    scene.client.create_cluster(&scene.cluster, options()).await?;
    let nobody = client(&scene.azure, scene.azure.credential_of("nobody"))?;
    refused(nobody.create_cluster(&fresh()?, options()).await, ErrorKind::Forbidden)?;
    let reader = aks_acr::Client::builder(scene.azure.credential(), scene.azure.subscription())
        .transport(scene.azure.transport())
        .read_only()
        .build()?;
    refused(reader.create_cluster(&fresh()?, options()).await, ErrorKind::Forbidden)?;
    assert!(!folder.exists());
    Ok(())
}
