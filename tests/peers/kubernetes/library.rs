//! The library on a real Kubernetes: it gets the kubeconfig of that cluster from the emulated Azure.
//!
//!     library KUBECONFIG
//!
//! Each line of the input is a request, each line of the output its response, as JSON.

use aks_acr::{
    ApplyOptions, ApplyPullSecretOptions, CallOptions, Client, ClusterRef, Error, Event, Manifest,
    MergeKubeconfigOptions, PodSelection, PullSecretOptions, RegistryCredential, RolloutOptions, WorkloadRef,
    azure_core::credentials::Secret,
};
use aks_acr_emulator::Emulator;
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode, headers::Headers};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    env,
    error::Error as StdError,
    fs, io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Order {
    operation: String,
    /// The manifests, the file or the workload.
    on: String,
    namespace: Option<String>,
    labels: Option<String>,
    /// Of a pull secret for ghcr.io.
    password: Option<String>,
    accounts: Option<Vec<String>>,
    force: bool,
    dry_run: bool,
    fail_fast: bool,
    seconds: Option<u64>,
}

/// The emulated Azure, which has this cluster's kubeconfig.
#[derive(Debug)]
struct WithKubeconfig {
    azure: Arc<dyn HttpClient>,
    kubeconfig: String,
    host: String,
}

#[async_trait]
impl HttpClient for WithKubeconfig {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let path = request.url().path().to_ascii_lowercase();
        let body = if path.ends_with("credential") {
            json!({ "kubeconfigs": [{ "name": "clusterUser", "value": self.kubeconfig }] })
        } else if path.ends_with("/managedclusters/real") {
            json!({ "id": path, "name": "real", "location": "westeurope", "properties": { "fqdn": self.host, "provisioningState": "Succeeded" } })
        } else {
            return self.azure.execute_request(request).await;
        };
        Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), body.to_string()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let file = env::args().nth(1).ok_or("usage: library KUBECONFIG")?;
    let azure = Emulator::new().with_cluster("group", "real");
    let (kubeconfig, host) = (STANDARD.encode(fs::read(file)?), "127.0.0.1".to_owned());
    let transport = Arc::new(WithKubeconfig { azure: azure.transport(), kubeconfig, host });
    let client = Client::builder(azure.credential(), azure.subscription()).transport(transport).build()?;
    for line in io::stdin().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        println!("{}", carried_out(&client, &order).await);
    }
    Ok(())
}

async fn carried_out(client: &Client, order: &Order) -> Value {
    let events = Arc::new(Mutex::new(Vec::new()));
    let reported = events.clone();
    let mut call = CallOptions::default().with_progress(move |event: Event| {
        reported.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(event.to_string());
    });
    if let Some(seconds) = order.seconds {
        call = call.with_deadline(Duration::from_secs(seconds));
    }
    let begun = Instant::now();
    let result = operate(client, order, call).await;
    let seconds = begun.elapsed().as_secs_f64();
    let events = events.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    match result {
        Ok(value) => json!({ "value": value, "events": events, "seconds": seconds }),
        Err(err) => json!({ "error": described(&err), "events": events, "seconds": seconds }),
    }
}

async fn operate(client: &Client, order: &Order, call: CallOptions) -> Result<Value, Error> {
    let cluster: ClusterRef = "group/real".parse()?;
    let namespace = order.namespace.as_deref().unwrap_or("default");
    match order.operation.as_str() {
        "apply" => {
            let options = ApplyOptions::default().with_namespace(namespace).with_force(order.force);
            let options = options.with_dry_run(order.dry_run).with_call(call);
            Ok(json!(client.apply(&cluster, Manifest::parse_all(&order.on)?, options).await?))
        }
        "pods" => {
            let selection = PodSelection::default().in_namespace(namespace);
            let selection = match &order.labels {
                Some(labels) => selection.with_labels(labels),
                None => selection,
            };
            let pods = client.pods(&cluster, &selection, call).await?;
            Ok(json!({ "table": pods.to_string(), "pods": pods }))
        }
        "rollout" => {
            let workload = order.on.parse::<WorkloadRef>()?.in_namespace(namespace);
            let options = RolloutOptions::default().with_fail_fast(order.fail_fast).with_call(call);
            Ok(json!(client.wait_for_rollout(&cluster, &workload, options).await?))
        }
        "pull-secret" => {
            let password = Secret::new(order.password.clone().unwrap_or_default());
            let credentials = vec![RegistryCredential::new("ghcr.io", "robot", password)];
            let accounts = order.accounts.clone().unwrap_or_else(|| vec!["default".to_owned()]);
            let options = PullSecretOptions::default().with_namespace(namespace).with_service_accounts(accounts);
            let options = options.with_force(order.force).with_call(call.clone());
            let plan = client.plan_pull_secret(&cluster, &order.on, credentials.clone(), options).await?;
            let options = ApplyPullSecretOptions::default().with_call(call);
            let applied = client.apply_pull_secret(&plan, credentials, options).await?;
            Ok(json!({ "plan": plan, "applied": applied }))
        }
        "merge" => {
            let options = MergeKubeconfigOptions::default().with_file(&order.on);
            Ok(json!(client.merge_kubeconfig(&cluster, options).await?))
        }
        other => Ok(json!({ "unknown operation": other })),
    }
}

fn described(err: &Error) -> Value {
    let context: serde_json::Map<String, Value> =
        err.context().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    json!({
        "kind": err.kind().as_str(),
        "text": err.to_string(),
        "context": context,
        "is_transient": err.is_transient(),
        "status": err.status(),
        "code": err.code(),
        "refusal": err.refusal().map(|refusal| refusal.to_string()),
    })
}
