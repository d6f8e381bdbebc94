//! The address at which a machine of Azure asks for tokens of its identities.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use crate::principal::Principal;
use crate::reply::{self, Broken, Caller, Reply};
use crate::world::{NodeToken, World};

pub(crate) const HOST: &str = "169.254.169.254";
/// How long the tokens of [managed identities][1] live.
///
/// [1]: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Marks a request that comes from a node: the host of its cluster's API server.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "serve"),
    allow(dead_code, reason = "without a server no node is real; Rust 1.89 does not notice")
)]
pub(crate) struct OfNode(pub(crate) String);

/// For how long kubelet is to keep what it gets for a token. Azure has no such header: there it is an hour.
const CREDENTIAL_LIFE: &str = "x-aks-acr-emulator-credential-life";

/// Answers a request from a node of a cluster, or from the program under test if it runs on a machine that has an identity; elsewhere
/// nothing answers at that address.
pub(crate) fn serve(world: &World, request: &Request<Bytes>, now: Instant) -> Reply {
    if let Some(OfNode(fqdn)) = request.extensions().get() {
        let cluster = world.clusters.iter().find(|cluster| cluster.fqdn() == fqdn);
        let present = cluster.and_then(|cluster| cluster.node_identity(world));
        let formers =
            cluster.into_iter().flat_map(|cluster| cluster.formers.iter().filter_map(|one| world.principal(one)));
        let known: Vec<&Principal> = present.into_iter().chain(formers).collect();
        let life = format!("{}s", world.timing.node_credentials.as_secs());
        return reply::with(answer(world, &known, request, now), CREDENTIAL_LIFE, &life);
    }
    let known: Vec<&Principal> = world.machine.iter().filter_map(|name| world.principal_named(name)).collect();
    if known.is_empty() {
        let mut cut = reply::empty(StatusCode::BAD_GATEWAY);
        cut.extensions_mut().insert(Broken::Reset);
        return cut;
    }
    answer(world, &known, request, now)
}

/// Answers on a machine that has these identities, its own first.
fn answer(world: &World, known: &[&Principal], request: &Request<Bytes>, now: Instant) -> Reply {
    let refused = |error: &str, text: &str| {
        reply::json(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": text}))
    };
    if request.method() != Method::GET || request.uri().path() != "/metadata/identity/oauth2/token" {
        return crate::world::unknown_request(request.method(), request.uri());
    }
    if request.headers().get("metadata").is_none_or(|value| value != "true") {
        return refused("invalid_request", "Required metadata header not specified");
    }
    let query = |name: &str| super::form_field(request.uri().query().unwrap_or_default().as_bytes(), name);
    let wanted = query("client_id");
    let principal = match &wanted {
        Some(client) => known.iter().find(|one| one.client_id.eq_ignore_ascii_case(client)),
        None => known.first(),
    };
    let Some(principal) = principal else { return refused("invalid_request", "Identity not found") };
    let resource = query("resource").unwrap_or_default();
    let Some(audience) = super::audience_of(world, &format!("{resource}/.default")) else {
        return refused(
            "invalid_resource",
            &format!("The resource principal named {resource} was not found in the tenant."),
        );
    };
    let life = LIFE.as_secs();
    let end = world.clock.unix(now) + life;
    let mut answer = reply::json(
        StatusCode::OK,
        &json!({
            "access_token": world.token(principal, &audience, life, now),
            "client_id": principal.client_id,
            "expires_in": life.to_string(),
            "expires_on": end.to_string(),
            "ext_expires_in": life.to_string(),
            "not_before": world.clock.unix(now).to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }),
    );
    answer.extensions_mut().insert(Caller(principal.name.clone()));
    answer
}

impl World {
    /// The token that the nodes of a cluster show for a principal and an audience. A machine keeps a token, and the groups that it was
    /// issued with, instead of asking for another each time.
    pub(crate) fn node_token(&mut self, [cluster, principal, audience]: [&str; 3], now: Instant) -> Option<String> {
        let (keeps, life) = (self.timing.node_tokens.min(LIFE), LIFE.as_secs());
        self.node_tokens.retain(|one| now.saturating_duration_since(one.since) < keeps);
        let is_same =
            |one: &NodeToken| one.cluster == cluster && one.principal == principal && one.audience == audience;
        let kept = self.node_tokens.iter().find(|one| is_same(one)).map(|one| one.token.clone());
        // One that was made to expire is no use: the machine asks again.
        if let Some(token) = kept.filter(|token| self.signer.check(token, self.clock.unix(now)).is_ok()) {
            return Some(token);
        }
        let token = self.token(self.principal(principal)?, audience, life, now);
        self.node_tokens.retain(|one| !is_same(one));
        let [cluster, principal, audience] = [cluster, principal, audience].map(str::to_owned);
        self.node_tokens.push(NodeToken { cluster, principal, audience, since: now, token: token.clone() });
        Some(token)
    }
}

#[cfg(test)]
#[cfg(feature = "serve")]
mod tests {
    use super::*;
    use crate::Emulator;

    /// Asks from a node of a cluster: status, body, and for how long kubelet keeps a credential.
    fn asked(azure: &Emulator, cluster: &str, query: &str, metadata: bool) -> (u16, serde_json::Value, String) {
        azure.act(|world| {
            let fqdn = world.cluster_named("group", cluster).unwrap().fqdn().to_owned();
            let mut request = Request::get(format!("https://{HOST}/metadata/identity/oauth2/token?{query}"));
            if metadata {
                request = request.header("metadata", "true");
            }
            let mut request = request.body(Bytes::new()).unwrap();
            request.extensions_mut().insert(OfNode(fqdn));
            let answer = serve(world, &request, world.clock.now());
            let life = answer.headers()[CREDENTIAL_LIFE].to_str().unwrap().to_owned();
            (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap(), life)
        })
    }

    #[tokio::test]
    async fn a_node_has_the_identity_of_its_cluster_and_no_other() {
        let azure = Emulator::new().with_cluster("group", "dev").with_cluster("group", "other");
        let client = |cluster: &str| {
            let object = azure.kubelet_object_id("group", cluster);
            azure.act(|world| world.principal(&object).unwrap().client_id.clone())
        };
        let registry = "resource=https://containerregistry.azure.net";
        let (status, body, life) = asked(&azure, "dev", registry, true);
        assert_eq!((status, &body["client_id"], &*life), (200, &client("dev").into(), "3600s"));
        assert!(body["access_token"].as_str().is_some_and(|token| token.split('.').count() == 3));
        let named = |id: &str| format!("{registry}&client_id={}", id.to_ascii_uppercase());
        assert_eq!(asked(&azure, "dev", &named(&client("dev")), true).0, 200);
        let (status, body, _) = asked(&azure, "dev", &named(&client("other")), true);
        assert_eq!((status, &body["error_description"]), (400, &"Identity not found".into()));
        // Programs that are tricked into a request do not send the header.
        assert_eq!(asked(&azure, "dev", registry, false).0, 400);
    }
}
