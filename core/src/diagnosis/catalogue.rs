//! The findings: their IDs, in the order of a pull's stages, and what each one means.

use crate::words::word_names;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

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
    pub retry: PullRetry,
    pub message: &'static str,
    pub next_step: &'static str,
}

macro_rules! findings {
    ($($name:ident = $id:literal, $retry:ident: $message:literal; $next_step:literal.)+) => {
        impl FindingId {
            $(
                #[doc = concat!("`", $id, "`: ", $message, ".")]
                pub const $name: Self = Self(Cow::Borrowed($id));
            )+

            /// All IDs of this version. The order is that of a pull's stages; within a stage, the specific ones come first.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }

        const ROWS: &[Row] = &[
            $(Row { id: $id, retry: PullRetry::$retry, message: $message, next_step: $next_step }),+
        ];
    };
}

findings! {
    REFERENCE_INVALID = "reference.invalid", Never:
        "the image reference is invalid";
        "correct the image reference in the manifest".
    HOST_MISSPELLED = "reference.host_misspelled", Never:
        "the image's host does not exist, and resembles the login server of a registry";
        "write the host as the registry's login server".
    OTHER_REGISTRY = "reference.other_registry", Never:
        "the image's host is not the login server of the registry that responds there";
        "name the image by the registry's login server, which has no `privatelink` in it".
    PULL_POLICY_NEVER = "reference.pull_policy_never", Never:
        "the image is not on the node, and its pull policy is Never";
        "set the pod's imagePullPolicy to IfNotPresent".
    ENCRYPTION_KEY_UNAVAILABLE = "registry.encryption_key_unavailable", Never:
        "the registry cannot use its customer-managed key";
        "restore the key and the registry's access to it in Key Vault".
    REGISTRY_THROTTLED = "registry.throttled", Transient:
        "the registry throttles the node's requests";
        "pull fewer images at a time, import the image into a registry of your own, or use a larger registry tier".
    DNS_LOOKUP_FAILED = "dns.lookup_failed", Transient:
        "the registry's host name does not resolve on the node";
        "check the registry's name, the network's DNS servers, and the private DNS zone if the registry has a private endpoint".
    OUTBOUND_IP_NOT_ALLOWED = "network.outbound_ip_not_allowed", Never:
        "the registry's firewall denies the cluster's address";
        "allow the address in the registry's network rules, or use a private endpoint with its DNS zone".
    PROXY_BLOCKS = "network.proxy_blocks", Never:
        "the nodes' HTTP proxy blocks the request";
        "allow the registry in the proxy, or add its login and data hosts to noProxy".
    ADDRESS_TIMEOUT = "network.address_timeout", Transient:
        "the registry's address does not respond";
        "allow the registry in the cluster's egress rules, and check routes and network security groups".
    UNTRUSTED_CERTIFICATE = "network.untrusted_certificate", Never:
        "the registry's certificate is not trusted on the node";
        "exempt the registry from TLS inspection, or install its certificate authority on the nodes".
    IDENTITY_MISSING = "identity.missing", Never:
        "the cluster has no kubelet identity that could pull";
        "give the cluster a kubelet identity with az aks update --enable-managed-identity --assign-identity --assign-kubelet-identity (this \
        upgrades the node pools), and attach the registry".
    PULL_SECRET_UNUSABLE = "pull_secret.unusable", Never:
        "a pull secret of the pod cannot be used";
        "create the secret in the pod's namespace, or remove it from imagePullSecrets".
    PULL_SECRET_EXPIRED = "pull_secret.expired", Never:
        "the registry rejects the user name and password of the pull secret";
        "renew the pull secret".
    GRANT_ROLE_NOT_HONOURED = "grant.role_not_honoured", Never:
        "the cluster's identity has a role that has no effect in the registry's role assignment mode";
        "attach the registry to the cluster".
    GRANT_TO_WRONG_IDENTITY = "grant.to_wrong_identity", Never:
        "the pull role was granted to an identity that does not pull";
        "attach the registry to the cluster".
    GRANT_MISSING = "grant.missing", AfterGrant:
        "the cluster's identity has no role assignment that allows pulling this image";
        "attach the registry to the cluster".
    GRANT_NOT_EFFECTIVE_YET = "grant.not_effective_yet", AfterGrant:
        "the cluster's identity has a grant that is not effective yet";
        "wait: it may take minutes, and up to an hour on nodes that have cached a credential".
    GRANT_THROUGH_GROUP = "grant.through_group", AfterGrant:
        "the cluster's identity has access only as a member of a group, and tokens keep earlier memberships for up to a day";
        "wait, or attach with on_inherited_grant=grant_directly".
    NO_CREDENTIAL = "identity.no_credential", AfterGrant:
        "the node pulled without credentials: the registry issued none to the cluster's identity, or the node has no identity";
        "attach the registry to the cluster, and check that the cluster has a kubelet identity".
    IMAGE_READ_DISABLED = "image.read_disabled", Never:
        "the registry does not allow reading this image: reading is disabled, or the image is in quarantine";
        "enable reading with az acr repository update --read-enabled true, or release the image from quarantine".
    CACHE_RULE_UPSTREAM_DENIED = "registry.cache_rule_upstream_denied", Never:
        "the upstream registry of the cache rule rejects the registry's credentials";
        "renew the secret of the cache rule's credential set, and its access to Key Vault".
    CACHE_RULE_UPSTREAM_THROTTLED = "registry.cache_rule_upstream_throttled", Transient:
        "the upstream registry of the cache rule throttles the registry's requests";
        "wait, or give the cache rule credentials".
    IMAGE_PRIVATE_OR_MISSING = "image.private_or_missing", Never:
        "the registry does not show this image to the node: it is private, or it does not exist";
        "give the pod a pull secret for the registry, or correct the image's name".
    IMAGE_NOT_FOUND = "image.not_found", Never:
        "the registry does not have this repository, tag or digest";
        "import or push the image, or correct its name".
    WINDOWS_VERSION_MISMATCH = "image.windows_version_mismatch", Never:
        "the image was built for a Windows version other than the node's";
        "use an image for the nodes' Windows build, or another node pool".
    PLATFORM_MISSING = "image.platform_missing", Never:
        "the image has no variant for the node's platform";
        "build the image for the nodes' platform, or choose other nodes with nodeSelector".
    IMAGE_SCHEMA1 = "image.schema1", Never:
        "the image has a schema 1 manifest, which the node's containerd does not support";
        "push the image again with a current client".
    NOT_AN_IMAGE = "image.not_an_image", Never:
        "the reference names an artifact that is not a container image";
        "name the image instead of the chart or artifact".
    DATA_ENDPOINT_BLOCKED = "network.data_endpoint_blocked", Never:
        "the node reaches the registry, but not the host that serves its layers";
        "allow the registry's data endpoints, or *.blob.core.windows.net, in the cluster's egress rules".
    NODE_DISK_FULL = "node.disk_full", Transient:
        "the node's disk is full";
        "use a larger OS disk or a smaller image".
    NODE_STORE_DAMAGED = "node.store_damaged", Transient:
        "the node's image store has lost content that it needs";
        "delete the pod; if the failure persists on that node, reimage the node".
    NODE_PULL_RATE_EXCEEDED = "node.pull_rate_exceeded", Transient:
        "the node's kubelet limits how many image pulls it starts per second";
        "wait, or start fewer pods at a time".
    CAUSE_UNKNOWN = "pull.cause_unknown", Transient:
        "unknown cause; see the message";
        "read the kubelet's message".
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
