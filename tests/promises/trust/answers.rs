//! Answers of services and registries, with something in them that must not be believed.

use super::{
    Outcome, show,
    wire::{Answer, Wire},
};
use aks_acr::{
    CallOptions, Client, ClusterRef, CreateRegistryOptions, Error, Event, ImportOptions, PodSelection, Pods,
    RegistryRef, RolloutOptions, WorkloadRef,
};
use aks_acr_emulator::Emulator;
use azure_core::http::{Method, Request};
use bytes::Bytes;
use http_body_util::Full;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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

/// A cluster whose API server is the attacker's: it answers by the request's address.
fn cluster(answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static) -> Client {
    let azure = Emulator::new().with_cluster("group", "dev");
    let service = tower::service_fn(move |request: http::Request<aks_acr::KubeBody>| {
        let (status, body) = answer(&request.uri().to_string());
        let response = http::Response::builder().status(status).header("content-type", "application/json");
        std::future::ready(response.body(Full::new(Bytes::from(body))))
    });
    let builder = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport());
    builder.kubernetes(service).build().unwrap()
}

async fn pods(client: &Client) -> Result<Pods, Error> {
    client.pods(&ClusterRef::new("group", "dev").unwrap(), &PodSelection::default(), call()).await
}

fn number_in(address: &str, name: &str) -> usize {
    let named = address.split(name).nth(1).and_then(|rest| rest.split('&').next());
    named.map_or(0, |number| number.parse().unwrap())
}

/// A list that has ever another page is left after a thousand, whether the pages are empty or not.
#[tokio::test(start_paused = true)]
async fn a_list_of_100000_pages_is_left() {
    let last = 100_000;
    let mut table = Vec::new();
    let judged = |pages: usize, done: Result<(), Error>| match done {
        Err(err) if pages <= 1000 => Ok(format!("left after {pages}: {err}")),
        Err(err) => Err(format!("{pages} pages were read: {err}")),
        Ok(()) => Err(format!("{pages} pages were read and believed")),
    };
    for items in ["", "{\"name\":\"another\"}", "{\"id\":null}"] {
        let azure = azure();
        let wire = Wire::new(azure.transport(), move |request| {
            let next = number_in(request.url().as_str(), "page=") + 1;
            let link = format!("https://management.azure.com{}?api-version=1&page={next}", request.url().path());
            let link = if next < last { format!("\"{link}\"") } else { "null".to_owned() };
            let page = format!("{{\"value\":[{items}],\"nextLink\":{link}}}");
            is(request, Method::Get, "/registries?").then(|| Answer::text(200, page))
        });
        let done = client(&azure, &wire).registry(&"myregistry".parse().unwrap(), call()).await;
        table.push((
            format!("100,000 pages of Azure with [{items}]"),
            judged(wire.count("/registries?"), done.map(drop)),
        ));
    }
    for items in ["", "{\"metadata\":{\"name\":\"a\"}}"] {
        let pages: Arc<AtomicUsize> = Arc::default();
        let count = pages.clone();
        let client = cluster(move |address| {
            count.fetch_add(1, Ordering::Relaxed);
            let next = number_in(address, "continue=") + 1;
            let next = if next < last { next.to_string() } else { String::new() };
            (200, format!("{{\"metadata\":{{\"continue\":\"{next}\"}},\"items\":[{items}]}}"))
        });
        let done = pods(&client).await.map(drop);
        table
            .push((format!("100,000 pages of Kubernetes with [{items}]"), judged(pages.load(Ordering::Relaxed), done)));
    }
    show("pages", table);
}

/// What a terminal would obey, what would mislead a reader, and what is invisible, as JSON writes it.
const ESCAPES: [&str; 19] = [
    "\\u001b[2J\\u001b[31m",
    "\\u001b]0;title\\u0007",
    "\\u001b]8;;https://evil.example\\u001b\\\\link",
    "\\u001b]52;c;ZXZpbA==\\u0007",
    "\\u001bP+q544e\\u001b\\\\",
    "\\u009b31m",
    "\\u009d0;title\\u009c",
    "\\u0090x\\u009c",
    "\\u0085next line",
    "\\r\\n2026 INFO forged",
    "\\b\\b\\b",
    "\\u0000\\u007f\\u0007",
    "\\u202etxt.exe\\u202c",
    "\\u2066x\\u2069\\u200f\\u061c",
    "\\u200b\\u2060\\ufeff",
    "\\u00ad\\u034f\\u180e",
    "\\u3164\\uffa0",
    "\\u2028\\u2029",
    "\\udb40\\udc41",
];

fn is_bare(letter: char) -> bool {
    letter.is_control()
        || "\u{ad}\u{34f}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{2060}\u{3164}\u{feff}\u{ffa0}\u{e0041}"
            .contains(letter)
        || ('\u{2028}'..='\u{202e}').contains(&letter)
        || ('\u{2066}'..='\u{2069}').contains(&letter)
}

fn cleaned(shown: String) -> Outcome {
    if !(shown.contains("before") && shown.contains("after")) {
        return Err(format!("the text is not shown at all: {shown:?}"));
    }
    if shown.chars().any(is_bare) { Err(format!("{shown:?}")) } else { Ok(shown) }
}

#[tokio::test(start_paused = true)]
async fn escapes_in_texts_of_others_reach_no_terminal() {
    let mut table = Vec::new();
    for escape in ESCAPES {
        let text = format!("before{escape}after");
        let body = format!("{{\"error\":{{\"code\":\"AuthorizationFailed\",\"message\":\"{text}\"}}}}");
        let (_, done) = read_registry(move |request| {
            is(request, Method::Get, "/registries/myregistry").then(|| Answer::text(403, body.clone()))
        })
        .await;
        let err = done.unwrap_err();
        table.push((format!("an error of Azure with {escape}"), cleaned(format!("{err:#}"))));
        table.push((format!("the same for developers with {escape}"), cleaned(format!("{err:?}"))));

        let body = format!("{{\"kind\":\"Status\",\"code\":403,\"reason\":\"Forbidden\",\"message\":\"{text}\"}}");
        let err = pods(&cluster(move |_| (403, body.clone()))).await.unwrap_err();
        table.push((format!("a refusal of Kubernetes with {escape}"), cleaned(format!("{err:#}"))));

        let body = format!("{{\"errors\":[{{\"code\":\"DENIED\",\"message\":\"{text}\"}}]}}");
        let (_, done) = image(move |request| {
            is(request, request.method(), "quay.example/v2/").then(|| Answer::text(403, body.clone()))
        })
        .await;
        table.push((format!("a refusal of a registry with {escape}"), cleaned(format!("{:#}", done.unwrap_err()))));
    }
    show("texts", table);
}

async fn image(
    attack: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
) -> (Arc<Wire>, Result<Option<aks_acr::Image>, Error>) {
    let azure = azure();
    let wire = Wire::new(azure.transport(), attack);
    let call = call().start(Duration::from_secs(60));
    let done = client(&azure, &wire).registry_importer().image(&SOURCE.parse().unwrap(), &call).await;
    (wire, done)
}

/// A pod that cannot be pulled for a cause that only an event names, and all that is shown of it.
#[tokio::test(start_paused = true)]
async fn escapes_in_texts_of_events_reach_no_terminal() {
    let mut table = Vec::new();
    for escape in ESCAPES {
        let text = format!("Failed to pull image: before{escape}after");
        let client = cluster(move |address| {
            let label = "{\"app\":\"web\"}";
            let pod = format!(
                "{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"a\",\"uid\":\"u\",\"labels\":{label},\
                 \"ownerReferences\":[{{\"controller\":true,\"uid\":\"s\"}}]}},\
                 \"spec\":{{\"containers\":[{{\"name\":\"c\",\"image\":\"before{escape}after\"}}]}},\"status\":{{\"containerStatuses\":\
                 [{{\"name\":\"c\",\"state\":{{\"waiting\":{{\"reason\":\"ImagePullBackOff\",\"message\":\"Back-off\"}}}}}}]}}}}"
            );
            let event = format!("{{\"message\":\"{text}\",\"involvedObject\":{{\"uid\":\"u\"}}}}");
            let revision = "\"annotations\":{\"deployment.kubernetes.io/revision\":\"1\"}";
            let deployment = format!(
                "{{\"kind\":\"Deployment\",\"metadata\":{{\"uid\":\"d\",\"generation\":1,{revision}}},\"spec\":{{}},\"status\":{{\"observedGeneration\":1}}}}"
            );
            let owners = "\"ownerReferences\":[{\"controller\":true,\"uid\":\"d\"}]";
            let set = format!("{{\"metadata\":{{\"uid\":\"s\",{revision},{owners}}}}}");
            match address {
                _ if address.contains("/deployments/") => (200, deployment),
                _ if address.contains("/events") => (200, format!("{{\"metadata\":{{}},\"items\":[{event}]}}")),
                _ if address.contains("/replicasets") => (200, format!("{{\"metadata\":{{}},\"items\":[{set}]}}")),
                _ if address.contains("watch=true") => (200, String::new()),
                _ => (200, format!("{{\"metadata\":{{}},\"items\":[{pod}]}}")),
            }
        });
        let found = pods(&client).await.unwrap();
        let failure = found.pods[0].pull_failure.clone().unwrap();
        let lines: Vec<String> = found.to_string().lines().map(str::to_owned).collect();
        let shown = format!("before after {} lines: {}", lines.len(), lines.join(" "));
        let held = if lines.len() == 2 { cleaned(shown) } else { Err(shown) };
        table.push((format!("an event in a list of pods with {escape}"), held));
        table.push((format!("an event in a pod with {escape}"), cleaned(format!("before after {}", found.pods[0]))));
        table.push((format!("an event's failure with {escape}"), cleaned(format!("before after {failure}"))));
        let reports: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = reports.clone();
        let call = call().with_progress(move |event: Event| heard.lock().unwrap().push(event.to_string()));
        let (cluster, web) = (ClusterRef::new("group", "dev").unwrap(), WorkloadRef::new("web"));
        let err = client.wait_for_rollout(&cluster, &web, RolloutOptions::default().with_call(call)).await.unwrap_err();
        assert!(format!("{err:#}").contains("Failed to pull image"), "{err:#}");
        table.push((format!("an event in an error with {escape}"), cleaned(format!("{err:#}"))));
        let reports = reports.lock().unwrap().join(" ");
        table.push((format!("an event in progress with {escape}"), cleaned(format!("before after {reports}"))));
    }
    show("texts of events", table);
}
