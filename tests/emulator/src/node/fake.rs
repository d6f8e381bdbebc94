//! A small registry cloud for tests: rules of challenge, exchange, token and manifests, and no Azure.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded::parse;

use super::{Network, NetworkFailure, OnBehalf};

/// Registries by host; who may pull is a set of repositories.
#[derive(Default)]
pub(crate) struct FakeNetwork {
    /// Manifests by `host/repository:reference`.
    pub(crate) manifests: BTreeMap<String, Value>,
    /// Blobs by `host/repository:digest`.
    pub(crate) blobs: BTreeMap<String, Bytes>,
    /// Repositories (`host/repository`) that the identity may pull.
    pub(crate) granted: BTreeSet<String>,
    /// Hosts where anyone may pull.
    pub(crate) anonymous: BTreeSet<String>,
    /// Users (`name:password`) that may pull everything.
    pub(crate) users: BTreeSet<String>,
    /// Whether the node has an identity.
    pub(crate) identity: bool,
    /// Hosts that do not answer, and how.
    pub(crate) broken: BTreeMap<String, NetworkFailure>,
    /// Hosts that answer every request with this.
    pub(crate) refusing: BTreeMap<String, (u16, Value)>,
    /// Every request as `METHOD url`.
    pub(crate) log: Vec<String>,
}

impl FakeNetwork {
    /// A cloud with one registry `r.azurecr.io` that holds `nginx:v1` for linux on amd64, and a node identity.
    pub(crate) fn with_nginx() -> Self {
        let mut network = Self { identity: true, ..Self::default() };
        network.add("r.azurecr.io/nginx", "v1", "linux", "amd64");
        network
    }

    /// Adds an index with one platform.
    pub(crate) fn add(&mut self, repository: &str, tag: &str, os: &str, architecture: &str) {
        let child = format!("sha256:{}", "c".repeat(64));
        let index = json!({"digest": digest(repository), "manifests": [
            {"digest": child, "platform": {"os": os, "architecture": architecture}}]});
        self.manifests.insert(format!("{repository}:{tag}"), index.clone());
        self.manifests.insert(format!("{repository}:{}", digest(repository)), index);
        let config = json!({"os": os, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": []}});
        self.put(repository, &child, &Bytes::from(config.to_string()));
    }

    /// Adds a manifest without layers, with this configuration.
    pub(crate) fn put(&mut self, repository: &str, child: &str, config: &Bytes) {
        let of = format!("sha256:{:x}", Sha256::digest(config));
        let descriptor =
            json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": of, "size": config.len()});
        self.manifests.insert(format!("{repository}:{child}"), json!({"digest": child, "config": descriptor}));
        self.blobs.insert(format!("{repository}:{of}"), config.clone());
    }

    pub(crate) fn grant(&mut self, repository: &str) {
        self.granted.insert(repository.to_owned());
    }

    fn token(&self, host: &str, user: &str, scope: &str) -> Response<Bytes> {
        let repository = scope.split(':').nth(1).unwrap_or_default();
        let name = format!("{host}/{repository}");
        let may = match user {
            "" => self.anonymous.contains(host),
            "00000000-0000-0000-0000-000000000000:refresh" => self.granted.contains(&name),
            user => self.users.contains(user),
        };
        if may { answer(200, &json!({"access_token": repository})) } else { answer(401, &json!({})) }
    }

    fn manifest(&self, host: &str, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let path = path.trim_start_matches("/v2/");
        let (repository, reference) =
            path.split_once("/manifests/").or_else(|| path.split_once("/blobs/")).unwrap_or_default();
        let bearer = format!("Bearer {repository}");
        if request.headers().get("authorization").is_none_or(|value| value != bearer.as_str()) {
            return challenge(host);
        }
        if let Some(blob) = self.blobs.get(&format!("{host}/{repository}:{reference}")) {
            return Response::new(blob.clone());
        }
        match self.manifests.get(&format!("{host}/{repository}:{reference}")) {
            Some(manifest) => {
                let mut found = answer(200, manifest);
                let digest = manifest["digest"].as_str().unwrap().parse().unwrap();
                found.headers_mut().insert("docker-content-digest", digest);
                found
            }
            None => answer(404, &json!({"errors": [{"code": "MANIFEST_UNKNOWN"}]})),
        }
    }
}

/// The digest that an index of this repository has.
pub(crate) fn digest(repository: &str) -> String {
    format!("sha256:{:064x}", repository.len())
}

impl Network for FakeNetwork {
    fn send(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, NetworkFailure> {
        self.log.push(format!("{} {}", request.method(), request.uri()));
        let host = request.uri().host().unwrap().to_owned();
        let path = request.uri().path().to_owned();
        if let Some(failure) = self.broken.get(&host) {
            return Err(failure.clone());
        }
        if let Some((status, body)) = self.refusing.get(&host) {
            let head = request.method() == Method::HEAD;
            return Ok(answer(*status, if head { &Value::Null } else { body }));
        }
        Ok(match path.as_str() {
            "/v2/" => challenge(&host),
            "/oauth2/exchange" => answer(200, &json!({"refresh_token": "refresh"})),
            "/oauth2/token" => {
                let (user, scope) = who(&request);
                self.token(&host, &user, &scope)
            }
            path => self.manifest(&host, path, &request),
        })
    }

    fn signs_in_for(&self, _annotated: Option<&str>) -> OnBehalf {
        OnBehalf::Nodes
    }

    fn identity_token(&mut self, _principal: &str, _audience: &str) -> Option<String> {
        self.identity.then(|| "identity".to_owned())
    }

    fn tenant(&self) -> String {
        "tenant".to_owned()
    }

    fn credential_life(&self) -> std::time::Duration {
        std::time::Duration::from_secs(60 * 60)
    }
}

fn who(request: &Request<Bytes>) -> (String, String) {
    let posted = request.method() == Method::POST;
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let form: BTreeMap<_, _> = parse(if posted { request.body() } else { query }).into_owned().collect();
    let scope = form.get("scope").cloned().unwrap_or_default();
    if posted {
        return (format!("{}:{}", form["username"], form["password"]), scope);
    }
    let basic = request.headers().get("authorization").map(|value| value.to_str().unwrap());
    let user = basic.map(|basic| {
        use base64::Engine;
        let pair = basic.trim_start_matches("Basic ");
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(pair).unwrap()).unwrap()
    });
    (user.unwrap_or_default(), scope)
}

fn challenge(host: &str) -> Response<Bytes> {
    let mut answer = answer(401, &json!({"errors": [{"code": "UNAUTHORIZED"}]}));
    let header = format!("Bearer realm=\"https://{host}/oauth2/token\",service=\"{host}\"");
    answer.headers_mut().insert("www-authenticate", header.parse().unwrap());
    answer
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
}
