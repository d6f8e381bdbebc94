//! Access to a cluster, deploying to it, its pods.

use crate::{
    argument::{self, Millis, Text},
    client::Client,
    runtime::operations,
};
use aks_acr::{Access, ClusterRef, Manifest, OnExistingEntry, PodSelection, RegistryRef, SubscriptionId, WorkloadRef};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct KubeconfigOptions {
    access: Option<Text<Access>>,
    public_fqdn: Option<bool>,
    context: Option<String>,
    deadline_ms: Option<Millis>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct MergeKubeconfigOptions {
    access: Option<Text<Access>>,
    public_fqdn: Option<bool>,
    context: Option<String>,
    file: Option<PathBuf>,
    on_existing_entry: Option<Text<OnExistingEntry>>,
    set_current: Option<bool>,
    lock_wait_ms: Option<Millis>,
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
struct RolloutOptions {
    namespace: Option<String>,
    registry: Option<Text<RegistryRef>>,
    subscriptions: Option<Vec<Text<SubscriptionId>>>,
    propagation_timeout_ms: Option<Millis>,
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
        options.access = given.access.map_or(options.access, |access| access.0);
        options.public_fqdn = given.public_fqdn.unwrap_or(options.public_fqdn);
        options.context = given.context;
        async move { client.kubeconfig(&cluster, options).await.map(Kubeconfig::from) }
    }

    /// Puts a cluster's entries into a kubeconfig file.
    merge_kubeconfig(client, call; cluster, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let given: MergeKubeconfigOptions = argument::options(given)?;
        let mut options = aks_acr::MergeKubeconfigOptions::default().with_call(call.options(given.deadline_ms));
        let which = &mut options.kubeconfig;
        which.access = given.access.map_or(which.access, |access| access.0);
        which.public_fqdn = given.public_fqdn.unwrap_or(which.public_fqdn);
        which.context = given.context;
        options.file = given.file;
        options.on_existing_entry = given.on_existing_entry.map_or(options.on_existing_entry, |on_existing_entry| on_existing_entry.0);
        options.set_current = given.set_current.unwrap_or(options.set_current);
        options.lock_wait = given.lock_wait_ms.map_or(options.lock_wait, |millis| millis.0);
        async move { client.merge_kubeconfig(&cluster, options).await }
    }

    /// Makes a cluster's objects what manifests say.
    apply(client, call; cluster, manifests, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let manifests = Manifest::parse_all(&argument::text("manifests", manifests)?)?;
        let given: ApplyOptions = argument::options(given)?;
        let mut options = aks_acr::ApplyOptions::default().with_call(call.options(given.deadline_ms));
        options.registry = given.registry.map(|registry| registry.0);
        options.namespace = given.namespace.unwrap_or(options.namespace);
        options.force = given.force.unwrap_or(options.force);
        options.dry_run = given.dry_run.unwrap_or(options.dry_run);
        async move { client.apply(&cluster, manifests, options).await }
    }

    /// Waits until every replica of a deployment runs.
    wait_for_rollout(client, call; cluster, workload, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let mut workload: WorkloadRef = argument::parse("workload", workload)?;
        let given: RolloutOptions = argument::options(given)?;
        workload.namespace = given.namespace.unwrap_or(workload.namespace);
        let mut options = aks_acr::RolloutOptions::default().with_call(call.options(given.deadline_ms));
        options.registry = given.registry.map(|registry| registry.0);
        options.subscriptions = given.subscriptions.into_iter().flatten().map(|subscription| subscription.0).collect();
        options.propagation_timeout = given.propagation_timeout_ms.map_or(options.propagation_timeout, |millis| millis.0);
        async move { client.wait_for_rollout(&cluster, &workload, options).await }
    }

    /// The pods of a namespace.
    pods(client, call; cluster, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let given: PodOptions = argument::options(given)?;
        let mut selection = PodSelection::default();
        selection.namespace = given.namespace.unwrap_or(selection.namespace);
        selection.labels = given.labels;
        let options = call.options(given.deadline_ms);
        async move { client.pods(&cluster, &selection, options).await }
    }
}
