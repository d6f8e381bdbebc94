//! Tokens of the real Azure that a client sends here, because it was signed in there or is set up for both. They are refused before
//! anything else is done with the request, so that they get into no log and no file.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::form_field;
use crate::door::kubernetes;
use crate::log::Service;
use crate::reply::{self, Reply};

/// Who issues tokens for Entra in all clouds; below the last of these, the issuers of clusters.
const ISSUERS: [&str; 9] = [
    "sts.windows.net",
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "sts.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "oic.prod-aks.azure.com",
];
/// What registries write there.
const REGISTRIES: &str = "Azure Container Registry";

/// No bigger body is looked into: a token has some kilobytes.
const MOST: usize = 256 * 1024;

/// Refuses a request that brings a token of the real Azure.
pub(crate) fn refuse(service: Service, request: &Request<Bytes>) -> Option<Reply> {
    let issuer = tokens(request).iter().find_map(|token| real_issuer(token))?;
    let text = format!(
        "This is an emulator of Azure, and the request brings a token of the real Azure, issued by {issuer}. It was refused and is \
         kept nowhere. Sign in to the emulator instead; a token that was sent to a wrong address should count as exposed."
    );
    Some(match service {
        Service::Kubernetes => kubernetes::status(StatusCode::UNAUTHORIZED, "Unauthorized", &text),
        Service::Registry => reply::json(
            StatusCode::UNAUTHORIZED,
            &json!({"errors": [{"code": "UNAUTHORIZED", "message": text, "detail": null}]}),
        ),
        Service::Entra => reply::json(
            StatusCode::UNAUTHORIZED,
            &json!({"error": "invalid_client", "error_description": text, "error_codes": []}),
        ),
        _ => reply::arm_error(StatusCode::UNAUTHORIZED, "RealAzureToken", &text),
    })
}

/// Whatever in a request may be a token.
fn tokens(request: &Request<Bytes>) -> Vec<String> {
    let mut found = Vec::new();
    for value in request.headers().get_all(AUTHORIZATION) {
        let Some((scheme, shown)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else { continue };
        if scheme.eq_ignore_ascii_case("basic") {
            let pair =
                STANDARD.decode(shown.trim()).ok().and_then(|pair| String::from_utf8(pair).ok()).unwrap_or_default();
            found.extend(pair.split(':').map(str::to_owned));
        } else {
            found.push(shown.trim().to_owned());
        }
    }
    let (kind, body) = (request.headers().get(CONTENT_TYPE), request.body());
    let is = |word: &str| kind.and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.contains(word));
    if body.len() <= MOST && is("form") {
        let fields = ["access_token", "refresh_token", "client_assertion", "assertion"];
        found.extend(fields.into_iter().filter_map(|name| form_field(body, name)));
    } else if body.len() <= MOST && is("json") {
        // The credentials of an import.
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        found.extend(body.pointer("/source/credentials/password").and_then(Value::as_str).map(str::to_owned));
    }
    found
}

/// The issuer of a token, if that is the real Azure. Those of emulators are known by their key's name.
fn real_issuer(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let mut read = || -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?.trim_end_matches('=')).ok()?).ok()
    };
    let (header, claims) = (read()?, read()?);
    if header["kid"] == "emulator" {
        return None;
    }
    let issuer = claims["iss"].as_str()?;
    if issuer == REGISTRIES {
        return Some(issuer.to_owned());
    }
    let host = url::Url::parse(issuer).ok()?.host_str()?.to_ascii_lowercase();
    ISSUERS.iter().any(|known| host == *known || host.ends_with(&format!(".{known}"))).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &Value, issuer: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.c2lnbmF0dXJl",
            part(header),
            part(&json!({"iss": issuer, "aud": "https://management.azure.com"}))
        )
    }

    fn of(issuer: &str) -> Option<String> {
        real_issuer(&token(&json!({"typ": "JWT", "alg": "RS256", "kid": "x"}), issuer))
    }

    #[test]
    fn issuers_of_the_real_azure_are_known_in_every_spelling() {
        for real in [
            "https://sts.windows.net/11111111-1111-4111-8111-111111111111/",
            "https://login.microsoftonline.com/t/v2.0",
            "https://STS.windows.net/t",
            "https://login.microsoftonline.us/t/v2.0",
            "https://westeurope.oic.prod-aks.azure.com/t/u/",
            "Azure Container Registry",
        ] {
            assert!(of(real).is_some(), "{real}");
        }
        for other in
            ["https://token.actions.githubusercontent.com", "https://sts.windows.net.evil.example/", "an app's id", ""]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_token_of_another_emulator_is_no_real_one() {
        let header = json!({"typ": "JWT", "alg": "HS256", "kid": "emulator"});
        assert_eq!(real_issuer(&token(&header, "https://sts.windows.net/t/")), None);
        assert_eq!(real_issuer("a.b.c").or(real_issuer("word")).or(real_issuer("")), None);
    }

    #[test]
    fn a_token_is_found_wherever_clients_put_it() {
        let token = token(&json!({"alg": "RS256"}), "https://sts.windows.net/t/");
        let basic = format!("Basic {}", STANDARD.encode(format!("00000000-0000-0000-0000-000000000000:{token}")));
        let form = "application/x-www-form-urlencoded";
        let requests = [
            Request::get("/").header(AUTHORIZATION, format!("Bearer {token}")).body(Bytes::new()),
            Request::get("/").header(AUTHORIZATION, format!("bearer  {token}")).body(Bytes::new()),
            Request::get("/").header(AUTHORIZATION, basic).body(Bytes::new()),
            Request::post("/").header(CONTENT_TYPE, form).body(format!("a=b&access_token={token}").into()),
            Request::post("/").header(CONTENT_TYPE, form).body(format!("client_assertion={token}").into()),
            Request::post("/")
                .header(CONTENT_TYPE, "application/json")
                .body(json!({"source": {"credentials": {"password": token}}}).to_string().into()),
        ];
        for request in requests {
            let refusal = refuse(Service::Registry, &request.unwrap()).expect("refused");
            assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
            assert!(!String::from_utf8_lossy(refusal.body()).contains(&token));
        }
        assert!(refuse(Service::Arm, &Request::get("/").body(Bytes::new()).unwrap()).is_none());
    }
}
