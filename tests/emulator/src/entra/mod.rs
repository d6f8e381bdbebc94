//! Entra: discovery documents, and tokens for clients that show a secret or an assertion.

pub(crate) mod assertion;
pub(crate) mod machine;
mod proof;
pub(crate) mod real;
pub(crate) mod token;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use crate::password::Fits;
use crate::reply::{self, Caller, Reply};
use crate::world::World;

pub(crate) const HOST: &str = "login.microsoftonline.com";

/// The audiences that this Entra knows, by the names that clients give them.
const AUDIENCES: [(&str, &str); 5] = [
    ("https://management.azure.com", token::ARM),
    ("https://management.core.windows.net", token::ARM),
    ("https://containerregistry.azure.net", token::REGISTRY),
    ("https://graph.microsoft.com", token::GRAPH),
    (token::KUBERNETES, token::KUBERNETES),
];

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers a request to Entra.
pub(crate) fn serve(world: &World, request: &Request<Bytes>, now: Instant) -> Reply {
    let path: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
    match (request.method(), path.as_slice()) {
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => discovery(world, tenant),
        (&Method::GET, ["common", "discovery", "instance"]) => instance(world),
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => issue(world, tenant, request.body(), now),
        _ => unknown(request),
    }
}

fn unknown(request: &Request<Bytes>) -> Reply {
    crate::world::unknown_request(request.method(), request.uri())
}

fn discovery(world: &World, tenant: &str) -> Reply {
    if !world.is_tenant(tenant) {
        return no_tenant(tenant);
    }
    let base = format!("https://{HOST}/{}", world.tenant);
    reply::json(
        StatusCode::OK,
        &json!({
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "issuer": format!("{base}/v2.0"),
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        }),
    )
}

fn instance(world: &World) -> Reply {
    reply::json(
        StatusCode::OK,
        &json!({
            "tenant_discovery_endpoint": format!("https://{HOST}/{}/v2.0/.well-known/openid-configuration", world.tenant),
            "api-version": "1.1",
            "metadata": [{
                "preferred_network": HOST,
                "preferred_cache": "login.windows.net",
                "aliases": [HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"],
            }],
        }),
    )
}

/// The token endpoint: client credentials with a secret or an assertion.
fn issue(world: &World, tenant: &str, form: &[u8], now: Instant) -> Reply {
    let field = |name: &str| form_field(form, name);
    if !world.is_tenant(tenant) {
        return no_tenant(tenant);
    }
    if field("grant_type").as_deref() != Some("client_credentials") {
        return refused(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            70003,
            "The app requested an unsupported grant type.",
        );
    }
    let client = field("client_id").unwrap_or_default();
    let Some(principal) = world.principals.iter().find(|one| one.client_id.eq_ignore_ascii_case(&client)) else {
        let text = format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
        return refused(StatusCode::BAD_REQUEST, "unauthorized_client", 700_016, &text);
    };
    if let Some(assertion) = field("client_assertion") {
        let checked = assertion::check(world, principal, &assertion, now);
        let is_form = field("client_assertion_type").as_deref() == Some(ASSERTION);
        let fault =
            if is_form { checked.err() } else { Some((50_027, "JWT token is invalid or malformed.".to_owned())) };
        if let Some((code, text)) = fault {
            return refused(StatusCode::UNAUTHORIZED, "invalid_client", code, &text);
        }
    } else if let Some((code, text)) = secret_fault(world, &client, &field("client_secret").unwrap_or_default(), now) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", code, &text);
    }
    if !principal.enabled {
        let text = format!("Application '{client}'({}) is disabled.", principal.name);
        return refused(StatusCode::BAD_REQUEST, "unauthorized_client", 7_000_112, &text);
    }
    let scope = field("scope").unwrap_or_default();
    let Some(audience) = audience_of(world, &scope) else {
        let text = format!("The resource principal named {scope} was not found in the tenant.");
        return refused(StatusCode::BAD_REQUEST, "invalid_resource", 500_011, &text);
    };
    if world.blocked.contains(&principal.object_id) {
        // The code is documented; that the error is `invalid_grant` is likely, not recorded.
        let text =
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.";
        return refused(StatusCode::BAD_REQUEST, "invalid_grant", 53003, text);
    }
    let life = world.token_life(principal, now);
    let token = world.token(principal, &audience, life, now);
    let mut answer = reply::json(
        StatusCode::OK,
        &json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}),
    );
    answer.extensions_mut().insert(Caller(principal.name.clone()));
    answer
}

/// What a sign-in may ask for besides a resource. Microsoft's library for Go always does.
const OF_OPENID: [&str; 4] = ["openid", "profile", "offline_access", "email"];

/// The audience that scopes such as `https://management.azure.com/.default` ask for: those of one resource.
fn audience_of(world: &World, scopes: &str) -> Option<String> {
    let mut asked = scopes.split_whitespace().filter(|scope| !OF_OPENID.contains(scope));
    let (scope, None) = (asked.next()?, asked.next()) else { return None };
    let resource = scope.strip_suffix("/.default")?.trim_end_matches('/');
    let known = AUDIENCES.iter().find(|(name, _)| resource.eq_ignore_ascii_case(name));
    known.map(|(_, audience)| (*audience).to_owned()).or_else(|| world.signer.local_audience(resource))
}

fn no_tenant(tenant: &str) -> Reply {
    let text = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
    refused(StatusCode::BAD_REQUEST, "invalid_tenant", 90002, &text)
}

/// Why a secret is refused. See [AADSTS error
/// codes](https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
fn secret_fault(world: &World, client: &str, secret: &str, now: Instant) -> Option<(u32, String)> {
    match world.fits(client, secret, now) {
        Fits::Yes => None,
        Fits::Ended => Some((
            7_000_222,
            format!(
                "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for \
                 your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: \
                 https://aka.ms/certCreds."
            ),
        )),
        Fits::No => Some((
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
                 not the client secret ID, for a secret added to app '{client}'."
            ),
        )),
    }
}

fn refused(status: StatusCode, error: &str, code: u32, text: &str) -> Reply {
    let trace = uuid::Uuid::new_v4().to_string();
    reply::json(
        status,
        &json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {text} Trace ID: {trace}"),
            "error_codes": [code],
            "trace_id": trace,
            "correlation_id": uuid::Uuid::new_v4().to_string(),
        }),
    )
}

/// A field of a form.
pub(crate) fn form_field(form: &[u8], name: &str) -> Option<String> {
    let mut fields = url::form_urlencoded::parse(form);
    fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
