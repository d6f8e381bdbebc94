//! The address at which a machine of Azure asks for tokens of its identities.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use crate::reply::{self, Broken, Caller, Reply};
use crate::world::World;

pub(crate) const HOST: &str = "169.254.169.254";
/// How long the tokens of [managed identities][1] live.
///
/// [1]: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Answers a request, if the program under test runs on a machine that has an identity; elsewhere nothing answers at that address.
pub(crate) fn serve(world: &World, request: &Request<Bytes>, now: Instant) -> Reply {
    let Some(first) = world.machine.first() else {
        let mut cut = reply::empty(StatusCode::BAD_GATEWAY);
        cut.extensions_mut().insert(Broken::Reset);
        return cut;
    };
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
    let principal = world.machine.iter().filter_map(|name| world.principal_named(name)).find(|one| match &wanted {
        Some(client) => one.client_id.eq_ignore_ascii_case(client),
        None => one.name == *first,
    });
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
