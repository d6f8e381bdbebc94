//! A client without any logic: one request, one answer.

use aks_acr_emulator::Emulator;
use azure_core::http::{Method, Request};
use serde_json::Value;

pub(crate) const ARM: &str = "https://management.azure.com";
pub(crate) const ACR_PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
pub(crate) const REPOSITORY_READER: &str = "b93aa761-3e63-49ed-ac28-beffa264f7ac";

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The code of an error in ARM's shape.
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

/// Sends one request as it is.
pub(crate) async fn send(
    azure: &Emulator,
    method: Method,
    url: &str,
    headers: &[(&'static str, String)],
    body: Option<String>,
) -> azure_core::Result<Answer> {
    let mut request = Request::new(url.parse()?, method);
    for (name, value) in headers {
        request.insert_header(*name, value.clone());
    }
    if let Some(body) = body {
        request.set_body(body);
    }
    let answer = azure.transport().execute_request(&request).await?;
    let answer = answer.try_into_raw_response().await?;
    let headers = answer.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()));
    Ok(Answer {
        status: answer.status().into(),
        headers: headers.collect(),
        bytes: answer.body().to_vec(),
        body: serde_json::from_slice(answer.body()).unwrap_or_default(),
    })
}

/// A token of a caller for an audience.
pub(crate) async fn token(azure: &Emulator, caller: &str, audience: &str) -> String {
    let scope = format!("{audience}/.default");
    let token = azure.credential_of(caller).get_token(&[&scope], None).await.unwrap();
    token.token.secret().to_owned()
}

/// Sends a request to ARM as a caller; `path` may be a whole address, and gets a version unless it has one.
pub(crate) async fn arm(azure: &Emulator, caller: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let bearer = format!("Bearer {}", token(azure, caller, ARM).await);
    let mut url = if path.starts_with("https://") { path.to_owned() } else { format!("{ARM}{path}") };
    if !url.contains("api-version=") {
        url.push_str(if url.contains('?') { "&" } else { "?" });
        url.push_str("api-version=");
        url.push_str(version_of(&url.to_ascii_lowercase()));
    }
    send(azure, method, &url, &[("authorization", bearer)], body.map(|body| body.to_string())).await.unwrap()
}

/// A version that what a path ends in is known in.
fn version_of(path: &str) -> &'static str {
    let last = path.rsplit_once("/providers/").map_or("", |(_, last)| last);
    match last.split('/').next() {
        Some("microsoft.authorization") if last.contains("/locks") => "2020-05-01",
        Some("microsoft.authorization") => "2022-04-01",
        Some("microsoft.containerservice") if last.contains('/') && !last.contains("/register") => "2026-05-01",
        Some("microsoft.managedidentity") if last.contains('/') => "2024-11-30",
        Some("microsoft.containerregistry") if last.contains("/registries") || last.contains("/check") => "2025-11-01",
        _ => "2024-11-01",
    }
}

/// The same as the Owner, reading.
pub(crate) async fn get(azure: &Emulator, path: &str) -> Answer {
    arm(azure, "owner", Method::Get, path, None).await
}

/// Grants a role through ARM, as the Owner.
pub(crate) async fn grant(azure: &Emulator, scope: &str, name: &str, principal: &str, role: &str) -> Answer {
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    let body = serde_json::json!({"properties": {
        "roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal",
    }});
    arm(azure, "owner", Method::Put, &path, Some(body)).await
}

/// How many nodes the API server has that a credential is for.
pub(crate) async fn nodes(azure: &Emulator, credential: &Answer) -> usize {
    use base64::Engine as _;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let file = credential.body["kubeconfigs"][0]["value"].as_str().unwrap();
    let file = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(file).unwrap()).unwrap();
    let value = |key: &str| file.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap_or_default().trim();
    let request = http::Request::get(format!("{}/api/v1/nodes", value("server:")))
        .header("authorization", format!("Bearer {}", value("token:")))
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = azure.kubernetes().oneshot(request).await.unwrap();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    body["items"].as_array().map_or(0, Vec::len)
}
