//! Create a cluster whose nodes can pull from registries.

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
    action::{READ_CLUSTER, READ_PROVIDER, REGISTER_CLUSTERS, WRITE_CLUSTER, WRITE_GRANT},
    cluster::Cluster,
    difference::Difference,
};
use serde::{Deserialize, Serialize};

pub(crate) const RIGHTS: &[RequiredRight] = &[
    needed(READ_CLUSTER, RightScope::ResourceGroup, "to see whether it is there, and when it is done"),
    needed(WRITE_CLUSTER, RightScope::ResourceGroup, "to make it"),
    LEARN_LOCATION,
    RequiredRight { why: "to attach a registry", ..READ_THE_REGISTRY },
    needed(WRITE_GRANT, RightScope::Registry, "to make the grant, where it is not there"),
    LIST_GRANTS,
    useful(REGISTER_CLUSTERS, RightScope::Subscription, "to register the resource provider, on request"),
    useful(READ_PROVIDER, RightScope::Subscription, "to see when it is registered"),
];

/// A cluster that is there now, and what its nodes can pull from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreatedCluster {
    /// The cluster.
    pub cluster: Cluster,
    /// `false`: it was there, or was being made already, and was left as it is.
    pub is_new: bool,
    /// In what one that was there differs from the one that would have been made: `location`, `vm_size` and
    /// `kubernetes_version`, where they were asked for, `node_count`, `tier`, and `ssh_key`, where a public key was given.
    pub differences: Vec<Difference>,
    /// What was found or done at each registry, in the order in which they were given, each once.
    pub attachments: Vec<Attachment>,
    /// `x-ms-correlation-request-id` of the write that made the cluster, by which Azure's activity log knows it. `None` where nothing was
    /// written, or where its answer was lost.
    pub correlation_id: Option<String>,
}

impl Outcome for CreatedCluster {
    fn outcome(&self) -> &'static str {
        if self.is_new { "created" } else { "already_there" }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}
