//! Responses that are too long, not the service's own, or that try to give a terminal orders.

use crate::{
    client_of,
    wire::{Script, Wire},
};
use aks_acr::{
    ApplyOptions, AttachOptions, CallOptions, Client, ClusterRef, CreateRegistryOptions, Error, ErrorKind, Event,
    Image, Manifest, PodSelection, Result,
};
use aks_acr_emulator::{Emulator, Fault, Timing};
use serde_json::json;
use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};
use tokio::time::Instant;

fn scene() -> Emulator {
    Emulator::new()
        .with_cluster("group", "dev")
        .with_registry("group", "myregistry")
        .with_image("docker.io/library/nginx:latest", &["linux/amd64"])
        .with_image("myregistry.azurecr.io/app:v1", &["linux/amd64"])
}

fn cluster() -> ClusterRef {
    ClusterRef::new("group", "dev").unwrap()
}

async fn attach(client: &Client) -> Result<()> {
    client.attach(&cluster(), &"myregistry".parse()?, AttachOptions::default()).await.map(|_| ())
}

async fn look(client: &Client) -> Result<Option<Image>> {
    let call = CallOptions::default().start(Duration::from_secs(60));
    client.registry_importer().image(&"myregistry.azurecr.io/app:v1".parse()?, &call).await
}

async fn pods(client: &Client) -> Result<()> {
    client.pods(&cluster(), &PodSelection::default(), CallOptions::default()).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_is_read_up_to_its_limit() {
    for (part, status, limit) in [
        ("/managedclusters/dev", 200, 4 << 20),
        ("/registries?", 200, 8 << 20),
        ("/managedclusters/dev", 403, 512 << 10),
        ("/managedclusters/dev", 502, 512 << 10),
    ] {
        let azure = scene();
        let wire = Wire::of(&azure, move |request| {
            request.url().as_str().to_lowercase().contains(part).then_some(Script::Endless(status))
        });
        let begun = Instant::now();
        let err = attach(&client_of(&azure, |builder| builder.transport(wire.clone()))).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unexpected, "{err:#}");
        assert!(err.to_string().contains("the limit for") && !err.is_transient(), "{err:#}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{part}: it is not tried again");
        assert!(wire.taken.load(Ordering::Relaxed) <= limit + (1 << 17), "{part} {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_registrys_token_has_a_limit_too() {
    let azure = scene();
    let wire = Wire::of(&azure, |request| request.url().path().contains("/oauth2/").then_some(Script::Endless(200)));
    let err = look(&client_of(&azure, |builder| builder.transport(wire.clone()))).await.unwrap_err();
    assert!(err.to_string().contains("256 KiB, the limit for a token"), "{err:#}");
    assert!(wire.taken.load(Ordering::Relaxed) <= (256 << 10) + (1 << 17));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_names_ever_new_pages_ends() {
    let azure = scene();
    let page = Mutex::new(0);
    let wire = Wire::of(&azure, move |request| {
        let list = request.url().path().to_lowercase().ends_with("/registries");
        list.then(|| {
            let mut page = page.lock().unwrap();
            *page += 1;
            let mut next = request.url().clone();
            next.set_query(Some(&format!("api-version=2023-07-01&page={page}")));
            Script::Body(200, &[], json!({ "value": [], "nextLink": next.as_str() }).to_string())
        })
    });
    let err = attach(&client_of(&azure, |builder| builder.transport(wire.clone()))).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unexpected, "{err:#}");
    assert!(err.to_string().contains("1000, the limit for a list"), "{err:#}");
    assert!(wire.seen.lock().unwrap().len() < 1010);
}

/// The error of each service's request, where all requests to that service meet a fault.
async fn errors(fault: impl Fn(&str) -> Fault) -> Vec<(&'static str, Error)> {
    let call = || CallOptions::default().with_deadline(Duration::from_secs(100));
    let mut errors = Vec::new();
    for (name, part) in [
        ("Resource Manager", "managedClusters/dev"),
        ("registry", "myregistry.azurecr.io/oauth2/"),
        ("Kubernetes", "/api/v1/namespaces/default/pods"),
    ] {
        let azure = scene();
        let client = client_of(&azure, |builder| builder);
        azure.fault(fault(part).times(1000));
        let err = match name {
            "registry" => client
                .registry_importer()
                .image(&"myregistry.azurecr.io/app:v1".parse().unwrap(), &call().start(Duration::MAX))
                .await
                .unwrap_err(),
            "Kubernetes" => client.pods(&cluster(), &PodSelection::default(), call()).await.unwrap_err(),
            _ => {
                let options = AttachOptions::default().with_call(call());
                client.attach(&cluster(), &"myregistry".parse().unwrap(), options).await.unwrap_err()
            }
        };
        errors.push((name, err));
    }
    errors
}

#[tokio::test(start_paused = true)]
async fn a_page_of_something_on_the_way_is_not_the_services_refusal() {
    for status in [400, 401, 403, 404, 407, 409, 451, 511] {
        for (name, err) in errors(|part| Fault::on("*", part).page().status(status)).await {
            assert_eq!(err.kind(), ErrorKind::Unavailable, "{name} {status}: {err:#}");
            assert!(!err.is_transient() && err.to_string().contains("a proxy or firewall"), "{name} {status}: {err:#}");
            assert!(
                err.refusal().is_none() && err.missing_action().is_none() && err.code().is_none(),
                "{name}: {err:#}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_gateway_in_trouble_is_transient() {
    for status in [200, 502, 503, 504] {
        for (name, err) in errors(|part| Fault::on("*", part).page().status(status)).await {
            let kind = err.kind();
            assert!(matches!(kind, ErrorKind::Unavailable | ErrorKind::DeadlineExceeded), "{name} {status}: {err:#}");
            assert!(err.is_transient(), "{name} {status}: {err:#}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed_and_named() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = "https://portal.example/sign-in?state=secret";
        for (name, err) in errors(|part| Fault::on("*", part).status(status).header("location", elsewhere)).await {
            assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unavailable, false), "{name} {status}: {err:#}");
            assert!(err.to_string().contains("portal.example"), "{name} {status}: {err:#}");
            assert!(!format!("{err:#}{err:?}").contains("secret"), "{name} {status}: {err:#}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_services_own_refusals_stay_what_they_are() {
    let body = |status: u16| match status {
        403 => {
            json!({"error": {"code": "AuthorizationFailed", "message": "no"}, "kind": "Status", "code": 403, "message": "no"})
        }
        _ => {
            json!({"error": {"code": "ResourceNotFound", "message": "no"}, "kind": "Status", "code": 404, "message": "no"})
        }
    };
    for (name, err) in errors(|part| Fault::on("*", part).status(403).body(body(403))).await {
        assert_eq!(err.kind(), ErrorKind::Forbidden, "{name}: {err:#}");
    }
}

/// An escape sequence that clears the screen, one that sets the window's title, one of the second set, and marks that turn text around.
const ORDERS: &str = "a\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{2066}\r\nsecond line\0";

fn is_harmless(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

#[tokio::test(start_paused = true)]
async fn what_a_service_says_gives_a_terminal_no_orders() {
    let body = json!({
        "error": {"code": format!("Code{ORDERS}"), "message": ORDERS, "details": [{"message": ORDERS}]},
        "errors": [{"code": ORDERS, "message": ORDERS}], "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "reason": ORDERS, "message": ORDERS, "code": 400,
    });
    for (name, err) in errors(|part| Fault::on("*", part).status(400).body(body.clone())).await {
        let service = err.service().unwrap();
        let facts: Vec<String> = err.context().map(|(_, value)| value.to_owned()).collect();
        for text in
            [err.to_string(), format!("{err:#}"), format!("{err:?}"), service.to_string(), format!("{service:?}")]
        {
            assert!(is_harmless(&text), "{name}: {text:?}");
        }
        for text in facts.iter().map(String::as_str).chain(service.message.as_deref()).chain(service.code.as_deref()) {
            assert!(is_harmless(text), "{name}: {text:?}");
        }
        assert!(format!("{err:#}").contains("\\u{1b}"), "{name}: {err:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_service_says_of_its_progress_gives_no_orders_either() {
    let azure = scene();
    let client = client_of(&azure, |builder| builder);
    let mut timing = Timing::default();
    timing.registry = Duration::from_secs(30);
    azure.set_timing(timing);
    azure.fault(Fault::on("GET", "/operationStatuses/").status(200).body(json!({ "status": ORDERS })).times(2));
    let heard: Arc<Mutex<Vec<Event>>> = Arc::default();
    let listener = heard.clone();
    let call = CallOptions::default().with_progress(move |event| listener.lock().unwrap().push(event));
    client.create_registry("group", "another", CreateRegistryOptions::default().with_call(call)).await.unwrap();
    let heard = heard.lock().unwrap();
    assert!(heard.iter().any(|event| event.to_string().contains("\\u{1b}")), "{heard:?}");
    for event in heard.iter() {
        assert!(is_harmless(&event.to_string()), "{event:?}");
        assert!(is_harmless(&serde_json::to_string(event).unwrap().replace("\\u", "")), "{event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_request_names_the_library() {
    let azure = scene().with_machine_identities(&["owner"]);
    let wire = Wire::of(&azure, |_| None);
    let kube: Arc<Mutex<Vec<String>>> = Arc::default();
    let agents = kube.clone();
    let service = tower::ServiceBuilder::new()
        .map_request(move |request: http::Request<aks_acr::KubeBody>| {
            let agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
            agents.lock().unwrap().push(agent.to_owned());
            request
        })
        .service(azure.kubernetes());
    let client = Client::builder_with_default_credential(azure.subscription())
        .environment(|_| None)
        .transport(wire.clone())
        .kubernetes(service)
        .build()
        .unwrap();
    attach(&client).await.unwrap();
    look(&client).await.unwrap();
    let pod = "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}";
    client.apply(&cluster(), Manifest::parse_all(pod).unwrap(), ApplyOptions::default()).await.unwrap();
    pods(&client).await.unwrap();
    let seen = wire.seen.lock().unwrap();
    for host in ["169.254.169.254", "management.azure.com", "myregistry.azurecr.io"] {
        assert!(seen.iter().any(|(one, _)| one == host), "{host}: {seen:?}");
    }
    assert!(seen.iter().all(|(_, agent)| agent.contains("aks-acr/")), "{seen:?}");
    let kube = kube.lock().unwrap();
    assert!(kube.len() >= 3 && kube.iter().all(|agent| agent.starts_with("aks-acr/")), "{kube:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_for_all_requests_at_once() {
    const MANY: u64 = 20;
    let mut azure = Emulator::new().with_registry("group", "myregistry");
    for at in 0..MANY {
        azure = azure.with_cluster("group", &format!("dev{at}"));
    }
    let client = client_of(&azure, |builder| builder);
    let registry = azure.registry_id("group", "myregistry").parse().unwrap();
    // Each request takes two seconds; the first write is refused for half a minute.
    azure.fault(Fault::on("PUT", "/roleAssignments/").status(429).header("retry-after", "30"));
    azure.fault(Fault::on("PUT", "/roleAssignments/").delay(Duration::from_secs(2)).times(1000));
    let begun = Instant::now();
    let names: Vec<ClusterRef> = (0..MANY).map(|at| ClusterRef::new("group", &format!("dev{at}")).unwrap()).collect();
    let first = client.attach(&names[0], &registry, AttachOptions::default());
    let others = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let all = names[1..].iter().map(|name| client.attach(name, &registry, AttachOptions::default()));
        futures::future::join_all(all).await
    };
    let (first, others) = tokio::join!(first, others);
    first.unwrap();
    assert!(others.iter().all(Result::is_ok));
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(30) && took < Duration::from_secs(36), "{took:?} for {MANY} requests of 2 s");
    let writes = azure.requests().iter().filter(|one| one.method == "PUT").count() as u64;
    assert_eq!(writes, MANY + 1, "each is sent once, and the refused one twice");
}
