//! The findings: their IDs, in the order of a pull's stages, and what each one means.

use super::stage::PullStage;
use crate::words::word_names;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Where the pages of this version are.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/findings/");

/// Whether waiting can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullRetry {
    /// Waiting does not help: something has to be changed.
    Never,
    /// Waiting can help if a grant exists that is not effective yet.
    AfterGrant,
    /// Waiting can help: the cause may be transient.
    Transient,
}

word_names!(PullRetry: Never => "never", AfterGrant => "after_grant", Transient => "transient");

/// The ID of a finding, such as `grant.missing`. A released ID never changes its meaning.
///
/// Newer versions may have further IDs, and a stored one is kept as it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingId(Cow<'static, str>);

/// A finding in the catalogue.
#[derive(Debug)]
pub(crate) struct Row {
    id: &'static str,
    pub stage: PullStage,
    pub retry: PullRetry,
    pub message: &'static str,
    pub next_step: &'static str,
}

impl Row {
    pub fn docs(&self) -> String {
        format!("{PAGES}{}.md", self.id)
    }
}

macro_rules! findings {
    ($($name:ident = $id:literal, $stage:ident, $retry:ident: $message:literal; $next_step:literal.)+) => {
        impl FindingId {
            $(
                #[doc = concat!("`", $id, "`: ", $message, ".")]
                pub const $name: Self = Self(Cow::Borrowed($id));
            )+

            /// All IDs of this version. The order is that of a pull's stages; within a stage, the specific ones come first.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }

        const ROWS: &[Row] = &[
            $(Row { id: $id, stage: PullStage::$stage, retry: PullRetry::$retry, message: $message, next_step: $next_step }),+
        ];
    };
}

findings! {
    REFERENCE_INVALID = "reference.invalid", Reference, Never:
        "the image reference is invalid";
        "correct the image reference in the manifest".
    HOST_MISSPELLED = "reference.host_misspelled", Reference, Never:
        "the image's host does not exist, and resembles the login server of a registry";
        "write the host as the registry's login server".
    OTHER_REGISTRY = "reference.other_registry", Reference, Never:
        "the image's host is not the login server of the registry that responds there";
        "name the image by the registry's login server, which has no `privatelink` in it".
    PULL_POLICY_NEVER = "reference.pull_policy_never", Reference, Never:
        "the image is not on the node, and its pull policy is Never";
        "set the pod's imagePullPolicy to IfNotPresent".
    CLUSTER_STOPPED = "cluster.stopped", Cluster, Never:
        "the cluster, or every node pool of it, is stopped";
        "start it with az aks start, or az aks nodepool start".
    CLUSTER_NOT_READY = "cluster.not_ready", Cluster, Transient:
        "the cluster is being created or deleted, or its last operation failed";
        "wait until the operation has ended; reconcile a failed cluster with az aks update".
    BOOTSTRAP_FAILED = "cluster.bootstrap_failed", Cluster, Never:
        "the nodes of a network isolated cluster do not join it: they could not get their programs from the cluster's registry";
        "attach that registry to the cluster, and reconcile the cluster with az aks update".
    ADMISSION_DENIED = "admission.denied", Cluster, Never:
        "the cluster's admission denies the pods, so that none is created: a webhook, a policy, Pod Security, or a quota";
        "change the pod template as the message says, or ask the owner of the policy".
    REGISTRY_NOT_FOUND = "registry.not_found", Registry, Never:
        "the registry does not exist";
        "correct the registry's name or ID, or create the registry".
    REGISTRY_NOT_VISIBLE = "registry.not_visible", Registry, Never:
        "no registry of this name is in a subscription that the caller can see";
        "give the registry's resource ID, and get the role Reader on it".
    REGISTRY_OTHER_TENANT = "registry.other_tenant", Registry, Never:
        "the registry is in another tenant, where the cluster's managed identity cannot have a role";
        "import the image into a registry of the cluster's tenant, or use a pull secret".
    REGISTRY_NOT_READY = "registry.not_ready", Registry, Transient:
        "the registry is not ready";
        "wait until its operation has ended".
    ENCRYPTION_KEY_UNAVAILABLE = "registry.encryption_key_unavailable", Registry, Never:
        "the registry cannot use its customer-managed key";
        "restore the key and the registry's access to it in Key Vault".
    REGISTRY_THROTTLED = "registry.throttled", Registry, Transient:
        "the registry throttles the node's requests";
        "pull fewer images at a time, import the image into a registry of your own, or use a larger registry tier".
    PUBLIC_ACCESS_DISABLED = "network.public_access_disabled", Network, Never:
        "the registry allows no access from public addresses, and has no private endpoint";
        "create a private endpoint for the registry with its DNS zone, or enable public access".
    PRIVATE_ENDPOINT_NOT_APPROVED = "network.private_endpoint_not_approved", Network, Never:
        "the registry allows access through private endpoints only, and no endpoint's connection is approved";
        "approve the connection with az acr private-endpoint-connection approve".
    PRIVATE_ZONE_NOT_LINKED = "dns.private_zone_not_linked", Network, Never:
        "the private DNS zone of the registry's private endpoint is not linked to the cluster's virtual network";
        "link the zone to the cluster's virtual network".
    RECORD_MISSING = "dns.record_missing", Network, Never:
        "the private DNS zone that is linked to the cluster's virtual network lacks a record of the registry";
        "add the record, or a DNS zone group to the private endpoint, which writes all records".
    DNS_LOOKUP_FAILED = "dns.lookup_failed", Network, Transient:
        "the registry's host name does not resolve on the node";
        "check the registry's name, the network's DNS servers, and the private DNS zone if the registry has a private endpoint".
    OUTBOUND_IP_NOT_ALLOWED = "network.outbound_ip_not_allowed", Network, Never:
        "the registry's firewall denies the cluster's address";
        "allow the address in the registry's network rules, or use a private endpoint with its DNS zone".
    NO_EGRESS = "network.no_egress", Network, Never:
        "the cluster's nodes have no way to public addresses, and the registry has no private endpoint";
        "create a private endpoint for the registry with its DNS zone, or choose another outbound type for the cluster".
    OUTBOUND_IP_UNKNOWN = "network.outbound_ip_unknown", Network, Never:
        "the registry's firewall admits some addresses only, and the address of the cluster's nodes is not known";
        "give the nodes' addresses as outbound_addresses".
    SUBNET_RULES_NOT_VISIBLE = "network.subnet_rules_not_visible", Network, Never:
        "the registry's firewall denies the cluster's address, and a rule for the nodes' subnet, which Azure does not show, may allow it";
        "use a private endpoint with its DNS zone, or allow the address in the registry's network rules".
    PRIVATE_PATH_UNKNOWN = "network.private_path_unknown", Network, Never:
        "the nodes reach the registry only through a private endpoint, and whether they do is not known from outside";
        "let a node prove it with prove_pull, or peer the cluster's virtual network with that of the private endpoint".
    PROXY_BLOCKS = "network.proxy_blocks", Network, Never:
        "the nodes' HTTP proxy blocks the request";
        "allow the registry in the proxy, or add its login and data hosts to noProxy".
    ADDRESS_TIMEOUT = "network.address_timeout", Network, Transient:
        "the registry's address does not respond";
        "allow the registry in the cluster's egress rules, and check routes and network security groups".
    UNTRUSTED_CERTIFICATE = "network.untrusted_certificate", Network, Never:
        "the registry's certificate is not trusted on the node";
        "exempt the registry from TLS inspection, or install its certificate authority on the nodes".
    IDENTITY_MISSING = "identity.missing", Identity, Never:
        "the cluster has no kubelet identity that could pull";
        "give the cluster a kubelet identity with az aks update --enable-managed-identity --assign-identity --assign-kubelet-identity (this \
        upgrades the node pools), and attach the registry".
    NOT_ON_NODES = "identity.not_on_nodes", Identity, Never:
        "the scale set of a node pool does not have the cluster's kubelet identity, so its nodes get no token";
        "reconcile the cluster with az aks update, which gives the scale set the identity again".
    NODES_OUTDATED = "identity.nodes_outdated", Identity, Never:
        "the node pulls with another identity than the cluster's kubelet identity";
        "upgrade the node image of the pool, so that its nodes are recreated with the cluster's identity".
    SERVICE_PRINCIPAL_EXPIRED = "identity.service_principal_expired", Identity, Never:
        "the secret of the cluster's service principal has ended, or ends soon, or the service principal is disabled";
        "give the service principal a new secret, and the cluster with az aks update-credentials --reset-service-principal".
    SERVICE_ACCOUNT_PULLS = "identity.service_account_pulls", Identity, Never:
        "the cluster's nodes pull as the pods' service accounts, so role assignments of the kubelet identity do not count";
        "name an identity of the cluster in the service account's annotation kubernetes.azure.com/acr-client-id, and attach the registry with \
        the identity's object ID as principal_id".
    PROVIDER_SKIPS_HOST = "identity.provider_skips_host", Identity, Never:
        "the nodes fetch no credential for the image's regional host: their node image is too old for it";
        "upgrade the node image of the pool, or name the image by the registry's login server".
    ARM_TOKENS_REFUSED = "sign_in.arm_tokens_refused", SignIn, Never:
        "the registry refuses tokens for Azure Resource Manager, and nodes with an old image sign in with such tokens";
        "upgrade the node image of the pool".
    PULL_SECRET_UNUSABLE = "pull_secret.unusable", SignIn, Never:
        "a pull secret of the pod cannot be used";
        "create the secret in the pod's namespace, or remove it from imagePullSecrets".
    PULL_SECRET_EXPIRED = "pull_secret.expired", SignIn, Never:
        "the registry rejects the user name and password of the pull secret";
        "renew the pull secret".
    CREDENTIALS_INVALIDATED = "sign_in.credentials_invalidated", SignIn, Transient:
        "the registry's role assignment mode was changed within the last hour, and it rejects credentials that nodes have fetched before";
        "wait: nodes fetch a new credential within an hour of the change; sooner, upgrade the node image of the pool".
    GRANT_ROLE_NOT_HONOURED = "grant.role_not_honoured", Authorization, Never:
        "the cluster's identity has a role that has no effect in the registry's role assignment mode";
        "attach the registry to the cluster".
    GRANT_TO_WRONG_IDENTITY = "grant.to_wrong_identity", Authorization, Never:
        "the pull role was granted to an identity that does not pull";
        "attach the registry to the cluster".
    GRANT_DENIED = "grant.denied", Authorization, Never:
        "a deny assignment keeps the cluster's identity from pulling";
        "remove the deny assignment, or change the deployment stack or managed application that created it".
    CONDITION_EXCLUDES_REPOSITORY = "grant.condition_excludes_repository", Authorization, Never:
        "the conditions of the identity's role assignments exclude this repository";
        "attach the registry with a condition that includes the repository".
    CONDITION_NOT_EVALUATED = "grant.condition_not_evaluated", Authorization, Never:
        "the role assignment has a condition that cannot be evaluated here";
        "write the condition in the documented form, with @Request and the repository's name".
    GRANT_MISSING = "grant.missing", Authorization, AfterGrant:
        "the cluster's identity has no role assignment that allows pulling this image";
        "attach the registry to the cluster".
    LIMITED_TO_REPOSITORIES = "grant.limited_to_repositories", Authorization, Never:
        "the identity's role assignments allow pulling from some repositories only";
        "ask about one image".
    GRANT_NOT_EFFECTIVE_YET = "grant.not_effective_yet", Authorization, AfterGrant:
        "the cluster's identity has a grant that is not effective yet";
        "wait: it may take minutes, and up to an hour on nodes that have cached a credential".
    GRANT_THROUGH_GROUP = "grant.through_group", Authorization, AfterGrant:
        "the cluster's identity has access only as a member of a group, and tokens keep earlier memberships for up to a day";
        "wait, or attach with on_inherited_grant=grant_directly".
    NO_CREDENTIAL = "identity.no_credential", Authorization, AfterGrant:
        "the node pulled without credentials: the registry issued none to the cluster's identity, or the node has no identity";
        "attach the registry to the cluster, and check that the cluster has a kubelet identity".
    IMAGE_SOFT_DELETED = "image.soft_deleted", Image, Never:
        "the image was deleted from the registry, and can be restored";
        "restore the image with az acr manifest restore".
    IMAGE_QUARANTINED = "image.quarantined", Image, Never:
        "the image is in quarantine: the registry serves images only once a scanner has passed them";
        "let the scanner pass the image, which needs the role AcrQuarantineWriter".
    IMAGE_READ_DISABLED = "image.read_disabled", Image, Never:
        "the registry does not allow reading this image: reading is disabled, or the image is in quarantine";
        "enable reading with az acr repository update --read-enabled true, or release the image from quarantine".
    CACHE_RULE_UPSTREAM_DENIED = "registry.cache_rule_upstream_denied", Image, Never:
        "the upstream registry of the cache rule rejects the registry's credentials";
        "renew the secret of the cache rule's credential set, and its access to Key Vault".
    CACHE_RULE_UPSTREAM_THROTTLED = "registry.cache_rule_upstream_throttled", Image, Transient:
        "the upstream registry of the cache rule throttles the registry's requests";
        "wait, or give the cache rule credentials".
    IMAGE_PRIVATE_OR_MISSING = "image.private_or_missing", Image, Never:
        "the registry does not show this image to the node: it is private, or it does not exist";
        "give the pod a pull secret for the registry, or correct the image's name".
    IMAGE_NOT_REPLICATED_YET = "image.not_replicated_yet", Image, Transient:
        "the replica of the registry from which the node pulls does not have the image yet";
        "wait until the image is replicated, which usually takes minutes; then delete the pod, so that the new one pulls at once".
    IMAGE_NOT_FOUND = "image.not_found", Image, Never:
        "the registry does not have this repository, tag or digest";
        "import or push the image, or correct its name".
    WINDOWS_VERSION_MISMATCH = "image.windows_version_mismatch", Platform, Never:
        "the image was built for a Windows version other than the node's";
        "use an image for the nodes' Windows build, or another node pool".
    PLATFORM_MISSING = "image.platform_missing", Platform, Never:
        "the image has no variant for the node's platform";
        "build the image for the nodes' platform, or choose other nodes with nodeSelector".
    IMAGE_SCHEMA1 = "image.schema1", Image, Never:
        "the image has a schema 1 manifest, which the node's containerd does not support";
        "push the image again with a current client".
    NOT_AN_IMAGE = "image.not_an_image", Image, Never:
        "the reference names an artifact that is not a container image";
        "name the image instead of the chart or artifact".
    DATA_ENDPOINT_BLOCKED = "network.data_endpoint_blocked", Layers, Never:
        "the node reaches the registry, but not the host that serves its layers";
        "allow the registry's data endpoints, or *.blob.core.windows.net, in the cluster's egress rules".
    NODE_DISK_FULL = "node.disk_full", Node, Transient:
        "the node's disk is full";
        "use a larger OS disk or a smaller image".
    NODE_STORE_DAMAGED = "node.store_damaged", Node, Transient:
        "the node's image store has lost content that it needs";
        "delete the pod; if the failure persists on that node, cordon it, delete the pod again, and reimage the nodes of the pool with az aks \
        nodepool upgrade --node-image-only".
    CREDENTIALS_RECHECKED = "node.credentials_rechecked", Node, Never:
        "since Kubernetes 1.35, an image that is on a node is used only for pods with a credential that has pulled it";
        "fix the failed pull, or give the pod the pull secret that the image was pulled with".
    NODE_PULL_RATE_EXCEEDED = "node.pull_rate_exceeded", Node, Transient:
        "the node's kubelet limits how many image pulls it starts per second";
        "wait, or start fewer pods at a time".
    CAUSE_UNKNOWN = "pull.cause_unknown", Node, Transient:
        "unknown cause; see the message";
        "read the kubelet's message".
    SUCCEEDED_BEFORE_CHANGE = "pull.succeeded_before_change", Node, Never:
        "nodes have pulled from the registry, but not since it or a role assignment was changed";
        "prove a pull now with prove_pull, or start a pod with imagePullPolicy Always".
    UNKNOWN_CLUSTER = "unknown.cluster", Cluster, Never:
        "the cluster could not be read";
        "get the missing role".
    UNKNOWN_REGISTRY = "unknown.registry", Registry, Never:
        "the registry could not be read";
        "get the missing role".
    UNKNOWN_NETWORK = "unknown.network", Network, Never:
        "a network setting could not be read, or has a value that this version does not know";
        "get the missing role".
    UNKNOWN_PRINCIPAL = "unknown.principal", Identity, Never:
        "the identity that pulls could not be determined";
        "give its object ID as principal_id".
    UNKNOWN_NODES = "unknown.nodes", Identity, Never:
        "what the nodes pull with could not be read";
        "get the missing role, or prove a pull".
    UNKNOWN_ROLE_ASSIGNMENTS = "unknown.role_assignments", Authorization, Never:
        "the role assignments at the registry could not be read";
        "get the missing role".
    UNKNOWN_ROLE_DEFINITION = "unknown.role_definition", Authorization, Never:
        "a custom role that may allow the pull could not be read";
        "get the missing role".
    UNKNOWN_IMAGE = "unknown.image", Image, Never:
        "the image could not be read";
        "get the missing role, or check from a network that reaches the registry".
    UNKNOWN_PLATFORM = "unknown.platform", Platform, Never:
        "the platforms of the image or of the nodes could not be determined";
        "check the image's platforms".
}

impl FindingId {
    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the finding means, in one sentence. `None` for an ID of a newer version.
    #[must_use]
    pub fn meaning(&self) -> Option<&'static str> {
        self.row().map(|row| row.message)
    }

    /// Whether waiting can help, unless the facts say more. `None` for an ID of a newer version.
    #[must_use]
    pub fn retry(&self) -> Option<PullRetry> {
        self.row().map(|row| row.retry)
    }

    /// What to do about the finding. `None` for an ID of a newer version.
    #[must_use]
    pub fn next_step(&self) -> Option<&'static str> {
        self.row().map(|row| row.next_step)
    }

    /// The stage of a pull at which it is found. `None` for an ID of a newer version.
    #[must_use]
    pub fn stage(&self) -> Option<PullStage> {
        self.row().map(|row| row.stage)
    }

    /// The address of its page in the documentation of this version. `None` for an ID of a newer version.
    #[must_use]
    pub fn docs(&self) -> Option<String> {
        self.row().map(Row::docs)
    }

    /// Its row. An ID of a newer version has none.
    pub(crate) fn row(&self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.id == self.0)
    }

    /// Its place in the order of a pull's stages: a later one proves that the stages before it passed. A registry throttles at any
    /// stage, so that says the least.
    pub(crate) fn rank(&self) -> usize {
        ROWS.iter().position(|row| row.id == self.0).unwrap_or(ROWS.len())
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for FindingId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for FindingId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_id_occurs_once_and_has_a_row() {
        let ids: BTreeSet<&str> = FindingId::ALL.iter().map(FindingId::as_str).collect();
        assert_eq!((ids.len(), ROWS.len()), (FindingId::ALL.len(), FindingId::ALL.len()));
        assert!(FindingId::ALL.iter().all(|id| id.row().is_some()));
    }

    #[test]
    fn an_id_of_a_newer_version_is_kept() {
        let id: FindingId = serde_json::from_value("identity.on_the_moon".into()).unwrap();
        assert_eq!((id.as_str(), id.row().is_some()), ("identity.on_the_moon", false));
        assert_eq!(serde_json::to_value(&id).unwrap(), "identity.on_the_moon");
    }
}
