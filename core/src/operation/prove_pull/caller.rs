//! A weaker proof without a node: the registry gives the image to the caller's own token.

use super::{
    ProvePullOptions,
    pools::{Pool, divide},
    proof::{PoolProof, ProofOutcome, PullProof, PullProofKind},
};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    image::{ImageDetails, ImageReference},
    operation::Parts,
};
use futures::try_join;

const NOT_TRIED: &str = "the registry gave the image to the caller's token; the nodes were not tried";

/// Nothing is started, and the cluster's API server is not contacted.
pub(super) async fn prove(
    parts: &Parts,
    id: &ResourceId,
    image: &ImageReference,
    options: &ProvePullOptions,
    call: &Call,
) -> Result<PullProof> {
    if !parts.cloud().has_registry(image.registry()) {
        let err = Error::new(ErrorKind::Unsupported, "a token of Azure is for Azure's registries only");
        return Err(err.with_context("image", image.to_string()));
    }
    let reading = async {
        try_join!(parts.inventory().cluster_settings(id, call), parts.registry_importer().describe(image, call))
    };
    let (settings, details) = call.step("reading the cluster and the image", reading).await?;
    let (tried, mut pools) = divide(&settings, None, details.as_ref(), options)?;
    pools.extend(tried.iter().map(|pool| of_pool(pool, image, details.as_ref())));
    Ok(PullProof::of(id, image, pools, true, parts.time()))
}

fn of_pool(pool: &Pool, image: &ImageReference, details: Option<&ImageDetails>) -> PoolProof {
    let proof = match details {
        None => PoolProof::new(&pool.name, ProofOutcome::Failed).because(format!("the registry does not have {image}")),
        Some(_) => PoolProof {
            proof: Some(PullProofKind::CallerTokenExchange),
            ..PoolProof::new(&pool.name, ProofOutcome::Inconclusive).because(NOT_TRIED)
        },
    };
    PoolProof { os: pool.os.clone(), architecture: pool.architecture.clone(), ..proof }
}
