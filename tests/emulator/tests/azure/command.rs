//! Commands run inside a cluster through Azure.

use std::time::Duration;

use aks_acr_emulator::{ClusterSeed, Emulator, Timing};
use azure_core::http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, arm, get, token};

async fn start(azure: &Emulator, body: Value) -> Answer {
    let path = format!("{}/runCommand", azure.cluster_id("group", "dev"));
    arm(azure, "owner", Method::Post, &path, Some(body)).await
}

/// The properties of what came of a command.
async fn run(azure: &Emulator, body: Value) -> Value {
    let begun = start(azure, body).await;
    assert_eq!((begun.status, begun.bytes.len()), (202, 0));
    get(azure, begun.header("location").unwrap()).await.body["properties"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_command_runs_and_then_tells_what_it_printed() {
    let azure = Emulator::new().with_cluster("group", "dev");
    azure.set_timing(Timing::none().with_command(Duration::from_secs(11)));
    let begun = start(&azure, json!({"command": "kubectl get nodes", "context": ""})).await;
    let place = begun.header("location").unwrap();
    assert!(place.contains("/managedclusters/dev/commandResults/"));
    let running = get(&azure, place).await;
    assert_eq!((running.status, &running.body["properties"]["provisioningState"]), (202, &json!("Running")));
    assert!(running.header("location").is_some());
    tokio::time::advance(Duration::from_secs(11)).await;
    let done = get(&azure, place).await;
    let properties = &done.body["properties"];
    assert_eq!((done.status, &properties["exitCode"]), (200, &json!(0)));
    let logs = properties["logs"].as_str().unwrap();
    assert!(logs.starts_with("NAME"), "{logs}");
    assert_eq!(logs.lines().count(), 3, "a head and two nodes");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_ends_as_a_shell_would_end_it() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let none = run(&azure, json!({"command": "kubectl get pods -A"})).await;
    assert_eq!((&none["exitCode"], &none["logs"]), (&json!(0), &json!("No resources found\n")));
    let other = run(&azure, json!({"command": "helm list"})).await;
    assert_eq!((&other["exitCode"], &other["provisioningState"]), (&json!(127), &json!("Succeeded")));
    let absent = run(&azure, json!({"command": "kubectl get pod web"})).await;
    assert_eq!(absent["exitCode"], 1);
    assert!(absent["logs"].as_str().unwrap().starts_with("Error from server (NotFound)"));
}

#[tokio::test(start_paused = true)]
async fn where_people_sign_in_a_command_has_the_rights_of_its_token() {
    let azure =
        Emulator::new().with_cluster_of(ClusterSeed::new("group", "dev").azure_rbac()).with_caller("viewer", &[]);
    let id = azure.cluster_id("group", "dev");
    assert_eq!(start(&azure, json!({"command": "kubectl get pods"})).await.status, 400);
    let kubernetes = "6dae42f8-4368-4678-94ff-3960e28e3630";
    let body = |token: String| json!({"command": "kubectl get pods", "clusterToken": token});
    let refused = run(&azure, body(token(&azure, "viewer", kubernetes).await)).await;
    assert!(refused["logs"].as_str().unwrap().starts_with("Error from server (Forbidden)"));
    azure.grant("Azure Kubernetes Service RBAC Reader", &azure.object_id_of("viewer"), &id);
    assert_eq!(run(&azure, body(token(&azure, "viewer", kubernetes).await)).await["exitCode"], 0);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_run_commands_is_told_so() {
    let azure = Emulator::new().with_cluster("group", "dev");
    let id = azure.cluster_id("group", "dev");
    let azure = azure.with_caller("user", &[("Azure Kubernetes Service Cluster User Role", &id)]);
    let body = Some(json!({"command": "kubectl get pods"}));
    let refused = arm(&azure, "user", Method::Post, &format!("{id}/runCommand"), body).await;
    assert_eq!(refused.code(), "AuthorizationFailed");
}
