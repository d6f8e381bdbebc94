//! Answers of services and registries, with something in them that must not be believed.

use super::{
    Outcome, show,
    wire::{Answer, Wire},
};
use aks_acr::{CallOptions, Client, CreateRegistryOptions, Error, ImportOptions, RegistryRef};
use aks_acr_emulator::Emulator;
use azure_core::http::{Method, Request};
use std::{sync::Arc, time::Duration};

const MIB: usize = 1024 * 1024;
const SOURCE: &str = "quay.example/team/app:v1";

fn azure() -> Emulator {
    Emulator::new().with_registry("group", "myregistry").with_image(SOURCE, &["linux/amd64"])
}

fn call() -> CallOptions {
    CallOptions::default().with_deadline(Duration::from_secs(600))
}

fn client(azure: &Emulator, wire: &Arc<Wire>) -> Client {
    let builder = Client::builder(azure.credential(), azure.subscription()).transport(wire.clone());
    builder.kubernetes(azure.kubernetes()).build().unwrap()
}

fn is(request: &Request, method: Method, part: &str) -> bool {
    request.method() == method && request.url().as_str().to_ascii_lowercase().contains(part)
}

/// What a stranger got, or the error.
fn outcome<T: std::fmt::Debug>(wire: &Wire, done: Result<T, Error>) -> Outcome {
    match (wire.strangers(false), done) {
        (strangers, _) if !strangers.is_empty() => Err(format!("contacted {strangers:?}")),
        (_, Ok(value)) => Err(format!("believed: {value:?}")),
        (_, Err(err)) => Ok(err.to_string()),
    }
}

async fn read_registry(
    attack: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
) -> (Arc<Wire>, Result<(), Error>) {
    let azure = azure();
    let wire = Wire::new(azure.transport(), attack);
    let registry = azure.registry_id("group", "myregistry").parse().unwrap();
    let done = client(&azure, &wire).registry(&registry, call()).await;
    (wire, done.map(drop))
}

async fn import(
    source: &str,
    attack: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
) -> (Arc<Wire>, Result<aks_acr::Import, Error>) {
    let azure = azure();
    let wire = Wire::new(azure.transport(), attack);
    let registry: RegistryRef = azure.registry_id("group", "myregistry").parse().unwrap();
    let options = ImportOptions::default().with_target("app:v1").with_call(call());
    let done = client(&azure, &wire).import_image(&registry, &source.parse().unwrap(), options).await;
    (wire, done)
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_azure_leads_nowhere_else() {
    let evil = "https://evil.example/next";
    let mut table = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        let (wire, done) = read_registry(move |request| {
            is(request, Method::Get, "/registries/myregistry").then(|| Answer::text(status, "").with("location", evil))
        })
        .await;
        table.push((format!("a redirect elsewhere: {status}"), outcome(&wire, done)));
    }
    for link in [
        evil,
        "http://management.azure.com/next",
        "https://management.azure.com.evil.example/next",
        "https://management.azure.com@evil.example/",
    ] {
        let azure = azure();
        let wire = Wire::new(azure.transport(), move |request| {
            is(request, Method::Get, "/registries?")
                .then(|| Answer::text(200, format!("{{\"value\":[],\"nextLink\":\"{link}\"}}")))
        });
        let done = client(&azure, &wire).registry(&"myregistry".parse().unwrap(), call()).await;
        table.push((format!("a link elsewhere: {link}"), outcome(&wire, done.map(drop))));
    }
    let azure = Emulator::new().with_group("group", "westeurope");
    let wire = Wire::new(azure.transport(), move |request| {
        let body = "{\"properties\":{\"provisioningState\":\"Creating\"}}";
        is(request, Method::Put, "/registries/").then(|| Answer::text(201, body).with("azure-asyncoperation", evil))
    });
    let options = CreateRegistryOptions::default().with_call(call());
    let done = client(&azure, &wire).create_registry("group", "myregistry", options).await;
    table.push(("an operation elsewhere: azure-asyncoperation".to_owned(), outcome(&wire, done.map(drop))));
    let (wire, done) = import(SOURCE, move |request| {
        is(request, Method::Post, "/importimage").then(|| Answer::text(202, "").with("location", evil))
    })
    .await;
    table.push(("an operation elsewhere: location".to_owned(), outcome(&wire, done)));
    show("addresses in answers of Azure", table);
}

#[tokio::test(start_paused = true)]
async fn a_registry_leads_no_token_elsewhere() {
    let mut table = Vec::new();
    for realm in [
        "https://evil.example/token",
        "http://quay.example/token",
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "https://10.0.0.1/token",
        "https://localhost:8443/token",
        "https://user:password@quay.example/token",
        "https://quay.example.evil.example/token",
        "file:///etc/passwd",
    ] {
        let (wire, _) = import(SOURCE, move |request| {
            let challenge =
                format!("Bearer realm=\"{realm}\",service=\"quay.example\",scope=\"repository:team/app:pull\"");
            is(request, request.method(), "quay.example/v2/")
                .then(|| Answer::text(401, "{}").with("www-authenticate", challenge))
        })
        .await;
        let strangers = wire.strangers(false);
        let named = wire.count(realm);
        let outcome = if strangers.is_empty() && named == 0 {
            Ok("not contacted".to_owned())
        } else {
            Err(format!("contacted {strangers:?} {named}"))
        };
        table.push((format!("a realm elsewhere: {realm}"), outcome));
    }
    let (wire, _) = import(SOURCE, |request| {
        is(request, request.method(), "quay.example/v2/")
            .then(|| Answer::text(307, "").with("location", "https://cdn.evil.example/manifest"))
    })
    .await;
    let signed = wire.strangers(true);
    table.push((
        "a manifest elsewhere".into(),
        if signed.is_empty() { Ok("no credential goes along".into()) } else { Err(format!("{signed:?}")) },
    ));
    show("addresses in answers of a registry", table);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_digest_is_the_one_that_is_imported() {
    let azure = azure();
    let pinned = format!("quay.example/team/app@{}", azure.digest(SOURCE).unwrap());
    let other = format!("sha256:{}", "b".repeat(64));
    let (wire, done) = import(&pinned, move |request| {
        is(request, request.method(), "/v2/team/app/manifests/").then(|| {
            let answer = Answer::text(200, "{\"schemaVersion\":2}").with("docker-content-digest", other.clone());
            answer.with("content-type", "application/vnd.oci.image.manifest.v1+json")
        })
    })
    .await;
    let began = wire.count("importImage");
    let outcome = if began == 0 { outcome(&wire, done) } else { Err("the import was begun".to_owned()) };
    show("digests", vec![("another digest than the one that is pinned".to_owned(), outcome)]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_left_and_one_that_is_none_is_not_believed() {
    let mut table = Vec::new();
    let (wire, done) =
        read_registry(|request| is(request, Method::Get, "/registries/myregistry").then(Answer::endless)).await;
    let taken = wire.taken();
    table.push((
        "a body without end".to_owned(),
        if taken < 64 * MIB { outcome(&wire, done) } else { Err(format!("{taken} bytes were taken")) },
    ));
    let (wire, _) = import(SOURCE, |request| {
        let endless = || if request.method() == Method::Head { Answer::text(405, "") } else { Answer::endless() };
        is(request, request.method(), "quay.example/v2/").then(endless)
    })
    .await;
    let taken = wire.taken();
    let held = if taken < 64 * MIB {
        Ok(format!("left after {} KiB", taken / 1024))
    } else {
        Err(format!("{taken} bytes were taken"))
    };
    table.push(("a manifest without end".to_owned(), held));

    let (wire, done) = read_registry(|request| {
        is(request, Method::Get, "/registries/myregistry").then(|| {
            let long = "x".repeat(10 * MIB);
            Answer::text(403, "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}")
                .with("x-ms-request-id", long)
        })
    })
    .await;
    let length = done.as_ref().map_or_else(|err| format!("{err:#}{err:?}").len(), |()| 0);
    table.push((
        "a header of 10 MB".to_owned(),
        if length < 256 * 1024 { outcome(&wire, done) } else { Err(format!("an error of {length} bytes")) },
    ));

    for body in [
        "\"text\"",
        "null",
        "[]",
        "{\"properties\":\"text\"}",
        "{\"id\":null,\"properties\":null}",
        "<html>no</html>",
        "{\"properties\":[]}",
        "17",
        "",
    ] {
        let (wire, done) = read_registry(move |request| {
            is(request, Method::Get, "/registries/myregistry").then(|| Answer::text(200, body))
        })
        .await;
        table.push((format!("in place of a registry: {body}"), outcome(&wire, done)));
    }
    for body in
        ["{\"error\":\"text\"}", "{\"properties\":null,\"status\":5}", "\"Succeeded?\"", "{\"status\":null}", "[]"]
    {
        let (wire, done) = import(SOURCE, move |request| {
            let is_poll = is(request, Method::Get, "operation") || is(request, Method::Get, "/importimage");
            is_poll.then(|| Answer::text(200, body))
        })
        .await;
        // What was imported in truth may be found by a look; what the answer says is not to be taken for it.
        let believed = done.as_ref().is_ok_and(|done| wire.count("manifests") < 2 && done.is_new);
        table.push((
            format!("in place of an operation: {body}"),
            if believed { Err("believed".into()) } else { Ok("not taken for success".into()) },
        ));
    }
    show("bodies", table);
}

#[tokio::test(start_paused = true)]
async fn escapes_in_texts_of_others_reach_no_terminal() {
    let mut table = Vec::new();
    for escape in [
        "\\u001b[2J\\u001b[31m",
        "\\u001b]0;title\\u0007",
        "\\u009b31m",
        "\\r\\n2026 INFO forged",
        "\\b\\b\\b",
        "\\u0000",
    ] {
        let (_, done) = read_registry(move |request| {
            let body =
                format!("{{\"error\":{{\"code\":\"AuthorizationFailed\",\"message\":\"before{escape}after\"}}}}");
            is(request, Method::Get, "/registries/myregistry").then(|| Answer::text(403, body))
        })
        .await;
        let err = done.unwrap_err();
        let shown = format!("{err:#}");
        let is_bare = |letter: char| {
            letter.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&letter)
                || ('\u{2066}'..='\u{2069}').contains(&letter)
        };
        let held = if shown.chars().any(is_bare) { Err(format!("{shown:?}")) } else { Ok(shown) };
        table.push((format!("an error's text with {escape}"), held));
    }
    show("texts", table);
}
