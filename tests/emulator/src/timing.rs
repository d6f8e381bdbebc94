//! How long the emulated operations take.

use std::time::Duration;

/// How long the emulator takes, in time of its clock (tokio's).
///
/// A new emulator has [`Timing::none`]: everything is immediate, except for one millisecond per request, which makes
/// concurrent requests overlap in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// The latency of each request of a client.
    pub latency: Duration,
    /// From a role assignment's creation until it has an effect.
    pub propagation: Duration,
    /// From a role assignment's deletion until it has no effect.
    pub deletion: Duration,
    /// How long lists of role assignments lag behind writes. An assignment read by name is current. How long that is in
    /// Azure is not known, so `typical` has none.
    pub listing: Duration,
    /// From adding a group member until new tokens contain the group.
    pub membership: Duration,
    /// How long a new principal is unknown to Microsoft Graph, and to role assignments without `principalType`.
    pub principal: Duration,
    /// How long an import takes.
    pub import: Duration,
    /// How long the creation of a registry takes.
    pub registry: Duration,
    /// From a registry's creation date until nodes resolve its host name.
    ///
    /// How long that is in Azure is not known, so `typical` has none.
    pub registry_name: Duration,
    /// From a request to a registry until its resource logs show it: Azure says [3 to 10
    /// minutes](https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time#azure-metrics-resource-logs-activity-log).
    pub registry_logs: Duration,
    /// How long the deletion of a registry takes.
    pub registry_deletion: Duration,
    /// How long an update of a cluster takes.
    pub cluster: Duration,
    /// How long the creation of a cluster takes.
    pub cluster_creation: Duration,
    /// How long the deletion of a cluster takes.
    pub cluster_deletion: Duration,
    /// From the start of a cluster's creation until it shows the kubelet identity that is created for it.
    ///
    /// When Azure shows it is not known: every recorded body of a cluster in creation has none. If this time is longer than the
    /// creation, as it is by default, the identity is shown at the end of the creation.
    pub kubelet_identity: Duration,
    /// How long the registration of a resource provider takes.
    pub registration: Duration,
    /// How long a command in a cluster takes.
    pub command: Duration,
    /// How long a node keeps using the credential that a registry issued.
    ///
    /// AKS's credential provider says an hour ([`Timing::HOUR_LONG`], the default), and kubelet keeps the credential for so long, with the
    /// permissions that it had when it was issued. A failed exchange is not kept.
    pub node_credentials: Duration,
    /// How long a node uses the same token of its identity, with the groups that it was issued with.
    ///
    /// Azure's machines [cache the tokens of managed identities][2] for about their lifetime, a day ([`Timing::DAY_LONG`], the default): so
    /// an identity that joins an Entra group can still be refused a day later.
    ///
    /// [2]: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations
    pub node_tokens: Duration,
    /// The average lifetime of an Entra token: 75 minutes. Each has between four and six fifths of it, as [Entra's do][1]. Tokens of
    /// managed identities last a day.
    ///
    /// [1]: https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime
    pub token: Duration,
}

/// No scene lasts longer, and no clock ends sooner.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Timing {
    /// How long the kubelet may cache an answer, as its credential provider for Azure says.
    pub const HOUR_LONG: Duration = Duration::from_secs(60 * 60);

    /// How long a machine may cache the token of a managed identity.
    pub const DAY_LONG: Duration = Duration::from_secs(24 * 60 * 60);

    /// The average lifetime of Entra's tokens.
    pub const AVERAGE_TOKEN: Duration = Duration::from_secs(75 * 60);

    /// Everything is immediate, except for a latency of one millisecond.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            latency: Duration::from_millis(1),
            propagation: Duration::ZERO,
            deletion: Duration::ZERO,
            listing: Duration::ZERO,
            membership: Duration::ZERO,
            principal: Duration::ZERO,
            import: Duration::ZERO,
            registry: Duration::ZERO,
            registry_name: Duration::ZERO,
            registry_logs: Duration::ZERO,
            registry_deletion: Duration::ZERO,
            cluster: Duration::ZERO,
            cluster_creation: Duration::ZERO,
            cluster_deletion: Duration::ZERO,
            kubelet_identity: Duration::MAX,
            registration: Duration::ZERO,
            command: Duration::ZERO,
            node_credentials: Self::HOUR_LONG,
            node_tokens: Self::DAY_LONG,
            token: Self::AVERAGE_TOKEN,
        }
    }

    /// Times of the same order as in Azure.
    #[must_use]
    pub const fn typical() -> Self {
        Self {
            latency: Duration::from_millis(80),
            propagation: Duration::from_secs(60),
            deletion: Duration::from_secs(60),
            listing: Duration::ZERO,
            membership: Duration::from_secs(120),
            principal: Duration::from_secs(15),
            import: Duration::from_secs(12),
            registry: Duration::from_secs(10),
            registry_name: Duration::ZERO,
            registry_logs: Duration::from_secs(5 * 60),
            registry_deletion: Duration::from_secs(8),
            cluster: Duration::from_secs(114),
            cluster_creation: Duration::from_secs(305),
            cluster_deletion: Duration::from_secs(240),
            kubelet_identity: Duration::MAX,
            registration: Duration::from_secs(45),
            command: Duration::from_secs(11),
            node_credentials: Self::HOUR_LONG,
            node_tokens: Self::DAY_LONG,
            token: Self::AVERAGE_TOKEN,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::none()
    }
}

/// One setter a field, so that a test changes what it is about and nothing else.
macro_rules! setters {
    ($($with:ident => $field:ident),* $(,)?) => {
        impl Timing {
            /// The same within what a clock can take: ten years are for ever.
            pub(crate) fn bounded(mut self) -> Self {
                $(self.$field = self.$field.min(FOR_EVER);)*
                self
            }

            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub const fn $with(mut self, time: Duration) -> Self {
                    self.$field = time;
                    self
                }
            )*
        }
    };
}

setters! {
    with_latency => latency,
    with_propagation => propagation,
    with_deletion => deletion,
    with_listing => listing,
    with_membership => membership,
    with_principal => principal,
    with_import => import,
    with_registry => registry,
    with_registry_name => registry_name,
    with_registry_logs => registry_logs,
    with_registry_deletion => registry_deletion,
    with_cluster => cluster,
    with_cluster_creation => cluster_creation,
    with_cluster_deletion => cluster_deletion,
    with_kubelet_identity => kubelet_identity,
    with_registration => registration,
    with_command => command,
    with_node_credentials => node_credentials,
    with_node_tokens => node_tokens,
    with_token => token,
}
