//! What is attached.

use crate::{
    argument::{self, Millis, Text},
    call::Call,
    client::Client,
    error::Result,
    runtime::operations,
};
use aks_acr::SubscriptionId;
use napi::Unknown;
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct AttachmentsOptions {
    subscriptions: Option<Vec<Text<SubscriptionId>>>,
    query_graph: Option<bool>,
    deadline_ms: Option<Millis>,
}

fn options(value: Unknown<'_>, call: &Call) -> Result<aks_acr::AttachmentsOptions> {
    let given: AttachmentsOptions = argument::options(value)?;
    let mut options = aks_acr::AttachmentsOptions::default().with_call(call.options(given.deadline_ms));
    options.subscriptions = given.subscriptions.into_iter().flatten().map(|subscription| subscription.0).collect();
    options.query_graph = given.query_graph.unwrap_or(options.query_graph);
    Ok(options)
}

operations! {
    /// Which registries a cluster's nodes can pull from.
    attachments_of_cluster(client, call; cluster, given) {
        let cluster = argument::parse("cluster", cluster)?;
        let options = options(given, call)?;
        async move { client.attachments_of_cluster(&cluster, options).await }
    }

    /// Who can pull from a registry.
    attachments_of_registry(client, call; registry, given) {
        let registry = argument::parse("registry", registry)?;
        let options = options(given, call)?;
        async move { client.attachments_of_registry(&registry, options).await }
    }
}
