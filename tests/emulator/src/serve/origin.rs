//! The direct way in: one origin that is Resource Manager, Entra and Graph at once, as its own cloud.
//!
//! The rules know Azure's own hosts only. What comes to the origin is given the host that it means, and links in the
//! answers are given the origin back.

use axum::body::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::reply::{self, Reply, arm_error};
use crate::{arm, entra, graph};

/// The hosts that the origin stands for.
const HOSTS: [&str; 3] = [arm::HOST, entra::HOST, graph::HOST];

/// Headers that carry addresses.
const LINKS: [&str; 4] = ["azure-asyncoperation", "location", "operation-location", "www-authenticate"];

/// The version of the description of clouds that az asks for.
const CLOUD_VERSION: &str = "2022-09-01";

/// The host that a path at the origin means.
pub(super) fn host_of(path: &str) -> &'static str {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_ascii_lowercase);
    let (first, second) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    match (first.as_str(), second.as_str()) {
        ("subscriptions" | "providers" | "tenants" | "batch", _) => arm::HOST,
        ("v1.0" | "beta", _) => graph::HOST,
        (_, "oauth2" | "v2.0" | "discovery" | ".well-known" | "userrealm") => entra::HOST,
        _ => arm::HOST,
    }
}

/// Gives the links of an answer the origin in place of Azure's hosts.
pub(super) fn translate(answer: Response<Bytes>, origin: &str) -> Response<Bytes> {
    let (mut parts, body) = answer.into_parts();
    for name in LINKS {
        translate_header(&mut parts.headers, name, origin);
    }
    let text = std::str::from_utf8(&body).unwrap_or_default();
    if !HOSTS.iter().any(|host| text.contains(host)) {
        return Response::from_parts(parts, body);
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else {
        return Response::from_parts(parts, body);
    };
    translate_value(&mut value, origin);
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Bytes::from(value.to_string()))
}

fn translate_header(headers: &mut HeaderMap, name: &str, origin: &str) {
    let Some(text) = headers.get(name).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let text = HOSTS.iter().fold(text.to_owned(), |text, host| text.replace(&format!("https://{host}"), origin));
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap_or(http::header::LOCATION), value);
    }
}

/// Only what begins with a host's address is a link; a word of it within a sentence stays.
fn translate_value(value: &mut Value, origin: &str) {
    match value {
        // MSAL looks for the authority's host among its aliases.
        Value::String(text) if text == entra::HOST => {
            origin.trim_start_matches("https://").clone_into(text);
        }
        Value::String(text) => {
            let rest = HOSTS.iter().find_map(|host| text.strip_prefix("https://")?.strip_prefix(host));
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                *text = format!("{origin}{rest}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| translate_value(item, origin)),
        Value::Object(fields) => fields.values_mut().for_each(|field| translate_value(field, origin)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What this cloud is, as `az cloud register` asks for it.
pub(super) fn cloud(query: &str, origin: &str) -> Reply {
    let version = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))
        .map(|(_, value)| value.into_owned());
    if version.as_deref() != Some(CLOUD_VERSION) {
        let message = format!(
            "The api-version '{}' is invalid. The supported versions are '{CLOUD_VERSION}'.",
            version.unwrap_or_default()
        );
        return arm_error(StatusCode::BAD_REQUEST, "InvalidApiVersionParameter", &message);
    }
    reply::json(StatusCode::OK, &description(origin))
}

fn description(origin: &str) -> Value {
    json!({
        "name": "AksAcrEmulator",
        "portal": origin,
        "resourceManager": format!("{origin}/"),
        "authentication": {
            "loginEndpoint": origin,
            "audiences": [origin, "https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": format!("{origin}/"),
        "graphAudience": format!("{origin}/"),
        "microsoftGraphResourceId": format!("{origin}/"),
        // Registries and clusters keep the names that they have everywhere; they are reached through the proxy.
        "suffixes": {
            "acrLoginServer": "azurecr.io",
            "keyVaultDns": "vault.azure.net",
            "storage": "core.windows.net",
            "sqlServerHostname": "database.windows.net",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://localhost:1";

    #[test]
    fn a_path_tells_which_service_it_means() {
        for (path, host) in [
            ("/subscriptions/1", arm::HOST),
            ("//subscriptions/1", arm::HOST),
            ("/subscriptions/oauth2/x", arm::HOST),
            ("/v1.0/servicePrincipals", graph::HOST),
            ("/common/discovery/instance", entra::HOST),
            ("/tenant/v2.0/.well-known/openid-configuration", entra::HOST),
            ("/tenant/oauth2/v2.0/token", entra::HOST),
            ("/", arm::HOST),
        ] {
            assert_eq!(host_of(path), host, "{path}");
        }
    }

    #[test]
    fn links_are_given_the_origin_and_sentences_are_not() {
        let body = json!({
            "nextLink": "https://management.azure.com/subscriptions?x=1",
            "list": [{"issuer": "https://login.microsoftonline.com/t/v2.0"}],
            "other": "https://management.azure.com.example/",
            "message": "see https://management.azure.com/ for more",
        });
        let mut answer = reply::json(StatusCode::OK, &body);
        reply::set(&mut answer, "location", "https://management.azure.com/op?t=1");
        let answer = translate(answer, ORIGIN);
        assert_eq!(answer.headers()["location"], "https://localhost:1/op?t=1");
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["nextLink"], "https://localhost:1/subscriptions?x=1");
        assert_eq!(body["list"][0]["issuer"], "https://localhost:1/t/v2.0");
        assert_eq!(body["other"], "https://management.azure.com.example/");
        assert_eq!(body["message"], "see https://management.azure.com/ for more");
    }

    #[test]
    fn a_cloud_is_described_in_the_one_version_that_is_known() {
        assert_eq!(cloud("api-version=2022-09-01", ORIGIN).status(), 200);
        assert_eq!(cloud("api-version=1999-01-01", ORIGIN).status(), 400);
        assert_eq!(cloud("", ORIGIN).status(), 400);
    }
}
