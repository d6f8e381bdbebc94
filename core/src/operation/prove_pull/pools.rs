//! The node pools that can be tried, and those that are skipped. No request is made here.

use super::{
    ProvePullOptions,
    proof::{PoolProof, ProofOutcome},
};
use crate::{
    cluster::{NodeTaint, ObservedNode},
    error::{Error, ErrorKind, Result},
    image::{ImageDetails, Platform},
    inventory::ClusterSettings,
};

/// A pool that is tried, or one of its nodes.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub name: String,
    pub os: Option<String>,
    pub architecture: Option<String>,
    /// The taints that all of its nodes have, or the one node.
    pub taints: Vec<NodeTaint>,
    /// The node that is to pull. `None`: Kubernetes chooses one of the pool.
    pub node: Option<String>,
}

/// Divides the pools. `nodes` is `None` if the caller cannot list nodes: then Azure's word counts.
pub(super) fn divide(
    settings: &ClusterSettings,
    nodes: Option<&[ObservedNode]>,
    image: Option<&ImageDetails>,
    options: &ProvePullOptions,
) -> Result<(Vec<Pool>, Vec<PoolProof>)> {
    let known: Vec<&str> = settings.node_pools.iter().map(|pool| pool.name.as_str()).collect();
    if let Some(wrong) = options.pools.iter().find(|name| !known.contains(&name.as_str())) {
        let err = Error::new(ErrorKind::NotFound, format!("the cluster has no node pool '{}'", wrong.escape_debug()));
        return Err(err.with_context("node pools", known.join(", ")));
    }
    let (mut tried, mut skipped) = (Vec::new(), Vec::new());
    for pool in &settings.node_pools {
        if !options.pools.is_empty() && !options.pools.contains(&pool.name) {
            continue;
        }
        let of_pool = |nodes: &&[ObservedNode]| -> Vec<ObservedNode> {
            nodes.iter().filter(|node| node.pool.as_deref() == Some(&pool.name)).cloned().collect()
        };
        let nodes = nodes.as_ref().map(of_pool);
        let os = pool.os_type.as_deref().map(str::to_ascii_lowercase);
        let one = described(&pool.name, os, nodes.as_deref());
        let is_empty = nodes.as_ref().is_some_and(Vec::is_empty) && options.pools.is_empty();
        let reason = if is_empty { Some("the pool has no nodes".to_owned()) } else { unsupported(&one, image) };
        match (reason, nodes) {
            (Some(reason), _) => skipped.push(PoolProof {
                os: one.os,
                architecture: one.architecture,
                ..PoolProof::new(&pool.name, ProofOutcome::Skipped).because(reason)
            }),
            (None, Some(nodes)) if options.nodes_per_pool > 1 => tried.extend(each(&one, nodes, options)),
            (None, _) => tried.push(one),
        }
    }
    Ok((tried, skipped))
}

/// The nodes of a pool that are to pull: those that say most. A pool without one that is available may get one.
fn each(pool: &Pool, mut nodes: Vec<ObservedNode>, options: &ProvePullOptions) -> Vec<Pool> {
    // A pod that names a node and tolerates its taints would run on one that is cordoned, and wait for one that is not ready.
    nodes.retain(|node| node.is_available);
    if nodes.is_empty() {
        return vec![pool.clone()];
    }
    nodes.sort_by_key(|node| (node.has_image == Some(true), node.name.clone()));
    nodes.truncate(usize::try_from(options.nodes_per_pool).unwrap_or(usize::MAX));
    nodes.into_iter().map(|node| Pool { taints: node.taints, node: Some(node.name), ..pool.clone() }).collect()
}

fn described(name: &str, os: Option<String>, nodes: Option<&[ObservedNode]>) -> Pool {
    let first = nodes.and_then(<[ObservedNode]>::first);
    let is_on_all = |taint: &&NodeTaint| nodes.is_some_and(|all| all.iter().all(|node| node.taints.contains(taint)));
    Pool {
        name: name.to_owned(),
        os: first.and_then(|node| node.os.clone()).or(os),
        architecture: first.and_then(|node| node.architecture.clone()),
        taints: first.map_or_else(Vec::new, |node| node.taints.iter().filter(is_on_all).cloned().collect()),
        node: None,
    }
}

/// Why a node of the pool cannot run the image, if that is known.
fn unsupported(pool: &Pool, image: Option<&ImageDetails>) -> Option<String> {
    let platforms = image?.platforms.as_deref()?;
    let os = pool.os.as_deref()?;
    let fits = |one: &Platform| {
        one.os == os && pool.architecture.as_deref().is_none_or(|architecture| one.architecture == architecture)
    };
    if platforms.iter().any(fits) {
        return None;
    }
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    let wanted =
        pool.architecture.as_deref().map_or_else(|| os.to_owned(), |architecture| format!("{os}/{architecture}"));
    Some(format!("the image has no manifest for {wanted}; it has {}", names.join(", ")))
}
