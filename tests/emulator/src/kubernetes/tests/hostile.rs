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
        assert_eq!(world.send("POST", DEPLOYMENTS, &wide).0, 400, "{field}");
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

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

fn job(name: &str, metadata: &Value, spec: &Value) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {
        "template": {"metadata": metadata, "spec": {"restartPolicy": "Never",
            "containers": [{"name": "c", "image": "r.azurecr.io/nginx:v1", "command": ["work"]}]}}}});
    job["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    job
}

/// Two of these in a namespace are no more than one refusal each, whatever makes the pods invalid.
fn refuse_pods(world: &mut World) {
    let flawed = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "1Mi"}, "default": {"memory": "2Mi"}}]}});
    let (code, body) = world.send("POST", "/api/v1/namespaces/default/limitranges", &flawed);
    assert_eq!(code, 201, "{body}");
}

#[test]
fn a_template_is_refused_if_its_pods_would_be() {
    let mut world = World::granted();
    for metadata in [
        json!({"labels": {"a": "b c"}}),
        json!({"labels": {"a/b/c": "d"}}),
        json!({"annotations": {"a b": "c"}}),
        json!({"annotations": {"": "c"}}),
    ] {
        let (code, body) = world.send("POST", JOBS, &job("task", &metadata, &json!({})));
        assert_eq!(code, 422, "{metadata}: {body}");
        let mut web = nginx(1);
        web["spec"]["template"]["metadata"]["annotations"] = metadata["annotations"].clone();
        web["spec"]["template"]["metadata"]["labels"]["a/b/c"] = json!("d");
        assert_eq!(world.send("POST", DEPLOYMENTS, &web).0, 422, "{metadata}");
    }
}

#[test]
fn pods_that_are_refused_are_reported_once_for_each_owner() {
    let mut world = World::granted();
    refuse_pods(&mut world);
    for name in ["one", "two"] {
        let (code, body) = world.send("POST", JOBS, &job(name, &json!({}), &json!({})));
        assert_eq!(code, 201, "{body}");
        let mut web = nginx(1);
        web["metadata"]["name"] = json!(name);
        world.deploy(&web);
    }
    world.pass(1);
    world.pass(60);
    let events = world.events("FailedCreate");
    assert_eq!(events.len(), 4, "{events:?}");
}

#[test]
fn a_generated_name_has_63_letters_at_most() {
    let mut world = World::granted();
    let manual = json!({"manualSelector": true, "selector": {"matchLabels": {"a": "b"}}});
    let name = "a.".repeat(125) + "a";
    let (code, body) = world.send("POST", JOBS, &job(&name, &json!({"labels": {"a": "b"}}), &manual));
    assert_eq!(code, 201, "{body}");
    world.pass(1);
    assert_eq!(world.pods()[0]["metadata"]["name"].as_str().unwrap().len(), 63);
    for prefix in ["ä".repeat(40), "日".repeat(100), "a".repeat(57) + "äb"] {
        let object = json!({"metadata": {"generateName": prefix}});
        assert_eq!(world.send("POST", "/api/v1/namespaces/default/configmaps", &object).0, 422, "{prefix}");
    }
}

#[test]
fn a_job_for_more_pods_than_memory_holds_ends_at_the_quota() {
    let mut world = World::granted();
    let (code, body) = world.send("POST", JOBS, &job("some", &json!({}), &json!({"parallelism": i32::MAX})));
    assert_eq!(code, 201, "{body}");
    world.pass(0);
    assert_eq!(world.pods().len(), crate::kubernetes::MOST_PODS);
}

#[test]
fn indexes_that_a_client_reports_are_bounded() {
    let mut world = World::granted();
    let spec = json!({"parallelism": 2, "completions": 9, "completionMode": "Indexed"});
    assert_eq!(world.send("POST", JOBS, &job("task", &json!({}), &spec)).0, 201);
    let path = format!("{JOBS}/task/status");
    for indexes in ["0-2147483647", "0-9223372036854775807", "3-1,x,-5", "4000000000"] {
        let change = json!({"status": {"completedIndexes": indexes}});
        world.send_as("PATCH", &path, "application/merge-patch+json", &change);
        world.pass(1);
    }
}

#[test]
fn a_pool_that_shrinks_leaves_the_pods_of_others_alone() {
    let mut world = World::granted();
    world.deploy(&nginx(6));
    for _ in 0..2 {
        world.pass(1);
    }
    // The first node goes in the middle of the pulls of the second.
    let spec = |number: u32| NodeSpec {
        name: format!("aks-nodepool1-{number}"),
        pool: "nodepool1".to_owned(),
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        containerd: crate::node::USUAL_CONTAINERD,
        identity: Some(crate::kubernetes::NodeIdentity::fake()),
        machine: crate::kubernetes::machine::Machine::default(),
    };
    world.kubernetes.adjust(&[spec(1)], world.now);
    for _ in 0..10 {
        world.pass(1);
    }
    let pods = world.pods();
    assert_eq!(pods.iter().filter(|pod| pod["status"]["phase"] == "Running").count(), 6);
    assert!(pods.iter().all(|pod| pod["spec"]["nodeName"] == "aks-nodepool1-1"));
    world.kubernetes.adjust(&[spec(1), spec(2)], world.now);
    let nodes = world.get("/api/v1/nodes");
    let addresses: Vec<_> = nodes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["status"]["addresses"][0]["address"].clone())
        .collect();
    assert_ne!(addresses[0], addresses[1]);
    world.kubernetes.adjust(&[], world.now);
    world.pass(5);
    assert!(world.pods().iter().all(|pod| pod["status"]["phase"] == "Pending"));
}

#[test]
fn the_generation_of_a_daemon_sets_template_is_the_servers() {
    let mut world = World::granted();
    let all = "/apis/apps/v1/namespaces/default/daemonsets";
    let mut set = nginx(1);
    set["kind"] = json!("DaemonSet");
    set["spec"].as_object_mut().unwrap().remove("replicas");
    let key = "deprecated.daemonset.template.generation";
    for (given, kept, next) in
        [("0", "1", "2"), ("7", "7", "8"), ("9223372036854775807", "9223372036854775807", "-9223372036854775808")]
    {
        set["metadata"]["annotations"] = json!({key: given});
        let (code, made) = world.send("POST", all, &set);
        assert_eq!((code, &made["metadata"]["annotations"][key]), (201, &json!(kept)));
        let change = json!({"spec": {"template": {"metadata": {"labels": {"b": "c"}}}}});
        let (_, changed) = world.send_as("PATCH", &format!("{all}/web"), "application/merge-patch+json", &change);
        assert_eq!(changed["metadata"]["annotations"][key], next);
        world.send("DELETE", &format!("{all}/web"), &Value::Null);
        world.pass(1);
    }
    for given in ["18446744073709551615", "x", ""] {
        set["metadata"]["annotations"] = json!({key: given});
        let (code, body) = world.send("POST", all, &set);
        assert!((400..600).contains(&code), "{given}: {code} {body}");
    }
}

#[test]
fn a_budget_of_any_percentage_is_refused_or_reckoned() {
    let mut world = World::granted();
    world.deploy(&nginx(3));
    world.pass(3);
    let all = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    for share in ["9223372036854775807%", "99999999999999999999%", "101%", "100%", "34%"] {
        let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"},
            "spec": {"minAvailable": share, "selector": {"matchLabels": {"app": "web"}}}});
        let (code, body) = world.send("POST", all, &budget);
        world.pass(1);
        assert_eq!(code == 201, share.len() < 5 && share != "101%", "{share}: {body}");
        world.send("DELETE", &format!("{all}/b"), &Value::Null);
    }
}

#[test]
fn a_pod_without_a_node_does_not_end_forever() {
    let mut world = World::granted();
    let spec = json!({"podReplacementPolicy": "Failed", "backoffLimit": 0});
    let mut task = job("task", &json!({}), &spec);
    task["spec"]["template"]["spec"]["nodeSelector"] = json!({"no": "node"});
    assert_eq!(world.send("POST", JOBS, &task).0, 201);
    world.pass(1);
    let pod = world.pods().remove(0);
    world.send("DELETE", &format!("{PODS}/{}", pod["metadata"]["name"].as_str().unwrap()), &Value::Null);
    world.pass(5);
    let ended = world.get(&format!("{JOBS}/task"));
    assert_eq!(condition(&ended, "Failed"), "True BackoffLimitExceeded");
}
