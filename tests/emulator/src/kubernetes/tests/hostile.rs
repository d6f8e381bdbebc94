//! Objects that are made to break something.

use super::*;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[test]
fn a_name_that_no_set_can_have_fails_and_does_not_go_in_a_circle() {
    let mut world = World::granted();
    let mut long = nginx(1);
    long["metadata"]["name"] = json!("a".repeat(250));
    assert_eq!(world.send("POST", DEPLOYMENTS, &long).0, 201);
    world.pass(5);
    let deployment = world.get(&format!("{DEPLOYMENTS}/{}", "a".repeat(250)));
    assert_eq!(condition(&deployment, "ReplicaFailure"), "True FailedCreate");
    assert!(deployment["status"].get("collisionCount").is_none(), "nobody else has the name");
}

#[test]
fn numbers_beyond_their_width_are_refused_or_bounded() {
    let mut world = World::granted();
    for field in ["replicas", "minReadySeconds", "progressDeadlineSeconds"] {
        let mut wide = nginx(1);
        wide["spec"][field] = json!(i64::MAX);
        assert_eq!(world.send("POST", DEPLOYMENTS, &wide).0, 422, "{field}");
    }
    let mut surge = nginx(1);
    surge["spec"]["strategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "9223372036854775807%", "maxUnavailable": 0}});
    world.send("POST", DEPLOYMENTS, &surge);
    world.pass(2);
    let pod = world.pods().remove(0);
    let path = format!("/api/v1/namespaces/default/pods/{}", pod["metadata"]["name"].as_str().unwrap());
    let (code, _) = world.send("DELETE", &format!("{path}?gracePeriodSeconds={}", i64::MAX), &json!({}));
    assert!(code < 300, "{code}");
    world.open_watch(&format!("/api/v1/namespaces/default/pods?watch=true&timeoutSeconds={}", u64::MAX));
}

#[test]
fn more_replicas_than_a_cluster_holds_end_at_its_quota() {
    let mut world = World::granted();
    world.deploy(&nginx(1_000_000_000));
    world.pass(1);
    assert_eq!(world.pods().len(), crate::kubernetes::MOST_PODS);
}

#[test]
fn containers_that_are_none_are_refused_in_a_pod_that_is_there() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    let mut pod = world.pods().remove(0);
    let path = format!("/api/v1/namespaces/default/pods/{}", pod["metadata"]["name"].as_str().unwrap());
    pod["spec"]["containers"] = json!(["x"]);
    let (code, _) = world.send("PUT", &path, &pod);
    assert!((400..500).contains(&code), "{code}");
}

#[test]
fn the_name_in_a_template_is_not_the_pods() {
    let mut world = World::granted();
    let mut named = nginx(2);
    named["spec"]["template"]["metadata"]["name"] = json!("one-for-all");
    named["spec"]["template"]["metadata"]["namespace"] = json!("elsewhere");
    world.deploy(&named);
    world.pass(1);
    assert_eq!(world.pods().len(), 2);
}

#[test]
fn a_pod_that_ran_waits_for_its_finalizers() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    let mut pod = world.pods().remove(0);
    let path = format!("/api/v1/namespaces/default/pods/{}", pod["metadata"]["name"].as_str().unwrap());
    pod["metadata"]["finalizers"] = json!(["example.com/held"]);
    assert_eq!(world.send("PUT", &path, &pod).0, 200);
    world.send("DELETE", &path, &json!({}));
    world.pass(60);
    let mut held = world.get(&path);
    assert!(held["metadata"]["deletionTimestamp"].is_string());
    held["metadata"]["finalizers"] = json!([]);
    world.send("PUT", &path, &held);
    world.pass(1);
    assert_eq!(world.send("GET", &path, &json!({})).0, 404);
}
