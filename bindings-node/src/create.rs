//! Making clusters.

use crate::{
    argument::{self, Millis, Text},
    client::Client,
    error::Fault,
    runtime::operations,
};
use aks_acr::{ClusterRef, ClusterTier, RegistryRef, SshKey};
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct CreateClusterOptions {
    registries: Option<Vec<Text<RegistryRef>>>,
    location: Option<String>,
    node_count: Option<u32>,
    vm_size: Option<String>,
    kubernetes_version: Option<String>,
    tier: Option<Text<ClusterTier>>,
    ssh_key: Option<String>,
    ssh_key_file: Option<PathBuf>,
    register_providers: Option<bool>,
    deadline_ms: Option<Millis>,
}

operations! {
    /// Makes a cluster whose nodes can pull from registries, unless it is there.
    create_cluster(client, call; cluster, given) {
        let cluster: ClusterRef = argument::parse("cluster", cluster)?;
        let given: CreateClusterOptions = argument::options(given)?;
        let mut options = aks_acr::CreateClusterOptions::default().with_call(call.options(given.deadline_ms));
        options.registries = given.registries.into_iter().flatten().map(|registry| registry.0).collect();
        options.location = given.location;
        options.node_count = given.node_count.unwrap_or(options.node_count);
        options.vm_size = given.vm_size;
        options.kubernetes_version = given.kubernetes_version;
        options.tier = given.tier.map_or(options.tier, |tier| tier.0);
        options.ssh_key = match (given.ssh_key, given.ssh_key_file) {
            (None, None) => options.ssh_key,
            (Some(key), None) => SshKey::Public(key),
            (None, Some(file)) => SshKey::Pair(file),
            (Some(_), Some(_)) => {
                return Err(Fault::Argument("options.sshKeyFile: wanted it or sshKey, not both".to_owned()));
            }
        };
        options.register_providers = given.register_providers.unwrap_or(options.register_providers);
        async move { client.create_cluster(&cluster, options).await }
    }
}
