//! What was read for a diagnosis.

use super::{finding::Need, text::PullFailure};
use crate::{
    action::smallest_role,
    cluster::{ObservedNode, ObservedSecret, ObservedServiceAccount},
    error::{Error, ErrorKind},
    id::{PrincipalId, ResourceId},
    identity::{ApplicationCredential, ServicePrincipal},
    image::{Digest, ImageDetails, ImageReference, ManifestAttributes, Platform, ReadSwitches},
    inventory::{
        BoundIdentity, ClusterSettings, NodeScaleSet, PrivateDnsZone, PrivateEndpoint, RegistryLogs,
        ServiceAccountPulls, VirtualNetwork, ZoneOfEndpoint,
    },
    registry::{CacheRule, RegistrySettings},
    role::{DenyAssignment, GroupAccess, RoleAssignment, Roles},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, time::SystemTime};

/// A value, or why it could not be read.
pub(crate) type Read<T> = Result<T, Unread>;

/// Why something could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Unread {
    pub need: Need,
    /// The status with which the service refused, if it responded.
    pub status: Option<u16>,
    /// The service's own words.
    pub service: Option<String>,
    /// Whether it is in a subscription of another tenant.
    pub is_of_another_tenant: bool,
}

/// Everything that a check reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub cluster_id: ResourceId,
    pub cluster: Read<ClusterSettings>,
    /// The cluster's service principal, if it has one and Microsoft Graph was queried.
    pub service_principal: Option<ServicePrincipalFacts>,
    /// The registry as the caller names it.
    pub registry_ref: String,
    /// `None`: it was not found.
    pub registry: Read<Option<RegistrySettings>>,
    /// Whether the registry was given by its ID, so that one that is not found does not exist.
    pub is_by_id: bool,
    /// Whether any registry has the name of one that was not found. `None`: Azure was not asked.
    #[serde(default)]
    pub is_name_taken: Option<Read<bool>>,
    /// The identity that pulls, if it is known.
    pub principal: Option<PrincipalId>,
    pub grants: Read<Grants>,
    pub denials: Read<Vec<DenyAssignment>>,
    /// Whether this client has changed the registry's role assignment mode within the last hour.
    pub is_mode_new: bool,
    /// The addresses from which the nodes reach the registry, read only if its firewall depends on them.
    pub addresses: Read<Vec<IpAddr>>,
    /// The nodes' network and the registry's private endpoints, read only if they decide.
    pub network: NetworkFacts,
    pub image: Option<ImageFacts>,
    /// Pulls from the registry that succeeded. `None`: Kubernetes was not asked.
    pub pulls: Option<Read<Vec<SeenPull>>>,
    /// The registry's resource logs. `None`: they were not asked for, or the registry is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_logs: Option<Read<RegistryLogs>>,
    #[serde(default)]
    pub nodes: NodeFacts,
    /// By Azure's clock.
    #[serde(with = "crate::stored_time")]
    pub read_at: SystemTime,
}

/// What was read of the identities that the nodes pull with.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct NodeFacts {
    pub nodes: Option<Read<Vec<ObservedNode>>>,
    pub scale_sets: Option<Read<Vec<NodeScaleSet>>>,
    /// The identities that nodes have and the cluster has not, by client ID. `None`: there is no such identity.
    #[serde(with = "crate::stored_map")]
    pub others: BTreeMap<String, Read<Option<OtherIdentity>>>,
    /// Whether a role assignment gives a pull role to a principal that may be the former identity of the cluster.
    pub may_others_pull: bool,
    /// What the nodes pull with on behalf of service accounts. Within it, `None`: they pull with the kubelet identity.
    #[serde(default)]
    pub accounts: Option<Read<Option<AccountFacts>>>,
}

/// What the nodes pull with on behalf of service accounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountFacts {
    pub pulls: ServiceAccountPulls,
    pub bound: Read<Vec<BoundIdentity>>,
    /// The service accounts that name an identity.
    pub annotated: Read<Vec<ObservedServiceAccount>>,
    /// The namespace and the service account of the pods that are judged. `None`: no pods are.
    pub account: Option<(String, String)>,
}

/// An identity that nodes pull with, though it is not the cluster's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OtherIdentity {
    pub principal: PrincipalId,
    pub grants: Read<Grants>,
}

/// A pull that succeeded on a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SeenPull {
    pub image: ImageReference,
    /// As `namespace/name`.
    pub pod: String,
    pub node: String,
    /// The node's pool, if its labels could be read.
    pub pool: Option<String>,
    /// Client ID of the identity that the node pulls with, if its labels could be read.
    pub identity: Option<String>,
    /// Whether the pod has pull secrets, so that another identity may have pulled.
    pub has_secrets: bool,
    /// When at the earliest: for an image that the node may have had before, when the node was created. `None`: not known.
    #[serde(with = "crate::stored_time::option")]
    pub since: Option<SystemTime>,
}

/// The network of the nodes, and the private endpoints of the registry. What is `None` was not read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct NetworkFacts {
    pub network: Option<Read<VirtualNetwork>>,
    pub endpoints: Vec<Read<PrivateEndpoint>>,
    /// Of the endpoint that is nearest to the nodes. Within it, `None`: no group of the endpoint has the registry's zone.
    pub zone_of: Option<Read<Option<ZoneOfEndpoint>>>,
    pub zone: Option<Read<PrivateDnsZone>>,
    /// Another zone of that name that the nodes' network is linked to, searched if the endpoint's own is not known to be. Within it, `None`: the
    /// caller sees none.
    #[serde(default)]
    pub linked: Option<Read<Option<PrivateDnsZone>>>,
}

/// How far a private endpoint is from the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Distance {
    SameNetwork,
    /// In a network that is peered with theirs.
    Peered,
    Elsewhere,
}

impl NetworkFacts {
    /// The endpoint that is nearest to the nodes, of those that could be read.
    pub fn nearest(&self) -> Option<(Distance, &PrivateEndpoint)> {
        let Some(Ok(network)) = &self.network else { return None };
        let read = self.endpoints.iter().filter_map(|one| one.as_ref().ok());
        read.map(|endpoint| (distance(network, &endpoint.network), endpoint)).min_by_key(|(distance, _)| *distance)
    }
}

/// Networks route to each other once the peering is connected. See [Virtual network
/// peering](https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview).
fn distance(network: &VirtualNetwork, other: &str) -> Distance {
    if network.id.is(other) {
        return Distance::SameNetwork;
    }
    let is_to = |(remote, state): &(String, String)| {
        remote.eq_ignore_ascii_case(other) && state.eq_ignore_ascii_case("connected")
    };
    if network.peerings.iter().any(is_to) { Distance::Peered } else { Distance::Elsewhere }
}

/// What Microsoft Graph says of a cluster's service principal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServicePrincipalFacts {
    /// `None`: there is none.
    pub principal: Read<Option<ServicePrincipal>>,
    /// Of its application. `None`: that is in another tenant.
    pub credentials: Read<Option<Vec<ApplicationCredential>>>,
    /// By Azure's clock.
    #[serde(with = "crate::stored_time")]
    pub read_at: SystemTime,
}

impl ServicePrincipalFacts {
    /// Its object ID, if it is known.
    pub fn found(&self) -> Option<&ServicePrincipal> {
        self.principal.as_ref().ok()?.as_ref()
    }
}

/// The role assignments at a registry and above it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grants {
    pub assignments: Vec<RoleAssignment>,
    /// The custom roles of the identity's own assignments.
    pub roles: Roles,
    pub groups: GroupAccess,
    /// Whether this client has granted the role in the last few minutes.
    pub is_recent: bool,
}

/// An image, and what its registry says of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImageFacts {
    /// As the nodes name it.
    pub reference: ImageReference,
    /// `None`: the registry was not asked. Within it, `None`: the registry does not have the image.
    pub details: Option<Read<Option<ImageDetails>>>,
    pub inspection: Inspection,
}

/// What was read to learn why an image is not served. `None`: it was not needed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inspection {
    /// The newest manifests of the repository. Within it, `None`: the registry does not have the repository.
    pub manifests: Option<Read<Option<Vec<ManifestAttributes>>>>,
    pub switches: Option<Read<ReadSwitches>>,
    /// The digest of the image if it was deleted and can be restored.
    pub deleted: Option<Read<Option<Digest>>>,
    pub cache_rules: Option<Read<Vec<CacheRule>>>,
    /// The regions of the registry.
    pub replicas: Option<Read<Vec<String>>>,
}

impl ImageFacts {
    /// An image of which the registry was not asked.
    pub fn unasked(reference: ImageReference) -> Self {
        Self { reference, details: None, inspection: Inspection::default() }
    }
}

/// A pull that has failed on a node.
#[derive(Serialize)]
pub(crate) struct FailedPull<'a> {
    pub failure: &'a PullFailure,
    /// `None`: the reference is invalid.
    pub image: Option<&'a ImageReference>,
    pub platform: Option<&'a Platform>,
    /// Client ID of the identity that the node pulls with, and the node's pool, by the node's labels.
    pub node: Option<(&'a str, &'a str)>,
    /// The pod's pull secrets.
    pub secrets: &'a [&'a ObservedSecret],
    /// Those that only its service account has.
    pub later: &'a [&'a ObservedSecret],
    /// A node that has the image and pulls it again, and the version of its kubelet.
    pub pulled_again: Option<(&'a str, &'a str)>,
    /// When a pull last failed, if events say it.
    #[serde(with = "crate::stored_time::option")]
    pub last_failed: Option<SystemTime>,
}

impl Unread {
    /// The reason and the missing action of an error.
    pub fn of(err: &Error) -> Self {
        let need = Need {
            action: err.missing_action().map(str::to_owned),
            scope: err.scope().map(str::to_owned),
            smallest_role: err.smallest_role().map(str::to_owned),
            option: None,
            reason: err.to_string(),
        };
        Self {
            need,
            status: err.status(),
            service: err.service().and_then(|service| service.message.clone()),
            is_of_another_tenant: err.is_of_another_tenant(),
        }
    }

    /// Names the action that the caller lacks, where the service did not.
    pub fn name_action(&mut self, action: &str, scope: Option<&ResourceId>) {
        if self.need.action.is_none() {
            self.need.action = Some(action.to_owned());
            self.need.scope = scope.map(ToString::to_string).or_else(|| self.need.scope.take());
            self.need.smallest_role = smallest_role(action).map(str::to_owned);
        }
    }

    /// Something at a registry that was not found.
    pub fn of_no_registry() -> Self {
        Self {
            need: Need::reason("the registry was not found"),
            status: None,
            service: None,
            is_of_another_tenant: false,
        }
    }
}

/// Sorts out the errors that end a check: nothing can be said without the cluster, and a cancelled call ends.
pub(crate) fn read<T>(result: Result<T, Error>) -> Result<Read<T>, Error> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(err) if err.kind() == ErrorKind::Forbidden => Ok(Err(Unread::of(&err))),
        Err(err) => Err(err),
    }
}
