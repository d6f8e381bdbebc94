//! Quotas, limit ranges, disruption budgets and volumes.

use serde_json::{Value, json};

use super::{PODS, World, condition, nginx};

const CORE: &str = "/api/v1/namespaces/default";

fn pod(name: &str, resources: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "containers": [{"name": "c", "image": "r.azurecr.io/nginx:v1", "resources": resources}]}})
}

fn message(answer: &(u16, Value)) -> String {
    answer.1["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_quota_counts_objects_and_what_pods_ask_for() {
    let mut world = World::granted();
    let hard = json!({"pods": "2", "requests.cpu": "1500m", "count/secrets": "1"});
    let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": hard}});
    world.send("POST", &format!("{CORE}/resourcequotas"), &quota);
    assert_eq!(world.send("POST", PODS, &pod("a", &json!({"requests": {"cpu": "1"}}))).0, 201);
    let refused = world.send("POST", PODS, &pod("b", &json!({"requests": {"cpu": "600m"}})));
    assert_eq!(
        message(&refused),
        "pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=1, limited: requests.cpu=1500m"
    );
    assert_eq!(world.send("POST", PODS, &pod("b", &json!({"requests": {"cpu": "500m"}}))).0, 201);
    world.pass(0);
    let status = world.get(&format!("{CORE}/resourcequotas/q"))["status"].clone();
    assert_eq!(status["used"], json!({"pods": "2", "requests.cpu": "1500m", "count/secrets": "0"}));
}

/// The text is that of a real API server: `tests/peers/kubernetes/test_rollouts.py`.
#[test]
fn a_pod_runs_as_a_service_account_that_exists() {
    let mut world = World::granted();
    let mut one = pod("a", &json!({}));
    one["spec"]["serviceAccountName"] = "robot".into();
    let refused = world.send("POST", PODS, &one);
    let why = "error looking up service account default/robot: serviceaccount \"robot\" not found";
    assert_eq!((refused.0, message(&refused)), (403, format!("pods \"a\" is forbidden: {why}")));
    let mut many = nginx(1);
    many["spec"]["template"]["spec"]["serviceAccountName"] = "robot".into();
    world.deploy(&many);
    world.pass(1);
    assert_eq!(condition(&world.deployment(), "ReplicaFailure"), "True FailedCreate");
    let conditions = world.deployment()["status"]["conditions"].to_string();
    assert!(conditions.contains("error looking up service account default/robot"), "{conditions}");
    world.send("POST", &format!("{CORE}/serviceaccounts"), &json!({"metadata": {"name": "robot"}}));
    assert_eq!(world.send("POST", PODS, &one).0, 201);
}

/// The text is that of `plugin/pkg/admission/priority/admission.go`.
#[test]
fn a_pod_has_a_priority_class_that_exists() {
    let mut world = World::granted();
    let mut one = pod("a", &json!({}));
    one["spec"]["priorityClassName"] = "high".into();
    let refused = world.send("POST", PODS, &one);
    let why = "pods \"a\" is forbidden: no PriorityClass with name high was found";
    assert_eq!((refused.0, message(&refused)), (403, why.to_owned()));
    world.send(
        "POST",
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        &json!({"metadata": {"name": "high"}, "value": 9}),
    );
    assert_eq!(world.send("POST", PODS, &one).0, 201);
    let mut built_in = pod("b", &json!({}));
    built_in["spec"]["priorityClassName"] = "system-cluster-critical".into();
    assert_eq!(world.get(&format!("{PODS}/a"))["spec"]["priority"], 9);
    assert_eq!(world.send("POST", PODS, &built_in).0, 201);
}

#[test]
fn a_quota_that_is_full_fails_a_deployments_replicas() {
    let mut world = World::granted();
    let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}});
    world.send("POST", &format!("{CORE}/resourcequotas"), &quota);
    world.deploy(&nginx(1));
    world.pass(1);
    assert_eq!(condition(&world.deployment(), "ReplicaFailure"), "True FailedCreate");
    world.send("DELETE", &format!("{CORE}/resourcequotas/q"), &Value::Null);
    world.pass(10);
    assert_eq!(world.deployment()["status"]["readyReplicas"], 1);
    let conditions = world.deployment()["status"]["conditions"].clone();
    assert!(conditions.as_array().unwrap().iter().all(|one| one["type"] != "ReplicaFailure"));
}

#[test]
fn a_limit_range_gives_and_takes() {
    let mut world = World::granted();
    let limit = json!({"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "100m"}});
    let range = json!({"metadata": {"name": "l"}, "spec": {"limits": [limit]}});
    world.send("POST", &format!("{CORE}/limitranges"), &range);
    let (_, made) = world.send("POST", PODS, &pod("a", &json!({})));
    let resources = &made["spec"]["containers"][0]["resources"];
    assert_eq!(*resources, json!({"limits": {"cpu": "100m"}, "requests": {"cpu": "100m"}}));
    let refused = world.send("POST", PODS, &pod("b", &json!({"limits": {"cpu": "2"}})));
    assert_eq!(message(&refused), "pods \"b\" is forbidden: maximum cpu usage per Container is 1, but limit is 2");
}

#[test]
fn a_disruption_budget_says_how_many_pods_may_go() {
    let mut world = World::granted();
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let budget = json!({"metadata": {"name": "b"}, "spec": {"minAvailable": "50%", "selector": {"matchLabels": {"app": "web"}}}});
    world.send("POST", budgets, &budget);
    world.deploy(&nginx(3));
    world.pass(10);
    let found = world.get(&format!("{budgets}/b"));
    let status = &found["status"];
    assert_eq!(condition(&found, "DisruptionAllowed"), "True SufficientPods");
    assert_eq!((status["desiredHealthy"].clone(), status["disruptionsAllowed"].clone()), (json!(2), json!(1)));
}

#[test]
fn a_volume_is_available_and_goes_when_it_is_deleted() {
    let mut world = World::new();
    let volumes = "/api/v1/persistentvolumes";
    let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/d"}});
    world.send("POST", volumes, &json!({"metadata": {"name": "v"}, "spec": spec}));
    world.pass(0);
    assert_eq!(world.get(&format!("{volumes}/v"))["status"]["phase"], "Available");
    world.send("DELETE", &format!("{volumes}/v"), &Value::Null);
    world.pass(0);
    assert_eq!(world.send("GET", &format!("{volumes}/v"), &Value::Null).0, 404);
}

#[test]
fn a_compute_quota_refuses_pods_that_ask_for_nothing() {
    let mut world = World::granted();
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
        "spec": {"hard": {"requests.cpu": "1e1", "limits.memory": "1e9"}}});
    assert_eq!(world.send("POST", "/api/v1/namespaces/default/resourcequotas", &quota).0, 201);
    world.deploy(&nginx(1));
    world.pass(1);
    assert!(world.pods().is_empty());
    let why = "failed quota: q: must specify limits.memory for: nginx; requests.cpu for: nginx";
    assert_eq!(world.events(why).len(), 1);
    for (cpu, is_enough) in [("1e0", true), ("1e1", true), ("1e2", false), ("1e40", false)] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
            {"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}, "limits": {"memory": "1e3"}}}]}});
        let (code, body) = world.send("POST", &format!("{PODS}?dryRun=All"), &pod);
        assert_eq!(code, if is_enough { 201 } else { 403 }, "{cpu}: {body}");
    }
}

#[test]
fn a_put_makes_a_service_and_keeps_its_address() {
    let mut world = World::new();
    let all = "/api/v1/namespaces/default/services";
    let service = |port: u32| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
            "spec": {"type": "NodePort", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": port}]}})
    };
    let (code, made) = world.send("PUT", &format!("{all}/s"), &service(443));
    assert_eq!(code, 201, "{made}");
    let (code, changed) = world.send("PUT", &format!("{all}/s"), &service(8443));
    assert_eq!(code, 200, "{changed}");
    for kept in ["/spec/clusterIP", "/spec/clusterIPs", "/spec/ipFamilies", "/spec/ports/0/nodePort"] {
        assert!(made.pointer(kept).is_some(), "{kept}: {made}");
        assert_eq!(changed.pointer(kept), made.pointer(kept), "{kept}");
    }
    assert_eq!(
        world.send("PUT", "/api/v1/namespaces/default/configmaps/c", &json!({"metadata": {"name": "c"}})).0,
        404
    );
}

#[test]
fn a_change_of_a_lease_names_the_revision() {
    let mut world = World::new();
    let one = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    let mut lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}});
    let (code, made) = world.send("PUT", one, &lease);
    assert_eq!(code, 201, "{made}");
    let (code, refused) = world.send("PUT", one, &lease);
    assert_eq!(code, 422, "{refused}");
    let why = "leases.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update";
    assert_eq!(refused["message"], why);
    lease["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"].clone();
    lease["spec"]["leaseDurationSeconds"] = json!(0);
    assert_eq!(world.send("PUT", one, &lease).0, 422);
    lease["spec"]["leaseDurationSeconds"] = json!(1);
    assert_eq!(world.send("PUT", one, &lease).0, 200);
}
