//! What a kubelet says again and again while a pod does not start, and how a pod waits for its volumes.

use serde_json::{Value, json};

use super::{World, condition, nginx, waiting, web};

/// How often the events of which the line has this part were said.
fn count(world: &mut World, part: &str) -> u32 {
    let lines = world.events(part);
    assert_eq!(lines.len(), 1, "{part}: {lines:?}");
    lines[0].split([' ', 'x']).find_map(|word| word.parse().ok()).unwrap()
}

#[test]
fn what_keeps_a_container_from_starting_is_said_at_each_sync() {
    let mut never = nginx(1);
    never["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Never");
    for (object, event, error) in [
        (web("r.azurecr.io/Nginx:v1", 1), "InspectFailed", "Error: InvalidImageName"),
        (never, "is not present with pull policy", "Error: ErrImageNeverPull"),
    ] {
        let mut world = World::granted();
        world.deploy(&object);
        world.pass(61);
        // At once, and then every twelve seconds.
        assert_eq!((count(&mut world, event), count(&mut world, error)), (6, 6), "{event}");
        world.pass(3600);
        // 25 events at once, and one more in five minutes: `client-go` drops the others.
        let said = count(&mut world, event) + count(&mut world, error);
        assert!((36..=38).contains(&said), "{said}");
    }
}

#[test]
fn a_back_off_is_said_at_each_sync() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    // Pulls fail after 1, 12 and 33 s; the third back-off is of 40 s.
    world.pass(70);
    assert_eq!(count(&mut world, "Pulling image"), 3);
    assert_eq!(count(&mut world, "Back-off pulling image"), 1 + 2 + 4);
    assert_eq!(count(&mut world, "Error: ImagePullBackOff"), 7);
    let mut world = World::granted();
    let mut object = nginx(1);
    object["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["sh", "-c", "exit 3"]);
    world.deploy(&object);
    world.pass(30);
    let early = count(&mut world, "Back-off restarting failed container");
    world.pass(60);
    assert!(count(&mut world, "Back-off restarting failed container") >= early + 3);
}

#[test]
fn an_image_that_comes_by_another_pod_lets_one_that_never_pulls_start() {
    let mut world = World::with_nodes(&[("linux", "amd64")]);
    world.network.grant("r.azurecr.io/nginx");
    let mut never = nginx(1);
    never["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Never");
    world.deploy(&never);
    world.pass(5);
    assert_eq!(waiting(&world.pods()[0]), "ErrImageNeverPull");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other"},
        "spec": {"containers": [{"name": "c", "image": "r.azurecr.io/nginx:v1"}]}});
    assert_eq!(world.send("POST", super::PODS, &pod).0, 201);
    world.pass(20);
    assert!(world.pods().iter().all(|pod| pod["status"]["phase"] == "Running"));
}

fn mounting(volumes: &Value) -> Value {
    let mut object = nginx(1);
    object["spec"]["template"]["spec"]["volumes"] = volumes.clone();
    object
}

fn make(world: &mut World, resource: &str, object: &Value) {
    let (status, answer) = world.send("POST", &format!("/api/v1/namespaces/default/{resource}"), object);
    assert_eq!(status, 201, "{answer}");
}

#[test]
fn a_volume_without_its_object_keeps_the_pod_from_starting_and_only_events_say_so() {
    let mut world = World::granted();
    world.deploy(&mounting(&json!([{"name": "x", "configMap": {"name": "y"}}])));
    world.pass(1);
    let pod = world.pods().remove(0);
    assert_eq!(waiting(&pod), "ContainerCreating");
    assert_eq!(condition(&pod, "PodReadyToStartContainers"), "False ");
    assert_eq!((&pod["status"]["phase"], &pod["status"]["podIP"]), (&json!("Pending"), &Value::Null));
    let message = "FailedMount x2 MountVolume.SetUp failed for volume \"x\" : configmap \"y\" not found";
    assert_eq!(world.events("FailedMount"), [message]);
    // After 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5 and 127.5 s, and then every 122 s.
    world.pass(130);
    assert_eq!(count(&mut world, "FailedMount"), 9);
    world.pass(250);
    assert_eq!(count(&mut world, "FailedMount"), 11);
    make(&mut world, "configmaps", &json!({"metadata": {"name": "y"}}));
    world.pass(125);
    let pod = world.pods().remove(0);
    assert_eq!(
        (&pod["status"]["phase"], condition(&pod, "PodReadyToStartContainers").as_str()),
        (&json!("Running"), "True ")
    );
    assert!(pod["status"]["podIP"].is_string());
}

#[test]
fn each_kind_of_volume_says_what_it_lacks() {
    for (volume, lacks) in [
        (json!({"secret": {"secretName": "absent"}}), Some("secret \"absent\" not found")),
        (json!({"secret": {"secretName": "absent", "optional": true}}), None),
        (json!({"configMap": {"name": "absent", "optional": true}}), None),
        (json!({"configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}}), None),
        (
            json!({"configMap": {"name": "c", "items": [{"key": "no", "path": "p"}]}}),
            Some("configmap references non-existent config key: no"),
        ),
        (
            json!({"secret": {"secretName": "s", "items": [{"key": "no", "path": "p"}]}}),
            Some("references non-existent secret key: no"),
        ),
        (
            json!({"projected": {"sources": [{"configMap": {"name": "a"}}, {"secret": {"name": "b"}}, {"secret": {"name": "s"}}]}}),
            Some("[configmap \"a\" not found, secret \"b\" not found]"),
        ),
        (json!({"projected": {"sources": [{"configMap": {"name": "a", "optional": true}}]}}), None),
        (json!({"emptyDir": {}}), None),
    ] {
        let mut world = World::granted();
        make(&mut world, "configmaps", &json!({"metadata": {"name": "c"}, "data": {"k": "v"}}));
        make(&mut world, "secrets", &json!({"metadata": {"name": "s"}, "stringData": {"k": "v"}}));
        let mut named = volume.clone();
        named["name"] = json!("x");
        world.deploy(&mounting(&json!([named])));
        world.pass(5);
        let said = world.events("FailedMount");
        match lacks {
            Some(lacks) => assert!(said[0].ends_with(&format!("for volume \"x\" : {lacks}")), "{said:?}"),
            None => assert_eq!(world.pods()[0]["status"]["phase"], "Running", "{volume} {said:?}"),
        }
    }
}
