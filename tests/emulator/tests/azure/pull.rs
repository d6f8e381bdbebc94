//! From a grant to a running pod: the two halves of the emulator together.

use std::time::Duration;

use aks_acr_emulator::{ClusterSeed, Emulator, Fault, From, RegistrySeed, Service, Timing};
use axum::body::Body;
use base64::Engine as _;
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::client::{ACR_PULL, arm, get, grant};

pub(crate) const IMAGE: &str = "myregistry.azurecr.io/app:1";
const ONE: &str = "11111111-1111-4111-8111-111111111111";

/// The API server of the only cluster, with its static token.
struct Api<'a> {
    azure: &'a Emulator,
    bearer: String,
}

impl<'a> Api<'a> {
    async fn of(azure: &'a Emulator) -> Self {
        let path = format!("{}/listClusterAdminCredential", azure.cluster_id("group", "dev"));
        let answer = arm(azure, "owner", azure_core::http::Method::Post, &path, None).await;
        let file = answer.body["kubeconfigs"][0]["value"].as_str().unwrap();
        let file = base64::engine::general_purpose::STANDARD.decode(file).unwrap();
        let file = String::from_utf8(file).unwrap();
        let token = file.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap();
        Self { azure, bearer: format!("Bearer {token}") }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> http::Response<Body> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", &self.bearer)
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        self.azure.kubernetes().oneshot(request).await.unwrap()
    }

    async fn json(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.send(method, path, body).await;
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    async fn run(&self, image: &str) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"},
                         "spec": {"containers": [{"name": "app", "image": image}]}});
        let made = self.json("POST", "/api/v1/namespaces/default/pods", Some(pod)).await;
        assert_eq!(made["metadata"]["name"], "app", "{made}");
    }

    async fn pod(&self) -> Value {
        self.json("GET", "/api/v1/namespaces/default/pods/app", None).await
    }

    /// Phase, and why the container waits.
    async fn state(&self) -> (String, String) {
        let pod = self.pod().await;
        let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&pod["status"]["phase"]), format!("{} {}", text(&waiting["reason"]), text(&waiting["message"])))
    }
}

fn scene() -> Emulator {
    scene_of(ClusterSeed::new("group", "dev"), RegistrySeed::new("group", "myregistry"))
}

pub(crate) fn scene_of(cluster: ClusterSeed, registry: RegistrySeed) -> Emulator {
    Emulator::new()
        .with_cluster_of(cluster)
        .with_registry_of(registry)
        .with_image(IMAGE, &["linux/amd64"])
        .with_image("docker.io/library/nginx:latest", &["linux/amd64", "linux/arm64"])
}

pub(crate) fn attach(azure: &Emulator) {
    let kubelet = azure.kubelet_object_id("group", "dev");
    azure.grant("AcrPull", &kubelet, &azure.registry_id("group", "myregistry"));
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// What the pod comes to in half a minute.
pub(crate) async fn outcome(azure: &Emulator, image: &str) -> (String, String) {
    let api = Api::of(azure).await;
    api.run(image).await;
    pass(5).await;
    api.state().await
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_an_attached_registry_runs() {
    let azure = scene();
    attach(&azure);
    assert_eq!(outcome(&azure, IMAGE).await.0, "Running");
    let log = azure.requests();
    let kubelet = log.iter().filter(|one| one.from == From::Node && one.service == Service::Registry);
    assert!(kubelet.clone().any(|one| one.path == "/oauth2/exchange" && one.status == Some(200)));
    assert!(kubelet.clone().any(|one| one.path == "/v2/app/manifests/1" && one.status == Some(200)));
}

#[tokio::test(start_paused = true)]
async fn a_registry_without_its_key_serves_nobody_until_it_has_it_again() {
    for accessible in [false, true] {
        let seed = RegistrySeed::new("group", "myregistry").customer_managed_key();
        let azure = scene_of(ClusterSeed::new("group", "dev"), seed);
        attach(&azure);
        assert!(azure.set_key_access("group", "myregistry", false));
        assert!(!azure.set_key_access("group", "other", false));
        azure.set_key_access("group", "myregistry", accessible);
        let (phase, waiting) = outcome(&azure, IMAGE).await;
        let refused = "403 Forbidden\ndenied: The identity associated with the registry is inactive.";
        assert_eq!((phase == "Running", waiting.contains(refused)), (accessible, !accessible), "{waiting}");
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_are_throttled_while_others_use_the_limit_of_their_identity() {
    let azure = scene();
    attach(&azure);
    let kubelet = azure.kubelet_object_id("group", "dev");
    let minute = Duration::from_secs(60);
    assert!(azure.set_registry_load("group", "myregistry", &kubelet, 5000, minute));
    assert!(!azure.set_registry_load("group", "other", &kubelet, 5000, minute));
    let (_, waiting) = outcome(&azure, IMAGE).await;
    assert!(waiting.contains("429 Too Many Requests"), "{waiting}");
    pass(120).await;
    assert_eq!(Api::of(&azure).await.state().await.0, "Running");
}

#[tokio::test(start_paused = true)]
async fn a_pod_waits_for_its_grant_and_then_runs() {
    let azure = scene();
    let api = Api::of(&azure).await;
    api.run(IMAGE).await;
    pass(5).await;
    let (phase, waiting) = api.state().await;
    assert_eq!(phase, "Pending");
    let is_anonymous = waiting.contains("failed to fetch anonymous token") && !waiting.contains("oauth token");
    assert!(is_anonymous && waiting.contains("401 Unauthorized"), "{waiting}");
    azure.set_timing(Timing::none().with_propagation(Duration::from_secs(60)));
    let (scope, kubelet) = (azure.registry_id("group", "myregistry"), azure.kubelet_object_id("group", "dev"));
    assert_eq!(grant(&azure, &scope, ONE, &kubelet, ACR_PULL).await.status, 201);
    pass(30).await;
    assert_eq!(api.state().await.0, "Pending", "assigned, but not yet effective");
    // A refused exchange is not kept: the first try after the grant works.
    pass(5 * 60).await;
    assert_eq!(api.state().await.0, "Running");
}

#[tokio::test(start_paused = true)]
async fn the_role_of_the_other_mode_does_not_help_a_pod() {
    let azure = scene_of(ClusterSeed::new("group", "dev"), RegistrySeed::new("group", "myregistry").abac());
    attach(&azure);
    let (phase, waiting) = outcome(&azure, IMAGE).await;
    assert_eq!(phase, "Pending");
    assert!(waiting.contains("401 Unauthorized"), "{waiting}");
}

#[tokio::test(start_paused = true)]
async fn a_repository_reader_runs_a_pod_of_an_abac_registry() {
    let azure = scene_of(ClusterSeed::new("group", "dev"), RegistrySeed::new("group", "myregistry").abac());
    let kubelet = azure.kubelet_object_id("group", "dev");
    azure.grant("Container Registry Repository Reader", &kubelet, &azure.registry_id("group", "myregistry"));
    assert_eq!(outcome(&azure, IMAGE).await.0, "Running");
}

#[tokio::test(start_paused = true)]
async fn a_role_of_the_control_plane_does_not_help_a_pod() {
    let azure = scene();
    let control_plane = azure.control_plane_object_id("group", "dev");
    azure.grant("AcrPull", &control_plane, &azure.registry_id("group", "myregistry"));
    assert_eq!(outcome(&azure, IMAGE).await.0, "Pending");
}

#[tokio::test(start_paused = true)]
async fn a_service_principal_pulls_for_its_cluster() {
    let azure =
        scene_of(ClusterSeed::new("group", "dev").service_principal(), RegistrySeed::new("group", "myregistry"));
    let principal = azure.control_plane_object_id("group", "dev");
    azure.grant("AcrPull", &principal, &azure.registry_id("group", "myregistry"));
    assert_eq!(outcome(&azure, IMAGE).await.0, "Running");
}

#[tokio::test(start_paused = true)]
async fn the_firewall_tells_a_pod_the_address_of_its_node() {
    let seed = RegistrySeed::new("group", "myregistry").sku("Premium").only_from(&["203.0.113.0/24"]);
    let azure = scene_of(ClusterSeed::new("group", "dev"), seed);
    attach(&azure);
    let (_, waiting) = outcome(&azure, IMAGE).await;
    assert!(waiting.contains("403 Forbidden"), "{waiting}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_tag_and_a_missing_platform_are_told_apart() {
    let azure = scene_of(
        ClusterSeed::new("group", "dev").node("aks-arm-0", "linux", "arm64"),
        RegistrySeed::new("group", "myregistry"),
    )
    .with_image("myregistry.azurecr.io/two:1", &["linux/amd64", "windows/amd64"]);
    attach(&azure);
    let (_, missing) = outcome(&azure, "myregistry.azurecr.io/app:2").await;
    assert!(missing.contains("not found"), "{missing}");
    let api = Api::of(&azure).await;
    api.json("DELETE", "/api/v1/namespaces/default/pods/app?gracePeriodSeconds=0", None).await;
    let (_, platform) = outcome(&azure, "myregistry.azurecr.io/two:1").await;
    assert!(platform.contains("no match for platform in manifest"), "{platform}");
}

#[tokio::test(start_paused = true)]
async fn a_new_node_does_not_wait_for_the_credentials_of_an_old_one() {
    let azure = scene();
    // A role that lets a node sign in, and not pull.
    let (scope, kubelet) = (azure.registry_id("group", "myregistry"), azure.kubelet_object_id("group", "dev"));
    azure.grant("AcrDelete", &kubelet, &scope);
    let api = Api::of(&azure).await;
    api.run(IMAGE).await;
    pass(5).await;
    attach(&azure);
    pass(600).await;
    assert_eq!(api.state().await.0, "Pending", "the nodes hold on to what they got before");
    azure.renew_nodes("group", "dev", "nodepool1");
    assert_eq!(outcome(&azure, IMAGE).await.0, "Running");
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_a_platform_waits_for_a_node_of_it() {
    let azure = scene_of(
        ClusterSeed::new("group", "dev").node("aks-arm-0", "linux", "arm64"),
        RegistrySeed::new("group", "myregistry"),
    )
    .with_image("myregistry.azurecr.io/two:1", &["linux/amd64", "windows/amd64"]);
    attach(&azure);
    let (phase, _) = outcome(&azure, "myregistry.azurecr.io/two:1").await;
    assert_eq!(phase, "Pending");
    azure.add_node("group", "dev", "aks-amd-0", "linux", "amd64");
    let api = Api::of(&azure).await;
    let nodes = api.json("GET", "/api/v1/nodes", None).await;
    let pools = nodes["items"].as_array().unwrap().iter();
    let pools: Vec<&Value> = pools.map(|node| &node["metadata"]["labels"]["agentpool"]).collect();
    assert_eq!(pools, ["amd", "arm"]);
}

/// The real containerd pulls a manifest of any platform, unless it is one of an index: see `tests/peers/containerd`.
#[tokio::test(start_paused = true)]
async fn an_image_of_another_platform_without_an_index_is_pulled_and_crashes() {
    let azure = scene_of(
        ClusterSeed::new("group", "dev").node("aks-arm-0", "linux", "arm64"),
        RegistrySeed::new("group", "myregistry"),
    );
    attach(&azure);
    assert_eq!(outcome(&azure, IMAGE).await.0, "Running");
    let api = Api::of(&azure).await;
    pass(5).await;
    let (_, waiting) = api.state().await;
    assert!(waiting.starts_with("CrashLoopBackOff back-off 10s restarting failed container="), "{waiting}");
    let status = api.pod().await["status"]["containerStatuses"][0].clone();
    assert_eq!((&status["ready"], &status["lastState"]["terminated"]["exitCode"]), (&json!(false), &json!(255)));
    assert!(status["restartCount"].as_u64().unwrap() >= 1);
    let log = api.send("GET", "/api/v1/namespaces/default/pods/app/log", None).await.into_body().collect().await;
    assert_eq!(log.unwrap().to_bytes(), "exec /run: exec format error\n");
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_a_forgotten_revision_is_told_so() {
    let azure = scene();
    let api = Api::of(&azure).await;
    api.run(IMAGE).await;
    azure.forget_history("group", "dev");
    let path = "/api/v1/namespaces/default/pods?watch=true&resourceVersion=1&timeoutSeconds=5";
    let bytes = api.send("GET", path, None).await.into_body().collect().await.unwrap().to_bytes();
    let first: Value = serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!((first["type"].as_str(), first["object"]["code"].as_u64()), (Some("ERROR"), Some(410)));
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_docker_hub_needs_no_grant() {
    assert_eq!(outcome(&scene(), "nginx").await.0, "Running");
}

#[tokio::test(start_paused = true)]
async fn an_imported_image_runs() {
    let azure = scene();
    attach(&azure);
    let path = format!("{}/importImage", azure.registry_id("group", "myregistry"));
    let body = json!({"source": {"registryUri": "docker.io", "sourceImage": "library/nginx:latest"}, "targetTags": ["nginx:v1"]});
    let started = arm(&azure, "owner", azure_core::http::Method::Post, &path, Some(body)).await;
    assert_eq!(get(&azure, started.header("location").unwrap()).await.status, 200);
    assert_eq!(outcome(&azure, "myregistry.azurecr.io/nginx:v1").await.0, "Running");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_nodes_do_not_trust_is_named() {
    let azure = scene();
    attach(&azure);
    let why = "certificate signed by unknown authority";
    azure.fault(Fault::on("*", "myregistry.azurecr.io").untrusted(why).times(100));
    let (_, waiting) = outcome(&azure, IMAGE).await;
    assert!(waiting.contains(why), "{waiting}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_exist_is_named() {
    let (_, waiting) = outcome(&scene(), "gone.azurecr.io/app:1").await;
    assert!(waiting.contains("no such host"), "{waiting}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_sees_a_pod_come_to_run() {
    let azure = scene();
    attach(&azure);
    let api = Api::of(&azure).await;
    let path = "/api/v1/namespaces/default/pods?watch=true&timeoutSeconds=60";
    let mut lines = api.send("GET", path, None).await.into_body().into_data_stream();
    api.run(IMAGE).await;
    let mut phases = Vec::new();
    while let Some(part) = lines.next().await {
        for line in part.unwrap().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_slice(line).unwrap();
            phases.push(event["object"]["status"]["phase"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(phases.first().map(String::as_str), Some("Pending"));
    assert_eq!(phases.last().map(String::as_str), Some("Running"), "and the watch ended by itself");
}

/// Nodes keep the token of their identity, with the groups that it was issued with: joining a group helps the next token.
#[tokio::test(start_paused = true)]
async fn a_group_that_is_joined_late_helps_once_the_nodes_have_another_token() {
    for (keeps, before) in [(Duration::from_secs(3600), 1800), (Duration::ZERO, 0)] {
        let azure = scene().with_entra_group("acr-pullers");
        azure.set_timing(Timing::none().with_node_tokens(keeps));
        azure.grant("AcrPull", &azure.group_id("acr-pullers"), &azure.registry_id("group", "myregistry"));
        let api = Api::of(&azure).await;
        api.run(IMAGE).await;
        pass(60).await;
        let (phase, message) = api.state().await;
        assert!(message.contains("failed to fetch anonymous token") && message.contains("401"), "{phase} {message}");
        azure.add_member("acr-pullers", "group/dev");
        if before > 0 {
            pass(before).await;
            assert_ne!(api.state().await.0, "Running", "the old token is shown");
        }
        pass(2400).await;
        assert_eq!(api.state().await.0, "Running", "{keeps:?}");
    }
}

fn of_service_principal(lasts: Option<Duration>) -> Emulator {
    let seed = ClusterSeed::new("group", "dev").service_principal();
    let seed = lasts.map_or_else(|| seed.clone(), |lasts| seed.clone().secret_lasts(lasts));
    let azure = scene_of(seed, RegistrySeed::new("group", "myregistry"));
    azure.grant("AcrPull", &azure.control_plane_object_id("group", "dev"), &azure.registry_id("group", "myregistry"));
    azure
}

/// Client id and secret go to the registry as they are: there is no token of Entra's, and no exchange.
#[tokio::test(start_paused = true)]
async fn a_service_principal_pulls_with_its_client_id_and_its_secret() {
    let azure = of_service_principal(None);
    let api = Api::of(&azure).await;
    api.run(IMAGE).await;
    pass(60).await;
    assert_eq!(api.state().await.0, "Running");
    let of_node: Vec<String> =
        azure.requests().iter().filter(|one| one.from == From::Node).map(|one| one.path.clone()).collect();
    assert!(of_node.iter().any(|path| path == "/oauth2/token"), "{of_node:?}");
    assert!(!of_node.iter().any(|path| path == "/oauth2/exchange"), "{of_node:?}");
}

#[tokio::test(start_paused = true)]
async fn an_ended_secret_is_refused_until_the_nodes_have_another() {
    let azure = of_service_principal(Some(Duration::ZERO)).with_graph_rights("owner");
    let api = Api::of(&azure).await;
    api.run(IMAGE).await;
    pass(60).await;
    let (phase, message) = api.state().await;
    assert_eq!(phase, "Pending");
    assert!(message.contains("failed to fetch oauth token") && message.contains("401 Unauthorized"), "{message}");
    // Another application, as `az ad sp create-for-rbac` makes it, and `az aks update-credentials`.
    let bearer = format!("Bearer {}", crate::client::token(&azure, "owner", "https://graph.microsoft.com").await);
    let graph = |path: String, body: Value| {
        let (azure, bearer) = (azure.clone(), bearer.clone());
        async move {
            let url = format!("https://graph.microsoft.com/v1.0/{path}");
            let headers = [("authorization", bearer)];
            crate::client::send(&azure, azure_core::http::Method::Post, &url, &headers, Some(body.to_string()))
                .await
                .unwrap()
                .body
        }
    };
    let made = graph("applications".into(), json!({"displayName": "another"})).await;
    let principal = graph("servicePrincipals".into(), json!({"appId": made["appId"]})).await;
    let id = made["id"].as_str().unwrap();
    let password = graph(format!("applications/{id}/addPassword"), json!({"passwordCredential": {}})).await;
    azure.grant("AcrPull", principal["id"].as_str().unwrap(), &azure.registry_id("group", "myregistry"));
    let path = format!("{}/resetServicePrincipalProfile", azure.cluster_id("group", "dev"));
    let sent = json!({"clientId": made["appId"], "secret": password["secretText"]});
    let reset = arm(&azure, "owner", azure_core::http::Method::Post, &path, Some(sent)).await;
    assert_eq!(reset.status, 202, "{}", reset.body);
    // The nodes are made anew, and bare pods go with them.
    pass(900).await;
    api.run(IMAGE).await;
    pass(60).await;
    assert_eq!(api.state().await.0, "Running", "{:?}", api.state().await);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_service_principal_pulls_nothing() {
    let azure = of_service_principal(None);
    azure.set_service_principal_enabled(&azure.control_plane_object_id("group", "dev"), false);
    let api = Api::of(&azure).await;
    api.run(IMAGE).await;
    pass(60).await;
    assert!(api.state().await.1.contains("failed to fetch oauth token"), "{:?}", api.state().await);
}
