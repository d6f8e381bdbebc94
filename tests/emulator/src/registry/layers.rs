//! The hosts that serve the layers of a registry of Azure: its data endpoint, or a storage account of Microsoft's. The login server redirects
//! to them: [dedicated data endpoints](https://learn.microsoft.com/azure/container-registry/container-registry-dedicated-data-endpoints).

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::wish::{Wish, wish};
use super::{Registry, distribution, gate};
use crate::entra::form_field;
use crate::network::Way;
use crate::principal::stable_id;
use crate::reply::{self, Reply};
use crate::world::World;

/// How long a redirect is good for: the links are signed.
const GOOD_FOR: u64 = 20 * 60;

impl Registry {
    /// The storage account that serves layers where the registry has no data endpoint. Its name is of no use to anybody.
    fn blob_host(&self) -> String {
        format!("{}.blob.core.windows.net", &stable_id(&format!("{}/storage", self.id())).replace('-', "")[..20])
    }

    pub(crate) fn is_blob_host(&self, host: &str) -> bool {
        self.blob_host() == host
    }

    fn data_hosts(&self) -> impl Iterator<Item = &str> {
        self.properties["dataEndpointHostNames"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    fn has_data_host(&self, host: &str) -> bool {
        self.data_hosts().any(|one| one.eq_ignore_ascii_case(host))
    }

    /// Where its layers are.
    fn layer_host(&self) -> String {
        let own = self.data_hosts().next().filter(|_| self.properties["dataEndpointEnabled"] == true);
        own.map_or_else(|| self.blob_host(), str::to_owned)
    }
}

impl World {
    /// The registry that a host belongs to: its login server, a data endpoint of it, or the storage account of its layers.
    pub(crate) fn registry_of_any_host(&self, host: &str) -> Option<&Registry> {
        let of_layers = |one: &&Registry| !one.is_deleting() && (one.has_data_host(host) || one.is_blob_host(host));
        self.registry_of_host(host).or_else(|| self.registries.iter().find(of_layers))
    }
}

/// What nodes are sent to another host for: the bytes of layers and configurations. Other callers get them from here, which Azure does not do.
pub(super) fn apart(
    world: &World,
    at: usize,
    request: &Request<Bytes>,
    way: &Way,
    answer: Reply,
    now: Instant,
) -> Reply {
    let is_read = *request.method() == Method::GET && answer.status().is_success();
    let Some(Wish::Blob { repository, digest }) = wish(request.uri().path()).filter(|_| is_read) else {
        return answer;
    };
    if matches!(way, Way::Public(address) if *address == world.addresses.client) {
        return answer;
    }
    let registry = &world.registries[at];
    let host = registry.layer_host();
    let end = world.clock.unix(now) + GOOD_FOR;
    let claims =
        json!({"aud": host, "registry": registry.id(), "repository": repository, "digest": digest, "exp": end});
    let (folder, plain) = (stable_id(&registry.id()), digest.trim_start_matches("sha256:"));
    let sign = world.signer.sign(&claims);
    let place =
        format!("https://{host}/{folder}//docker/registry/v2/blobs/sha256/{}/{plain}/data?sig={sign}", &plain[..2]);
    reply::with(reply::empty(StatusCode::TEMPORARY_REDIRECT), "location", &place)
}

/// Serves a layer to everyone with the signed link. `None`: another kind of host.
pub(super) fn serve(world: &World, host: &str, request: &Request<Bytes>, way: &Way, now: Instant) -> Option<Reply> {
    let registry = world.registry_of_any_host(host).filter(|one| !one.serves(host))?;
    if registry.has_data_host(host)
        && let Some(refusal) = gate::firewall(registry, way)
    {
        return Some(refusal);
    }
    let sign = form_field(request.uri().query().unwrap_or_default().as_bytes(), "sig").unwrap_or_default();
    let claims = world.signer.check(&sign, world.clock.unix(now)).ok().filter(|claims| claims.is_for(host));
    let Some(claims) = claims else {
        return Some(reply::empty(StatusCode::FORBIDDEN));
    };
    let wish =
        Wish::Blob { repository: claims.text("repository").to_owned(), digest: claims.text("digest").to_owned() };
    Some(distribution::give(&registry.images, &wish, request))
}
