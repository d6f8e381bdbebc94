//! Why a pod's image is not pulled. Kubelet and containerd report texts only, so a text decides here; the other places where one does
//! are listed in CONTRIBUTING.md.

use crate::{quoted::Quoted, words::word_names};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A failed pull: the image, the cause if it is known, and kubelet's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullFailure {
    /// The pod.
    pub pod: String,
    /// Its container.
    pub container: String,
    /// The image as the pod names it.
    pub image: String,
    /// Kubelet's reason, such as `ErrImagePull`.
    pub reason: String,
    /// The cause.
    pub cause: PullCause,
    /// Kubelet's message; the one about the first failure, if it was read in time.
    /// Kubelet replaces that message when it starts to back off.
    pub message: String,
}

impl PullFailure {
    /// Creates a failure, and derives the cause from kubelet's reason and message.
    #[must_use]
    pub fn new(
        pod: impl Into<String>,
        container: impl Into<String>,
        image: impl Into<String>,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let (reason, message) = (reason.into(), message.into());
        let cause = PullCause::read(&reason, &message);
        Self { pod: pod.into(), container: container.into(), image: image.into(), reason, cause, message }
    }
}

impl fmt::Display for PullFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Quoted(&self.reason), self.cause)
    }
}

/// The cause of a failed pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullCause {
    /// The registry knows the identity, but the identity has no access to this repository: no grant, the wrong role for the registry's
    /// mode, the wrong identity, or a grant that is not effective yet.
    Unauthorized,
    /// No credentials reached the registry: the nodes have no identity, or could not use it.
    NoCredentials,
    /// The registry's firewall denied the address.
    Firewall {
        /// The cluster's outgoing address, if the message contains it.
        address: Option<String>,
    },
    /// The registry does not have the repository or the tag.
    NotFound,
    /// The image has no variant for the node's operating system and architecture.
    NoMatchingPlatform,
    /// A private address does not respond: no route, or a security group blocks it.
    PrivateAddressTimeout,
    /// A public address does not respond: outgoing traffic is filtered.
    PublicAddressTimeout,
    /// The registry's host name does not resolve.
    NoSuchHost,
    /// The registry throttles.
    Throttled,
    /// The registry's certificate is not trusted: a proxy or firewall inspects the traffic.
    UntrustedCertificate,
    /// The image reference is invalid.
    InvalidName,
    /// The image is not on the node, and the pod's pull policy is `Never`.
    NeverPulled,
    /// The message is not recognized. The cause may be transient.
    Unknown,
}

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

impl PullCause {
    /// Whether waiting can help.
    #[must_use]
    pub const fn retry(&self) -> PullRetry {
        match self {
            Self::Unauthorized => PullRetry::AfterGrant,
            Self::Firewall { .. }
            | Self::NotFound
            | Self::NoMatchingPlatform
            | Self::NoSuchHost
            | Self::UntrustedCertificate
            | Self::InvalidName
            | Self::NeverPulled => PullRetry::Never,
            Self::NoCredentials
            | Self::PrivateAddressTimeout
            | Self::PublicAddressTimeout
            | Self::Throttled
            | Self::Unknown => PullRetry::Transient,
        }
    }

    /// What to do about it. `None`: it depends on the role assignments, or is in the message only.
    pub(crate) const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unauthorized | Self::Unknown => return None,
            Self::NoCredentials => "check that the cluster has a kubelet identity",
            Self::Firewall { .. } => "allow the address in the registry's network rules, or use a private endpoint",
            Self::NotFound => "import or push the image, or correct its name",
            Self::NoMatchingPlatform => {
                "build the image for the nodes' platform, or choose other nodes by nodeSelector"
            }
            Self::PrivateAddressTimeout => {
                "check routes and network security groups between nodes and private endpoint"
            }
            Self::PublicAddressTimeout => "allow the registry and its data endpoint in the cluster's egress rules",
            Self::NoSuchHost => "check the registry's name, and the private DNS zone if it has a private endpoint",
            Self::Throttled => "pull fewer images at a time, or use a larger registry tier",
            Self::UntrustedCertificate => "install the certificate authority of the inspecting proxy on the nodes",
            Self::InvalidName => "correct the image reference",
            Self::NeverPulled => "change the pod's imagePullPolicy",
        })
    }

    /// Determines the cause from kubelet's reason and message.
    #[must_use]
    pub fn read(reason: &str, text: &str) -> Self {
        let has = |sign: &str| text.contains(sign);
        let lower = text.to_ascii_lowercase();
        let refused = has("401 Unauthorized") || lower.contains("unauthorized");
        if reason == "InvalidImageName" || has("couldn't parse image name") {
            Self::InvalidName
        } else if reason == "ErrImageNeverPull" {
            Self::NeverPulled
        } else if has("no match for platform in manifest") {
            Self::NoMatchingPlatform
        } else if has("is not allowed access") || has("403 Forbidden") {
            Self::Firewall { address: between(text, "client with IP '", '\'') }
        } else if has("failed to fetch oauth token") && refused {
            Self::Unauthorized
        } else if has("x509:") {
            Self::UntrustedCertificate
        } else if has("no such host") {
            Self::NoSuchHost
        } else if has("i/o timeout") {
            timeout(text)
        } else if lower.contains("toomanyrequests") || has("429 Too Many Requests") {
            Self::Throttled
        } else if has("not found") || has("manifest unknown") {
            Self::NotFound
        } else if has("failed to fetch anonymous token") && refused {
            Self::NoCredentials
        } else {
            Self::Unknown
        }
    }
}

impl fmt::Display for PullCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Unauthorized => "the cluster's identity has no access to this repository",
            Self::NoCredentials => "the registry received no credentials from the cluster",
            Self::Firewall { address: Some(address) } => {
                return write!(f, "the registry's firewall denies the cluster's address {}", Quoted(address));
            }
            Self::Firewall { address: None } => "the registry's firewall denies the cluster's address",
            Self::NotFound => "the registry does not have this repository or tag",
            Self::NoMatchingPlatform => "the image has no variant for the node's platform",
            Self::PrivateAddressTimeout => "the registry's private address does not respond",
            Self::PublicAddressTimeout => "the registry's public address does not respond",
            Self::NoSuchHost => "the registry's host name does not resolve",
            Self::Throttled => "the registry throttles",
            Self::UntrustedCertificate => "the registry's certificate is not trusted on the node",
            Self::InvalidName => "the image reference is invalid",
            Self::NeverPulled => "the image is not on the node, and its pull policy is Never",
            Self::Unknown => "unknown cause, see the message",
        };
        f.write_str(text)
    }
}

fn timeout(text: &str) -> PullCause {
    let address = between(text, "dial tcp ", ':').and_then(|address| address.parse::<std::net::IpAddr>().ok());
    match address {
        Some(std::net::IpAddr::V4(address)) if address.is_private() => PullCause::PrivateAddressTimeout,
        _ => PullCause::PublicAddressTimeout,
    }
}

fn between(text: &str, start: &str, end: char) -> Option<String> {
    let rest = &text[text.find(start)? + start.len()..];
    Some(rest[..rest.find(end)?].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> PullCause {
        PullCause::read("ErrImagePull", text)
    }

    #[test]
    fn a_cause_that_waiting_cannot_help_has_a_hint() {
        let causes = [
            PullCause::Firewall { address: None },
            PullCause::NotFound,
            PullCause::NoMatchingPlatform,
            PullCause::NoSuchHost,
            PullCause::UntrustedCertificate,
            PullCause::InvalidName,
            PullCause::NeverPulled,
        ];
        for cause in causes {
            assert_eq!(cause.retry(), PullRetry::Never, "{cause}");
            assert!(cause.hint().is_some(), "{cause}");
        }
    }

    #[test]
    fn an_anonymous_error_beside_a_named_one_is_noise() {
        let text = "failed to authorize: failed to fetch oauth token: unexpected status from POST request to \
            https://r.azurecr.io/oauth2/token: 401 Unauthorized, failed to fetch anonymous token: 401 Unauthorized";
        assert_eq!(read(text), PullCause::Unauthorized);
        let text =
            "[r.azurecr.io/a:1: not found, failed to authorize: failed to fetch anonymous token: 401 Unauthorized]";
        assert_eq!(read(text), PullCause::NotFound);
        assert_eq!(read("failed to fetch anonymous token: 401 Unauthorized"), PullCause::NoCredentials);
    }

    #[test]
    fn the_firewalls_text_names_the_address() {
        let cause = read("client with IP '20.1.2.3' is not allowed access. Refer https://aka.ms/acr/firewall");
        assert_eq!(cause, PullCause::Firewall { address: Some("20.1.2.3".to_owned()) });
    }

    #[test]
    fn a_timeout_is_classified_by_its_address() {
        assert_eq!(read("dial tcp 10.0.0.4:443: i/o timeout"), PullCause::PrivateAddressTimeout);
        assert_eq!(read("dial tcp 20.0.0.4:443: i/o timeout"), PullCause::PublicAddressTimeout);
        assert_eq!(read("net/http: i/o timeout"), PullCause::PublicAddressTimeout);
    }

    #[test]
    fn the_rest_of_the_table() {
        for (text, cause) in [
            ("rpc error: manifest unknown", PullCause::NotFound),
            ("r.azurecr.io/a:1.429: not found", PullCause::NotFound),
            ("unexpected status: 429 Too Many Requests", PullCause::Throttled),
            ("no match for platform in manifest: not found", PullCause::NoMatchingPlatform),
            ("lookup r.azurecr.io: no such host", PullCause::NoSuchHost),
            ("toomanyrequests: You have reached", PullCause::Throttled),
            ("x509: certificate signed by unknown authority", PullCause::UntrustedCertificate),
            ("something else", PullCause::Unknown),
        ] {
            assert_eq!(read(text), cause, "{text}");
        }
        assert_eq!(PullCause::read("InvalidImageName", "x"), PullCause::InvalidName);
    }
}
