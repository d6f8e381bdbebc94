//! Pushing images, looking at what exists, and deleting it.

use aks_acr_emulator::{Emulator, RegistrySeed};
use azure_core::http::Method;
use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{Answer, arm, send};

const HOST: &str = "https://myregistry.azurecr.io";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn digest(bytes: &str) -> String {
    let hex: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hex.concat())
}

/// A registry and a caller with a role there, which signs in with a name and a password.
fn scene(role: &str, seed: RegistrySeed) -> (Emulator, String) {
    let azure = Emulator::new().with_registry_of(seed);
    let azure = azure.clone().with_caller("pusher", &[(role, &azure.registry_id("group", "myregistry"))]);
    let (client, secret) = azure.client_secret_of("pusher");
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
    (azure, format!("Basic {pair}"))
}

struct Client {
    azure: Emulator,
    basic: String,
}

impl Client {
    fn of(role: &str) -> Self {
        let (azure, basic) = scene(role, RegistrySeed::new("group", "myregistry"));
        Self { azure, basic }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut all = vec![("authorization", self.basic.clone())];
        all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        send(&self.azure, method, &format!("{HOST}{path}"), &all, Some(body.to_owned())).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::Get, path, &[], "").await
    }

    async fn blob(&self, repository: &str, bytes: &str) -> Answer {
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", digest(bytes));
        self.ask(Method::Post, &path, &[], bytes).await
    }

    async fn manifest(&self, repository: &str, reference: &str, body: &Value) -> Answer {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.ask(Method::Put, &path, &[("content-type", MANIFEST)], &body.to_string()).await
    }

    /// Pushes a small image; the answer is its digest.
    async fn push(&self, repository: &str, tag: &str) -> String {
        self.blob(repository, "layer").await;
        self.blob(repository, "{}").await;
        let pushed = self.manifest(repository, tag, &image()).await;
        assert_eq!(pushed.status, 201);
        pushed.header("docker-content-digest").unwrap().to_owned()
    }
}

fn image() -> Value {
    json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest("{}"), "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest("layer"), "size": 5}]})
}

#[tokio::test(start_paused = true)]
async fn an_image_goes_in_by_parts_and_comes_out_the_same() {
    let client = Client::of("AcrPush");
    let begun = client.ask(Method::Post, "/v2/team/app/blobs/uploads/", &[], "").await;
    let place = begun.header("location").unwrap().to_owned();
    let part = client.ask(Method::Patch, &place, &[("content-range", "0-1")], "la").await;
    assert_eq!((part.status, part.header("range")), (202, Some("0-1")));
    let gap = client.ask(Method::Patch, &place, &[("content-range", "4-4")], "r").await;
    assert_eq!((gap.status, gap.header("range")), (416, Some("0-1")));
    let done = client.ask(Method::Put, &format!("{place}&digest={}", digest("layer")), &[], "yer").await;
    assert_eq!((done.status, done.header("docker-content-digest")), (201, Some(digest("layer").as_str())));
    client.blob("team/app", "{}").await;
    let pushed = client.manifest("team/app", "1", &image()).await;
    assert_eq!(
        (pushed.status, pushed.header("docker-content-digest")),
        (201, Some(digest(&image().to_string()).as_str()))
    );
    let pulled = client.get("/v2/team/app/manifests/1").await;
    assert_eq!((&pulled.body, pulled.header("content-type")), (&image(), Some(MANIFEST)));
    let blob = format!("/v2/team/app/blobs/{}", digest("layer"));
    let part = client.ask(Method::Get, &blob, &[("range", "bytes=1-2")], "").await;
    assert_eq!(
        (part.status, part.bytes.as_slice(), part.header("content-range")),
        (206, &b"ay"[..], Some("bytes 1-2/5"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_its_digest_or_refers_to_nothing_is_refused() {
    let client = Client::of("AcrPush");
    let code = |answer: &Answer| answer.body["errors"][0]["code"].as_str().unwrap_or_default().to_owned();
    let path = format!("/v2/app/blobs/uploads/?digest={}", digest("another"));
    assert_eq!(code(&client.ask(Method::Post, &path, &[], "layer").await), "DIGEST_INVALID");
    assert_eq!(code(&client.manifest("app", "1", &image()).await), "MANIFEST_BLOB_UNKNOWN");
    client.push("app", "1").await;
    assert_eq!(code(&client.manifest("app", &digest("another"), &image()).await), "DIGEST_INVALID");
    assert_eq!(code(&client.manifest("App", "1", &image()).await), "NAME_INVALID");
    assert_eq!(code(&client.manifest("app", "1", &json!({"schemaVersion": 1})).await), "MANIFEST_INVALID");
    assert_eq!(
        code(&client.ask(Method::Put, "/v2/app/blobs/uploads/none?digest=x", &[], "").await),
        "BLOB_UPLOAD_UNKNOWN"
    );
}

#[tokio::test(start_paused = true)]
async fn a_blob_of_another_repository_is_mounted() {
    let client = Client::of("AcrPush");
    client.push("app", "1").await;
    let path = format!("/v2/copy/blobs/uploads/?mount={}&from=app", digest("layer"));
    assert_eq!(client.ask(Method::Post, &path, &[], "").await.status, 201);
    let missing = format!("/v2/copy/blobs/uploads/?mount={}&from=app", digest("none"));
    assert_eq!(client.ask(Method::Post, &missing, &[], "").await.status, 202, "then it is uploaded");
}

#[tokio::test(start_paused = true)]
async fn who_may_only_pull_does_not_push_or_delete() {
    let client = Client::of("AcrPull");
    assert_eq!(client.blob("app", "layer").await.status, 403);
    let pusher = Client::of("AcrPush");
    let digest = pusher.push("app", "1").await;
    let path = format!("/v2/app/manifests/{digest}");
    assert_eq!(pusher.ask(Method::Delete, &path, &[], "").await.status, 403);
    let challenged =
        send(&client.azure, Method::Post, &format!("{HOST}/v2/app/blobs/uploads/"), &[], None).await.unwrap();
    assert!(challenged.header("www-authenticate").unwrap().contains("scope=\"repository:app:pull,push\""));
}

#[tokio::test(start_paused = true)]
async fn a_writer_pushes_to_a_registry_that_looks_at_repositories() {
    let (azure, basic) = scene("Container Registry Repository Writer", RegistrySeed::new("group", "myregistry").abac());
    Client { azure, basic }.push("app", "1").await;
    let (azure, basic) = scene("AcrPush", RegistrySeed::new("group", "myregistry").abac());
    assert_eq!(Client { azure, basic }.blob("app", "layer").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn the_admin_user_signs_in_while_it_is_enabled() {
    let mut client = Client::of("AcrPull");
    let id = client.azure.registry_id("group", "myregistry");
    let enable = |on: bool| Some(json!({"properties": {"adminUserEnabled": on}}));
    arm(&client.azure, "owner", Method::Patch, &id, enable(true)).await;
    let told = arm(&client.azure, "owner", Method::Post, &format!("{id}/listCredentials"), None).await;
    let password = told.body["passwords"][1]["value"].as_str().unwrap();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("myregistry:{password}"));
    client.basic = format!("Basic {pair}");
    client.push("app", "1").await;
    assert_eq!(client.get("/acr/v1/_catalog").await.body["repositories"], json!(["app"]));
    arm(&client.azure, "owner", Method::Patch, &id, enable(false)).await;
    assert_eq!(client.get("/acr/v1/_catalog").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn referrers_name_what_they_speak_of() {
    let client = Client::of("AcrPush");
    let subject = client.push("app", "1").await;
    let mut signature = image();
    signature["artifactType"] = "application/example".into();
    signature["subject"] = json!({"mediaType": MANIFEST, "digest": subject, "size": 2});
    let reference = digest(&signature.to_string());
    let pushed = client.manifest("app", &reference, &signature).await;
    assert_eq!(pushed.header("oci-subject"), Some(subject.as_str()));
    let found = client.get(&format!("/v2/app/referrers/{subject}?artifactType=application/example")).await;
    assert_eq!(found.body["manifests"][0]["digest"], reference);
    assert_eq!(found.header("oci-filters-applied"), Some("artifactType"));
    let none = client.get(&format!("/v2/app/referrers/{subject}?artifactType=other")).await;
    assert_eq!(none.body["manifests"], json!([]));
    let second = client.azure.push_referrer(&format!("myregistry.azurecr.io/app@{subject}"), "other").unwrap();
    let page = client.get(&format!("/v2/app/referrers/{subject}?n=1")).await;
    let link = page.header("link").unwrap().trim_start_matches('<').split('>').next().unwrap();
    let rest = client.get(link).await;
    let mut seen = [&page, &rest].map(|page| page.body["manifests"][0]["digest"].as_str().unwrap().to_owned());
    let mut wanted = [reference, second];
    seen.sort();
    wanted.sort();
    assert_eq!((seen, rest.header("link")), (wanted, None));
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_with_a_link_to_the_next() {
    let client = Client::of("AcrPush");
    for name in ["a", "b", "c"] {
        client.push(name, "1").await;
        client.push("a", name).await;
    }
    let mut path = String::from("/acr/v1/_catalog?n=2");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let page = client.get(&path).await;
        seen.push(page.body["repositories"].clone());
        let link = page.header("link").unwrap_or_default();
        path = link.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned();
    }
    assert_eq!((seen, path.as_str()), (vec![json!(["a", "b"]), json!(["c"])], ""));
    let tags = client.get("/acr/v1/a/_tags?n=2&last=1").await;
    let names: Vec<&str> =
        tags.body["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(tags.header("link").unwrap().ends_with("rel=\"next\""));
}

#[tokio::test(start_paused = true)]
async fn a_locked_tag_is_neither_moved_nor_deleted_until_it_is_unlocked() {
    let (azure, _) = scene("AcrPush", RegistrySeed::new("group", "myregistry"));
    azure.grant("AcrDelete", &azure.object_id_of("pusher"), &azure.registry_id("group", "myregistry"));
    let (client, secret) = azure.client_secret_of("pusher");
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
    let client = Client { azure, basic: format!("Basic {pair}") };
    let digest = client.push("app", "1").await;
    let lock = |on: bool| json!({"writeEnabled": on, "deleteEnabled": on}).to_string();
    assert_eq!(client.ask(Method::Patch, "/acr/v1/app/_tags/1", &[], &lock(false)).await.status, 200);
    let shown = client.get("/acr/v1/app/_tags/1").await;
    assert_eq!(shown.body["tag"]["changeableAttributes"]["writeEnabled"], false);
    assert_eq!(client.manifest("app", "1", &image()).await.status, 405);
    assert_eq!(client.ask(Method::Delete, "/acr/v1/app/_tags/1", &[], "").await.status, 405);
    assert_eq!(client.ask(Method::Delete, &format!("/v2/app/manifests/{digest}"), &[], "").await.status, 405);
    client.ask(Method::Patch, "/acr/v1/app/_tags/1", &[], &lock(true)).await;
    assert_eq!(client.ask(Method::Delete, "/acr/v1/app/_tags/1", &[], "").await.status, 202);
    assert_eq!(client.get("/acr/v1/app").await.body["tagCount"], 0);
    assert_eq!(client.ask(Method::Delete, "/acr/v1/app", &[], "").await.status, 202);
    assert_eq!(client.get("/acr/v1/app").await.status, 404);
}
