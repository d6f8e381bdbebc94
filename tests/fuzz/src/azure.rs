//! An Azure to be asked anything, and requests as text.

use std::time::Duration;

use aks_acr_emulator::{Emulator, Timing};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// A scene with something of everything, and the tokens for it.
pub struct Azure {
    emulator: Emulator,
    runtime: Runtime,
    tokens: Vec<(&'static str, String)>,
    api_server: String,
}

/// Stands for an answer where the emulated network has no such host.
const NO_SUCH_HOST: u16 = 599;

impl Azure {
    /// Makes one. It takes no time for anything.
    pub fn new() -> Self {
        // The clock stands still except when every task waits: what takes a millisecond takes no time.
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let clock = runtime.enter();
        let emulator = Emulator::new()
            .with_cluster("group", "dev")
            .with_registry("group", "myregistry")
            .with_image("myregistry.azurecr.io/app:1", &["linux/amd64"])
            .with_image("docker.io/library/nginx:latest", &["linux/amd64"])
            .with_graph_rights("owner");
        emulator.set_timing(Timing::none().with_latency(Duration::ZERO));
        let registry = emulator.registry_id("group", "myregistry");
        let emulator = emulator.with_caller("pusher", &[("AcrPush", &registry), ("AcrDelete", &registry)]);
        drop(clock);
        let mut azure = Self { emulator, runtime, tokens: Vec::new(), api_server: String::new() };
        let token = |scope: &str| {
            let credential = azure.emulator.credential();
            let token = azure.runtime.block_on(credential.get_token(&[scope], None)).expect("a token");
            format!("Bearer {}", token.token.secret())
        };
        let (client, secret) = azure.emulator.client_secret_of("pusher");
        azure.tokens = vec![
            ("arm", token("https://management.azure.com/.default")),
            ("graph", token("https://graph.microsoft.com/.default")),
            ("pusher", format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))),
        ];
        azure.sign_in_to_cluster();
        azure
    }

    fn sign_in_to_cluster(&mut self) {
        let id = self.emulator.cluster_id("group", "dev");
        let uri = format!("https://management.azure.com{id}/listClusterAdminCredential?api-version=2026-05-01");
        let request = Request::post(uri).header("authorization", self.token("arm")).body(Bytes::new());
        let (status, body) = self.ask(request.expect("a request"));
        assert_eq!(status, 200);
        let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let file = STANDARD.decode(answer["kubeconfigs"][0]["value"].as_str().expect("a file")).expect("base64");
        let file = String::from_utf8(file).expect("text");
        let field = |name: &str| {
            let line = file.lines().map(str::trim).find_map(|line| line.strip_prefix(name)).expect("a field");
            line.trim().trim_matches('"').to_owned()
        };
        self.api_server = field("server:").trim_end_matches(":443").to_owned();
        self.tokens.push(("kube", format!("Bearer {}", field("token:"))));
    }

    /// The address of the API server.
    pub fn api_server(&self) -> &str {
        &self.api_server
    }

    /// Which credential to show: `arm`, `graph`, `pusher` or `kube`.
    pub fn token(&self, whose: &str) -> &str {
        self.tokens.iter().find(|(name, _)| *name == whose).map_or("", |(_, token)| token)
    }

    /// Lets time pass, for what a request has set off.
    pub fn pass(&self, seconds: u64) {
        let _clock = self.runtime.enter();
        self.emulator.advance(Duration::from_secs(seconds));
    }

    /// Asks; there must be an answer of HTTP. A watch is not read.
    pub fn ask(&self, request: Request<Bytes>) -> (u16, Bytes) {
        let watches = request.uri().query().is_some_and(|query| query.contains("watch"));
        self.runtime.block_on(async {
            let door = self.emulator.kubernetes();
            let answer: Response<Body> = match door.oneshot(request.map(Body::from)).await {
                Ok(answer) => answer,
                Err(err) if err.to_string().starts_with("dns error") => return (NO_SUCH_HOST, Bytes::new()),
                Err(err) => panic!("no fault was ordered, and none may come: {err}"),
            };
            let status = answer.status().as_u16();
            if watches {
                return (status, Bytes::new());
            }
            (status, answer.into_body().collect().await.expect("a whole answer").to_bytes())
        })
    }

    /// Asks what a text says, one request after another; a text that HTTP cannot carry asks nothing.
    pub fn ask_all(&self, text: &str, knows_tokens: bool) {
        for part in text.split("\n%%\n").take(8) {
            if let Some(request) = self.request(part, knows_tokens) {
                let (status, _) = self.ask(request);
                assert!((200..600).contains(&status), "{status} is no answer");
            }
        }
    }

    /// `METHOD host/path?query`, lines of headers, an empty line, the body. `authorization: arm` shows that token, and
    /// the host `kube` is the API server.
    fn request(&self, text: &str, knows_tokens: bool) -> Option<Request<Bytes>> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, place) = lines.next()?.split_once(' ')?;
        let uri = match place.strip_prefix("kube/") {
            Some(path) => format!("{}/{path}", self.api_server),
            None => format!("https://{place}"),
        };
        let mut request = Request::builder().method(method).uri(uri);
        for line in lines {
            let (name, value) = line.split_once(": ")?;
            let token = if knows_tokens && name == "authorization" { self.token(value) } else { "" };
            request = request.header(name, if token.is_empty() { value } else { token });
        }
        request.body(Bytes::from(body.to_owned())).ok().filter(|request| request.uri().host().is_some())
    }

    /// What the owner sees, wherever something could be changed.
    pub fn view(&self) -> Vec<(u16, Bytes)> {
        let subscription = format!("management.azure.com/subscriptions/{}", self.emulator.subscription());
        let own = format!("{subscription}/resourceGroups/group/providers");
        let views = [
            ("arm", format!("{subscription}/resourcegroups?api-version=2024-11-01")),
            ("arm", format!("{subscription}/resources?api-version=2024-11-01")),
            ("arm", format!("{own}/Microsoft.ContainerRegistry/registries?api-version=2025-11-01")),
            ("arm", format!("{own}/Microsoft.ContainerService/managedClusters?api-version=2026-05-01")),
            ("arm", format!("{subscription}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01")),
            ("graph", String::from("graph.microsoft.com/v1.0/servicePrincipals")),
            ("pusher", String::from("myregistry.azurecr.io/acr/v1/app/_manifests")),
            ("kube", String::from("kube/api/v1/pods")),
            ("kube", String::from("kube/api/v1/secrets")),
            ("kube", String::from("kube/api/v1/namespaces")),
            ("kube", String::from("kube/apis/apps/v1/deployments")),
        ];
        let look = |(whose, place): &(&str, String)| {
            let request = self.request(&format!("GET {place}\nauthorization: {whose}"), true).expect("a request");
            self.ask(request)
        };
        views.iter().map(look).collect()
    }
}

impl Default for Azure {
    fn default() -> Self {
        Self::new()
    }
}
