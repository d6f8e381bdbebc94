//! A server that a program without a runtime starts, looks at and ends.

use std::path::PathBuf;

use aks_acr_emulator::serve::Background;
use serde_json::{Value, json};

const ARM: &str = "https://management.azure.com/.default";

fn ca_file(azure: &Background) -> PathBuf {
    PathBuf::from(azure.facts()["caFile"].as_str().unwrap())
}

#[test]
fn it_runs_without_a_runtime_and_takes_its_file_along_when_it_ends() {
    let azure = Background::start(json!({})).unwrap();
    let file = ca_file(&azure);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), azure.facts()["ca"].as_str().unwrap());
    azure.stop();
    assert!(!file.exists());
    azure.stop();

    let dropped = Background::start(json!({})).unwrap();
    let file = ca_file(&dropped);
    drop(dropped);
    assert!(!file.exists());
}

#[test]
fn a_token_is_in_the_log_and_there_is_none_of_one_that_has_stopped() {
    let azure = Background::start(json!({"callers": [{"name": "ci"}]})).unwrap();
    let token = azure.token_now("ci", vec![ARM.to_owned()]).unwrap();
    assert!(!format!("{token:?}").contains(&token.token));
    assert!(azure.token_now("ci", vec![String::from("https://nowhere.example/.default")]).is_err());
    azure.stop();
    assert!(azure.token_now("ci", vec![ARM.to_owned()]).is_err());
    let seen = azure.look("requests", 0).unwrap();
    assert_eq!(seen.as_array().unwrap().iter().map(|one| &one["status"]).collect::<Vec<_>>(), [200, 400]);
    assert_eq!(seen[0]["caller"], "ci");
    assert_eq!(azure.look("requests", 1).unwrap().as_array().unwrap().len(), 1);
}

#[test]
fn what_is_not_understood_is_named_with_its_place() {
    let why = |wanted: Value| Background::start(wanted).unwrap_err().to_string();
    let text = why(json!({"scene": {"registries": [{"group": "group", "name": "myregistry", "skew": "Basic"}]}}));
    assert!(text.starts_with("scene.registries[0].skew: "), "{text}");
    let text = why(json!({"callers": [{"name": "ci", "roles": [{"role": "Sorcerer"}]}]}));
    assert!(text.contains("Sorcerer"), "{text}");
    for (wrong, word) in [
        (json!({"latency": 3}), "latency"),
        (json!({"timing": "slow"}), "slow"),
        (json!({"timing": {"propagatoin": 3}}), "propagatoin"),
        (json!({"latencyMs": -1}), "-0.001"),
        (json!({"clock": 0}), "0"),
        (json!({"kubernetes": "/nonexistent"}), "kubernetes"),
        (json!({"node": true}), "node needs kubernetes"),
    ] {
        let text = why(wrong);
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn an_order_that_names_nothing_is_told_from_one_that_says_nothing() {
    let azure = Background::start(json!({})).unwrap();
    let scope = format!("/subscriptions/{}", azure.emulator().subscription());
    let refused = |name: &str, body: Value| azure.order(name, body).unwrap_err();
    assert!(refused("grant", json!({"role": "Sorcerer", "caller": "owner", "scope": scope})).is_missing());
    assert!(refused("delete-image", json!({"name": "docker.io/library/none:1"})).is_missing());
    assert!(refused("sing", json!({})).is_missing());
    assert!(azure.client_of("nobody").unwrap_err().is_missing());
    for (name, body) in [
        ("clock", json!({"speed": 100_001})),
        ("advance", json!({"seconds": 1, "minutes": 1})),
        ("grant", json!({"role": "AcrPull", "caller": "owner", "scope": scope, "condition": "if it rains"})),
    ] {
        assert!(!refused(name, body).is_missing(), "{name}");
    }
}

#[test]
fn two_are_two_azures() {
    let (one, other) = (Background::start(json!({})).unwrap(), Background::start(json!({})).unwrap());
    assert_ne!(one.facts()["origin"], other.facts()["origin"]);
    one.order("image", json!({"name": "docker.io/library/own:1"})).unwrap();
    assert!(one.emulator().digest("docker.io/library/own:1").is_some());
    assert!(other.emulator().digest("docker.io/library/own:1").is_none());
}
