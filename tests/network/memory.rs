//! What hostile answers cost in memory. Each row is an operation in its own process, which first does something harmless: what it has
//! then is idle, and no answer may bring it more than a few megabytes above that.

use crate::script::{Script, peak, serve};
use aks_acr::{
    ApplyOptions, CallOptions, Client, Cloud, ClusterFilter, ClusterRef, CreateRegistryOptions, Error,
    KubeconfigOptions, Manifest, PodSelection, RolloutOptions, WorkloadRef,
};
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{
    env,
    fmt::Debug,
    fs,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// More than idle, in KiB.
const MOST: usize = 32 * 1000 * 1000 / 1024;
/// Names the operation of a child.
const CHILD: &str = "AKS_ACR_PEAK_MEMORY_OF";
const PORT: &str = "AKS_ACR_PEAK_MEMORY_PORT";
const AUTHORITY: &str = "AKS_ACR_PEAK_MEMORY_AUTHORITY";
const SUBSCRIPTION: &str = "22222222-2222-2222-2222-222222222222";
const GROUP: &str = "33333333-3333-3333-3333-333333333333";
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The parts of a request on which an answer depends.
struct Asked<'a> {
    /// The method and the address.
    line: &'a str,
    port: &'a str,
}

impl Asked<'_> {
    fn is(&self, method: &str, part: &str) -> bool {
        self.line.starts_with(method) && self.line.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
    }

    /// The number of the page that is asked for.
    fn page(&self) -> usize {
        let named = ["page=", "continue="].iter().find_map(|name| self.line.split(name).nth(1));
        named.map_or(0, |rest| rest.split(['&', ' ']).next().unwrap().parse().unwrap())
    }
}

/// The attacker's answer; `None` if there is a harmless one.
type Attack = fn(&Asked<'_>) -> Option<Script>;

/// A text of so many bytes that repeats a part, with commas between.
fn dense(begin: &str, part: &str, end: &str, bytes: usize) -> Vec<u8> {
    let times = (bytes - begin.len() - end.len() - part.len()) / (part.len() + 1);
    let mut text = format!("{begin}{part}");
    text.push_str(&format!(",{part}").repeat(times));
    text.push_str(end);
    text.into_bytes()
}

/// The smallest JSON that needs much: each of these maps has room for eleven entries.
const MAP: &str = r#"{"":0}"#;

fn registry_id(name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/{name}")
}

fn registry(name: &str) -> String {
    let properties = json!({ "loginServer": format!("{name}.azurecr.io"), "provisioningState": "Succeeded" });
    let (id, sku) = (registry_id(name), json!({ "name": "Basic" }));
    json!({ "id": id, "name": name, "location": "westeurope", "sku": sku, "properties": properties }).to_string()
}

/// A page of a list of Azure's, of which there is always another.
fn page_of(asked: &Asked<'_>, items: impl Iterator<Item = String>) -> Script {
    let items = items.collect::<Vec<_>>().join(",");
    let path = asked.line.split(' ').nth(1).unwrap().split('?').next().unwrap();
    let next = format!("https://localhost:{}{path}?api-version=1&page={}", asked.port, asked.page() + 1);
    Script::ok(format!("{{\"value\":[{items}],\"nextLink\":\"{next}\",\"@odata.nextLink\":\"{next}\"}}"))
}

/// The same of a list of Kubernetes.
fn kube_page_of(asked: &Asked<'_>, items: &[String]) -> Script {
    let metadata = json!({ "resourceVersion": "1", "continue": (asked.page() + 1).to_string() });
    Script::ok(format!(
        "{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{metadata},\"items\":[{}]}}",
        items.join(",")
    ))
}

fn kube_list(items: &[String]) -> Script {
    Script::ok(format!(
        "{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{{\"resourceVersion\":\"1\"}},\"items\":[{}]}}",
        items.join(",")
    ))
}

/// A pod whose kubelet does not say why it waits.
fn pod(name: &str) -> String {
    let state = json!({ "waiting": { "reason": "ImagePullBackOff", "message": "Back-off pulling image" } });
    json!({
        "kind": "Pod", "metadata": { "name": name, "namespace": "hostile", "uid": name, "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "c", "image": "nginx" }] },
        "status": { "phase": "Pending", "containerStatuses": [{ "name": "c", "state": state }] },
    })
    .to_string()
}

fn pods_of(page: usize) -> Vec<String> {
    (0..500).map(|at| pod(&format!("pod-{page}-{at}"))).collect()
}

/// Events of a watch, each with another pod.
fn new_pods() -> String {
    let says = "x".repeat(8 * KIB);
    let pods = (0..6000).map(|at| pod(&format!("p{at}")).replace("Back-off", &says));
    let lines: Vec<String> = pods.map(|pod| format!("{{\"type\":\"ADDED\",\"object\":{pod}}}\n")).collect();
    lines.concat()
}

fn event(text: &str) -> String {
    let object = json!({ "kind": "Pod", "uid": "other" });
    json!({ "metadata": { "name": "e" }, "message": text, "reason": "Failed", "involvedObject": object }).to_string()
}

const PODS: &str = "/namespaces/hostile/pods";
const EVENTS: &str = "/namespaces/hostile/events";
const REGISTRY: &str = "/registries/hostile";
const ZEROS: &str = "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0";

/// Name, operation, and what the attacker answers.
const ROWS: &[(&str, &str, Attack)] = &[
    ("a resource without end", "registry", |asked| asked.is("GET", REGISTRY).then(|| Script::endless("", " "))),
    ("a gzip bomb", "registry", |asked| asked.is("GET", REGISTRY).then(Script::gzip_bomb)),
    ("a header of 10 MB", "registry", |asked| asked.is("GET", REGISTRY).then(Script::long_header)),
    ("a resource of small maps", "registry", |asked| {
        let begin = format!("{{\"id\":\"{}\",\"name\":\"hostile\",\"properties\":{{\"x\":[", registry_id("hostile"));
        asked.is("GET", REGISTRY).then(|| Script::ok(dense(&begin, MAP, "]}}", 4 * MIB)))
    }),
    ("a cluster of small maps", "cluster", |asked| {
        asked
            .is("GET", "/managedClusters/hostile")
            .then(|| Script::ok(dense("{\"properties\":{\"x\":[", MAP, "]}}", 4 * MIB)))
    }),
    ("a cluster that is as heavy as one may be", "cluster", |asked| {
        let body = || Script::ok(dense("{\"properties\":{\"x\":[", MAP, "]}}", 110 * KIB));
        asked.is("GET", "/managedClusters/hostile").then(body)
    }),
    ("a cluster of numbers", "cluster", |asked| {
        asked.is("GET", "/managedClusters/hostile").then(|| Script::ok(dense("{\"x\":[", ZEROS, "]}", 4 * MIB)))
    }),
    ("an error without end", "registry", |asked| {
        let script = Script::endless("", " ");
        let head = script.head.replace("200 OK", "403 Forbidden");
        asked.is("GET", REGISTRY).then_some(Script { head, ..script })
    }),
    ("an error of small maps", "registry", |asked| {
        let body = dense("{\"error\":{\"code\":\"A\",\"message\":\"no\",\"details\":[", MAP, "]}}", 512 * KIB);
        asked.is("GET", REGISTRY).then(|| Script::whole("403 Forbidden", "", body))
    }),
    ("a page of small maps", "registries", |asked| {
        asked.is("GET", "/registries?").then(|| Script::ok(dense("{\"value\":[", MAP, "]}", 8 * MIB)))
    }),
    ("a page of one item of small maps", "registries", |asked| {
        asked.is("GET", "/registries?").then(|| Script::ok(dense("{\"value\":[{\"x\":[", MAP, "]}]}", 8 * MIB)))
    }),
    ("100,000 pages without an item", "registries", |asked| {
        asked.is("GET", "/registries?").then(|| page_of(asked, std::iter::empty()))
    }),
    ("pages of registries without end", "registries", |asked| {
        let items = (0..500).map(|at| registry(&format!("r{}x{at}", asked.page())));
        asked.is("GET", "/registries?").then(|| page_of(asked, items))
    }),
    ("pages of clusters without end", "clusters", |asked| {
        let items = (0..500).map(|at| {
            let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c{}x{at}", asked.page());
            json!({ "id": id, "name": "c", "properties": { "provisioningState": "Succeeded", "fqdn": "x".repeat(100) } }).to_string()
        });
        asked.is("GET", "/managedClusters?").then(|| page_of(asked, items))
    }),
    ("pages of role assignments without end", "assignments", |asked| {
        let items = (0..500).map(|at| {
            let scope = registry_id("hostile");
            let definition = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{GROUP}");
            let properties = json!({ "scope": scope, "principalId": GROUP, "roleDefinitionId": definition, "principalType": "ServicePrincipal" });
            json!({ "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/33333333-3333-3333-{:04}-{at:012}", asked.page()), "properties": properties }).to_string()
        });
        asked.is("GET", "/roleAssignments?").then(|| page_of(asked, items))
    }),
    ("pages of members of a group without end", "members", |asked| {
        let items = (0..100_000).map(|_| format!("{{\"id\":\"{GROUP}\"}}"));
        asked.is("GET", "/transitiveMembers").then(|| page_of(asked, items))
    }),
    ("the state of an operation without end", "create", |asked| operation(asked, || Script::endless("", " "))),
    ("the state of an operation of small maps", "create", |asked| {
        operation(asked, || Script::ok(dense("{\"status\":\"Running\",\"x\":[", MAP, "]}", 4 * MIB)))
    }),
    ("a token of Entra without end", "sign-in", |asked| asked.is("POST", "/token").then(|| Script::endless("", " "))),
    ("a token of Entra of small maps", "sign-in", |asked| {
        asked.is("POST", "/token").then(|| Script::ok(dense("{\"access_token\":\"a\",\"x\":[", MAP, "]}", 256 * KIB)))
    }),
    ("a token of a registry without end", "image", |asked| {
        if asked.is("GET", "/token") { Some(Script::endless("", " ")) } else { challenge(asked) }
    }),
    ("a token of a registry of small maps", "image", |asked| {
        let token = || Script::ok(dense("{\"x\":[", MAP, "]}", 256 * KIB));
        if asked.is("GET", "/token") { Some(token()) } else { challenge(asked) }
    }),
    ("a manifest without end", "image", |asked| manifest(asked, || Script::endless("", " "))),
    ("a manifest that is a gzip bomb", "image", |asked| manifest(asked, Script::gzip_bomb)),
    ("a manifest of small maps", "image", |asked| {
        manifest(asked, || Script::ok(dense("{\"x\":[", MAP, "]}", 4 * MIB)))
    }),
    ("a kubeconfig of small maps", "kubeconfig", |asked| {
        kubeconfig_of(asked, || dense("a: [", "{a: 0}", "]\n", 185 * KIB))
    }),
    ("a kubeconfig of aliases", "kubeconfig", |asked| {
        kubeconfig_of(asked, || {
            let line = |at: usize| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(","));
            let lines: String = (1..12).map(line).collect();
            format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{lines}").into_bytes()
        })
    }),
    ("a list of pods without end", "pods", |asked| asked.is("GET", PODS).then(|| Script::endless("{\"kind\":\"", "x"))),
    ("a list of pods that is a gzip bomb", "pods", |asked| asked.is("GET", PODS).then(Script::gzip_bomb)),
    ("a list of small maps", "pods", |asked| {
        asked.is("GET", PODS).then(|| Script::ok(dense("{\"metadata\":{},\"items\":[", MAP, "]}", 8 * MIB)))
    }),
    ("a pod of small maps", "pods", |asked| {
        asked.is("GET", PODS).then(|| Script::ok(dense("{\"metadata\":{},\"items\":[{\"x\":[", MAP, "]}]}", 8 * MIB)))
    }),
    ("pods of empty containers", "pods", |asked| {
        let begin = "{\"metadata\":{},\"items\":[{\"status\":{\"containerStatuses\":[";
        asked.is("GET", PODS).then(|| Script::ok(dense(begin, "{}", "]}}]}", 8 * MIB)))
    }),
    ("pages of pods without end", "pods", |asked| {
        asked.is("GET", PODS).then(|| kube_page_of(asked, &pods_of(asked.page())))
    }),
    ("100,000 pages without a pod", "pods", |asked| asked.is("GET", PODS).then(|| kube_page_of(asked, &[]))),
    ("pages of events without end", "pods", |asked| {
        if asked.is("GET", EVENTS) {
            return Some(kube_page_of(asked, &vec![event(&"x".repeat(1000)); 50]));
        }
        asked.is("GET", PODS).then(|| kube_list(&[pod("a")]))
    }),
    ("an event of 8 MB", "pods", |asked| {
        if asked.is("GET", EVENTS) {
            return Some(kube_list(&[event(&"x".repeat(7 * MIB))]));
        }
        asked.is("GET", PODS).then(|| kube_list(&[pod("a")]))
    }),
    ("pages of replica sets without end", "rollout", |asked| {
        if asked.is("GET", "/replicasets") {
            let set =
                json!({ "metadata": { "name": "s".repeat(250), "annotations": { "a": "x".repeat(500) } } }).to_string();
            return Some(kube_page_of(asked, &vec![set; 50]));
        }
        asked
            .is("GET", "/deployments/web")
            .then(|| Script::ok("{\"metadata\":{\"generation\":1},\"spec\":{},\"status\":{}}"))
    }),
    ("a deployment of small maps", "rollout", |asked| {
        asked.is("GET", "/deployments/web").then(|| Script::ok(dense("{\"metadata\":{},\"x\":[", MAP, "]}", 4 * MIB)))
    }),
    ("a deployment of conditions", "rollout", |asked| {
        let begin = "{\"metadata\":{},\"status\":{\"conditions\":[";
        asked.is("GET", "/deployments/web").then(|| Script::ok(dense(begin, "{}", "]}}", 4 * MIB)))
    }),
    ("kinds without end", "apply", |asked| asked.is("GET", "/api/v1 ").then(|| Script::endless("{\"kind\":\"", "x"))),
    ("kinds of many verbs", "apply", |asked| {
        let begin = "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":\"x\",\"singularName\":\"x\",\
            \"namespaced\":true,\"kind\":\"x\",\"verbs\":[";
        asked.is("GET", "/api/v1 ").then(|| Script::ok(dense(begin, "\"a\"", "]}]}", MIB)))
    }),
    ("an applied object of small maps", "apply", |asked| {
        if asked.is("PATCH", "/configmaps/") {
            return Some(Script::ok(dense("{\"metadata\":{},\"x\":[", MAP, "]}", 4 * MIB)));
        }
        asked.is("GET", "/api/v1 ").then(|| {
            let resource = json!({ "name": "configmaps", "singularName": "configmap", "namespaced": true, "kind": "ConfigMap", "verbs": ["patch"] });
            Script::ok(json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [resource] }).to_string())
        })
    }),
    ("a refusal of Kubernetes of causes", "pods", |asked| {
        let body = dense(
            "{\"kind\":\"Status\",\"code\":403,\"message\":\"no\",\"details\":{\"causes\":[",
            "{}",
            "]}}",
            512 * KIB,
        );
        asked.is("GET", PODS).then(|| Script::whole("403 Forbidden", "", body))
    }),
    ("an event of a watch without end", "watch", |asked| watch(asked, || Script::endless("{\"type\":\"", "x"))),
    ("an event of a watch of small maps", "watch", |asked| {
        watch(asked, || {
            Script::endless(
                dense("{\"type\":\"ADDED\",\"object\":{\"x\":[", MAP, "]}}\n", 4 * MIB),
                "{\"type\":\"BOOKMARK\",\"object\":{}}\n",
            )
        })
    }),
    ("an event of a watch that names its type last", "watch", |asked| {
        let event = || dense("{\"object\":{\"x\":[", MAP, "]},\"type\":\"ADDED\"}\n", 4 * MIB);
        watch(asked, || Script::endless(event(), "{\"type\":\"BOOKMARK\",\"object\":{}}\n"))
    }),
    ("a watch of ever new pods", "watch", |asked| watch(asked, || Script::endless(new_pods(), "\n"))),
    ("a rollout of ever new pods", "rollout", |asked| {
        if asked.is("GET", "/deployments?") {
            return Some(Script::endless("", "\n"));
        }
        if asked.is("GET", "/deployments/web") {
            return Some(Script::ok(
                "{\"metadata\":{\"generation\":1},\"spec\":{},\"status\":{\"observedGeneration\":1}}",
            ));
        }
        if asked.is("GET", "/replicasets") || (asked.is("GET", PODS) && !asked.is("GET", "watch=true")) {
            return Some(kube_list(&[]));
        }
        watch(asked, || Script::endless(new_pods(), "\n"))
    }),
];

fn operation(asked: &Asked<'_>, state: impl Fn() -> Script) -> Option<Script> {
    if asked.is("GET", "/resourcegroups/g?") {
        return Some(Script::ok("{\"location\":\"westeurope\"}"));
    }
    if asked.is("GET", "/operations/1") {
        return Some(state());
    }
    let header = format!("azure-asyncoperation: https://localhost:{}/operations/1\r\n", asked.port);
    let body = "{\"properties\":{\"provisioningState\":\"Creating\"}}";
    asked.is("PUT", REGISTRY).then(|| Script::whole("201 Created", &header, body))
}

fn challenge(asked: &Asked<'_>) -> Option<Script> {
    let header =
        format!("www-authenticate: Bearer realm=\"https://localhost:{}/token\",service=\"localhost\"\r\n", asked.port);
    asked.is("", "/v2/").then(|| Script::whole("401 Unauthorized", &header, "{}"))
}

fn manifest(asked: &Asked<'_>, body: impl Fn() -> Script) -> Option<Script> {
    let head = || Script::whole("405 Method Not Allowed", "", "");
    asked.is("", "/v2/").then(|| if asked.is("HEAD", "") { head() } else { body() })
}

fn kubeconfig_of(asked: &Asked<'_>, text: impl Fn() -> Vec<u8>) -> Option<Script> {
    asked.is("POST", "/managedClusters/hostile/").then(|| credential(&text()))
}

fn watch(asked: &Asked<'_>, events: impl Fn() -> Script) -> Option<Script> {
    if asked.is("GET", "watch=true") {
        return asked.is("GET", PODS).then(events);
    }
    asked.is("GET", PODS).then(|| kube_list(&[]))
}

fn credential(kubeconfig: &[u8]) -> Script {
    let value = STANDARD.encode(kubeconfig);
    Script::ok(json!({ "kubeconfigs": [{ "name": "clusterUser", "value": value }] }).to_string())
}

fn harmless(asked: &Asked<'_>, authority: &str) -> Script {
    if asked.is("POST", "/listClusterUserCredential") {
        let (port, authority) = (asked.port, STANDARD.encode(authority));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: dev\ncontexts: [{{name: dev, context: {{cluster: dev, user: me}}}}]\n\
             clusters: [{{name: dev, cluster: {{server: 'https://localhost:{port}', certificate-authority-data: {authority}}}}}]\n\
             users: [{{name: me, user: {{token: abc}}}}]\n"
        );
        return credential(text.as_bytes());
    }
    if asked.is("GET", "/registries/harmless") {
        return Script::ok(registry("harmless"));
    }
    if asked.is("GET", "/namespaces/calm/pods") {
        return kube_list(&[]);
    }
    Script::whole("404 Not Found", "", "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"no\"}}")
}

pub fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

#[derive(Debug)]
struct Anybody;

#[async_trait]
impl TokenCredential for Anybody {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let end = std::time::SystemTime::now() + Duration::from_secs(3600);
        Ok(AccessToken::new("token", end.into()))
    }
}

fn call() -> CallOptions {
    CallOptions::default().with_deadline(Duration::from_secs(15))
}

fn cluster(name: &str) -> ClusterRef {
    ClusterRef::new("g", name).unwrap()
}

/// Does what the environment names, and prints what it had in memory before and at most.
pub async fn run_child() {
    let read = |name: &str| env::var(name).unwrap();
    let (operation, port, authority) = (read(CHILD), read(PORT), read(AUTHORITY));
    let origin = format!("https://localhost:{port}");
    let cloud = Cloud::custom(&origin, ".azurecr.io").unwrap().with_authority(&origin).unwrap();
    let cloud = cloud.with_graph(&origin).unwrap();
    let builder = |builder: aks_acr::ClientBuilder| {
        builder.cloud(cloud.clone()).add_root_certificates(authority.clone()).build().unwrap()
    };
    let client = builder(Client::builder(Arc::new(Anybody), SUBSCRIPTION).environment(|_| None));
    let signing_in = builder(Client::builder_with_default_credential(SUBSCRIPTION).environment(|name| match name {
        "AZURE_TENANT_ID" | "AZURE_CLIENT_ID" => Some(GROUP.to_owned()),
        "AZURE_CLIENT_SECRET" => Some("secret".to_owned()),
        _ => None,
    }));
    client.registry(&registry_id("harmless").parse().unwrap(), call()).await.unwrap().unwrap();
    let calm = PodSelection::default().in_namespace("calm");
    client.pods(&cluster("calm"), &calm, call()).await.unwrap();
    // What the process has now counts as the most it has had.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let idle = peak();
    let client = if operation == "sign-in" { signing_in } else { client };
    let ended = perform(&client, &operation, &port).await;
    println!("\nmeasured {idle} {} {}", peak(), ended.replace('\n', " "));
}

async fn perform(client: &Client, operation: &str, port: &str) -> String {
    fn shown<T: Debug>(done: Result<T, Error>) -> String {
        match done {
            Ok(value) => format!("success: {}", format!("{value:?}").chars().take(100).collect::<String>()),
            Err(err) => format!("{err:#}"),
        }
    }
    let (hostile, subscription) = (PodSelection::default().in_namespace("hostile"), client.subscription_id());
    let long = call().start(Duration::MAX);
    let inventory = client.inventory();
    match operation {
        "registry" | "sign-in" => shown(client.registry(&registry_id("hostile").parse().unwrap(), call()).await),
        "registries" => shown(client.registry(&"hostile".parse().unwrap(), call()).await),
        "clusters" => shown(inventory.clusters(&[subscription], &ClusterFilter::default(), &long).await),
        "assignments" => shown(client.role_assigner().list(&registry_id("hostile").parse().unwrap(), &long).await),
        "members" => shown(inventory.members(GROUP.parse().unwrap(), &long).await),
        "cluster" => shown(client.identities(&cluster("hostile"), call()).await),
        "create" => {
            let options = CreateRegistryOptions::default().with_call(call());
            shown(client.create_registry("g", "hostile", options).await)
        }
        "image" => {
            let image = format!("localhost:{port}/app:v1").parse().unwrap();
            shown(client.registry_importer().image(&image, &long).await)
        }
        "kubeconfig" => shown(client.kubeconfig(&cluster("hostile"), KubeconfigOptions::default()).await),
        "pods" => shown(client.pods(&cluster("calm"), &hostile, call()).await),
        "watch" => {
            let mut listener = |_| ControlFlow::Continue(());
            shown(client.cluster_deployer().watch(&cluster("calm"), &hostile, &mut listener, &long).await)
        }
        "rollout" => {
            let options = RolloutOptions::default().with_call(call());
            let deployment = WorkloadRef::new("web").in_namespace("hostile");
            shown(client.wait_for_rollout(&cluster("calm"), &deployment, options).await)
        }
        "apply" => {
            let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: hostile}}";
            let options = ApplyOptions::default().with_call(call());
            shown(client.apply(&cluster("calm"), Manifest::parse_all(object).unwrap(), options).await)
        }
        other => panic!("{other}"),
    }
}

/// Measures all rows and prints them; gives those that are over the limit. The arguments are for the child.
pub async fn measure(arguments: &[&str]) -> Vec<String> {
    let mut over = Vec::new();
    let only = env::var("AKS_ACR_PEAK_MEMORY_ROW").ok();
    for (name, operation, attack) in ROWS.iter().filter(|row| only.as_ref().is_none_or(|only| row.0.contains(only))) {
        let attacks: Arc<AtomicUsize> = Arc::default();
        let count = attacks.clone();
        let (port, authority) = serve(move |head, authority| {
            let line = head.split("\r\n").next().unwrap();
            let port = head.split("localhost:").nth(1).unwrap().split("\r\n").next().unwrap();
            let asked = Asked { line, port };
            match attack(&asked) {
                Some(script) => {
                    count.fetch_add(1, Ordering::Relaxed);
                    script
                }
                None => harmless(&asked, authority),
            }
        })
        .await;
        let mut child = tokio::process::Command::new(env::current_exe().unwrap());
        child.args(arguments).env(CHILD, operation).env(PORT, port.to_string()).env(AUTHORITY, authority);
        let begun = std::time::Instant::now();
        let done = child.output().await.unwrap();
        let output = String::from_utf8_lossy(&done.stdout).into_owned();
        let Some(line) = output.lines().find_map(|line| line.strip_prefix("measured ")) else {
            let error = String::from_utf8_lossy(&done.stderr).into_owned();
            over.push(format!("{name}: it ended with {}: {output}{error}", done.status));
            continue;
        };
        let mut parts = line.splitn(3, ' ');
        let mut number = || parts.next().unwrap().parse::<usize>().unwrap();
        let (idle, most) = (number(), number());
        let (grown, error) = (most.saturating_sub(idle), parts.next().unwrap());
        let row = format!("{name:46} idle {:5.1} MB, {:6.1} MB more", in_mb(idle), in_mb(grown));
        println!("{row}, {:4.1} s: {}", begun.elapsed().as_secs_f32(), error.chars().take(230).collect::<String>());
        if grown > MOST {
            over.push(row);
        }
        if attacks.load(Ordering::Relaxed) == 0 {
            over.push(format!("{name}: the attacker was not asked: {error}"));
        }
    }
    over
}

#[expect(clippy::cast_precision_loss, reason = "a number to show")]
fn in_mb(kib: usize) -> f64 {
    kib as f64 * 1.024 / 1000.0
}

#[cfg(test)]
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    if is_child() {
        run_child().await;
    }
}

#[cfg(test)]
#[tokio::test(flavor = "multi_thread")]
async fn no_hostile_answer_costs_more_than_32_megabytes() {
    let over = measure(&["--exact", "memory::child", "--nocapture"]).await;
    assert!(over.is_empty(), "{}", over.join("\n"));
}
