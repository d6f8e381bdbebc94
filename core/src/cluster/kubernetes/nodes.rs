//! Nodes: what they are, what they pull with, and whether they have an image.

use super::{client::Kubernetes, watch::list};
use crate::{
    call::Call,
    cluster::{NodeTaint, ObservedNode},
    error::Result,
    id::ResourceId,
    image::ImageReference,
    stored_time,
};
use kube::{Client, api::ListParams};
use serde_json::Value;
use std::collections::BTreeMap;

/// AKS labels each node with its pool.
const POOL: &str = "kubernetes.azure.com/agentpool";
/// A node's bootstrap ([AgentBaker](https://github.com/Azure/AgentBaker)) labels it with the identity that its credential provider uses, and
/// with its image.
const IDENTITY: &str = "kubernetes.azure.com/kubelet-identity-client-id";
const IMAGE: &str = "kubernetes.azure.com/node-image-version";
/// A node lists only so many of its images: `nodeStatusMaxImages` of the kubelet's configuration.
const LISTED_IMAGES: usize = 50;

impl Kubernetes {
    pub async fn nodes(
        &self,
        cluster: &ResourceId,
        image: Option<&ImageReference>,
        call: &Call,
    ) -> Result<Vec<ObservedNode>> {
        let client = &self.client(cluster, call).await?;
        let names = image.map(names_of);
        let mut nodes = BTreeMap::new();
        let take = |node: &Value| {
            let Some(read) = read(node, names.as_deref()) else { return 0 };
            let weight = read.weight();
            nodes.insert(read.name.clone(), read);
            weight
        };
        list_nodes(client, take, call).await?;
        Ok(nodes.into_values().collect())
    }
}

/// Lists the nodes. `take` returns how many bytes it keeps.
pub(super) async fn list_nodes(client: &Client, take: impl FnMut(&Value) -> usize + Send, call: &Call) -> Result<()> {
    list(client, "/api/v1/nodes", ListParams::default(), "listing the nodes", call, take).await.map(drop)
}

/// Reads a node; `None` if it has no name.
pub(super) fn read(node: &Value, image: Option<&[String]>) -> Option<ObservedNode> {
    let label =
        |name: &str| node["metadata"]["labels"][name].as_str().filter(|value| !value.is_empty()).map(str::to_owned);
    let conditions = node["status"]["conditions"].as_array();
    let is_ready =
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"));
    Some(ObservedNode {
        os: label("kubernetes.io/os"),
        architecture: label("kubernetes.io/arch"),
        created: node["metadata"]["creationTimestamp"].as_str().and_then(stored_time::parse),
        pool: label(POOL).filter(|name| is_label_value(name)),
        identity_client_id: label(IDENTITY),
        node_image: label(IMAGE),
        kubelet_version: node["status"]["nodeInfo"]["kubeletVersion"].as_str().map(str::to_owned),
        is_available: is_ready && node["spec"]["unschedulable"] != true,
        taints: node["spec"]["taints"].as_array().into_iter().flatten().filter_map(taint).collect(),
        has_image: image.and_then(|names| has_image(node, names)),
        ..ObservedNode::new(node["metadata"]["name"].as_str()?)
    })
}

/// Whether Kubernetes would take it as the value of a label. A pool's name becomes part of a command, and a node is not trusted to have a
/// harmless one.
fn is_label_value(text: &str) -> bool {
    let is_plain = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_' | b'.');
    text.starts_with(|one: char| one.is_ascii_alphanumeric()) && text.bytes().all(is_plain)
}

/// `PreferNoSchedule` keeps no pod off a node.
fn taint(taint: &Value) -> Option<NodeTaint> {
    let text = |field: &str| taint[field].as_str();
    let (key, effect) = (text("key")?, text("effect")?);
    (effect != "PreferNoSchedule").then(|| NodeTaint::new(key, text("value").unwrap_or_default(), effect))
}

/// The names under which a node lists an image.
pub(super) fn names_of(image: &ImageReference) -> Vec<String> {
    let name = format!("{}/{}", image.registry(), image.repository());
    let tag = image.tag().map(|tag| format!("{name}:{tag}"));
    tag.into_iter().chain(image.digest().map(|digest| format!("{name}@{digest}"))).collect()
}

fn has_image(node: &Value, names: &[String]) -> Option<bool> {
    // A node that lists none may not list them at all.
    let images = node["status"]["images"].as_array()?;
    let has = listed(node).any(|name| names.iter().any(|one| one == name));
    (has || images.len() < LISTED_IMAGES).then_some(has)
}

/// The names of the images that a node lists.
pub(super) fn listed(node: &Value) -> impl Iterator<Item = &str> {
    let images = node["status"]["images"].as_array().into_iter().flatten();
    images.filter_map(|image| image["names"].as_array()).flatten().filter_map(Value::as_str)
}

impl ObservedNode {
    /// How many bytes it keeps.
    pub(super) fn weight(&self) -> usize {
        let labels = [&self.os, &self.architecture, &self.pool, &self.identity_client_id, &self.node_image];
        let texts = labels.into_iter().chain([&self.kubelet_version]);
        let texts: usize = texts.flatten().map(String::len).sum();
        let taints: usize = self.taints.iter().map(|one| one.key.len() + one.value.len() + one.effect.len()).sum();
        size_of::<Self>() + self.name.len() + texts + taints
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_node_that_lists_fewer_images_than_it_may_lists_all() {
        let names = names_of(&"r.azurecr.io/app:v1".parse().unwrap());
        let with = |images: usize, name: &str| {
            let filler = (1..images).map(|at| json!({ "names": [format!("other:{at}")] }));
            let images: Vec<Value> = filler.chain([json!({ "names": [name] })]).collect();
            has_image(&json!({ "status": { "images": images } }), &names)
        };
        assert_eq!((with(2, "r.azurecr.io/app:v1"), with(50, "r.azurecr.io/app:v1")), (Some(true), Some(true)));
        assert_eq!((with(49, "r.azurecr.io/app:v2"), with(50, "r.azurecr.io/app:v2")), (Some(false), None));
        assert_eq!(has_image(&json!({}), &names), None);
    }

    #[test]
    fn a_node_is_read_by_its_labels() {
        let node = json!({
            "metadata": { "name": "n", "labels": { POOL: "one", IDENTITY: "", IMAGE: "AKSUbuntu" } },
            "spec": { "unschedulable": true, "taints": [{ "key": "gpu", "effect": "NoSchedule" },
                { "key": "old", "value": "yes", "effect": "PreferNoSchedule" }] },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        });
        let read = read(&node, None).unwrap();
        assert_eq!((read.pool.as_deref(), read.identity_client_id, read.is_available), (Some("one"), None, false));
        assert_eq!((read.taints, read.has_image), (vec![NodeTaint::new("gpu", "", "NoSchedule")], None));
    }

    #[test]
    fn a_pool_whose_name_a_shell_would_execute_is_none() {
        for (name, wanted) in
            [("gpu1", true), ("team_a.b-c", true), ("a; rm -rf ~", false), ("$(id)", false), ("-n", false)]
        {
            let node = json!({ "metadata": { "name": "n", "labels": { POOL: name } } });
            assert_eq!(read(&node, None).unwrap().pool.as_deref(), wanted.then_some(name), "{name}");
        }
    }
}
