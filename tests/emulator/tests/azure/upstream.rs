//! Registries outside of Azure: who may pull, and in what ways they answer.

use aks_acr_emulator::{Emulator, UpstreamSeed};
use azure_core::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::client::{Answer, arm, get, send};

fn with(seed: UpstreamSeed, host: &str) -> Emulator {
    Emulator::new().with_upstream(seed).with_image(&format!("{host}/team/app:1"), &["linux/amd64"])
}

fn private(host: &str) -> Emulator {
    with(UpstreamSeed::new(host).user("robot", "word"), host)
}

fn basic(name: &str, password: &str) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))]
}

async fn manifest(azure: &Emulator, host: &str, headers: &[(&'static str, String)]) -> Answer {
    send(azure, Method::Head, &format!("https://{host}/v2/team/app/manifests/1"), headers, None).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_private_registry_gives_a_token_to_its_users_alone() {
    let azure = private("quay.example");
    let refused = manifest(&azure, "quay.example", &[]).await;
    let challenge =
        "Bearer realm=\"https://quay.example/token\",service=\"quay.example\",scope=\"repository:team/app:pull\"";
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some(challenge)));
    let tokens = "https://quay.example/token?service=quay.example&scope=repository:team/app:pull";
    for headers in [vec![], basic("robot", "wrong"), basic("other", "word")] {
        assert_eq!(send(&azure, Method::Get, tokens, &headers, None).await.unwrap().status, 401);
    }
    let by_get = send(&azure, Method::Get, tokens, &basic("robot", "word"), None).await.unwrap();
    let form = "grant_type=password&username=robot&password=word&service=quay.example&scope=repository:team/app:pull";
    let by_post = send(&azure, Method::Post, "https://quay.example/token", &[], Some(form.into())).await.unwrap();
    for given in [by_get, by_post] {
        let bearer = ("authorization", format!("Bearer {}", given.body["token"].as_str().unwrap()));
        let shown = manifest(&azure, "quay.example", &[bearer]).await;
        assert_eq!(shown.header("docker-content-digest"), azure.digest("quay.example/team/app:1").as_deref());
    }
}

/// What nodes say of each: `403 Forbidden` at the token, and `insufficient_scope` with one.
#[tokio::test(start_paused = true)]
async fn githubs_and_dockers_registries_refuse_those_without_a_name_in_their_own_ways() {
    let azure = private("ghcr.io");
    assert_eq!(send(&azure, Method::Get, "https://ghcr.io/token", &[], None).await.unwrap().status, 403);
    let azure = private("docker.io");
    let tokens = "https://auth.docker.io/token?scope=repository:team/app:pull";
    let given = send(&azure, Method::Get, tokens, &[], None).await.unwrap();
    let bearer = ("authorization", format!("Bearer {}", given.body["token"].as_str().unwrap()));
    let refused = manifest(&azure, "registry-1.docker.io", &[bearer]).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").unwrap().ends_with("error=\"insufficient_scope\""));
}

#[tokio::test(start_paused = true)]
async fn a_registry_may_ask_in_several_ways_at_once() {
    for (seed, wanted) in [
        (UpstreamSeed::new("nexus.example").both(), "Basic realm=\"Registry, for users\", Bearer realm="),
        (UpstreamSeed::new("nexus.example").both_apart(), "Bearer realm="),
        (UpstreamSeed::new("nexus.example").password(), "Basic realm=\"Registry, for users\""),
        (
            UpstreamSeed::new("nexus.example").realm("https://tokens.example/t").token(),
            "Bearer realm=\"https://tokens.example/t\"",
        ),
    ] {
        let refused = manifest(&with(seed, "nexus.example"), "nexus.example", &[]).await;
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(refused.status == 401 && challenge.starts_with(wanted), "{challenge}");
    }
    let azure = with(UpstreamSeed::new("nexus.example").user("robot", "word").both(), "nexus.example");
    assert_eq!(manifest(&azure, "nexus.example", &basic("robot", "word")).await.status, 200);
    assert_eq!(manifest(&azure, "nexus.example", &basic("robot", "wrong")).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_registry_may_name_no_digest_or_another_one_or_send_elsewhere() {
    let seed = || UpstreamSeed::new("old.example");
    let shown = manifest(&with(seed().without_digest(), "old.example"), "old.example", &[]).await;
    assert_eq!((shown.status, shown.header("docker-content-digest")), (200, None));
    let shown = manifest(&with(seed().digest("sha256:00"), "old.example"), "old.example", &[]).await;
    assert_eq!(shown.header("docker-content-digest"), Some("sha256:00"));
    assert_eq!(manifest(&with(seed().without_head(), "old.example"), "old.example", &[]).await.status, 405);
    let moved = manifest(&with(seed().moved_to("new.example"), "old.example"), "old.example", &[]).await;
    let to = "https://new.example/v2/team/app/manifests/1";
    assert_eq!((moved.status, moved.header("location")), (307, Some(to)));
}

#[tokio::test(start_paused = true)]
async fn an_import_from_a_private_registry_needs_its_user_and_password() {
    for host in ["ghcr.io", "docker.io"] {
        let azure = private(host).with_registry("group", "target");
        for (credentials, wanted) in [
            (json!(null), 400),
            (json!({"username": "robot", "password": "wrong"}), 400),
            (json!({"password": "word"}), 400),
            (json!({"username": "robot", "password": "word"}), 200),
        ] {
            let mut source = json!({"registryUri": host, "sourceImage": "team/app:1"});
            if !credentials.is_null() {
                source["credentials"] = credentials;
            }
            let body = json!({"source": source, "targetTags": ["app:1"], "mode": "Force"});
            let path = format!("{}/importImage", azure.registry_id("group", "target"));
            let started = arm(&azure, "owner", Method::Post, &path, Some(body)).await;
            let ended = get(&azure, started.header("location").unwrap()).await;
            assert_eq!(ended.status, wanted, "{host}: {:?}", ended.body);
            if wanted == 400 {
                assert_eq!(ended.message(), format!("Access to {host} denied."));
            }
        }
    }
}
