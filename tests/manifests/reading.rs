//! What the library reads in a manifest, and what the emulator's API server reads in a body.

use aks_acr::{Access, Client, ClusterRef, KubeconfigOptions, Manifest};
use aks_acr_emulator::Emulator;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The objects that the library would send.
pub fn library(text: &str) -> Result<Vec<Value>, String> {
    let manifests = Manifest::parse_all(text).map_err(|err| err.to_string())?;
    Ok(manifests.into_iter().map(|manifest| Value::Object(manifest.object().clone())).collect())
}

/// An emulated cluster with a kind `Thing`, whose objects may have any fields.
pub struct Server {
    azure: Emulator,
    address: String,
    token: String,
}

const THINGS: &str = "/apis/example.com/v1/namespaces/default/things";

impl Server {
    pub async fn start() -> Result<Self, String> {
        let azure = Emulator::new().with_cluster("group", "dev");
        let client = Client::builder(azure.credential(), azure.subscription());
        let client = client.transport(azure.transport()).kubernetes(azure.kubernetes()).build();
        let cluster = ClusterRef::new("group", "dev").map_err(|err| err.to_string())?;
        let options = KubeconfigOptions::default().with_access(Access::Admin);
        let client = client.map_err(|err| err.to_string())?;
        let kubeconfig = client.kubeconfig(&cluster, options).await.map_err(|err| err.to_string())?;
        let token = kubeconfig.text().lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap_or_default();
        let server = Self { azure, address: kubeconfig.server().to_string(), token: token.to_owned() };
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}],
            },
        });
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        server.post(path, "application/json", definition.to_string()).await?;
        Ok(server)
    }

    /// A `Thing` as the server answers it, in JSON. Nothing is kept.
    pub async fn thing(&self, text: &str) -> Result<String, String> {
        self.post(&format!("{THINGS}?dryRun=All"), "application/yaml", text.to_owned()).await
    }

    async fn post(&self, path: &str, media: &str, body: String) -> Result<String, String> {
        let request = Request::post(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", media)
            .body(body)
            .map_err(|err| err.to_string())?;
        let answer = self.azure.kubernetes().oneshot(request).await.map_err(|err| err.to_string())?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|err| err.to_string())?.to_bytes();
        let body = String::from_utf8(body.to_vec()).map_err(|err| err.to_string())?;
        if status.is_success() { Ok(body) } else { Err(format!("HTTP {status}: {body}")) }
    }
}
