//! The door to the API servers, and what stands before each: who is it, and may they?

#![expect(clippy::result_large_err, reason = "a refusal is a whole answer, made at most once for a request")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::stream::{self, Stream};
use http::{Method, Request, Response, StatusCode, Uri};
use serde_json::json;
use tokio::time::Instant;
use tower::{BoxError, Service, ServiceExt as _};

use super::network::{advance, settle};
use super::{Served, Shared};
use crate::cluster::Cluster;
use crate::entra::token;
use crate::fault::arrive;
use crate::kubernetes::{Answer, Watch};
use crate::principal::Principal;
use crate::rbac::Wanted;
use crate::reply::{self, Broken, Caller, Reply};
use crate::world::World;

/// The in-process way to the API servers of all clusters: a tower service, as `kube::Client::new` takes it.
///
/// A request is for the cluster whose API server its host is. A request without a host goes to the only cluster there is.
#[derive(Clone)]
pub struct KubernetesDoor {
    pub(crate) router: Router,
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for KubernetesDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KubernetesDoor")
    }
}

impl<B> Service<Request<B>> for KubernetesDoor
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let router = self.router.clone();
        let shared = Arc::clone(&self.shared);
        let request = self.addressed(request.map(Body::new));
        Box::pin(async move {
            let request = request?;
            if !is_resolved(&shared, &request) {
                return Err("dns error: failed to lookup address information: Name or service not known".into());
            }
            let answer = match router.oneshot(request).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            if let Some(broken) = answer.extensions().get::<Broken>() {
                return Err(broken.to_string().into());
            }
            Ok(arrive(answer))
        })
    }
}

impl KubernetesDoor {
    /// Gives a request without a host the one of the only cluster.
    fn addressed(&self, mut request: Request<Body>) -> Result<Request<Body>, BoxError> {
        if request.uri().host().is_some() || request.headers().contains_key("host") {
            return Ok(request);
        }
        let world = self.shared.world();
        let [cluster] = world.clusters.as_slice() else {
            return Err("a request without a host fits only an emulator with one cluster".into());
        };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("https://{}:443{path}", cluster.fqdn()).parse()?;
        Ok(request)
    }
}

/// Whether the request's host exists: that of a deleted cluster no longer has an address.
fn is_resolved(shared: &Shared, request: &Request<Body>) -> bool {
    let Some(host) = request.uri().host().map(str::to_ascii_lowercase) else { return true };
    let mut world = shared.world();
    let now = world.clock.now();
    settle(&mut world, now);
    let service = world.service(&host);
    if service != crate::log::Service::Unknown {
        return true;
    }
    let place = world.log.start(service, request.method(), request.uri(), crate::log::From::Client);
    world.log.end(place, None, None);
    false
}

/// Answers a request to the API server at `host`.
pub(super) fn serve(world: &mut World, host: &str, request: &Request<Bytes>, now: Instant) -> Served {
    let Some(at) = world.clusters.iter().position(|cluster| !cluster.stopped && cluster.fqdn() == host) else {
        return Served::Whole(crate::world::unknown_request(request.method(), request.uri()));
    };
    let user = match admit(world, &world.clusters[at], request, now) {
        Ok(user) => user,
        Err(refusal) => return Served::Whole(refusal),
    };
    let Some(kubernetes) = world.clusters[at].kubernetes.as_mut() else {
        return Served::Whole(status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "the server is not ready"));
    };
    match kubernetes.serve(request, &user, now) {
        Answer::Whole(mut answer) => {
            advance(world, at, now);
            reply::set(&mut answer, "date", &world.clock.http_date(now));
            answer.extensions_mut().insert(Caller(user));
            Served::Whole(answer)
        }
        Answer::Watch(parts, watch) => Served::Watch { parts, watch, host: host.to_owned(), caller: user },
    }
}

/// How a request for a cluster with a real control plane goes to it.
#[cfg(feature = "serve")]
pub(super) struct Onward {
    pub(super) to: crate::control_plane::Forward,
    /// The caller whom the emulator knows; the API server knows any other.
    pub(super) user: Option<String>,
}

/// Whether the host of a request is the API server of a real control plane.
#[cfg(feature = "serve")]
pub(super) fn has_real_server(world: &World, request: &Request<Bytes>) -> bool {
    let host = request.uri().host().unwrap_or_default();
    world.clusters.iter().any(|cluster| cluster.real.is_some() && cluster.fqdn().eq_ignore_ascii_case(host))
}

/// The way on to a real API server, or the answer of what stands before it; none for the emulator's own.
#[cfg(feature = "serve")]
pub(super) fn onward(world: &World, request: &Request<Bytes>, now: Instant) -> Option<Result<Onward, Reply>> {
    let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
    let cluster = world.clusters.iter().find(|cluster| cluster.fqdn() == host)?;
    let real = cluster.real.as_ref()?;
    let to = real.forward();
    Some(match admit(world, cluster, request, now) {
        Ok(user) => match real.remote.on_node(request) {
            Some(answer) => Err(answer),
            None => Ok(Onward { to, user: Some(user) }),
        },
        // A token of a service account, for example.
        Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => Ok(Onward { to, user: None }),
        Err(refusal) => Err(refusal),
    })
}

/// Answers a request that comes from inside of a cluster: as the administrator, or as the token's principal.
pub(crate) fn inside(
    world: &mut World,
    at: usize,
    request: &Request<Bytes>,
    token: Option<&str>,
    now: Instant,
) -> Reply {
    let mut request = request.clone();
    if let Some(token) = token {
        if let Ok(value) = format!("Bearer {token}").parse() {
            request.headers_mut().insert("authorization", value);
        }
        if let Err(refusal) = admit(world, &world.clusters[at], &request, now) {
            return refusal;
        }
    }
    advance(world, at, now);
    let answer = world.clusters[at].kubernetes.as_mut().map(|inner| inner.serve(&request, "clusterAdmin", now));
    match answer {
        Some(Answer::Whole(answer)) => answer,
        _ => status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "the server is not ready"),
    }
}

/// The name of the user, if they may do what they ask for.
fn admit(world: &World, cluster: &Cluster, request: &Request<Bytes>, now: Instant) -> Result<String, Reply> {
    let unauthorized = || status(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized");
    let shown = crate::arm::bearer(request).ok_or_else(unauthorized)?;
    if !cluster.seed.local_accounts_disabled {
        if shown == cluster.admin_token {
            return Ok(String::from("clusterAdmin"));
        }
        if shown == cluster.user_token && !cluster.seed.entra {
            return Ok(String::from("clusterUser"));
        }
    }
    if !cluster.seed.entra {
        return Err(unauthorized());
    }
    let principal = world.holder(shown, &[token::KUBERNETES], now).map_err(|_| unauthorized())?;
    let wish = Wish::of(request);
    if wish.is_discovery() || may(world, cluster, &principal, &wish, now) {
        return Ok(principal.name);
    }
    let mut refusal = wish.forbidden(&principal, cluster.seed.azure_rbac);
    refusal.extensions_mut().insert(Caller(principal.name));
    Err(refusal)
}

/// Members of an admin group may do all; others what Azure's data actions allow, where those count.
fn may(world: &World, cluster: &Cluster, principal: &Principal, wish: &Wish, now: Instant) -> bool {
    let is_admin = principal
        .groups
        .iter()
        .any(|group| cluster.seed.admin_groups.iter().any(|admin| admin.eq_ignore_ascii_case(group)));
    if is_admin || !cluster.seed.azure_rbac {
        return is_admin;
    }
    let id = cluster.id();
    let scope = match &wish.namespace {
        Some(namespace) => format!("{id}/namespaces/{namespace}"),
        None => id,
    };
    world.permits(principal, &Wanted::data(&wish.data_action(), &scope, &[]), now)
}

/// Whether the answer comes bit by bit and may have no end: that of a watch, and of logs that are followed.
#[cfg(feature = "serve")]
pub(crate) fn goes_on(request: &Request<Bytes>) -> bool {
    let wish = Wish::of(request);
    wish.verb == "watch" || (wish.subresource == "log" && is_set(request.uri(), "follow"))
}

/// Whether a parameter of a request is true. Kubernetes takes every first value for true that is not `false` or `0`, also an empty one
/// (`Convert_Slice_string_To_bool` in `pkg/runtime/conversion.go` of `apimachinery`).
fn is_set(uri: &Uri, name: &str) -> bool {
    let mut pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).is_some_and(|(_, value)| !value.eq_ignore_ascii_case("false") && value != "0")
}

/// What a request asks of Kubernetes, as `NewRequestInfo` in `pkg/endpoints/request/requestinfo.go` of `apiserver` reads it.
struct Wish {
    verb: &'static str,
    group: String,
    resource: String,
    #[cfg(feature = "serve")]
    subresource: String,
    namespace: Option<String>,
}

impl Wish {
    fn of(request: &Request<Bytes>) -> Self {
        let segments: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
        let (group, rest) = match segments.as_slice() {
            ["api", _, rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => ("", &[][..]),
        };
        // The old paths of watches.
        let (watches, rest) = match rest {
            ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
            _ => (false, rest),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !matches!(rest, [] | ["status" | "finalize", ..]) => {
                (Some(*namespace), rest)
            }
            _ => (None, rest),
        };
        let part = |index: usize| rest.get(index).copied().unwrap_or_default();
        let (resource, named) = (part(0), rest.len() > 1);
        let verb = match *request.method() {
            _ if watches => "watch",
            Method::GET | Method::HEAD if named => "get",
            Method::GET | Method::HEAD if !resource.is_empty() && is_set(request.uri(), "watch") => "watch",
            Method::GET | Method::HEAD => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            _ => "delete",
        };
        Self {
            verb,
            group: group.to_owned(),
            resource: resource.to_owned(),
            #[cfg(feature = "serve")]
            subresource: part(2).to_owned(),
            namespace: namespace.map(str::to_owned),
        }
    }

    /// Every authenticated caller may read what the server can do.
    fn is_discovery(&self) -> bool {
        self.resource.is_empty()
    }

    fn data_action(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        let verb = match self.verb {
            "get" | "list" | "watch" => "read",
            "delete" => "delete",
            _ => "write",
        };
        format!("Microsoft.ContainerService/managedClusters/{group}{}/{verb}", self.resource)
    }

    fn forbidden(&self, principal: &Principal, by_azure: bool) -> Reply {
        let resource =
            if self.group.is_empty() { self.resource.clone() } else { format!("{}.{}", self.resource, self.group) };
        let place = match &self.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => String::from("at the cluster scope"),
        };
        let why = if by_azure {
            ": User does not have access to the resource in Azure. Update role assignment to allow access."
        } else {
            ""
        };
        let message = format!(
            "{resource} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {place}{why}",
            principal.object_id, self.verb, self.resource, self.group
        );
        status(StatusCode::FORBIDDEN, "Forbidden", &message)
    }
}

/// A refusal in Kubernetes' shape.
pub(crate) fn status(code: StatusCode, reason: &str, message: &str) -> Reply {
    reply::json(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                "reason": reason, "code": code.as_u16()}),
    )
}

/// How long a watch waits when nothing is to happen by itself and nothing does.
const IDLE: Duration = Duration::from_secs(60);

/// The lines of a watch, as they come to be.
pub(super) fn stream(
    shared: Arc<Shared>,
    host: String,
    watch: Box<Watch>,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static {
    stream::unfold((shared, host, watch), |(shared, host, mut watch)| async move {
        loop {
            // Asked for before the look, so that no change between the two is missed.
            let mut changed = Box::pin(shared.changed.notified());
            changed.as_mut().enable();
            let Look { lines, next, over } = look(&shared, &host, &mut watch)?;
            if !lines.is_empty() {
                let lines = Bytes::from(lines.concat());
                drop(changed);
                return Some((Ok(lines), (shared, host, watch)));
            }
            if over {
                return None;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(next) => {}
            }
        }
    })
}

/// What a watch finds when it looks.
struct Look {
    lines: Vec<Bytes>,
    /// When there is reason to look again, by tokio's clock.
    next: Instant,
    over: bool,
}

/// Lets time pass in the cluster and looks what is new. `None` when the cluster is gone.
fn look(shared: &Shared, host: &str, watch: &mut Watch) -> Option<Look> {
    let mut world = shared.world();
    let now = world.clock.now();
    settle(&mut world, now);
    let at = world.clusters.iter().position(|cluster| cluster.fqdn() == host)?;
    advance(&mut world, at, now);
    let kubernetes = world.clusters[at].kubernetes.as_mut()?;
    let lines = kubernetes.watch(watch);
    let wakes = [Some(now + IDLE), kubernetes.next_event(), watch.ends()];
    Some(Look {
        lines,
        next: world.clock.real(wakes.into_iter().flatten().min().unwrap_or(now + IDLE)),
        over: watch.is_over() || watch.ends().is_some_and(|ends| ends <= now),
    })
}

#[cfg(test)]
#[cfg(feature = "serve")]
mod tests {
    use super::*;

    fn request(line: &str) -> Request<Bytes> {
        let (method, path) = line.split_once(' ').unwrap();
        let uri = format!("https://host.azmk8s.io{path}");
        Request::builder().method(method).uri(uri).body(Bytes::new()).unwrap()
    }

    /// Expected are those of `TestGetAPIRequestInfo` and `Convert_Slice_string_To_bool` of Kubernetes.
    #[test]
    fn a_request_goes_on_where_kubernetes_watches_or_follows() {
        for line in [
            "GET /api/v1/pods?watch=1",
            "GET /api/v1/pods?watch=true",
            "GET /api/v1/pods?watch=TRUE",
            "GET /api/v1/pods?watch=t",
            "GET /api/v1/pods?watch=",
            "GET /api/v1/pods?watch",
            "GET /api/v1/pods?limit=1&watch=1",
            "GET /api/v1/pods?watch=1&watch=0",
            "GET /api/v1/pods?w%61tch=1",
            "HEAD /api/v1/namespaces/default/pods?watch=1",
            "GET /api/v1/namespaces?watch=1",
            "GET /apis/apps/v1/deployments?watch=1",
            "GET /api/v1/watch/pods",
            "GET /api/v1/watch/namespaces/default/pods/web",
            "GET /apis/apps/v1/watch/namespaces/default/deployments",
            "GET /apis/apps/v1/watch/deployments?watch=0",
            "GET /api/v1/namespaces/default/pods/web/log?follow=true",
            "GET /api/v1/namespaces/default/pods/web/log?follow",
        ] {
            assert!(goes_on(&request(line)), "{line}");
        }
        for line in [
            "GET /api/v1/pods",
            "GET /api/v1/pods?watch=0",
            "GET /api/v1/pods?watch=False",
            "GET /api/v1/pods?watch=0&watch=1",
            "GET /api/v1/pods?allowWatchBookmarks=1",
            "GET /api/v1/pods?labelSelector=a%3Dwatch%3D1",
            "GET /api/v1/pods?labelSelector=watch=1",
            "GET /api/v1/namespaces/default/pods/web?watch=1",
            "GET /api/v1/namespaces/default?watch=1",
            "POST /api/v1/namespaces/default/pods?watch=1",
            "GET /api/v1/namespaces/default/pods/web/log",
            "GET /api/v1/namespaces/default/pods/web/log?follow=false",
            "GET /api/v1/namespaces/default/pods?follow=1",
            "GET /metrics?watch=1",
            "GET /api/v1/watch",
        ] {
            assert!(!goes_on(&request(line)), "{line}");
        }
    }

    #[test]
    fn an_old_path_of_a_watch_has_the_resource_behind_it() {
        let wish = Wish::of(&request("GET /apis/apps/v1/watch/namespaces/default/deployments"));
        assert_eq!(
            (wish.verb, wish.resource.as_str(), wish.namespace.as_deref()),
            ("watch", "deployments", Some("default"))
        );
        let wish = Wish::of(&request("GET /api/v1/namespaces/default/status"));
        assert_eq!((wish.verb, wish.resource.as_str(), wish.subresource.as_str()), ("get", "namespaces", "status"));
    }
}
