use super::*;

const APPS: &str = "/apis/apps/v1/namespaces/default";

/// A set of `kind` with the template of `web`.
fn set(kind: &str, image: &str) -> Value {
    let mut object = web(image, 2);
    object["kind"] = json!(kind);
    if kind == "DaemonSet" {
        object["spec"].as_object_mut().unwrap().remove("replicas");
    }
    object
}

fn names(world: &mut World) -> Vec<String> {
    world.pods().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn images(world: &mut World) -> Vec<String> {
    let image = |pod: &Value| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
    world.pods().iter().map(image).collect()
}

#[test]
fn a_daemon_set_has_one_pod_on_each_node_that_fits() {
    let mut world = World::with_nodes(&[("linux", "amd64"), ("linux", "arm64"), ("linux", "amd64")]);
    world.network.grant("r.azurecr.io/nginx");
    let mut object = set("DaemonSet", "r.azurecr.io/nginx:v1");
    object["spec"]["template"]["spec"]["nodeSelector"] = json!({"kubernetes.io/arch": "amd64"});
    assert_eq!(world.apply(&format!("{APPS}/daemonsets"), "fieldManager=t", &object).0, 201);
    world.pass(3);
    let mut nodes: Vec<_> = world.pods().iter().map(|pod| pod["spec"]["nodeName"].to_string()).collect();
    nodes.sort();
    assert_eq!(nodes, ["\"aks-nodepool1-0\"", "\"aks-nodepool1-2\""]);
    assert_eq!(world.get(&format!("{APPS}/daemonsets/web"))["status"]["numberReady"], 2);
}

#[test]
fn a_changed_daemon_set_replaces_its_pods_node_by_node() {
    let mut world = World::granted();
    world.network.add("r.azurecr.io/nginx", "v2", "linux", "amd64");
    let path = format!("{APPS}/daemonsets");
    world.apply(&path, "fieldManager=t", &set("DaemonSet", "r.azurecr.io/nginx:v1"));
    world.pass(3);
    world.apply(&path, "fieldManager=t", &set("DaemonSet", "r.azurecr.io/nginx:v2"));
    world.pass(1);
    assert!(images(&mut world).contains(&"r.azurecr.io/nginx:v1".to_owned()));
    world.pass(20);
    assert_eq!(images(&mut world), ["r.azurecr.io/nginx:v2"; 2]);
}

#[test]
fn a_stateful_set_numbers_its_pods_and_makes_them_in_order() {
    let mut world = World::granted();
    let path = format!("{APPS}/statefulsets");
    assert_eq!(world.apply(&path, "fieldManager=t", &set("StatefulSet", "r.azurecr.io/nginx:v1")).0, 201);
    world.pass(0);
    assert_eq!(names(&mut world), ["web-0"]);
    world.pass(5);
    assert_eq!(names(&mut world), ["web-0", "web-1"]);
    assert_eq!(world.get(&format!("{path}/web"))["status"]["readyReplicas"], 2);
    let scale = json!({"spec": {"replicas": 1}});
    world.send_as("PATCH", &format!("{path}/web/scale"), "application/merge-patch+json", &scale);
    world.pass(3);
    assert_eq!(names(&mut world), ["web-0"]);
}

#[test]
fn a_stateful_set_that_could_not_pull_waits_until_its_pod_is_deleted() {
    let mut world = World::granted();
    let path = format!("{APPS}/statefulsets");
    world.apply(&path, "fieldManager=t", &set("StatefulSet", "r.azurecr.io/nginx:absent"));
    world.pass(30);
    world.apply(&path, "fieldManager=t", &set("StatefulSet", "r.azurecr.io/nginx:v1"));
    world.pass(30);
    assert_eq!(images(&mut world), ["r.azurecr.io/nginx:absent"]);
    world.send("DELETE", &format!("{PODS}/web-0"), &Value::Null);
    world.pass(20);
    assert_eq!(images(&mut world), ["r.azurecr.io/nginx:v1"; 2]);
}

#[test]
fn a_new_node_remembers_neither_image_nor_credential() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    world.pass(2);
    let exchanges = |world: &World| world.network.log.iter().filter(|line| line.contains("exchange")).count();
    assert_eq!(exchanges(&world), 2);
    world.kubernetes.reimage(&World::specs(&[("linux", "amd64"), ("linux", "amd64")]), "nodepool1", world.now);
    world.pass(3);
    assert_eq!(world.deployment()["status"]["readyReplicas"], 2);
    assert_eq!(exchanges(&world), 4);
}
