//! Checks from outside whether a cluster can pull, and says why not.

pub(crate) mod gather;
mod options;

pub use options::CheckOptions;

use super::{
    Parts,
    right::{READ_ROLES, RequiredRight, RightScope, useful},
    span::Outcome,
};
use crate::{
    action::{PULL, READ_ADDRESS, READ_CLUSTER, READ_CONTENT, READ_DENIALS, READ_GRANTS, READ_METADATA, READ_REGISTRY},
    call::Call,
    cluster::ClusterRef,
    diagnosis::{diagnose, report::Report},
    error::{Error, Result},
    registry::RegistryRef,
};
use std::{net::IpAddr, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const RIGHTS: &[RequiredRight] = &[
    useful(READ_CLUSTER, RightScope::Cluster, "to read its identity, its state and its network settings"),
    useful(READ_REGISTRY, RightScope::Registry, "to read its mode, its state and its network settings"),
    useful(READ_GRANTS, RightScope::Registry, "to list the role assignments that allow pulling"),
    useful(READ_DENIALS, RightScope::Registry, "to list the deny assignments that forbid pulling"),
    READ_ROLES,
    useful(READ_ADDRESS, RightScope::Subscription, "to compare the nodes' addresses with the registry's network rules"),
    useful(PULL, RightScope::Registry, "to read the image from a registry with registry-wide permissions"),
    RequiredRight {
        is_data_action: true,
        ..useful(READ_CONTENT, RightScope::Registry, "to read the image from a registry with repository permissions")
    },
    RequiredRight {
        is_data_action: true,
        ..useful(
            READ_METADATA,
            RightScope::Registry,
            "to read the platform of an image from a registry with repository permissions",
        )
    },
];

impl Outcome for Report {
    fn outcome(&self) -> &'static str {
        self.verdict.as_str()
    }
}

pub(crate) async fn check(
    parts: &Parts,
    cluster: &ClusterRef,
    registry: &RegistryRef,
    options: &CheckOptions,
    call: &Call,
) -> Result<Report> {
    registry.check_cloud(parts.cloud())?;
    let addresses = read_addresses(&options.outbound_addresses)?;
    let step = "reading the cluster, the registry, its role assignments and the image";
    let facts = call.step(step, gather::gather(parts, (cluster, registry), options, &addresses, call)).await?;
    Ok(diagnose(&facts, parts.time()))
}

pub(crate) fn read_addresses(texts: &[String]) -> Result<Vec<IpAddr>> {
    let read = |text: &String| {
        text.parse()
            .map_err(|_| Error::invalid("expected an IP address, such as 203.0.113.7", "outbound_addresses", text))
    };
    texts.iter().map(read).collect()
}
