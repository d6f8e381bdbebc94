//! Creates a cluster whose nodes can pull from registries.

mod options;
mod run;

pub use options::CreateClusterOptions;
pub(crate) use run::{DEADLINE, create};

use super::{
    attach::Attachment,
    right::{LEARN_LOCATION, LIST_GRANTS, READ_THE_REGISTRY, RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{
        ASSIGN_IDENTITY, JOIN_SUBNET, READ_CLUSTER, READ_PROVIDER, REGISTER_CLUSTERS, WRITE_CLUSTER, WRITE_GRANT,
    },
    cluster::Cluster,
    difference::Difference,
};
use serde::{Deserialize, Serialize};

pub(crate) const RIGHTS: &[RequiredRight] = &[
    needed(READ_CLUSTER, RightScope::ResourceGroup, "to check whether it exists, and when it is ready"),
    needed(WRITE_CLUSTER, RightScope::ResourceGroup, "to create it"),
    LEARN_LOCATION,
    RequiredRight { why: "to attach a registry", ..READ_THE_REGISTRY },
    needed(WRITE_GRANT, RightScope::Registry, "to create the role assignment, if it does not exist"),
    LIST_GRANTS,
    useful(ASSIGN_IDENTITY, RightScope::ResourceGroup, "to give it identities of your own, if any"),
    useful(JOIN_SUBNET, RightScope::Subscription, "to put nodes into a subnet of your own, if any"),
    useful(REGISTER_CLUSTERS, RightScope::Subscription, "to register the resource provider, on request"),
    useful(READ_PROVIDER, RightScope::Subscription, "to check when it is registered"),
];

/// The result of creating a cluster: the cluster, and its attachments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreatedCluster {
    /// The cluster.
    pub cluster: Cluster,
    /// Whether this call created it.
    /// `false`: it existed, or was already being created, and was not changed.
    pub is_new: bool,
    /// How an existing cluster differs from the options: always `tier`, and `node_count` unless pools were given; what else was requested, by the name of the option.
    /// A pool is compared with the one of its name, such as `node_pools[web].vm_size`; pools that were not requested are not compared.
    pub differences: Vec<Difference>,
    /// One result for each registry, in the order of the options, without duplicates.
    pub attachments: Vec<Attachment>,
    /// `x-ms-correlation-request-id` of the write that created the cluster, for Azure's activity log.
    /// `None` if nothing was written, or if the response to the write was lost.
    pub correlation_id: Option<String>,
}

impl Outcome for CreatedCluster {
    fn outcome(&self) -> &'static str {
        if self.is_new { "created" } else { "already_exists" }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}
