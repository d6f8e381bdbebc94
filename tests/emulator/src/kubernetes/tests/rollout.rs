use super::*;

fn sets(world: &mut World) -> Vec<(i64, i64)> {
    let sets = world.get("/apis/apps/v1/namespaces/default/replicasets");
    let count = |set: &Value, field: &str| set[field]["replicas"].as_i64().unwrap();
    let sets = sets["items"].as_array().unwrap().clone();
    sets.iter().map(|set| (count(set, "spec"), count(set, "status"))).collect()
}

#[test]
fn a_new_template_rolls_out_without_losing_working_pods() {
    let mut world = World::granted();
    world.network.add("r.azurecr.io/nginx", "v2", "linux", "amd64");
    world.deploy(&nginx(2));
    world.pass(2);
    world.deploy(&web("r.azurecr.io/nginx:v2", 2));
    for _ in 0..20 {
        world.pass(1);
        let ready = world.deployment()["status"]["readyReplicas"].as_i64().unwrap();
        assert!((2..=3).contains(&ready), "{ready}");
    }
    let deployment = world.deployment();
    assert_eq!(condition(&deployment, "Progressing"), "True NewReplicaSetAvailable");
    assert_eq!(deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    let images: Vec<_> = world.pods().iter().map(|pod| pod["spec"]["containers"][0]["image"].clone()).collect();
    assert_eq!(images, ["r.azurecr.io/nginx:v2", "r.azurecr.io/nginx:v2"]);
    let mut sizes = sets(&mut world);
    sizes.sort_unstable();
    assert_eq!(sizes, [(0, 0), (2, 2)]);
}

#[test]
fn a_broken_image_stops_a_wait_for_rollout_and_the_deadline_tells() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    world.pass(2);
    world.deploy(&web("r.azurecr.io/nginx:absent", 2));
    world.pass(100);
    let deployment = world.deployment();
    assert_eq!(deployment["status"]["availableReplicas"], 2);
    assert_eq!(deployment["status"]["updatedReplicas"], 1);
    assert_eq!(deployment["status"]["unavailableReplicas"], 1);
    assert_eq!(condition(&deployment, "Available"), "True MinimumReplicasAvailable");
    assert_eq!(condition(&deployment, "Progressing"), "True ReplicaSetUpdated");
    world.pass(510);
    assert_eq!(condition(&world.deployment(), "Progressing"), "False ProgressDeadlineExceeded");
    world.deploy(&web("r.azurecr.io/nginx:absent-too", 2));
    world.pass(1);
    let anew = condition(&world.deployment(), "Progressing");
    assert!(anew.starts_with("True "), "a new template has a deadline of its own: {anew}");
}

#[test]
fn a_deployment_that_never_pulls_exceeds_its_own_deadline() {
    let mut world = World::new();
    let mut object = nginx(1);
    object["spec"]["progressDeadlineSeconds"] = json!(30);
    world.deploy(&object);
    world.pass(29);
    assert_eq!(condition(&world.deployment(), "Available"), "False MinimumReplicasUnavailable");
    assert!(condition(&world.deployment(), "Progressing").starts_with("True"));
    world.pass(1);
    assert_eq!(condition(&world.deployment(), "Progressing"), "False ProgressDeadlineExceeded");
    world.network.grant("r.azurecr.io/nginx");
    world.pass(60);
    assert_eq!(condition(&world.deployment(), "Progressing"), "True NewReplicaSetAvailable");
}

#[test]
fn recreate_ends_the_old_pods_before_new_ones_begin() {
    let mut world = World::granted();
    let mut object = nginx(2);
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    world.deploy(&object);
    world.pass(2);
    object["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["-v"]);
    world.deploy(&object);
    world.pass(0);
    assert!(world.pods().iter().all(|pod| pod["metadata"]["deletionTimestamp"].is_string()));
    world.pass(5);
    assert_eq!(world.deployment()["status"]["updatedReplicas"], 2);
}

#[test]
fn the_scale_is_read_and_written_by_itself() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    let path = format!("{DEPLOYMENTS}/web/scale");
    assert_eq!(world.get(&path)["status"], json!({"replicas": 1, "selector": "app=web"}));
    let merge = "application/merge-patch+json";
    let (status, body) = world.send_as("PATCH", &path, merge, &json!({"spec": {"replicas": 3}}));
    assert_eq!((status, body["kind"].clone()), (200, json!("Scale")));
    world.pass(2);
    assert_eq!(world.deployment()["status"]["readyReplicas"], 3);
    world.send_as("PATCH", &path, merge, &json!({"spec": {"replicas": 0}}));
    world.pass(3);
    assert!(world.pods().is_empty());
}

#[test]
fn deleting_a_deployment_takes_its_sets_and_pods_along() {
    for propagation in ["Background", "Foreground"] {
        let mut world = World::granted();
        world.deploy(&nginx(2));
        world.pass(2);
        let options = json!({"propagationPolicy": propagation});
        assert_eq!(world.send("DELETE", &format!("{DEPLOYMENTS}/web"), &options).0, 200);
        world.pass(5);
        assert!(world.pods().is_empty(), "{propagation}");
        assert!(sets(&mut world).is_empty(), "{propagation}");
        assert_eq!(world.send("GET", &format!("{DEPLOYMENTS}/web"), &Value::Null).0, 404, "{propagation}");
    }
}

#[test]
fn orphaned_pods_outlive_their_deployment() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    world.send("DELETE", &format!("{DEPLOYMENTS}/web?propagationPolicy=Orphan"), &Value::Null);
    world.pass(5);
    assert_eq!(world.pods().len(), 1);
    assert_eq!(world.send("GET", &format!("{DEPLOYMENTS}/web"), &Value::Null).0, 404);
}

#[test]
fn a_deleted_namespace_takes_everything_in_it_along() {
    let mut world = World::granted();
    world.send("POST", "/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}));
    let deployments = "/apis/apps/v1/namespaces/shop/deployments";
    assert_eq!(world.apply(deployments, "fieldManager=t", &nginx(1)).0, 201);
    world.pass(2);
    let (_, body) = world.send("DELETE", "/api/v1/namespaces/shop", &Value::Null);
    assert_eq!(body["status"]["phase"], "Terminating");
    assert_eq!(world.apply(deployments, "fieldManager=t", &web("other:1", 1)).0, 200);
    let other = json!({"metadata": {"name": "late"}});
    assert_eq!(world.send("POST", "/api/v1/namespaces/shop/configmaps", &other).0, 403);
    world.pass(5);
    assert_eq!(world.send("GET", "/api/v1/namespaces/shop", &Value::Null).0, 404);
    assert!(world.get("/api/v1/pods")["items"].as_array().unwrap().is_empty());
}

#[test]
fn going_back_to_an_old_template_takes_up_its_set_again() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    world.pass(2);
    let template = world.deployment()["spec"]["template"].clone();
    world.deploy(&web("r.azurecr.io/nginx:absent", 2));
    world.pass(5);
    let mut back = template;
    back["metadata"]["creationTimestamp"] = Value::Null;
    let change = json!([{"op": "replace", "path": "/spec/template", "value": back}]);
    let path = format!("{DEPLOYMENTS}/web");
    assert_eq!(world.send_as("PATCH", &path, "application/json-patch+json", &change).0, 200);
    world.pass(5);
    assert_eq!(sets(&mut world).len(), 2);
    let deployment = world.deployment();
    assert_eq!(deployment["status"]["updatedReplicas"], 2);
    assert_eq!(deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
}
