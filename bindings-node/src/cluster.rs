//! Access to a cluster, deploying to it, its pods.

use crate::{
    argument::{self, Millis, Text},
    call::Shown,
    client::Client,
    runtime::operations,
};
use aks_acr::{Access, ClusterRef, Deployment, Manifest, PodSelection, RegistryRef};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct KubeconfigOptions {
    access: Option<Text<Access>>,
    deadline_ms: Option<Millis>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ApplyOptions {
    registry: Option<Text<RegistryRef>>,
    namespace: Option<String>,
    force: Option<bool>,
    dry_run: Option<bool>,
    deadline_ms: Option<Millis>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RollOutOptions {
    namespace: Option<String>,
    propagation_ms: Option<Millis>,
    deadline_ms: Option<Millis>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct PodOptions {
    namespace: Option<String>,
    labels: Option<String>,
    deadline_ms: Option<Millis>,
}

/// A kubeconfig on its way to the class that hides its text.
#[derive(Serialize)]
struct Kubeconfig {
    server: String,
    context: String,
    text: String,
}

impl From<aks_acr::Kubeconfig> for Kubeconfig {
    fn from(of: aks_acr::Kubeconfig) -> Self {
        Self { server: of.server().to_owned(), context: of.context().to_owned(), text: of.text().to_owned() }
    }
}

operations! {
    /// A cluster's kubeconfig.
    kubeconfig(client, call; cluster, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let given: KubeconfigOptions = argument::options(given)?;
        let mut options = aks_acr::KubeconfigOptions::default().with_call(call.options(given.deadline_ms));
        options.mode.access = given.access.map_or(Access::default(), |access| access.0);
        async move { client.kubeconfig(&cluster, options).await.map(Kubeconfig::from) }
    }

    /// Makes a cluster's objects what manifests say.
    apply(client, call; cluster, manifests, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let manifests = Manifest::parse_all(&argument::text("manifests", manifests)?)?;
        let given: ApplyOptions = argument::options(given)?;
        let mut options = aks_acr::ApplyOptions::default().with_call(call.options(given.deadline_ms));
        options.registry = given.registry.map(|registry| registry.0);
        options.mode.namespace = given.namespace.unwrap_or(options.mode.namespace);
        options.mode.force = given.force.unwrap_or(options.mode.force);
        options.mode.dry_run = given.dry_run.unwrap_or(options.mode.dry_run);
        async move { client.apply(&cluster, manifests, options).await }
    }

    /// Waits until every replica of a deployment runs.
    roll_out(client, call; cluster, deployment, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let mut deployment = Deployment::new(argument::text("deployment", deployment)?);
        let given: RollOutOptions = argument::options(given)?;
        deployment.namespace = given.namespace.unwrap_or(deployment.namespace);
        let mut options = aks_acr::RollOutOptions::default().with_call(call.options(given.deadline_ms));
        options.propagation = given.propagation_ms.map_or(options.propagation, |millis| millis.0);
        async move { client.roll_out(&cluster, &deployment, options).await }
    }

    /// The pods of a namespace.
    pods(client, call; cluster, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let given: PodOptions = argument::options(given)?;
        let mut selection = PodSelection::default();
        selection.namespace = given.namespace.unwrap_or(selection.namespace);
        selection.labels = given.labels;
        let options = call.options(given.deadline_ms);
        async move { client.pods(&cluster, &selection, options).await.map(Shown::from) }
    }
}
