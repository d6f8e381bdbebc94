//! From a request to its answer.

use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::time::Instant;

use super::discovery;
use super::kinds::Kind;
use super::refusal::{Refusal, json_response, warn};
use super::request::{Query, Target, accept};
use super::writes::Call;
use super::{Answer, Kubernetes, limits, options, scale};

impl Kubernetes {
    /// Answers one request whose caller was already authenticated and authorised. Nothing here depends on who it is.
    pub(crate) fn serve(&mut self, request: &Request<Bytes>, _user: &str, now: Instant) -> Answer {
        self.now = self.now.max(now);
        self.store.compact(self.now);
        // Those about the writes of controllers reach nobody.
        self.policy_warnings.clear();
        let answer = match self.about_itself(request) {
            Some(response) => Ok(Answer::Whole(response)),
            None => self.about_objects(request),
        };
        let mut answer = answer.unwrap_or_else(|refusal| Answer::Whole(refusal.response()));
        let warnings = std::mem::take(&mut self.policy_warnings);
        if let Answer::Whole(response) = &mut answer {
            warn(response, &warnings);
        }
        answer
    }

    /// Version, health and discovery.
    fn about_itself(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        if request.method() != Method::GET {
            return None;
        }
        let aggregated = accept(request).contains(discovery::AGGREGATED);
        let path = request.uri().path().trim_end_matches('/');
        let body = match path {
            "/version" => discovery::version(&self.version),
            "/healthz" | "/livez" | "/readyz" => {
                return Some(Response::new(Bytes::from_static(b"ok")));
            }
            "/api" | "/apis" if aggregated => {
                let mut response = json_response(200, &discovery::aggregated(&self.kinds, path == "/api"));
                let media = http::HeaderValue::from_static(discovery::AGGREGATED);
                response.headers_mut().insert("content-type", media);
                return Some(response);
            }
            "/api" => discovery::core_versions(),
            "/apis" => discovery::groups(&self.kinds),
            "/openapi/v3" => super::openapi::index(&self.kinds),
            path => match path.split('/').skip(1).collect::<Vec<_>>()[..] {
                ["api", version] => discovery::resources(&self.kinds, "", version)?,
                ["apis", group] => discovery::group(&self.kinds, group)?,
                ["apis", group, version] => discovery::resources(&self.kinds, group, version)?,
                ["openapi", "v3", "api", version] => super::openapi::document(&self.kinds, "", version)?,
                ["openapi", "v3", "apis", group, version] => super::openapi::document(&self.kinds, group, version)?,
                _ => return None,
            },
        };
        Some(json_response(200, &body))
    }

    fn about_objects(&mut self, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let target = Target::parse(request.uri().path()).ok_or_else(Refusal::no_path)?;
        if !self.kinds.all().iter().any(|kind| kind.group == target.group) {
            return Err(Refusal::no_path());
        }
        let kind =
            self.kinds.find(&target.group, &target.version, &target.plural).ok_or_else(Refusal::no_route)?.clone();
        check_form(&kind, &target, request.method())?;
        limits::check_body(request.body().len())?;
        let query = Query::of(request);
        options::check_dry_run(request.method().as_str(), &query)?;
        let as_table = accept(request).contains("as=Table");
        let call = Call { request, query: &query, kind: &kind, target: &target };
        let one = !target.name.is_empty();
        match (request.method().as_str(), one, target.subresource.as_str()) {
            ("GET", _, "") if query.is_set("watch") => self.start_watch(&kind, &target, &query, as_table),
            ("GET", false, _) => self.list(&kind, &target, &query, as_table),
            ("GET", true, "scale") => Ok(Answer::Whole(json_response(200, &scale::of(&self.found(&kind, &target)?)))),
            ("GET", true, "log") => self.logs(&kind, &target, &query).map(Answer::Whole),
            ("GET", true, _) => self.get(&kind, &target, as_table),
            ("POST", false, _) if kind.namespaced != target.namespace.is_empty() => self.post(&call),
            ("PUT", true, _) => self.put(&call),
            ("PATCH", true, _) => self.patch(&call),
            ("DELETE", true, "") => self.delete_one(&call),
            ("DELETE", false, _) if kind.namespaced != target.namespace.is_empty() => self.delete_all(&call),
            _ => Err(Refusal::method_not_allowed()),
        }
    }
}

/// Whether a kind has objects at such a place at all.
fn check_form(kind: &Kind, target: &Target, method: &Method) -> Result<(), Refusal> {
    let placed = !target.namespace.is_empty();
    let named = !target.name.is_empty();
    let served = match target.subresource.as_str() {
        "" => true,
        "status" => kind.status,
        "scale" => kind.scale,
        "log" => kind.resource() == "pods" && method == Method::GET,
        _ => false,
    };
    if !served || (placed && !kind.namespaced) || (named && kind.namespaced && !placed) {
        return Err(Refusal::no_route());
    }
    Ok(())
}
