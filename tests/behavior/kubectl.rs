//! Another tool beside the library: it writes to a cluster under its own name, and reads what exists.

use crate::emulator::Scene;
use aks_acr::{Access, KubeconfigOptions};
use http::Request;
use http_body_util::BodyExt;
use libtest_mimic::Failed;
use serde_json::Value;
use tower::ServiceExt;

/// Sends a request to the cluster's API as its administrator, and gives status and body.
async fn send(scene: &Scene, method: &str, path: &str, kind: &str, body: String) -> Result<(u16, Value), Failed> {
    let kubeconfig =
        scene.client.kubeconfig(&scene.cluster, KubeconfigOptions::default().with_access(Access::Admin)).await?;
    let token = kubeconfig.text().lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", kubeconfig.server()))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", kind)
        .body(body)?;
    let answer = scene.azure.kubernetes().oneshot(request).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&body)?))
}

/// The object at a path, or the answer that says why there is none.
pub async fn get(scene: &Scene, path: &str) -> Result<(u16, Value), Failed> {
    send(scene, "GET", path, "application/json", String::new()).await
}

/// Applies an object as the field manager `other`.
pub async fn apply(scene: &Scene, path: &str, object: &Value) -> Result<Value, Failed> {
    let path = format!("{path}?fieldManager=other&force=true");
    expect_success(send(scene, "PATCH", &path, "application/apply-patch+yaml", object.to_string()).await?)
}

pub async fn delete(scene: &Scene, path: &str) -> Result<Value, Failed> {
    expect_success(send(scene, "DELETE", path, "application/json", String::new()).await?)
}

fn expect_success((status, body): (u16, Value)) -> Result<Value, Failed> {
    if status < 300 { Ok(body) } else { Err(format!("HTTP {status}: {body}").into()) }
}
