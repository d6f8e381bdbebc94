//! What was proven.

use crate::{
    cluster::ObservedNode,
    diagnosis::{redact, report::Report, stored::VERSION},
    error::{Result, words},
    id::ResourceId,
    image::ImageReference,
};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// Whether the nodes of a cluster have pulled an image, pool by pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullProof {
    /// The version of this form. A stored form of another version is rejected.
    #[serde(deserialize_with = "crate::diagnosis::stored::version")]
    pub version: u32,
    /// The cluster.
    pub cluster: ResourceId,
    /// The image, as the pods named it.
    pub image: String,
    /// [`Failed`](ProofOutcome::Failed) if a pool failed; else [`Inconclusive`](ProofOutcome::Inconclusive) if a pool was, or all were skipped;
    /// else [`Proven`](ProofOutcome::Proven).
    pub outcome: ProofOutcome,
    /// The node pools, sorted by name; with [`nodes_per_pool`](crate::ProvePullOptions::nodes_per_pool), a pool once for each node that was tried.
    pub pools: Vec<PoolProof>,
    /// Whether all Jobs were deleted. Otherwise, Kubernetes deletes them a minute after they end, at the latest after the call's deadline.
    pub cleaned_up: bool,
    /// When it was proven, by Azure's clock.
    #[serde(with = "crate::stored_time")]
    pub checked_at: SystemTime,
}

/// Whether a node of a pool has pulled the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PoolProof {
    /// The name of the pool.
    pub pool: String,
    /// The outcome.
    pub outcome: ProofOutcome,
    /// What was proven, if the node pulled the image, or the caller did instead.
    pub proof: Option<PullProofKind>,
    /// Why the outcome is not [`Proven`](ProofOutcome::Proven).
    pub reason: Option<String>,
    /// The node that tried.
    pub node: Option<String>,
    /// The node image that it was created from.
    pub node_image: Option<String>,
    /// The operating system of the pool's nodes.
    pub os: Option<String>,
    /// Their architecture.
    pub architecture: Option<String>,
    /// Client ID of the managed identity that the node pulls with, by its label.
    pub identity_client_id: Option<String>,
    /// The image ID that the node reports: what it has pulled.
    pub image_id: Option<String>,
    /// The kubelet's message about the pull, which has its duration.
    pub message: Option<String>,
    /// Why the pull failed, and the next step, as from [`explain`](crate::Client::explain).
    pub report: Option<Report>,
}

/// Whether a pull was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProofOutcome {
    /// A node pulled the image.
    Proven,
    /// Nothing was tried: the pool has no nodes, or the image has no manifest for their platform.
    Skipped,
    /// No node began to pull: the pod was not created or not scheduled, or the time was over.
    Inconclusive,
    /// A node tried to pull the image and failed.
    Failed,
}

words!(
    ProofOutcome, "outcome":
    Proven => "proven",
    Skipped => "skipped",
    Inconclusive => "inconclusive",
    Failed => "failed",
);

/// What a pull has proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullProofKind {
    /// The node did not list the image before: sign-in, login server and the host that serves the layers are proven, and the grant, unless the
    /// node has used a credential of before (it keeps one for up to an hour). A node's list may be a minute old.
    KubeletPulledLayers,
    /// The node may have had the layers: sign-in and login server are proven, and the grant, unless the node has used a credential of before (it
    /// keeps one for up to an hour). The host that serves the layers is not proven.
    KubeletResolvedManifest,
    /// The registry gave the image's manifest to the caller's own token. Nothing is proven about the nodes.
    CallerTokenExchange,
}

words!(
    PullProofKind, "proof":
    KubeletPulledLayers => "kubelet_pulled_layers",
    KubeletResolvedManifest => "kubelet_resolved_manifest",
    CallerTokenExchange => "caller_token_exchange",
);

impl PullProof {
    /// The proof of these pools, in order.
    pub(super) fn of(
        id: &ResourceId,
        image: &ImageReference,
        mut pools: Vec<PoolProof>,
        cleaned_up: bool,
        at: SystemTime,
    ) -> Self {
        pools.sort_by(|one, other| (&one.pool, &one.node).cmp(&(&other.pool, &other.node)));
        Self {
            version: VERSION,
            cluster: id.clone(),
            image: image.to_string(),
            outcome: outcome(&pools),
            pools,
            cleaned_up,
            checked_at: at,
        }
    }

    /// The same with pseudonyms instead of names, IDs, hosts and addresses, to be shown to others, for example in an issue.
    ///
    /// The digits of a name's pseudonym are the same in all results about one subscription; the word before them says what the name stands for
    /// in this one, such as `registry` or `name`. The outcomes, the IDs of findings, the stages and the times stay.
    /// Words that neither this library nor a node's own messages have are replaced too, wherever they stand.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if it has no JSON form.
    pub fn redacted(&self) -> Result<Self> {
        redact::same(self)
    }
}

impl PoolProof {
    /// A pool with this outcome, of which nothing else is known.
    pub(super) fn new(pool: &str, outcome: ProofOutcome) -> Self {
        Self {
            pool: pool.to_owned(),
            outcome,
            proof: None,
            reason: None,
            node: None,
            node_image: None,
            os: None,
            architecture: None,
            identity_client_id: None,
            image_id: None,
            message: None,
            report: None,
        }
    }

    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds what is known of its node.
    pub(super) fn on(mut self, node: Option<&ObservedNode>) -> Self {
        if let Some(node) = node {
            self.node_image.clone_from(&node.node_image);
            self.identity_client_id.clone_from(&node.identity_client_id);
        }
        self
    }
}

/// The outcome of all pools.
fn outcome(pools: &[PoolProof]) -> ProofOutcome {
    let worst = pools.iter().map(|pool| pool.outcome).max();
    let is_proven = pools.iter().any(|pool| pool.outcome == ProofOutcome::Proven);
    match worst {
        Some(ProofOutcome::Skipped) if is_proven => ProofOutcome::Proven,
        Some(ProofOutcome::Skipped) | None => ProofOutcome::Inconclusive,
        Some(worst) => worst,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_pool_decides() {
        use ProofOutcome::{Failed, Inconclusive, Proven, Skipped};
        let of =
            |all: &[ProofOutcome]| outcome(&all.iter().map(|one| PoolProof::new("pool", *one)).collect::<Vec<_>>());
        assert_eq!((of(&[]), of(&[Skipped]), of(&[Skipped, Proven])), (Inconclusive, Inconclusive, Proven));
        assert_eq!((of(&[Proven, Inconclusive]), of(&[Inconclusive, Failed, Proven])), (Inconclusive, Failed));
    }
}
