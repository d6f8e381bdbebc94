//! The state file: what there was before a server was killed is there again, and a file that is not good is refused.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client, Method, Proxy, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::program::{Folder, Program, command, started, text};

const ARM: &str = "https://management.azure.com";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A program that serves, and a client that trusts it.
struct Run {
    told: Value,
    client: Client,
    program: Program,
}

impl Run {
    fn start(file: &Path, more: &[&str]) -> Self {
        let authority = file.with_extension("pem");
        let arguments = [&["--format", "json", "--ca-file", text(&authority), "--state", text(file)], more].concat();
        let (told, program) = started(&arguments);
        Self::of(&told, program)
    }

    fn of(told: &str, program: Program) -> Self {
        let told: Value = serde_json::from_str(told).unwrap();
        let authority = std::fs::read(told["caFile"].as_str().unwrap()).unwrap();
        let proxy = Proxy::https(told["proxy"].as_str().unwrap()).unwrap();
        let client = Client::builder()
            .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
            .proxy(proxy.no_proxy(reqwest::NoProxy::from_string("localhost")))
            .build()
            .unwrap();
        Self { told, client, program }
    }

    /// Kills it, and serves again.
    fn again(mut self, file: &Path, more: &[&str]) -> Self {
        self.kill();
        Self::start(file, more)
    }

    fn kill(&mut self) {
        self.program.0.kill().unwrap();
        self.program.0.wait().unwrap();
    }

    fn variable(&self, name: &str) -> &str {
        self.told["environment"][name].as_str().unwrap()
    }

    async fn token(&self, scope: &str) -> String {
        let (id, secret) = (self.variable("AZURE_CLIENT_ID"), self.variable("AZURE_CLIENT_SECRET"));
        let form =
            format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope={scope}/.default");
        let url = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", self.variable("AZURE_TENANT_ID"));
        let answer: Value = self.client.post(url).body(form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn arm(&self, token: &str, method: Method, path: &str, body: Value) -> Response {
        let url = if path.starts_with("https:") { path.to_owned() } else { format!("{ARM}{path}") };
        let request = self.client.request(method, url).bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(&body) };
        request.send().await.unwrap()
    }

    /// A path below the group of the test.
    fn path(&self, rest: &str, version: &str) -> String {
        let subscription = self.variable("AZURE_SUBSCRIPTION_ID");
        format!("/subscriptions/{subscription}/resourceGroups/group{rest}?api-version={version}")
    }

    fn registry(&self, rest: &str) -> String {
        self.path(&format!("/providers/Microsoft.ContainerRegistry/registries/myregistry{rest}"), "2025-11-01")
    }

    fn cluster(&self, rest: &str) -> String {
        self.path(&format!("/providers/Microsoft.ContainerService/managedClusters/dev{rest}"), "2026-05-01")
    }

    async fn make(&self, token: &str) {
        let place = json!({"location": "westeurope"});
        assert_eq!(self.arm(token, Method::PUT, &self.path("", "2024-11-01"), place).await.status(), 201);
        let registry =
            json!({"location": "westeurope", "sku": {"name": "Premium"}, "properties": {"adminUserEnabled": true}});
        assert!(self.arm(token, Method::PUT, &self.registry(""), registry).await.status().is_success());
        let pool = json!({"name": "nodepool1", "count": 2, "vmSize": "Standard_D2s_v3", "mode": "System"});
        let cluster = json!({"location": "westeurope", "identity": {"type": "SystemAssigned"},
            "properties": {"dnsPrefix": "dev", "agentPoolProfiles": [pool]}});
        assert_eq!(self.arm(token, Method::PUT, &self.cluster(""), cluster).await.status(), 201);
    }

    /// What a kubeconfig says of the cluster: the address of its API server, and a token.
    async fn kubeconfig(&self, token: &str) -> (String, String) {
        let url = self.cluster("/listClusterUserCredential");
        let answer: Value = self.arm(token, Method::POST, &url, Value::Null).await.json().await.unwrap();
        let file = STANDARD.decode(answer["kubeconfigs"][0]["value"].as_str().unwrap()).unwrap();
        let file: Value = serde_saphyr::from_str(std::str::from_utf8(&file).unwrap()).unwrap();
        let own = |text: &Value| text.as_str().unwrap().to_owned();
        (own(&file["clusters"][0]["cluster"]["server"]), own(&file["users"][0]["user"]["token"]))
    }

    async fn order(&self, method: Method, order: &str, body: Value) -> Response {
        let url = format!("{}/_emulator/{order}", self.told["origin"].as_str().unwrap());
        let request = self.client.request(method, url).bearer_auth(self.variable("AKS_ACR_EMULATOR_TOKEN"));
        let request = if body.is_null() { request } else { request.json(&body) };
        request.send().await.unwrap()
    }

    /// The dump without the present time.
    async fn dump(&self) -> Value {
        let mut state: Value = self.order(Method::GET, "state", Value::Null).await.json().await.unwrap();
        assert!(state["now"].take().is_string());
        state
    }

    async fn kube(&self, kubeconfig: &(String, String), method: Method, path: &str, body: Value) -> Value {
        let request = self.client.request(method, format!("{}{path}", kubeconfig.0)).bearer_auth(&kubeconfig.1);
        let request = if body.is_null() { request } else { request.json(&body) };
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Everything in the cluster that a client can list, with versions, owners and times.
    async fn objects(&self, kubeconfig: &(String, String)) -> Value {
        let mut all = json!({});
        for path in [
            "api/v1/pods",
            "api/v1/events",
            "api/v1/secrets",
            "api/v1/nodes",
            "apis/apps/v1/deployments",
            "apis/apps/v1/replicasets",
        ] {
            all[path] = self.kube(kubeconfig, Method::GET, &format!("/{path}"), Value::Null).await;
        }
        all
    }
}

fn digest(bytes: &[u8]) -> String {
    let hex: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hex.concat())
}

/// Pushes an image with a layer that is no text; the answer is the digest of the layer.
async fn push(run: &Run, user: &str, password: &str) -> String {
    let layer: Vec<u8> = (0..=255).collect();
    let config = json!({"rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}}).to_string().into_bytes();
    let url = |rest: &str| format!("https://myregistry.azurecr.io/v2/pushed{rest}");
    let send = async |method: Method, url: String, kind: &str, body: Vec<u8>| {
        let request = run.client.request(method, url).basic_auth(user, Some(password)).header("content-type", kind);
        request.body(body).send().await.unwrap()
    };
    for blob in [layer.clone(), config.clone()] {
        let begun = send(Method::POST, url("/blobs/uploads/"), "application/octet-stream", Vec::new()).await;
        assert_eq!(begun.status(), 202);
        let place = format!("https://myregistry.azurecr.io{}", begun.headers()["location"].to_str().unwrap());
        assert_eq!(send(Method::PATCH, place.clone(), "application/octet-stream", blob.clone()).await.status(), 202);
        let end = format!("{place}&digest={}", digest(&blob));
        assert_eq!(send(Method::PUT, end, "application/octet-stream", Vec::new()).await.status(), 201);
    }
    let part = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": digest(bytes), "size": bytes.len()});
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": part("application/vnd.oci.image.config.v1+json", &config),
        "layers": [part("application/vnd.oci.image.layer.v1.tar+gzip", &layer)]});
    let put = send(Method::PUT, url("/manifests/1"), MANIFEST, manifest.to_string().into_bytes()).await;
    assert_eq!(put.status(), 201);
    digest(&layer)
}

fn deployment(image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2,
        "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": image}]}}}})
}

fn running(pods: &Value) -> usize {
    pods["items"].as_array().unwrap().iter().filter(|pod| pod["status"]["phase"] == "Running").count()
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[tokio::test]
async fn what_there_was_before_it_was_killed_is_there_again() {
    let folder = Folder::new("state");
    let file = folder.file("azure.state");
    let run = Run::start(&file, &["--caller", "ci::Reader"]);
    let token = run.token(ARM).await;
    run.make(&token).await;
    let grant = json!({"role": "AcrPull", "principal": run.dump().await["clusters"][0]["kubelet"],
        "scope": run.registry("").split('?').next().unwrap()});
    assert_eq!(run.order(Method::POST, "grant", grant).await.status(), 200);
    // An import that continues while the server is down.
    run.order(Method::POST, "timing", json!({"import": 30})).await;
    let import = json!({"source": {"registryUri": "docker.io", "sourceImage": "library/nginx:latest"},
        "targetTags": ["nginx:1"], "mode": "Force"});
    let import = run.arm(&token, Method::POST, &run.registry("/importImage"), import).await;
    assert_eq!(import.status(), 202);
    let import = import.headers()["location"].to_str().unwrap().to_owned();
    let keys: Value =
        run.arm(&token, Method::POST, &run.registry("/listCredentials"), Value::Null).await.json().await.unwrap();
    let password = keys["passwords"][0]["value"].as_str().unwrap();
    let layer = push(&run, "myregistry", password).await;
    let kubeconfig = run.kubeconfig(&token).await;
    run.kube(&kubeconfig, Method::POST, DEPLOYMENTS, deployment("myregistry.azurecr.io/pushed:1")).await;
    let secret = json!({"metadata": {"name": "hidden"}, "stringData": {"password": "hush"}});
    run.kube(&kubeconfig, Method::POST, "/api/v1/namespaces/default/secrets", secret).await;
    let begun = run
        .client
        .post("https://myregistry.azurecr.io/v2/half/blobs/uploads/")
        .basic_auth("myregistry", Some(password))
        .send()
        .await
        .unwrap();
    let half = format!("https://myregistry.azurecr.io{}", begun.headers()["location"].to_str().unwrap());
    run.order(Method::POST, "advance", json!({"seconds": 10})).await;
    let (dump, objects) = (run.dump().await, run.objects(&kubeconfig).await);
    assert_eq!(running(&objects["api/v1/pods"]), 2, "{objects}");
    assert_eq!(run.arm(&token, Method::GET, &import, Value::Null).await.status(), 202);
    let (told, authority) = (run.told.clone(), std::fs::read(folder.file("azure.pem")).unwrap());

    let run = run.again(&file, &[]);
    // The client that is in here now trusts what is in this file.
    assert_eq!(std::fs::read(folder.file("azure.pem")).unwrap(), authority);
    assert_eq!(run.dump().await, dump);
    assert_eq!(run.objects(&kubeconfig).await, objects);
    for fact in ["origin", "proxy"] {
        assert_eq!(run.told[fact], told[fact]);
    }
    for name in ["AZURE_CLIENT_SECRET", "AKS_ACR_EMULATOR_TOKEN"] {
        assert_eq!(run.told["environment"][name], told["environment"][name]);
    }
    // The token, the address of the operation, the password and the upload of before are good.
    assert_eq!(run.arm(&token, Method::GET, &import, Value::Null).await.status(), 202);
    run.order(Method::POST, "advance", json!({"seconds": 30})).await;
    assert_eq!(run.arm(&token, Method::GET, &import, Value::Null).await.status(), 200);
    let blob = run.client.get(format!("https://myregistry.azurecr.io/v2/pushed/blobs/{layer}"));
    let blob = blob.basic_auth("myregistry", Some(password)).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(digest(&blob), layer);
    let state = run.client.get(&half).basic_auth("myregistry", Some(password)).send().await.unwrap();
    assert_eq!(state.status(), 204);
    // And it continues: the image that came by the import is rolled out.
    run.kube(&kubeconfig, Method::PUT, &format!("{DEPLOYMENTS}/web"), deployment("myregistry.azurecr.io/nginx:1"))
        .await;
    run.order(Method::POST, "advance", json!({"seconds": 20})).await;
    let (dump, objects) = (run.dump().await, run.objects(&kubeconfig).await);
    assert_eq!(running(&objects["api/v1/pods"]), 2);
    assert!(objects["api/v1/pods"].to_string().contains("myregistry.azurecr.io/nginx:1"));

    let run = run.again(&file, &["--caller", "ci::Reader"]);
    assert_eq!(run.dump().await, dump);
    assert_eq!(run.objects(&kubeconfig).await, objects);
    run.order(Method::POST, "advance", json!({"seconds": 8 * 24 * 3600})).await;
    assert_eq!(
        run.arm(&token, Method::GET, &import, Value::Null).await.status(),
        401,
        "a token does not live for ever"
    );
}

#[tokio::test]
async fn by_a_fast_clock_what_was_under_way_goes_on_from_where_it_was_last_seen() {
    let folder = Folder::new("state-fast");
    let file = folder.file("azure.state");
    let mut run = Run::start(&file, &["--clock", "1000", "--timing", "typical", "--latency", "1"]);
    // A token that lives through it all, and a creation of some seconds by this clock.
    let timing = json!({"preset": "typical", "latency": 0.001, "clusterCreation": 4000, "token": 600_000});
    run.order(Method::POST, "timing", timing).await;
    let token = run.token(ARM).await;
    run.make(&token).await;
    let is_made = async |run: &Run| {
        let cluster = run.arm(&token, Method::GET, &run.cluster(""), Value::Null).await.json::<Value>().await.unwrap();
        cluster["properties"]["provisioningState"] == "Succeeded"
    };
    let now = async |run: &Run| {
        let state: Value = run.order(Method::GET, "state", Value::Null).await.json().await.unwrap();
        state["now"].as_str().unwrap().trim_end_matches('Z').to_owned()
    };
    let mut kills = 0;
    while !is_made(&run).await {
        let last = now(&run).await;
        run = run.again(&file, &[]);
        kills += 1;
        let shown = now(&run).await;
        assert!(shown >= last, "{shown} is before {last}");
        assert!(kills < 1000, "no kill may put the clock back to where it was");
    }
    assert!(kills > 0, "it was made before the first look");
    // More than the hour that events are kept passes without a write, but with reads.
    let kubeconfig = run.kubeconfig(&token).await;
    run.kube(&kubeconfig, Method::POST, DEPLOYMENTS, deployment("docker.io/library/nginx:latest")).await;
    for _ in 0..40 {
        run.order(Method::POST, "advance", json!({"seconds": 100})).await;
        run.objects(&kubeconfig).await;
    }
    run.order(Method::POST, "clock", json!({"speed": 1})).await;
    let (dump, objects) = (run.dump().await, run.objects(&kubeconfig).await);
    let run = run.again(&file, &[]);
    assert_eq!(run.dump().await, dump);
    assert_eq!(run.objects(&kubeconfig).await, objects);
}

#[tokio::test]
async fn a_fault_that_was_met_is_not_met_again_and_one_that_was_not_is() {
    let folder = Folder::new("state-fault");
    let file = folder.file("azure.state");
    let run = Run::start(&file, &["--fault", "GET /resourcegroups status=429 times=2"]);
    let token = run.token(ARM).await;
    let groups =
        format!("/subscriptions/{}/resourcegroups?api-version=2024-11-01", run.variable("AZURE_SUBSCRIPTION_ID"));
    assert_eq!(run.arm(&token, Method::GET, &groups, Value::Null).await.status(), 429);
    let run = run.again(&file, &[]);
    assert_eq!(run.arm(&token, Method::GET, &groups, Value::Null).await.status(), 429);
    let run = run.again(&file, &[]);
    assert_eq!(run.arm(&token, Method::GET, &groups, Value::Null).await.status(), 200);
}

#[tokio::test]
async fn who_is_not_known_and_who_only_looks_write_nothing_into_it() {
    let folder = Folder::new("state-nobody");
    let file = folder.file("azure.state");
    let run = Run::start(&file, &[]);
    let token = run.token(ARM).await;
    let lines =
        || std::fs::read_to_string(&file).unwrap().lines().filter(|line| !line.starts_with("{\"seen\"")).count();
    let before = lines();
    for _ in 0..3 {
        assert_eq!(run.arm("guess", Method::PUT, &run.path("", "2024-11-01"), json!({})).await.status(), 401);
        assert_eq!(run.arm(&token, Method::GET, &run.path("", "2024-11-01"), Value::Null).await.status(), 404);
        assert_eq!(run.order(Method::POST, "sing", json!({})).await.status(), 404);
    }
    assert_eq!(lines(), before);
    let times = std::fs::read_to_string(&file).unwrap().lines().filter(|line| line.starts_with("{\"seen\"")).count();
    assert!(times <= before + 1, "times are written over one another");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("guess"));
}

/// A file of a run in which a group was made, and how long it is.
async fn file_with_a_group(file: &Path) -> usize {
    let mut run = Run::start(file, &[]);
    let token = run.token(ARM).await;
    let place = json!({"location": "westeurope"});
    assert_eq!(run.arm(&token, Method::PUT, &run.path("", "2024-11-01"), place).await.status(), 201);
    run.kill();
    std::fs::metadata(file).unwrap().len().try_into().unwrap()
}

fn refused(file: &Path, more: &[&str]) -> String {
    let ended: Output = command(&[&["--state", text(file)], more].concat()).output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{more:?}");
    let why = String::from_utf8(ended.stderr).unwrap();
    assert!(why.contains(text(file)), "{why}");
    why
}

#[tokio::test]
async fn a_last_line_that_was_cut_off_is_left_out_and_a_damaged_one_before_it_is_named() {
    let folder = Folder::new("state-torn");
    let file = folder.file("azure.state");
    file_with_a_group(&file).await;
    let whole = std::fs::read(&file).unwrap();
    let mut torn = whole.clone();
    torn.extend_from_slice(b"{\"request\":{\"at\":99");
    std::fs::write(&file, &torn).unwrap();
    let (mut run, mut said) = (Run::start(&file, &[]), String::new());
    assert_eq!(run.dump().await["groups"].as_array().unwrap().len(), 1);
    run.kill();
    std::io::Read::read_to_string(&mut run.program.0.stderr.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("truncated"), "{said}");
    assert!(std::fs::read(&file).unwrap().starts_with(&whole));

    let text = String::from_utf8(whole).unwrap();
    let number = text.lines().position(|line| line.starts_with("{\"request\"")).unwrap() + 1;
    let damaged: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, line)| if at + 1 == number { line.replacen("\"salt\"", "\"sal", 1) } else { line.to_owned() } + "\n")
        .collect();
    let damaged = damaged.concat();
    std::fs::write(&file, &damaged).unwrap();
    let why = refused(&file, &[]);
    assert!(why.contains(&format!("line {number} is damaged")), "{why}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), damaged, "what is refused is left as it is");
}

#[tokio::test]
async fn a_file_is_for_one_process_and_for_the_scene_it_was_made_with() {
    let folder = Folder::new("state-other");
    let (file, seed) = (folder.file("azure.state"), folder.file("seed.yaml"));
    std::fs::write(&seed, "groups: [{name: group}]").unwrap();
    let mut run = Run::start(&file, &["--seed", text(&seed), "--caller", "ci::Reader"]);
    let why = refused(&file, &[]);
    assert!(why.contains(&format!("process {}", run.program.0.id())), "{why}");
    assert_eq!(run.dump().await["groups"][0]["name"], "group");
    run.kill();
    assert!(refused(&file, &["--caller", "ci::Owner"]).contains("--caller"));
    std::fs::write(&seed, "groups: [{name: other}]").unwrap();
    assert!(refused(&file, &["--seed", text(&seed)]).contains("--seed"));
    let run = Run::start(&file, &[]);
    assert_eq!(run.dump().await["groups"][0]["name"], "group");
}

#[cfg(unix)]
#[test]
fn it_is_for_its_owner_and_takes_the_place_of_nothing_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("state-place");
    let (file, link, other) = (folder.file("azure.state"), folder.file("link"), folder.file("other"));
    drop(Run::start(&file, &[]));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(refused(&link, &[]).contains("symbolic link"));
    std::fs::write(&other, "mine").unwrap();
    assert!(refused(&other, &[]).contains("not a state file"));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
    assert!(refused(&folder.0, &[]).contains("not a file"));
    refused(&folder.file("no/such/folder"), &[]);
    // A scene that cannot be set leaves nothing behind.
    let none = folder.file("none");
    assert_eq!(command(&["--state", text(&none), "--caller", "ci::Sorcerer"]).output().unwrap().status.code(), Some(1));
    assert!(!none.exists());
    // A caller that may do everything may write this, too; then there is nothing to refuse.
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o400)).unwrap();
    if std::fs::OpenOptions::new().append(true).open(&file).is_err() {
        refused(&file, &[]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_kept_is_not_done_and_the_rest_goes_on() {
    let folder = Folder::new("state-full");
    let file = folder.file("azure.state");
    let length = file_with_a_group(&file).await;
    // The system lets the file grow no more than by some kilobytes; it counts blocks of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", length / 512 + 16);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(env!("CARGO_BIN_EXE_aks-acr-emulator")).args(["serve", "--format", "json"]);
    shell.args(["--state", text(&file), "--ca-file", text(&folder.file("ca.pem"))]);
    let (told, program) = crate::program::started_by(shell);
    let mut run = Run::of(&told, program);
    let token = run.token(ARM).await;
    let tags = |length: usize| json!({"location": "westeurope", "tags": {"a": "x".repeat(length)}});
    let before = run.dump().await;
    let other = run.path("", "2024-11-01").replace("/group?", "/other?");
    let answer = run.arm(&token, Method::PUT, &other, tags(60_000)).await;
    assert_eq!(answer.status(), 507);
    let why = answer.text().await.unwrap();
    assert!(why.contains(text(&file)) && why.contains("EmulatorStateNotKept"), "{why}");
    assert_eq!(run.dump().await, before);
    // What there is room for is done and kept.
    assert_eq!(run.arm(&token, Method::PUT, &other, tags(1)).await.status(), 201);
    let dump = run.dump().await;
    assert_eq!(dump["groups"].as_array().unwrap().len(), 2);
    run.kill();
    let run = Run::start(&file, &[]);
    assert_eq!(run.dump().await, dump);
}
