//! The control endpoint.

use aks_acr_emulator::Emulator;
use aks_acr_emulator::serve::Server;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::door::{direct, proxied, server, token};

async fn order(server: &Server, client: &Client, order: &str, body: Value) -> Response {
    let url = format!("{}/_emulator/{order}", server.origin());
    client.post(url).bearer_auth(server.control_token()).json(&body).send().await.unwrap()
}

async fn look(server: &Server, client: &Client, what: &str) -> Value {
    let url = format!("{}/_emulator/{what}", server.origin());
    client.get(url).bearer_auth(server.control_token()).send().await.unwrap().json().await.unwrap()
}

async fn groups(server: &Server, client: &Client, token: &str) -> reqwest::Result<u16> {
    let azure = server.emulator();
    let url =
        format!("{}/subscriptions/{}/resourcegroups?api-version=2024-11-01", server.origin(), azure.subscription());
    client.get(url).bearer_auth(token).send().await.map(|answer| answer.status().as_u16())
}

#[tokio::test]
async fn nobody_gives_orders_without_the_token() {
    let server = server(Emulator::new()).await;
    let client = direct(&server);
    let url = format!("{}/_emulator/state", server.origin());
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(client.get(&url).bearer_auth("guess").send().await.unwrap().status(), 401);
    // Under an emulated name there is no such endpoint.
    let url = "https://management.azure.com/_emulator/state";
    let answer = proxied(&server).get(url).bearer_auth(server.control_token()).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn the_state_shows_what_was_granted_and_pushed() {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let server = server(azure).await;
    let (client, azure) = (direct(&server), server.emulator());
    let kubelet = azure.kubelet_object_id("group", "dev");
    let grant = json!({"role": "AcrPull", "principal": kubelet, "scope": azure.registry_id("group", "myregistry")});
    let name = order(&server, &client, "grant", grant).await.json::<Value>().await.unwrap()["name"].clone();
    let image = json!({"name": "myregistry.azurecr.io/app:1", "platforms": ["linux/amd64"]});
    let pushed: Value = order(&server, &client, "image", image).await.json().await.unwrap();

    let state = look(&server, &client, "state").await;
    let assignments = state["roleAssignments"].as_array().unwrap();
    assert!(assignments.iter().any(|one| one["name"] == name && one["principalId"] == kubelet.as_str()));
    assert_eq!(state["registries"][0]["images"]["app"]["1"], pushed["digest"]);
    assert_eq!(state["clusters"][0]["deployments"], json!([]));
    assert!(!state.to_string().contains(&azure.client_secret_of("owner").1), "the state holds a secret");

    assert_eq!(order(&server, &client, "revoke", json!({"name": name})).await.status(), 200);
    assert_eq!(order(&server, &client, "revoke", json!({"name": name})).await.status(), 404);
    assert!(!azure.role_assignments().iter().any(|one| one.principal_id == kubelet));
}

#[tokio::test]
async fn what_stands_in_the_way_of_rights_is_ordered() {
    let server = server(Emulator::new()).await;
    let client = direct(&server);
    let token = token(&client, server.emulator(), server.origin(), "https://management.azure.com/.default").await;
    let scope = format!("/subscriptions/{}", server.emulator().subscription());
    let grants = async || {
        let path = "providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01";
        let url = format!("{}{scope}/{path}", server.origin());
        client.get(url).bearer_auth(&token).send().await.unwrap().status()
    };
    assert_eq!(grants().await, 200);
    let denied = json!({"name": "shut", "actions": ["*/read"], "scope": scope});
    assert_eq!(order(&server, &client, "deny-assignment", denied).await.status(), 200);
    assert_eq!(grants().await, 403);
    let policy =
        json!({"name": "no-grants", "resourceType": "Microsoft.Authorization/roleAssignments", "scope": scope});
    assert_eq!(order(&server, &client, "policy", policy).await.status(), 200);
    assert!(server.emulator().remove_policy("no-grants"));
    for (caller, status) in [("owner", 200), ("nobody", 404)] {
        let blocked = json!({"caller": caller, "blocked": true});
        assert_eq!(order(&server, &client, "sign-in", blocked).await.status(), status);
    }
    let scopes = ["https://management.azure.com/.default"];
    assert!(server.emulator().credential().get_token(&scopes, None).await.is_err());
}

#[tokio::test]
async fn orders_that_mean_nothing_are_refused_and_change_nothing() {
    let server = server(Emulator::new()).await;
    let client = direct(&server);
    let before = look(&server, &client, "state").await["roleAssignments"].clone();
    for (name, body, status) in [
        ("grant", json!({"role": "Sorcerer", "principal": "x", "scope": "/"}), 404),
        ("grant", json!({"role": "Owner", "caller": "nobody", "scope": "/"}), 404),
        ("grant", json!({"role": "Owner", "scope": "/"}), 400),
        ("advance", json!({"seconds": -1}), 400),
        ("timing", json!({"preset": "slow"}), 404),
        ("node", json!({"group": "g", "cluster": "c", "name": "n"}), 404),
        ("sing", json!({}), 404),
    ] {
        assert_eq!(order(&server, &client, name, body).await.status(), status, "{name}");
    }
    assert_eq!(look(&server, &client, "state").await["roleAssignments"], before);
}

#[tokio::test]
async fn a_fault_is_met_as_often_as_it_was_ordered() {
    let server = server(Emulator::new()).await;
    let client = direct(&server);
    let token = token(&client, server.emulator(), server.origin(), "https://management.azure.com/.default").await;
    let fault = json!({"part": "resourcegroups", "status": 429, "times": 2});
    order(&server, &client, "fault", fault).await;
    let mut met = Vec::new();
    for _ in 0..3 {
        met.push(groups(&server, &client, &token).await.unwrap());
    }
    assert_eq!(met, [429, 429, 200]);
    order(&server, &client, "fault", json!({"part": "resourcegroups", "reset": true})).await;
    assert!(groups(&server, &client, &token).await.is_err());
    assert_eq!(groups(&server, &client, &token).await.unwrap(), 200);
}

#[tokio::test]
async fn a_body_is_cut_off_or_late_over_the_wire_at_both_doors() {
    let server = server(Emulator::new().with_group("group", "westeurope")).await;
    let azure = server.emulator();
    let scope = "https://management.azure.com/.default";
    let (direct, proxied) = (direct(&server), proxied(&server));
    let token = token(&direct, azure, server.origin(), scope).await;
    let path = format!("/subscriptions/{}/resourcegroups?api-version=2024-11-01", azure.subscription());
    for (client, host) in [(&direct, server.origin()), (&proxied, "https://management.azure.com")] {
        let ask = || client.get(format!("{host}{path}")).bearer_auth(&token).send();
        order(&server, &direct, "fault", json!({"part": "/resourcegroups", "truncated": true})).await;
        // Over HTTP/2 the end of a stream may overtake its head.
        let is_cut = match ask().await {
            Ok(answer) => answer.status() == 200 && answer.bytes().await.is_err(),
            Err(_) => true,
        };
        assert!(is_cut, "{host}");
        order(&server, &direct, "fault", json!({"part": "/resourcegroups", "slowMs": 30})).await;
        let body: Value = ask().await.unwrap().json().await.unwrap();
        assert_eq!(body["value"][0]["name"], "group", "{host}");
        order(&server, &direct, "fault", json!({"part": "/resourcegroups", "page": true, "status": 200})).await;
        assert!(ask().await.unwrap().text().await.unwrap().contains("<html>"));
    }
    let log = azure.requests();
    assert_eq!(log.iter().filter(|one| one.fault == Some("truncated body")).count(), 2);
}

#[tokio::test]
async fn a_storm_begins_and_ends_by_order() {
    let server = server(Emulator::new()).await;
    let (client, azure) = (direct(&server), server.emulator());
    let token = token(&client, azure, server.origin(), "https://management.azure.com/.default").await;
    for wrong in [json!({"share": 2}), json!({"share": -1}), json!({"seed": 1})] {
        assert_eq!(order(&server, &client, "storm", wrong).await.status(), 400);
    }
    assert_eq!(order(&server, &client, "storm", json!({"seed": 11, "share": 1})).await.status(), 200);
    // What is slow would be slow by the clock on the wall: only whether it strikes is looked at.
    let late = tokio::time::timeout(std::time::Duration::from_millis(300), groups(&server, &client, &token));
    drop(late.await);
    assert!(azure.requests().last().is_some_and(|one| one.status != Some(200) || one.fault.is_some()));
    assert_eq!(order(&server, &client, "storm", json!({"share": 0})).await.status(), 200);
    assert_eq!(order(&server, &client, "throttle", json!({"asAzure": true})).await.status(), 200);
    let mark = azure.mark();
    groups(&server, &client, &token).await.unwrap();
    assert!(azure.requests_since(mark).iter().all(|one| one.fault.is_none()));
}

#[tokio::test]
async fn the_log_is_read_since_a_mark() {
    let server = server(Emulator::new()).await;
    let client = direct(&server);
    let token = token(&client, server.emulator(), server.origin(), "https://management.azure.com/.default").await;
    let mark = look(&server, &client, "mark").await["mark"].as_u64().unwrap();
    groups(&server, &client, &token).await.unwrap();
    let url = format!("{}/_emulator/requests?since={mark}", server.origin());
    let lines = client.get(url).bearer_auth(server.control_token()).send().await.unwrap().text().await.unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0]["service"].as_str(), lines[0]["status"].as_u64()), (Some("arm"), Some(200)));
    assert_eq!(lines[0]["caller"], "owner");
    let sum = look(&server, &client, &format!("summary?since={mark}")).await;
    assert_eq!(sum, json!({"count": 1, "depth": 1, "writes": 0, "tokens": 0}));
}

#[tokio::test]
async fn time_that_is_put_forward_ends_a_token() {
    let server = server(Emulator::new()).await;
    let client = direct(&server);
    let token = token(&client, server.emulator(), server.origin(), "https://management.azure.com/.default").await;
    assert_eq!(groups(&server, &client, &token).await.unwrap(), 200);
    let life = aks_acr_emulator::Timing::none().token.as_secs();
    // A token lives for up to six fifths of that.
    let ended = json!({"seconds": life * 6 / 5 + 1});
    assert_eq!(order(&server, &client, "advance", ended).await.status(), 200);
    assert_eq!(groups(&server, &client, &token).await.unwrap(), 401);
}

#[tokio::test]
async fn what_takes_minutes_ends_in_a_moment_by_a_fast_clock() {
    let server = server(Emulator::new().with_group("group", "westeurope")).await;
    let (client, azure, origin) = (direct(&server), server.emulator(), server.origin());
    let token = token(&client, azure, origin, &format!("{origin}/.default")).await;
    order(&server, &client, "timing", json!({"registry": 300})).await;
    let url = format!("{origin}{}?api-version=2025-11-01", azure.registry_id("group", "myregistry"));
    let wanted = json!({"location": "westeurope", "sku": {"name": "Basic"}});
    let made = client.put(&url).bearer_auth(&token).json(&wanted).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let poll = made.headers()["azure-asyncoperation"].to_str().unwrap().to_owned();
    assert!(poll.starts_with(&format!("{origin}/")), "{poll}");
    let status = async || {
        let answer = client.get(&poll).bearer_auth(&token).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["status"].clone()
    };
    assert_ne!(status().await, "Succeeded");
    assert_eq!(order(&server, &client, "clock", json!({"speed": 100_000})).await.status(), 200);
    // Each poll takes a millisecond at least, and so more than a minute of the fast clock.
    let mut polls = 0;
    while status().await != "Succeeded" {
        polls += 1;
        assert!(polls < 100, "the clock stands still");
    }
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_stops() {
    let server = server(Emulator::new()).await;
    let client = direct(&server);
    assert_eq!(order(&server, &client, "shutdown", json!({})).await.status(), 200);
    server.asked_to_stop().await;
    let url = format!("{}/_emulator/mark", server.origin());
    server.stop().await;
    assert!(client.get(url).send().await.is_err());
}

#[tokio::test]
async fn a_caller_signs_in_by_an_assertion_once_its_issuer_is_trusted() {
    let server = server(Emulator::new()).await;
    let (client, azure) = (direct(&server), server.emulator());
    let wanted = json!({"issuer": "https://issuer.example", "subject": "run"});
    let made: Value = order(&server, &client, "federated-token", wanted.clone()).await.json().await.unwrap();
    let assertion = made["token"].as_str().unwrap().to_owned();
    let (id, _) = azure.client_secret_of("owner");
    let url = format!("{}/{}/oauth2/v2.0/token", server.origin(), azure.tenant());
    let sign_in = async || {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form = format!(
            "grant_type=client_credentials&client_id={id}&scope=https://management.azure.com/.default\
             &client_assertion_type={kind}&client_assertion={assertion}"
        );
        client.post(&url).body(form).send().await.unwrap().status().as_u16()
    };
    assert_eq!(sign_in().await, 401);
    let for_caller = |name: &str| {
        let mut wanted = wanted.clone();
        wanted["caller"] = name.into();
        wanted
    };
    assert_eq!(order(&server, &client, "federate", for_caller("nobody")).await.status(), 404);
    assert_eq!(order(&server, &client, "federate", for_caller("owner")).await.status(), 200);
    assert_eq!(sign_in().await, 200);
    let negative = json!({"issuer": "https://issuer.example", "subject": "run", "seconds": -1});
    assert_eq!(order(&server, &client, "federated-token", negative).await.status(), 400);
}
