//! One operation of the library on a cloud of one's own, for tests that compare what other programs do:
//!
//!     operate RESOURCE_MANAGER SUBSCRIPTION OPERATION [ARGUMENT ...]
//!
//! The environment's variables name the caller. The result is printed as JSON, and so is an error, with exit code 1.

use aks_acr::{
    ApplyKubeletIdentityOptions, ApplyOptions, ApplyPullSecretOptions, AttachOptions, AttachmentsOptions, CallOptions,
    CheckOptions, Client, Cloud, ClusterRef, CreateClusterOptions, CreateRegistryOptions, DetachOptions,
    EndpointsOptions, Error, ExplainOptions, ExplainTarget, ImageReference, ImportOptions, KubeletIdentityOptions,
    KubernetesReads, Manifest, MergeKubeconfigOptions, PodSelection, ProvePullOptions, PullSecretOptions,
    RegistryCredential, RegistryRef, RolloutOptions, Sku, SshKey, WorkloadRef, azure_core::credentials::Secret,
};
use futures::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::{Value, json};
use std::{env, error::Error as StdError, fs, process::ExitCode};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn StdError>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, subscription, operation @ ..] = &arguments[..] else {
        return Err("usage: operate RESOURCE_MANAGER SUBSCRIPTION OPERATION [ARGUMENT ...]".into());
    };
    let client = Client::builder_with_default_credential(subscription);
    let client =
        client.cloud(Cloud::custom(address, ".azurecr.io")?.with_graph("https://graph.microsoft.com")?).build()?;
    let words: Vec<&str> = operation.iter().map(String::as_str).collect();
    match operate(&client, &words).await {
        Ok(value) => {
            println!("{value}");
            Ok(ExitCode::SUCCESS)
        }
        Err(err) => {
            println!("{}", shown_error(&err));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn operate(client: &Client, words: &[&str]) -> Result<Value, Error> {
    match words {
        ["create-registry", group, name] => {
            let options = CreateRegistryOptions::default().with_sku(Sku::Basic);
            shown(client.create_registry(group, name, options).await)
        }
        ["create-cluster", cluster, registry] => {
            let options = CreateClusterOptions::default().with_registry(registry.parse()?);
            shown(client.create_cluster(&cluster.parse()?, options.with_ssh_key(SshKey::at_home()?)).await)
        }
        ["attach", cluster, registry] => {
            shown(client.attach(&cluster.parse()?, &registry.parse()?, AttachOptions::default()).await)
        }
        ["detach", cluster, registry] => {
            shown(client.detach(&cluster.parse()?, &registry.parse()?, DetachOptions::default()).await)
        }
        ["import", registry, source, target] => {
            let options = ImportOptions::default().with_target(*target);
            shown(client.import_image(&registry.parse()?, &source.parse()?, options).await)
        }
        ["merge-kubeconfig", cluster, file] => {
            let options = MergeKubeconfigOptions::default().with_file(*file);
            shown(client.merge_kubeconfig(&cluster.parse()?, options).await)
        }
        ["apply", cluster, file, registry] => apply(client, &cluster.parse()?, file, registry.parse()?).await,
        ["rollout", cluster, deployment] => {
            let deployment = WorkloadRef::new(*deployment);
            shown(client.wait_for_rollout(&cluster.parse()?, &deployment, RolloutOptions::default()).await)
        }
        ["pods", cluster, labels] => {
            let selection = PodSelection::default().with_labels(*labels);
            let pods = client.pods(&cluster.parse()?, &selection, CallOptions::default()).await?;
            Ok(json!({ "rows": pods.rows(), "pods": pods }))
        }
        ["check", cluster, images @ ..] => checks(client, &cluster.parse()?, images).await,
        ["check-all", cluster, subject] => check_all(client, &cluster.parse()?, subject).await,
        ["own-identity", group, name, pullers, registry] => {
            let options = KubeletIdentityOptions::default().with_entra_group(*pullers).with_registry(registry.parse()?);
            let plan = client.plan_kubelet_identity(group, name, options).await?;
            shown(client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await)
        }
        ["create-own-cluster", cluster, control_plane, kubelet] => {
            let options = CreateClusterOptions::default()
                .with_control_plane_identity(control_plane.parse()?)
                .with_kubelet_identity(kubelet.parse()?);
            shown(client.create_cluster(&cluster.parse()?, options).await)
        }
        ["identities", cluster] => shown(client.identities(&cluster.parse()?, CallOptions::default()).await),
        ["explain", cluster] => {
            shown(client.explain(&cluster.parse()?, &ExplainTarget::Pods, ExplainOptions::default()).await)
        }
        ["attachments", cluster] => {
            shown(client.attachments_of_cluster(&cluster.parse()?, AttachmentsOptions::default()).await)
        }
        ["prove", cluster, image, namespace, labels @ ..] => {
            let options = ProvePullOptions::default().with_namespace(*namespace);
            let named = labels.iter().filter_map(|label| label.split_once('='));
            let options = named.fold(options, |options, (name, value)| options.with_label(name, value));
            shown(client.prove_pull(&cluster.parse()?, &image.parse()?, options).await)
        }
        ["node-identities", cluster] => shown(client.node_identities(&cluster.parse()?, CallOptions::default()).await),
        ["endpoints", registry] => shown(client.endpoints(&registry.parse()?, EndpointsOptions::default()).await),
        ["pull-secret", cluster, name, registry, user, password] => {
            let credentials = vec![RegistryCredential::new(*registry, *user, Secret::new((*password).to_owned()))];
            let (cluster, options) = (cluster.parse()?, PullSecretOptions::default());
            let plan = client.plan_pull_secret(&cluster, name, credentials.clone(), options).await?;
            let options = ApplyPullSecretOptions::default();
            let applied = client.apply_pull_secret(&plan, credentials, options).await?;
            Ok(json!({ "plan": plan, "applied": applied }))
        }
        _ => Ok(json!({ "unknown": words })),
    }
}

/// What a check says of each image, in the registry that its host names.
/// How many checks are made at a time.
const AT_ONCE: usize = 4;

async fn checks(client: &Client, cluster: &ClusterRef, images: &[&str]) -> Result<Value, Error> {
    let check = async |image: &str| {
        let image: ImageReference = image.parse()?;
        let registry = image.registry().parse()?;
        client.check(cluster, &registry, CheckOptions::default().with_image(image)).await
    };
    // A registry has three seconds to answer: sixty checks at once take longer on a machine that compiles meanwhile.
    let reports: Vec<_> = stream::iter(images).map(|image| check(image)).buffered(AT_ONCE).collect().await;
    Ok(reports.into_iter().map(|report| report.map_or_else(|err| shown_error(&err), |report| json!(report))).collect())
}

/// A check of an image, or of a registry as a whole, that reads all that it may.
async fn check_all(client: &Client, cluster: &ClusterRef, subject: &str) -> Result<Value, Error> {
    let options = CheckOptions::default().with_kubernetes(KubernetesReads::Always).with_query_graph(true);
    let (registry, options) = match subject.parse::<ImageReference>() {
        Ok(image) if subject.contains('/') => (image.registry().parse()?, options.with_image(image)),
        _ => (subject.parse()?, options),
    };
    shown(client.check(cluster, &registry, options).await)
}

async fn apply(client: &Client, cluster: &ClusterRef, file: &str, registry: RegistryRef) -> Result<Value, Error> {
    let Ok(text) = fs::read_to_string(file) else { return Ok(json!({ "unreadable": file })) };
    let options = ApplyOptions::default().with_registry(registry);
    shown(client.apply(cluster, Manifest::parse_all(&text)?, options).await)
}

fn shown<T: Serialize>(result: Result<T, Error>) -> Result<Value, Error> {
    Ok(json!(result?))
}

fn shown_error(err: &Error) -> Value {
    let context: Vec<(&str, &str)> = err.context().collect();
    json!({ "kind": err.kind().as_str(), "text": format!("{err:#}"), "context": context, "pull_failure": err.pull_failure() })
}
