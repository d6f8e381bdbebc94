use std::time::Duration;

use serde_json::json;

use super::fake::{FakeNetwork, digest};
use super::*;

fn pull_as(network: &mut FakeNetwork, image: &str, secrets: Vec<Credential>) -> Result<String, String> {
    let secrets = secrets.into_iter().map(PullSecret::of).collect();
    node("1.33").pull(&Image::parse(image).unwrap(), secrets, Instant::now(), network)
}

fn node(kubernetes: &str) -> Node {
    Node::new(
        ("linux", "amd64"),
        Kubelet::of(kubernetes),
        USUAL_CONTAINERD,
        Some(SignIn::Managed { principal: String::from("kubelet"), for_arm: false }),
    )
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
fn a_kubelet_with_a_limit_refuses_the_pulls_that_are_too_many() {
    let mut network = FakeNetwork::with_nginx();
    network.grant("r.azurecr.io/nginx");
    let mut node = node("1.33").limited_to(Some(Rate { capacity: 2.0, per_second: 1.0 }));
    let (image, now) = (Image::parse("r.azurecr.io/nginx:v1").unwrap(), Instant::now());
    let mut pulls = |after: f64| {
        let at = now + Duration::from_secs_f64(after);
        node.pull_for(None, &image, Vec::new(), at, &mut network).map(drop)
    };
    let refused = || Err(String::from("pull QPS exceeded"));
    assert_eq!([pulls(0.0), pulls(0.0), pulls(0.0)], [Ok(()), Ok(()), refused()]);
    assert_eq!([pulls(0.5), pulls(1.0), pulls(1.0)], [refused(), Ok(()), refused()]);
}

#[test]
fn without_a_role_both_the_provided_and_the_anonymous_try_are_reported() {
    assert_eq!(pull(&mut FakeNetwork::with_nginx(), "r.azurecr.io/nginx:v1"), Err(NO_ROLE.to_owned()));
}

#[test]
fn without_an_identity_only_the_anonymous_try_is_reported() {
    let mut network = FakeNetwork { identity: false, ..FakeNetwork::with_nginx() };
    let error = pull(&mut network, "r.azurecr.io/nginx:v1").unwrap_err();
    assert!(error.contains("failed to fetch anonymous token") && !error.contains("oauth token"), "{error}");
}

#[test]
fn a_service_principal_is_shown_as_it_is_and_its_refusal_is_a_refused_token() {
    let mut network = FakeNetwork { identity: false, ..FakeNetwork::with_nginx() };
    network.users.insert("app:new".to_owned());
    let mut pull_with = |password: &str| {
        let credential = Credential { username: "app".to_owned(), password: password.to_owned() };
        let identity = Some(SignIn::Service(credential));
        let mut node = Node::new(("linux", "amd64"), Kubelet::of("1.33"), USUAL_CONTAINERD, identity);
        node.pull(&Image::parse("r.azurecr.io/nginx:v1").unwrap(), Vec::new(), Instant::now(), &mut network)
    };
    let text = pull_with("old").unwrap_err();
    assert!(text.contains("failed to fetch oauth token") && text.contains("401 Unauthorized"), "{text}");
    assert!(pull_with("new").is_ok());
    assert!(!network.log.iter().any(|request| request.contains("/oauth2/exchange")), "{:?}", network.log);
}

#[test]
fn a_successful_provider_answer_is_remembered_for_an_hour() {
    let mut network = FakeNetwork::with_nginx();
    let mut node = node("1.33");
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
    let mut node = node("1.33");
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
fn a_firewall_is_reported_with_the_address_it_saw() {
    let mut network = FakeNetwork::with_nginx();
    let message = "client with IP '20.1.2.3' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.";
    let body = json!({"errors": [{"code": "DENIED", "message": message}]});
    network.refusing.insert("r.azurecr.io".to_owned(), (403, body));
    let error = pull(&mut network, "r.azurecr.io/nginx:v1").unwrap_err();
    assert!(
        error.ends_with(&format!(
            "unexpected status from HEAD request to https://r.azurecr.io/v2/nginx/manifests/v1: 403 Forbidden\ndenied: {message}"
        )),
        "{error}"
    );
}

#[test]
fn a_throttled_head_is_reported_without_a_message() {
    let mut network = FakeNetwork::default();
    let body = json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit."}]});
    network.refusing.insert("registry-1.docker.io".to_owned(), (429, body));
    let error = pull(&mut network, "nginx").unwrap_err();
    assert!(error.ends_with("429 Too Many Requests"), "{error}");
    assert_eq!(network.log.len(), 6, "it asks again: {:?}", network.log);
}

#[test]
fn failures_below_http_name_their_cause() {
    let cases = [
        (NetworkFailure::NoSuchHost, "dial tcp: lookup r.azurecr.io on 168.63.129.16:53: no such host"),
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

/// A registry that anyone may pull from, with one repository.
fn open_registry() -> FakeNetwork {
    let mut network = FakeNetwork { identity: false, ..FakeNetwork::default() };
    network.anonymous.insert("r.azurecr.io".to_owned());
    network
}

#[test]
fn an_image_needs_a_valid_configuration() {
    let unpacking = "failed to pull and unpack image \"r.azurecr.io/app:v1\": ";
    for config in ["no JSON", "", "[]", "null", "{"] {
        let mut network = open_registry();
        network.put("r.azurecr.io/app", "v1", &Bytes::from(config));
        let error = pull(&mut network, "r.azurecr.io/app:v1").unwrap_err();
        let why = if config.is_empty() { "unable to fetch descriptor (sha256:" } else { "unmarshal image config: " };
        assert!(error.contains(&format!("{unpacking}{why}")), "{config}: {error}");
    }
    for mut manifest in [json!({}), json!({"config": {}}), json!({"config": null, "layers": []})] {
        let mut network = open_registry();
        manifest["digest"] = json!("v1");
        network.manifests.insert("r.azurecr.io/app:v1".to_owned(), manifest);
        let error = pull(&mut network, "r.azurecr.io/app:v1").unwrap_err();
        assert!(error.contains(": unable to fetch descriptor () which reports content size of zero"), "{error}");
    }
}

#[test]
fn a_configuration_names_as_many_layers_as_the_manifest() {
    let layer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:l", "size": 1});
    for (media_type, why) in [
        ("application/vnd.oci.image.config.v1+json", "number of layers and diffIDs don't match: 1 != 0"),
        ("application/vnd.cncf.helm.config.v1+json", "mismatched image rootfs and manifest layers"),
    ] {
        let mut network = open_registry();
        network.put("r.azurecr.io/app", "v1", &Bytes::from("{}"));
        let manifest = network.manifests.get_mut("r.azurecr.io/app:v1").unwrap();
        manifest["config"]["mediaType"] = json!(media_type);
        manifest["layers"] = json!([layer]);
        let error = pull(&mut network, "r.azurecr.io/app:v1").unwrap_err();
        assert!(error.ends_with(why), "{error}");
    }
}

#[test]
fn an_index_may_be_in_an_index() {
    let mut network = open_registry();
    network.add("r.azurecr.io/app", "inner", "linux", "amd64");
    let inner = digest("r.azurecr.io/app");
    let on = |platform| json!({"digest": "outer", "manifests": [{"digest": inner, "platform": platform}]});
    let outer = json!({"digest": "outer", "manifests": [{"digest": inner}]});
    let other = on(json!({"os": "windows", "architecture": "amd64"}));
    let same = on(json!({"os": "linux", "architecture": "amd64"}));
    let endless = json!({"digest": "outer", "manifests": [{"digest": "outer"}]});
    for (manifest, is_pulled) in [(outer, true), (same, true), (other, false), (endless, false)] {
        network.manifests.insert("r.azurecr.io/app:outer".to_owned(), manifest.clone());
        assert_eq!(pull(&mut network, "r.azurecr.io/app:outer").is_ok(), is_pulled, "{manifest}");
    }
}

#[test]
fn an_entry_without_a_platform_is_chosen_by_its_configuration() {
    for (architecture, is_pulled) in [("amd64", true), ("arm64", false)] {
        let mut network = open_registry();
        let config = json!({"os": "linux", "architecture": architecture});
        network.put("r.azurecr.io/app", "child", &Bytes::from(config.to_string()));
        let index = json!({"digest": "index", "manifests": [{"digest": "child"}]});
        network.manifests.insert("r.azurecr.io/app:v1".to_owned(), index.clone());
        network.manifests.insert("r.azurecr.io/app:index".to_owned(), index);
        assert_eq!(pull(&mut network, "r.azurecr.io/app:v1").is_ok(), is_pulled, "{architecture}");
    }
}

#[test]
fn an_image_that_is_there_is_for_pods_with_a_credential_that_pulled_it_from_1_35_on() {
    let secret = |user: &str, password: &str| {
        vec![PullSecret::of(Credential { username: user.to_owned(), password: password.to_owned() })]
    };
    let image = Image::parse("r.azurecr.io/nginx:v1").unwrap();
    let is_usable = |kubernetes: &str, with: Vec<PullSecret>, by: &[PullSecret]| {
        let mut network = FakeNetwork { identity: with.is_empty(), ..FakeNetwork::with_nginx() };
        network.grant("r.azurecr.io/nginx");
        network.users.insert("robot:word".to_owned());
        let mut node = node(kubernetes);
        node.pull(&image, with, Instant::now(), &mut network).unwrap();
        node.present(&image, by).is_some()
    };
    for (kubernetes, without) in [("1.33.4", true), ("1.34.1", true), ("1.35.0", false), ("1.37.2", false)] {
        let robot = || secret("robot", "word");
        assert_eq!(is_usable(kubernetes, robot(), &[]), without, "{kubernetes}");
        assert_eq!(is_usable(kubernetes, robot(), &secret("other", "else")), without, "{kubernetes}");
        assert!(is_usable(kubernetes, robot(), &robot()), "{kubernetes}: the secret that pulled it");
        assert!(is_usable(kubernetes, robot(), &secret("robot", "new")), "{kubernetes}: that secret, changed since");
        assert!(is_usable(kubernetes, Vec::new(), &[]), "{kubernetes}: the node's own identity pulled it");
    }
}

#[test]
fn messages_follow_the_version() {
    let messages = |version: &str| {
        let kubelet = Kubelet::of(version);
        [kubelet.present("a"), kubelet.created("b"), kubelet.started("b")]
    };
    let present = "Container image \"a\" already present on machine";
    assert_eq!(messages("1.34.7"), [present, "Created container: b", "Started container b"]);
    let accessible = format!("{present} and can be accessed by the pod");
    assert_eq!(messages("1.35.0"), [accessible.as_str(), "Container created", "Container started"]);
}
