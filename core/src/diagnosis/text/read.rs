//! From a text to a finding. The most specific rules come first; each names the program that writes the text.

use super::{
    attempt::Attempt,
    facts,
    finding::{NextStep, PullFinding},
    refusal, split,
};
use crate::diagnosis::{
    catalogue::{FindingId, PullRetry},
    distance::distance,
    stage::PullStage,
};

impl PullFinding {
    /// Determines the finding from the kubelet's reason, such as `ErrImagePull`, and its message.
    ///
    /// What a refusal means depends on the registry. If the message names no host, use [`of_image`](Self::of_image).
    #[must_use]
    pub fn read(reason: &str, message: &str) -> Self {
        finding(reason, message, None)
    }

    /// Determines the finding for the image that the pod names, which a message may omit.
    ///
    /// ```
    /// use aks_acr::{FindingId, PullFinding};
    ///
    /// let refused = "Error response from daemon: unauthorized: authentication required";
    /// let id = |image| PullFinding::of_image(image, "ErrImagePull", refused).id;
    /// assert_eq!(id("myregistry.azurecr.io/app:v1"), FindingId::GRANT_MISSING);
    /// assert_eq!(id("team/app:v1"), FindingId::IMAGE_PRIVATE_OR_MISSING);
    /// ```
    #[must_use]
    pub fn of_image(image: &str, reason: &str, message: &str) -> Self {
        finding(reason, message, facts::registry_of(image))
    }
}

/// The finding of a message: that of the try that got furthest. A try without credentials says nothing if there is another one:
/// the kubelet makes it regardless of what failed before.
fn finding(reason: &str, message: &str, registry: Option<String>) -> PullFinding {
    if let Some(id) = of_reason(reason) {
        return PullFinding::of(id);
    }
    // kubectl breaks long lines, and so do the tables of others.
    let message = &message.split_whitespace().collect::<Vec<_>>().join(" ");
    // The kubelet's message is about one image, whichever try names it.
    let host = facts::image_host(message).or(registry);
    let of_try = |text| Attempt::new(text, host.as_deref());
    let attempts: Vec<Attempt<'_>> = split::tries(message).into_iter().map(of_try).collect();
    let named = attempts.iter().filter(|one| !one.is_anonymous());
    let has_named = named.clone().next().is_some();
    let counts = attempts.iter().filter(|one| !has_named || !one.is_anonymous());
    // The first of the furthest: the kubelet tries the pod's own credentials first.
    let rank = |finding: &PullFinding| if finding.is_known() { finding.id.rank() + 1 } else { 0 };
    let mut best: Option<PullFinding> = None;
    for found in counts.map(of_attempt) {
        if best.as_ref().is_none_or(|best| rank(&found) > rank(best)) {
            best = Some(found);
        }
    }
    best.unwrap_or_else(|| PullFinding::of(FindingId::CAUSE_UNKNOWN))
}

fn of_reason(reason: &str) -> Option<FindingId> {
    match reason {
        "InvalidImageName" => Some(FindingId::REFERENCE_INVALID),
        "ErrImageNeverPull" => Some(FindingId::PULL_POLICY_NEVER),
        "FailedToRetrieveImagePullSecret" => Some(FindingId::PULL_SECRET_UNUSABLE),
        _ => None,
    }
}

/// Whether a finding is about the registry's host, so that the text's host is that.
fn is_about_a_host(id: &FindingId) -> bool {
    let others = [PullStage::Reference, PullStage::Layers, PullStage::Node];
    id.stage().is_some_and(|stage| !others.contains(&stage))
}

fn of_attempt(one: &Attempt<'_>) -> PullFinding {
    let rules = [
        of_kubelet,
        of_the_node,
        of_the_image,
        of_a_mirror_on_a_node,
        of_the_registrys_words,
        of_the_network,
        refusal::of,
        refusal::of_absence,
    ];
    let found = rules.iter().find_map(|rule| rule(one)).unwrap_or_else(|| PullFinding::of(FindingId::CAUSE_UNKNOWN));
    let host = found.host.clone().or_else(|| one.host().map(str::to_owned).filter(|_| is_about_a_host(&found.id)));
    PullFinding { host: host.filter(|_| found.is_known()), ..found }
}

/// kubelet: `image_manager.go`, `kuberuntime_image.go`; containerd: `image_pull.go` for a reference that it cannot parse.
fn of_kubelet(one: &Attempt<'_>) -> Option<PullFinding> {
    let id = if one.has_any(&["couldn't parse image", "failed to parse image reference", "invalid reference format"]) {
        FindingId::REFERENCE_INVALID
    } else if one.has_any(&["is not present with pull policy of never", "errimageneverpull"]) {
        FindingId::PULL_POLICY_NEVER
    } else if one.has("unable to retrieve some image pull secrets") {
        FindingId::PULL_SECRET_UNUSABLE
    } else if one.has("pull qps exceeded") {
        FindingId::NODE_PULL_RATE_EXCEEDED
    } else {
        return None;
    };
    Some(PullFinding::of(id))
}

/// The node's disk, and containerd's own store: `core/metadata/content.go`, `core/metadata/snapshot.go`, `plugins/content/local/store.go`.
fn of_the_node(one: &Attempt<'_>) -> Option<PullFinding> {
    if one.has_any(&["no space left on device", "not enough space on the disk", "disk quota exceeded"]) {
        return Some(PullFinding::of(FindingId::NODE_DISK_FULL));
    }
    let is_lost = one.has("content digest sha") && one.has("not found");
    let is_without_file = one.has("blob sha") && one.has("expected at");
    // Content is compared with its digest when it is fetched: what is cut is so since then.
    let is_of_content = one.has_any(&["children: invalid desc", "unmarshal image config"]);
    let is_cut = is_of_content && one.has("unexpected end of json input");
    let is_without_parent = one.has("parent snapshot") && one.has("does not exist");
    let is_damaged = is_lost || is_without_file || is_cut || is_without_parent;
    is_damaged.then(|| PullFinding::of(FindingId::NODE_STORE_DAMAGED))
}

/// What an image is: containerd's `core/images/handlers.go`, `client/image.go`, `core/remotes/docker/resolver.go`; moby for Windows.
fn of_the_image(one: &Attempt<'_>) -> Option<PullFinding> {
    let is_windows = one.has("operating system does not match the host")
        || (one.has("windows version") && one.has("incompatible with"));
    let id = if one.has_any(&[
        "no longer supported since containerd",
        "manifest.v1+prettyjws",
        "pulling schema 1 images have been deprecated",
    ]) {
        FindingId::IMAGE_SCHEMA1
    } else if one.has_any(&[
        "mismatched image rootfs and manifest layers",
        "unknown image config media type",
        "invalid rootfs in image configuration",
    ]) {
        FindingId::NOT_AN_IMAGE
    } else if is_windows {
        FindingId::WINDOWS_VERSION_MISMATCH
    } else if one.has_any(&[
        "no match for platform in manifest",
        "no matching manifest for",
        "no image found in manifest list for architecture",
        "no image found in image index for architecture",
    ]) {
        FindingId::PLATFORM_MISSING
    } else {
        return None;
    };
    Some(PullFinding::of(id))
}

/// A mirror on a node fails for reasons of its own, whatever it says of the registry: that of artifact streaming (Azure/acr#739), Spegel.
fn of_a_mirror_on_a_node(one: &Attempt<'_>) -> Option<PullFinding> {
    let is_mirror = one.is_at_mirror() && one.is_at_node();
    is_mirror.then(|| PullFinding::of(FindingId::CAUSE_UNKNOWN))
}

/// What registries say themselves.
fn of_the_registrys_words(one: &Attempt<'_>) -> Option<PullFinding> {
    let is_denied_upstream = one.has("authentication required with source registry for cache rule")
        || (one.has("requested access to pull from source") && one.has("for cache rule"));
    let id = if is_denied_upstream {
        FindingId::CACHE_RULE_UPSTREAM_DENIED
    } else if one.has("too many requests to source registry for cache rule") {
        FindingId::CACHE_RULE_UPSTREAM_THROTTLED
    } else if one.has_any(&["toomanyrequests", "429 too many requests", "too many requests"]) {
        let found = PullFinding::of(FindingId::REGISTRY_THROTTLED);
        return Some(PullFinding { retry_at: facts::retry_at(one.raw), ..found });
    } else if is_of_lost_key(one.raw) {
        FindingId::ENCRYPTION_KEY_UNAVAILABLE
    } else if one.has("is not allowed access") {
        return Some(refusal::denied_address(one));
    } else if one.has("operation is disallowed") || (one.is_at_azure() && one.has("405 method not allowed")) {
        // containerd does not repeat the registry's words for this status.
        FindingId::IMAGE_READ_DISABLED
    } else {
        return None;
    };
    Some(PullFinding::of(id))
}

/// Whether a registry says that it cannot use its customer-managed key: `tutorial-troubleshoot-customer-managed-keys.md` and the page on push
/// errors in MicrosoftDocs/azure-management-docs.
pub(crate) fn is_of_lost_key(words: &str) -> bool {
    let words = words.to_lowercase();
    let signs = [
        "identity associated with the registry is inactive",
        "access to key encryption key is forbidden",
        "key vault access denied",
    ];
    signs.iter().any(|sign| words.contains(sign))
}

/// Go's errors of connections: net, net/http, crypto/x509.
fn of_the_network(one: &Attempt<'_>) -> Option<PullFinding> {
    if one.has_any(&["proxyconnect tcp", "proxy authentication required"]) || is_refused_by_proxy(one) {
        let address = facts::dialed(one.raw).map(|address| address.to_string());
        return Some(PullFinding { address, ..PullFinding::of(FindingId::PROXY_BLOCKS) });
    }
    if one.has("x509:") {
        return Some(of_a_certificate(one));
    }
    let is_unresolved = one.has("lookup ")
        && one.has_any(&[
            "no such host",
            "i/o timeout",
            "server misbehaving",
            "temporary failure in name resolution",
            "connection refused",
            "no answer from dns",
            ": try again",
        ]);
    let is_unresolved = is_unresolved || one.has("no such host");
    let is_unreached = one.has_any(&[
        "i/o timeout",
        "tls handshake timeout",
        "client.timeout exceeded",
        "connection timed out",
        "no route to host",
        "network is unreachable",
        "connection refused",
        "connectex:",
    ]);
    // The time of other steps ends, too, such as that for the creation of a container.
    let is_request = one.url_host.is_some() || one.has_any(&["failed to do request", "dial tcp"]);
    let is_unreached = is_unreached || (is_request && one.has("context deadline exceeded"));
    if one.is_at_node() && (is_unresolved || is_unreached) {
        return Some(PullFinding::of(FindingId::CAUSE_UNKNOWN));
    }
    let is_cut = one.has_any(&["connection reset by peer", ": eof", "unexpected eof", "forcibly closed"]);
    if one.is_at_layers() && (is_unresolved || is_unreached || is_cut) {
        // A connection to an unknown host that broke off is all that is known.
        if one.url_host.is_none() && !one.has_any(&["dial tcp", "lookup ", "handshake"]) {
            return Some(PullFinding::of(FindingId::CAUSE_UNKNOWN));
        }
        // A name that does not exist has to be created, and a host that does not respond is blocked; the rest may pass.
        let is_blocked = if is_unresolved { one.has("no such host") } else { is_unreached };
        return Some(blocked_layers(one, is_blocked));
    }
    if is_unresolved {
        return Some(of_a_lookup(one));
    }
    is_unreached.then(|| silent_address(one))
}

/// A proxy that refuses to connect: Go's `net/http/transport.go` gives only the words of its status. A registry's own status has its number.
fn is_refused_by_proxy(one: &Attempt<'_>) -> bool {
    let words = ["\": forbidden", "\": bad gateway", "\": service unavailable", "\": gateway timeout"];
    one.has("failed to do request")
        && words.iter().any(|words| one.raw.trim_end().to_ascii_lowercase().ends_with(words))
}

fn blocked_layers(one: &Attempt<'_>, is_blocked: bool) -> PullFinding {
    let found = PullFinding::of(FindingId::DATA_ENDPOINT_BLOCKED);
    let retry = if is_blocked { found.retry } else { PullRetry::Transient };
    let host = facts::looked_up(one.raw).or_else(|| one.url_host.clone());
    let address = facts::dialed(one.raw).map(|address| address.to_string());
    PullFinding { retry, address, host, ..found }
}

fn of_a_certificate(one: &Attempt<'_>) -> PullFinding {
    let is_of_azure = one.has("certificate is valid for") && one.has(".azurecr.");
    let id = if is_of_azure { FindingId::OTHER_REGISTRY } else { FindingId::UNTRUSTED_CERTIFICATE };
    PullFinding { host: one.url_host.clone(), ..PullFinding::of(id) }
}

fn of_a_lookup(one: &Attempt<'_>) -> PullFinding {
    let host = facts::looked_up(one.raw);
    let is_absent = one.has("no such host");
    let name = host.as_deref().unwrap_or_default();
    let id = if name.contains(PRIVATE_LINK) {
        FindingId::OTHER_REGISTRY
    } else if is_absent && resembles_a_login_server(name) {
        FindingId::HOST_MISSPELLED
    } else {
        let server = facts::dns_server(one.raw);
        let found = PullFinding::of(FindingId::DNS_LOOKUP_FAILED);
        // A server that does not answer may do so later. A name that does not exist has to be created.
        let retry = if is_absent { PullRetry::Never } else { found.retry };
        let message = match (is_absent, server) {
            (true, _) => "the registry's host name does not exist for the node".to_owned(),
            (false, Some(server)) => {
                format!("the node's DNS server {server} does not resolve the registry's host name")
            }
            (false, None) => found.message.clone(),
        };
        let address = server.filter(|_| !is_absent).map(|server| server.to_string());
        return PullFinding { message, retry, address, host, ..found };
    };
    let found = PullFinding::of(id);
    let next_step = match nearest_login_server(name) {
        Some(nearest) if found.id == FindingId::HOST_MISSPELLED => written_as(&nearest),
        _ if found.id == FindingId::OTHER_REGISTRY => written_as(&name.replacen(PRIVATE_LINK, ".", 1)),
        _ => found.next_step.clone(),
    };
    PullFinding { next_step, host, ..found }
}

/// What to do about a host that is misspelled.
pub(crate) fn written_as(login_server: &str) -> NextStep {
    NextStep::new(format!("write the image's host as {login_server}"))
}

/// The login server that a misspelled host means.
fn nearest_login_server(host: &str) -> Option<String> {
    let [name, label, end] = host.split('.').collect::<Vec<_>>()[..] else { return None };
    let end = if label == "azurecr" || !ENDS.contains(&end) { "io" } else { end };
    Some(format!("{name}.azurecr.{end}"))
}

/// What the name of a registry in a private DNS zone has in it, and its login server has not.
const PRIVATE_LINK: &str = ".privatelink.";
/// The ends of login servers.
const ENDS: [&str; 4] = ["io", "cn", "us", "de"];

/// Whether a host is nearly one of Azure's registries, such as `myregistry.azureacr.io`.
fn resembles_a_login_server(host: &str) -> bool {
    const LABEL: &str = "azurecr";
    let labels: Vec<&str> = host.split('.').collect();
    let [_, label, end] = labels[..] else { return false };
    let is_azure = label == LABEL;
    let is_end = ENDS.contains(&end);
    (is_azure && !is_end) || (!is_azure && distance(label, LABEL) <= 2)
}

fn silent_address(one: &Attempt<'_>) -> PullFinding {
    let found = PullFinding::of(FindingId::ADDRESS_TIMEOUT);
    let host = one.url_host.clone().or_else(|| one.image_host.clone());
    let Some(address) = facts::dialed(one.raw) else { return PullFinding { host, ..found } };
    let (message, summary) = if facts::is_private(address) {
        (
            "the registry's private address",
            "check routes, peering and network security groups between nodes and private endpoint",
        )
    } else {
        ("the registry's public address", "allow the registry and its data endpoint in the cluster's egress rules")
    };
    let next_step = NextStep::new(summary);
    PullFinding {
        message: format!("{message} {address} does not respond"),
        next_step,
        address: Some(address.to_string()),
        host,
        ..found
    }
}
