use std::time::Duration;

use serde_json::json;

use super::fake::{FakeNetwork, digest};
use super::*;

fn pull_as(network: &mut FakeNetwork, image: &str, secrets: Vec<Credential>) -> Result<String, String> {
    Node::new("linux", "amd64").pull(&Image::parse(image).unwrap(), secrets, Instant::now(), network)
}

fn pull(network: &mut FakeNetwork, image: &str) -> Result<String, String> {
    pull_as(network, image, Vec::new())
}

const NO_ROLE: &str = "[failed to pull and unpack image \"r.azurecr.io/nginx:v1\": \
    failed to resolve reference \"r.azurecr.io/nginx:v1\": \
    failed to authorize: failed to fetch oauth token: unexpected status from GET request to \
    https://r.azurecr.io/oauth2/token?scope=repository%3Anginx%3Apull&service=r.azurecr.io: 401 Unauthorized, \
    failed to pull and unpack image \"r.azurecr.io/nginx:v1\": failed to resolve reference \"r.azurecr.io/nginx:v1\": \
    failed to authorize: failed to fetch anonymous token: unexpected status from GET request to \
    https://r.azurecr.io/oauth2/token?scope=repository%3Anginx%3Apull&service=r.azurecr.io: 401 Unauthorized]";

#[test]
fn a_granted_identity_pulls_the_index_and_the_manifest_of_its_platform() {
    let mut network = FakeNetwork::with_nginx();
    network.grant("r.azurecr.io/nginx");
    assert_eq!(pull(&mut network, "r.azurecr.io/nginx:v1"), Ok(digest("r.azurecr.io/nginx")));
    assert_eq!(network.log[0], "GET https://r.azurecr.io/v2/");
    assert_eq!(network.log[1], "POST https://r.azurecr.io/oauth2/exchange");
}

#[test]
fn without_a_role_both_the_provided_and_the_anonymous_try_are_told() {
    assert_eq!(pull(&mut FakeNetwork::with_nginx(), "r.azurecr.io/nginx:v1"), Err(NO_ROLE.to_owned()));
}

#[test]
fn without_an_identity_only_the_anonymous_try_is_told() {
    let mut network = FakeNetwork { identity: false, ..FakeNetwork::with_nginx() };
    let error = pull(&mut network, "r.azurecr.io/nginx:v1").unwrap_err();
    assert!(error.contains("failed to fetch anonymous token") && !error.contains("oauth token"), "{error}");
}

#[test]
fn a_successful_provider_answer_is_remembered_for_an_hour() {
    let mut network = FakeNetwork::with_nginx();
    let mut node = Node::new("linux", "amd64");
    let (image, start) = (Image::parse("r.azurecr.io/nginx:v1").unwrap(), Instant::now());
    let mut exchanges_after = |minutes: u64| {
        let _ = node.pull(&image, Vec::new(), start + Duration::from_secs(60 * minutes), &mut network);
        network.log.iter().filter(|line| line.contains("exchange")).count()
    };
    assert_eq!([exchanges_after(0), exchanges_after(59), exchanges_after(60)], [1, 1, 2]);
}

#[test]
fn a_failed_provider_is_asked_again() {
    let mut network = FakeNetwork { identity: false, ..FakeNetwork::with_nginx() };
    network.grant("r.azurecr.io/nginx");
    let mut node = Node::new("linux", "amd64");
    let image = Image::parse("r.azurecr.io/nginx:v1").unwrap();
    assert!(node.pull(&image, Vec::new(), Instant::now(), &mut network).is_err());
    network.identity = true;
    assert!(node.pull(&image, Vec::new(), Instant::now(), &mut network).is_ok());
}

#[test]
fn a_pull_secret_is_tried_first() {
    let mut network = FakeNetwork { identity: false, ..FakeNetwork::with_nginx() };
    network.users.insert("robot:word".to_owned());
    let secret = Credential { username: "robot".into(), password: "word".into() };
    assert!(pull_as(&mut network, "r.azurecr.io/nginx:v1", vec![secret]).is_ok());
}

#[test]
fn an_absent_tag_is_not_found() {
    let mut network = FakeNetwork::with_nginx();
    network.grant("r.azurecr.io/nginx");
    let error = pull(&mut network, "r.azurecr.io/nginx:v2").unwrap_err();
    assert!(
        error.starts_with(
            "[rpc error: code = NotFound desc = failed to pull and unpack image \"r.azurecr.io/nginx:v2\": \
            failed to resolve reference \"r.azurecr.io/nginx:v2\": r.azurecr.io/nginx:v2: not found, "
        ),
        "{error}"
    );
}

#[test]
fn an_index_without_the_nodes_platform_does_not_match() {
    let mut network = FakeNetwork::with_nginx();
    network.anonymous.insert("r.azurecr.io".to_owned());
    network.add("r.azurecr.io/nginx", "v1", "linux", "arm64");
    network.identity = false;
    let error = pull(&mut network, "r.azurecr.io/nginx:v1").unwrap_err();
    assert_eq!(
        error,
        "rpc error: code = NotFound desc = failed to pull and unpack image \"r.azurecr.io/nginx:v1\": \
        no match for platform in manifest: not found"
    );
}

#[test]
fn a_firewall_is_told_with_the_address_it_saw() {
    let mut network = FakeNetwork::with_nginx();
    let message = "client with IP '20.1.2.3' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.";
    let body = json!({"errors": [{"code": "DENIED", "message": message}]});
    network.refusing.insert("r.azurecr.io".to_owned(), (403, body));
    let error = pull(&mut network, "r.azurecr.io/nginx:v1").unwrap_err();
    assert!(
        error.ends_with(&format!(
            "unexpected status from HEAD request to https://r.azurecr.io/v2/nginx/manifests/v1: 403 Forbidden: denied: {message}"
        )),
        "{error}"
    );
}

#[test]
fn throttling_is_told_with_its_status_and_words() {
    let mut network = FakeNetwork::default();
    let body = json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit."}]});
    network.refusing.insert("registry-1.docker.io".to_owned(), (429, body));
    let error = pull(&mut network, "nginx").unwrap_err();
    assert!(error.contains("429 Too Many Requests: toomanyrequests: You have reached"), "{error}");
}

#[test]
fn failures_below_http_name_their_cause() {
    let cases = [
        (NetworkFailure::NoSuchHost, "dial tcp: lookup r.azurecr.io: no such host"),
        (NetworkFailure::Timeout { address: "10.0.0.4".into() }, "dial tcp 10.0.0.4:443: i/o timeout"),
        (NetworkFailure::Tls("certificate signed by unknown authority".into()), "x509: certificate signed by unknown"),
    ];
    for (failure, expected) in cases {
        let mut network = FakeNetwork::with_nginx();
        network.broken.insert("r.azurecr.io".to_owned(), failure);
        let error = pull(&mut network, "r.azurecr.io/nginx:v1").unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("failed to do request: Head \"https://r.azurecr.io/v2/nginx/manifests/v1\""), "{error}");
    }
}
