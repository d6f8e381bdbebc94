//! How long this Azure takes for what Azure takes time for.

use std::time::Duration;

/// How long the emulator takes, in time of its clock (tokio's).
///
/// [`Timing::none`] is what a new emulator has: everything is done at once but for one millisecond a request, which is
/// there so that requests sent together are seen to overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// What passes before any request of a client is looked at.
    pub latency: Duration,
    /// From a role assignment's creation until it has an effect.
    pub propagation: Duration,
    /// From a role assignment's deletion until it has lost its effect.
    pub deletion: Duration,
    /// How long lists of role assignments lag behind what is written. An assignment by its name is read as it is. How long that is in
    /// Azure is not established, so that `typical` has none.
    pub listing: Duration,
    /// From the moment somebody is put into a group until new tokens say so.
    pub membership: Duration,
    /// How long a principal just made is unknown to role assignments that send no `principalType`.
    pub principal: Duration,
    /// How long an import takes.
    pub import: Duration,
    /// How long the creation of a registry takes.
    pub registry: Duration,
    /// How long an update of a cluster takes.
    pub cluster: Duration,
    /// How long the creation of a cluster takes.
    pub cluster_creation: Duration,
    /// How long the deletion of a cluster takes.
    pub cluster_deletion: Duration,
    /// From the beginning of a cluster's creation until it shows the kubelet identity that is made for it.
    ///
    /// When that is in Azure is not established: every recorded body of a cluster that was being created had none. So it is shown
    /// at the end of the creation where this is longer, as it is by default.
    pub kubelet_identity: Duration,
    /// How long the registration of a resource provider takes.
    pub registration: Duration,
    /// How long a command run inside a cluster takes.
    pub command: Duration,
    /// How long a node goes on using the credential that a registry gave it.
    ///
    /// Kubelet keeps one for an hour ([`Timing::HOUR_LONG`]), with the permissions that it had when it was given. Users report
    /// both: that a new grant works within minutes, and that it takes up to an hour; which one a registry does with a credential
    /// of somebody without any role is not established. So the default, and `typical`, take the shorter.
    pub node_credentials: Duration,
    /// How long an Entra token is good for.
    ///
    /// An hour in Azure. The default is a week: clients keep tokens by the wall clock, which a test that turns tokio's
    /// clock by hours does not turn.
    pub token: Duration,
}

/// No scene lasts longer, and no clock ends sooner.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Timing {
    /// What kubelet's credential provider for Azure says of its own answers.
    pub const HOUR_LONG: Duration = Duration::from_secs(60 * 60);

    /// Everything at once, but for a latency of one millisecond.
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
            cluster: Duration::ZERO,
            cluster_creation: Duration::ZERO,
            cluster_deletion: Duration::ZERO,
            kubelet_identity: Duration::MAX,
            registration: Duration::ZERO,
            command: Duration::ZERO,
            node_credentials: Duration::ZERO,
            token: Duration::from_secs(7 * 24 * 3600),
        }
    }

    /// Times of the size that Azure shows.
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
            cluster: Duration::from_secs(114),
            cluster_creation: Duration::from_secs(305),
            cluster_deletion: Duration::from_secs(240),
            kubelet_identity: Duration::MAX,
            registration: Duration::from_secs(45),
            command: Duration::from_secs(11),
            node_credentials: Duration::ZERO,
            token: Duration::from_secs(3599),
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
    with_cluster => cluster,
    with_cluster_creation => cluster_creation,
    with_cluster_deletion => cluster_deletion,
    with_kubelet_identity => kubelet_identity,
    with_registration => registration,
    with_command => command,
    with_node_credentials => node_credentials,
    with_token => token,
}
