//! Texts of a registry that refuses a pull, or does not have the image.

use super::{attempt::Attempt, facts, finding::PullFinding};
use crate::diagnosis::catalogue::FindingId;

/// What registries outside Azure say of credentials that they were sent: Docker Hub, Amazon ECR, IBM Cloud, GitHub.
const REJECTED: [&str; 4] = [
    "authorization token has expired",
    "incorrect username or password",
    "login credentials are not valid",
    "bad credentials",
];

/// containerd's `core/remotes/docker/authorizer.go` and `resolver.go`. What a refusal means depends on whose registry refuses.
pub(super) fn of(one: &Attempt<'_>) -> Option<PullFinding> {
    // Some servers leave the words of a status out.
    let is_status = |status: &str| one.has("unexpected status") && one.has(status);
    let is_unauthorized =
        one.has_any(&["401 unauthorized", "unauthorized:", "unauthorized to access", ": unauthorized"])
            || is_status(": 401");
    let is_forbidden = one.has("403 forbidden") || is_status(": 403");
    let is_denied = one.has_any(&[
        "pull access denied",
        "insufficient_scope",
        "authorization failed",
        "requested access to the resource is denied",
        "does not exist or no pull access",
        "repository does not exist or may require",
    ]);
    // Docker repeats the words of other registries.
    let is_denied = is_denied || (one.says(": denied") && !one.is_at_azure());
    let is_bare = one.has("no basic auth credentials");
    let is_rejected = one.has_any(&REJECTED);
    let is_token = is_rejected || one.has("failed to fetch oauth token");
    let is_page = one.has("error parsing http 403 response body");
    if !(is_unauthorized || is_forbidden || is_denied || is_bare || is_page || is_rejected) {
        return None;
    }
    if (one.is_at_blob() && is_forbidden) || (one.is_at_config() && is_page) {
        return Some(PullFinding { host: one.url_host.clone(), ..PullFinding::of(FindingId::DATA_ENDPOINT_BLOCKED) });
    }
    // Registries respond with JSON: a page is that of a program on the way, and a mirror speaks for itself.
    if !one.is_of_known_registry() || (is_page && !is_rejected) || one.is_at_mirror() {
        return Some(PullFinding::of(FindingId::CAUSE_UNKNOWN));
    }
    let is_unauthorized = is_unauthorized || is_rejected;
    Some(PullFinding::of(match (one.is_at_azure(), is_unauthorized || is_denied || is_bare) {
        (true, true) if one.is_anonymous() || is_bare => FindingId::NO_CREDENTIAL,
        (true, true) => FindingId::GRANT_MISSING,
        (true, false) => return Some(denied_address(one)),
        (false, true) if is_token && is_unauthorized => FindingId::PULL_SECRET_EXPIRED,
        (false, _) => FindingId::IMAGE_PRIVATE_OR_MISSING,
    }))
}

/// A firewall that keeps an address out.
pub(super) fn denied_address(one: &Attempt<'_>) -> PullFinding {
    let found = PullFinding::of(FindingId::OUTBOUND_IP_NOT_ALLOWED);
    match facts::denied(one.raw) {
        Some(address) => {
            PullFinding { message: format!("{} {address}", found.message), address: Some(address.to_string()), ..found }
        }
        None => found,
    }
}

/// What the registry does not have. Where no token came, the status is the token service's.
pub(super) fn of_absence(one: &Attempt<'_>) -> Option<PullFinding> {
    let is_absent =
        one.has_any(&["manifest unknown", "manifest_unknown", "name unknown", "name_unknown", "not known to registry"]);
    // A socket, a snapshot or a file of the node may be what is not found.
    let is_asked = one.has_any(&[
        "failed to resolve",
        "failed open",
        "manifest for ",
        "repository ",
        "404 not found",
        "content at ",
    ]);
    let is_absent = is_absent || (one.has("code = notfound") && one.has("failed to resolve"));
    let is_absent = is_absent || (one.says("not found") && (is_asked || is_only_of_an_image(one.raw)));
    (is_absent && !one.has("failed to authorize")).then(|| PullFinding::of(FindingId::IMAGE_NOT_FOUND))
}

/// Whether a text is the name of an image, and that it is not found. containerd adds nothing where it was asked by its CRI.
fn is_only_of_an_image(raw: &str) -> bool {
    let text = raw.trim().trim_matches(['[', ']']).trim();
    let text = text.rsplit_once("desc = ").map_or(text, |(_, text)| text);
    let name = text.strip_suffix(": not found").filter(|name| name.contains(':') && !name.starts_with("sha256:"));
    name.is_some_and(facts::is_image)
}
