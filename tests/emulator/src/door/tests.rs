//! Tests of what every request passes, with a real API server behind it and without.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::control_plane::Real;
use crate::control_plane::fake::{Fake, endless, reply};
use crate::entra::token;
use crate::keeper::{Change, Keeper};
use crate::kubernetes::Write;
use crate::{ClusterSeed, Emulator, Fault};

/// An emulator whose only cluster has this API server.
struct Scene {
    azure: Emulator,
    fake: Fake,
    admin: String,
    host: String,
    /// Open as long as the cluster is there.
    _writes: UnboundedReceiver<Write>,
}

impl Scene {
    async fn start() -> Self {
        let fake = Fake::start(|request| {
            Some(match request.uri().path_and_query().unwrap().as_str() {
                // What the caller says of itself is for the API server only where the emulator does not know it.
                _ if request.headers().contains_key("authorization") => reply(401, "unknown"),
                path if path.contains("watch=") => endless("event\n"),
                _ => reply(200, "answer"),
            })
        })
        .await;
        let azure = Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").entra());
        let (mut real, writes) = Real::of(&fake);
        let pod = json!({"metadata": {"name": "web", "namespace": "default", "uid": "u"}});
        real.remote.change("pods", "ADDED", pod, tokio::time::Instant::now());
        let (admin, host) = azure.act(|world| {
            let cluster = &mut world.clusters[0];
            (cluster.kubernetes, cluster.real) = (None, Some(real));
            (cluster.admin_token.clone(), cluster.fqdn().to_owned())
        });
        Self { azure, fake, admin, host, _writes: writes }
    }

    async fn send_as(&self, token: &str, method: &str, path: &str) -> Response<Body> {
        let request = Request::builder().method(method).uri(format!("https://{}{path}", self.host));
        let request = request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        self.azure.kubernetes().oneshot(request).await.unwrap()
    }

    async fn send(&self, method: &str, path: &str) -> Response<Body> {
        self.send_as(&self.admin, method, path).await
    }

    /// What the log says of the last request: its status and its fault.
    fn last(&self) -> (Option<u16>, Option<&'static str>) {
        let requests = self.azure.requests();
        let last = requests.last().unwrap();
        (last.status, last.fault)
    }
}

const WATCH: &str = "/api/v1/pods?watch=t";

#[tokio::test]
async fn a_fault_changes_how_a_watch_of_a_real_server_comes() {
    let scene = Scene::start().await;
    let mut body = scene.send("GET", WATCH).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "event\n");
    assert_eq!(scene.last(), (Some(200), None));

    scene.azure.fault(Fault::on("GET", "watch=").truncated());
    let mut body = scene.send("GET", WATCH).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "event\n");
    let end = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.unwrap();
    assert!(end.unwrap().is_err());
    assert_eq!(scene.last(), (Some(200), Some("truncated body")));

    scene.azure.fault(Fault::on("GET", "watch=").silent_body());
    let mut body = scene.send("GET", WATCH).await.into_body();
    assert!(tokio::time::timeout(Duration::from_millis(300), body.frame()).await.is_err());
    assert_eq!(scene.last(), (Some(200), Some("silent body")));
}

#[tokio::test]
async fn a_fault_comes_before_a_real_server_and_what_stands_before_it() {
    let scene = Scene::start().await;
    let exec = "/api/v1/namespaces/default/pods/web/exec";
    assert_eq!(scene.send("POST", exec).await.status(), 400);
    for path in [exec, "/api/v1/pods", WATCH] {
        scene.azure.fault(Fault::on("*", path).status(503));
        assert_eq!(scene.send("POST", path).await.status(), 503, "{path}");
        assert_eq!(scene.last(), (Some(503), Some("server error")), "{path}");
    }
    assert_eq!(scene.fake.seen(), [""; 0], "nothing took effect");
    scene.azure.fault(Fault::on("*", "/pods").status(503).after_effect());
    assert_eq!(scene.send("POST", "/api/v1/pods").await.status(), 503);
    assert_eq!(scene.fake.seen(), ["POST /api/v1/pods"]);
}

#[tokio::test]
async fn a_token_can_expire_before_a_request_to_a_real_server() {
    let scene = Scene::start().await;
    let token = scene.azure.act(|world| {
        let owner = world.principals[0].clone();
        world.token(&owner, token::KUBERNETES, 3600, world.clock.now())
    });
    // Every caller may read what the server can do.
    assert_eq!(scene.send_as(&token, "GET", "/api").await.status(), 200);
    scene.azure.fault(Fault::on("GET", "/api").expired_token().after_effect());
    assert_eq!(scene.send_as(&token, "GET", "/api").await.status(), 200);
    assert_eq!(scene.last(), (Some(200), Some("expired token")));
    assert_eq!(scene.send_as(&token, "GET", "/api").await.status(), 401);
}

/// Counts how often the world is brought up to date.
struct Counter(Arc<AtomicUsize>);

impl Keeper for Counter {
    fn keep(&mut self, _: Duration, _: &Change<'_>) -> Result<Uuid, String> {
        Ok(Uuid::nil())
    }

    fn kept(&mut self, _: bool) {}

    fn seen(&mut self, _: Duration) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn the_rules_alone_settle_the_world_where_no_server_is_real() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let host = azure.act(|world| world.clusters[0].fqdn().to_owned());
    let count = Arc::new(AtomicUsize::new(0));
    azure.shared.world().keeper = Some(Box::new(Counter(Arc::clone(&count))));
    let request = |body| Request::get(format!("https://{host}/api")).body(body).unwrap();
    super::serve(&azure.shared, &request(()).map(|()| Bytes::new()));
    let by_rules = count.swap(0, Ordering::Relaxed);
    let answer = azure.router().clone().oneshot(request(()).map(|()| Body::empty())).await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(count.load(Ordering::Relaxed), by_rules);
}
