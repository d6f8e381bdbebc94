use super::*;
use crate::diagnosis::catalogue::FindingId;
use std::time::SystemTime;

fn id(text: &str) -> String {
    PullFinding::read("ErrImagePull", text).id.to_string()
}

#[test]
fn a_signature_of_a_url_is_not_kept() {
    let url = "https://1.blob.core.windows.net/x/data?se=2026-11-30&sig=aB%2F9._~-x%3D&sp=r";
    let failure = PullFailure::new("p", "c", "a.azurecr.io/b", "ErrImagePull", format!("Get \"{url}\": dial tcp"));
    let wanted = r#"Get "https://1.blob.core.windows.net/x/data?se=2026-11-30&sig=REDACTED&sp=r": dial tcp"#;
    assert_eq!(failure.message, wanted);
    assert_eq!(super::without_signatures("sig="), "sig=REDACTED");
    assert_eq!(super::without_signatures("nothing"), "nothing");
}

#[test]
fn an_anonymous_error_beside_a_named_one_is_ignored() {
    let oauth = "failed to authorize: failed to fetch oauth token: unexpected status from POST request to \
        https://r.azurecr.io/oauth2/token: 401 Unauthorized";
    let anonymous = "failed to authorize: failed to fetch anonymous token: 401 Unauthorized";
    assert_eq!(id(&format!("{oauth}, {anonymous}")), "grant.missing");
    assert_eq!(id(&format!("[r.azurecr.io/a:1: not found, {anonymous}]")), "image.not_found");
    assert_eq!(PullFinding::of_image("r.azurecr.io/a:1", "ErrImagePull", anonymous).id, FindingId::NO_CREDENTIAL);
    // That it broke off is all that is known.
    assert_eq!(id(&format!("[failed to do request: EOF, {anonymous}]")), "pull.cause_unknown");
}

#[test]
fn the_try_that_got_furthest_counts() {
    let secret = "failed to pull and unpack image \"r.azurecr.io/a:1\": failed to authorize: failed to fetch oauth token: 401 Unauthorized";
    let node = "failed to pull and unpack image \"r.azurecr.io/a:1\": no match for platform in manifest: not found";
    assert_eq!(id(&format!("[{secret}, {node}]")), "image.platform_missing");
    assert_eq!(id(&format!("[{node}, {secret}]")), "image.platform_missing");
}

#[test]
fn the_facts_of_a_text_are_read() {
    let firewall = PullFinding::read("ErrImagePull", "denied: client with IP '20.1.2.3' is not allowed access.");
    assert_eq!(firewall.address.as_deref(), Some("20.1.2.3"));
    assert!(
        firewall.to_string().ends_with("denies the cluster's address 20.1.2.3 [network.outbound_ip_not_allowed]"),
        "{firewall}"
    );
    let throttled = "unexpected status from HEAD request to https://r.azurecr.io/v2/a/manifests/1: 429 Too Many Requests (Retry-After: 2026-11-28T10:00:00Z)";
    let throttled = PullFinding::read("ErrImagePull", throttled);
    assert_eq!(throttled.retry_at, Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_860_000)));
    assert_eq!(throttled.host.as_deref(), Some("r.azurecr.io"));
    let server = "dial tcp: lookup r.azurecr.io on 10.1.0.4:53: read udp 10.2.0.5:1->10.1.0.4:53: i/o timeout";
    let server = PullFinding::read("ErrImagePull", server);
    assert_eq!((server.address.as_deref(), server.host.as_deref()), (Some("10.1.0.4"), Some("r.azurecr.io")));
}

#[test]
fn what_a_hostile_text_says_is_shown_harmlessly() {
    let finding = PullFinding { message: "a\u{1b}[2Jb".to_owned(), ..PullFinding::of(FindingId::CAUSE_UNKNOWN) };
    assert!(!finding.to_string().contains('\u{1b}'));
    let odd = "lookup \u{1b}[2J on \u{202e}: no such host, https://\u{7}/: x509: y \"unclosed";
    assert_eq!(PullFinding::read("ErrImagePull", odd).host, None);
}

#[test]
fn a_finding_survives_json_and_one_of_a_newer_version_is_kept() {
    let found = PullFinding::read("ErrImagePull", "dial tcp [fd00::4]:443: i/o timeout");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!((json["id"].as_str(), json["retry"].as_str()), (Some("network.address_timeout"), Some("transient")));
    assert_eq!(serde_json::from_value::<PullFinding>(json.clone()).unwrap(), found);
    let mut newer = json;
    newer["id"] = "network.cable_cut".into();
    assert_eq!(serde_json::from_value::<PullFinding>(newer).unwrap().id, *"network.cable_cut");
}

/// A refusal without a host is that of the pod's registry, and no claim about Azure.
#[test]
fn the_pods_image_says_whose_registry_refused() {
    let of = |image: &str, text: &str| PullFinding::of_image(image, "ErrImagePull", text).id.to_string();
    let refused = "Error response from daemon: unauthorized: authentication required";
    assert_eq!(of("r.azurecr.io/a:1", refused), "grant.missing");
    assert_eq!(of("r.azurecr.cn/a:1", refused), "grant.missing");
    for other in ["nginx", "team/app:v1", "ghcr.io/a:1", "azurecr.example.com/a:1", "localhost:5000/a"] {
        assert_eq!(of(other, refused), "image.private_or_missing", "{other}");
    }
    assert_eq!(id(refused), "pull.cause_unknown", "nothing says whose registry it is");
    assert_eq!(id(&format!("{refused}, visit https://aka.ms/acr/authorization")), "grant.missing");
    // A name in the text that is none does not hide the pod's.
    let denied = "pull access denied, repository does not exist or may require authorization: server message: x";
    assert_eq!(of("r.azurecr.io/a:1", denied), "grant.missing");
}

/// Sockets, mirrors and files of the node are no registry.
#[test]
fn what_fails_on_the_node_is_no_finding_about_the_registry() {
    for text in [
        "dial unix /run/containerd/containerd.sock: connect: connection refused",
        "Head \"http://localhost:5001/v2/a/manifests/1?ns=r.azurecr.io\": dial tcp 127.0.0.1:5001: connect: connection refused",
        "Get \"http://[::1]:30020/v2/\": dial tcp [::1]:30020: i/o timeout",
        "failed to create containerd container: daemon socket /run/api.sock: not found: unknown",
        "failed to unpack image on snapshotter overlayfs: unexpected media type text/html for sha256:3e: not found",
        "context deadline exceeded",
        "failed to resolve reference \"r.azurecr.io/a:1\": error getting credentials: exec: \"docker-credential-x\": executable file not found in $PATH",
    ] {
        assert_eq!(PullFinding::of_image("r.azurecr.io/a:1", "Failed", text).id, FindingId::CAUSE_UNKNOWN, "{text}");
    }
}

#[test]
fn an_image_that_is_missing_is_named_by_each_program() {
    for text in [
        "Error response from daemon: repository r.azurecr.io/a not found",
        "Error response from daemon: manifest for r.azurecr.io/a:1 not found: manifest unknown",
        "failed to copy: httpReadSeeker: failed open: content at https://r.azurecr.io/v2/a/manifests/sha256:3e not found: not found",
        "[rpc error: code = NotFound desc = failed to pull and unpack image \"r.azurecr.io/a:1\": failed to resolve reference \"r.azurecr.io/a:1\": r.azurecr.io/a:1: not found]",
    ] {
        assert_eq!(
            PullFinding::of_image("r.azurecr.io/a:1", "ErrImagePull", text).id,
            FindingId::IMAGE_NOT_FOUND,
            "{text}"
        );
    }
    assert_eq!(id("sha256:3e: not found"), "pull.cause_unknown");
    assert_eq!(id("unknown: not found"), "pull.cause_unknown");
}

/// A mirror speaks for itself, whatever it answers.
#[test]
fn what_a_mirror_answers_is_no_finding_about_the_registry() {
    let image = "failed to resolve reference \"r.azurecr.io/a:1\"";
    for (host, cause, wanted) in [
        ("http://localhost:5001", "401 Unauthorized", "pull.cause_unknown"),
        ("http://10.224.0.4:30021", "403 Forbidden", "pull.cause_unknown"),
        ("http://10.224.0.4:30021", "429 Too Many Requests", "pull.cause_unknown"),
        ("https://mirror.example.com", "401 Unauthorized", "pull.cause_unknown"),
        ("https://mirror.example.com", "429 Too Many Requests", "registry.throttled"),
    ] {
        let text =
            format!("{image}: unexpected status from HEAD request to {host}/v2/a/manifests/1?ns=r.azurecr.io: {cause}");
        assert_eq!(id(&text), wanted, "{text}");
    }
    let own = "unexpected status from HEAD request to https://r.azurecr.io/v2/a/manifests/1: 401 Unauthorized";
    assert_eq!(id(&format!("{image}: {own}")), "grant.missing");
}

#[test]
fn lines_that_were_broken_are_read_as_one() {
    let text = "failed to resolve\n  reference \"r.azurecr.io/a:1\":\n  r.azurecr.io/a:1: not\n  found";
    assert_eq!(id(text), "image.not_found");
}
