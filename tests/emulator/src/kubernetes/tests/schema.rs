//! Objects that do not fit the schema of their kind, or are too large, or too late.

use super::*;

/// The path of a kind's objects in `default`, and an object of it without a spec.
fn every_kind() -> Vec<(String, Value)> {
    let kinds = super::super::kinds::Kinds::built_in();
    let path = |kind: &super::super::kinds::Kind| {
        let root = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
        let place = if kind.namespaced { "/namespaces/default" } else { "" };
        format!("{root}/{}{place}/{}", kind.version, kind.plural)
    };
    let object = |kind: &super::super::kinds::Kind| json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": "a"}});
    kinds.all().iter().map(|kind| (path(kind), object(kind))).collect()
}

#[test]
fn an_apply_that_does_not_fit_is_a_500_without_a_reason_for_every_kind() {
    let mut world = World::new();
    let kinds = every_kind();
    assert!(kinds.len() > 25);
    for (path, object) in kinds {
        for (field, value, words) in [
            ("surplus", json!(1), ".surplus: field not declared in schema"),
            ("metadata", json!({"name": "a", "labelz": {}}), ".metadata.labelz: field not declared in schema"),
            (
                "metadata",
                json!({"name": "a", "labels": {"v": 1}}),
                ".metadata.labels.v: expected string, got &value.valueUnstructured{Value:1}",
            ),
            (
                "metadata",
                json!({"name": "a", "finalizers": ["x", "x"]}),
                ".metadata.finalizers: duplicate entries for key [=\"x\"]",
            ),
        ] {
            let mut object = object.clone();
            object[field] = value;
            let (status, body) = world.apply(&path, "fieldManager=t", &object);
            let message = body["message"].as_str().unwrap();
            assert_eq!((status, body.get("reason"), body.get("details")), (500, None, None), "{path}: {body}");
            assert!(
                message.starts_with("failed to create typed patch object (") && message.ends_with(words),
                "{message}"
            );
        }
    }
    let (_, body) = world.apply(DEPLOYMENTS, "fieldManager=t", &json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "field"}, "spec": {"template": {"spec": {"containers": [{"name": "c", "imagePullPolice": "Always"}]}}}}));
    assert_eq!(
        body,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "failed to create typed patch object (/field; apps/v1, Kind=Deployment): .spec.template.spec.containers[name=\"c\"].imagePullPolice: field not declared in schema", "code": 500})
    );
}

#[test]
fn what_fits_and_cannot_be_read_is_a_500_too() {
    let mut world = World::new();
    let mut object = nginx(1);
    object["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "abc"}});
    let (status, body) = world.apply(DEPLOYMENTS, "fieldManager=t", &object);
    let message = body["message"].as_str().unwrap();
    assert_eq!((status, body.get("reason")), (500, None));
    assert!(
        message.starts_with("failed to convert new object (/web; apps/v1, Kind=Deployment) to proper version: "),
        "{message}"
    );
    assert!(message.contains("quantities must match the regular expression '"), "{message}");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "!!"}});
    let (status, body) = world.apply("/api/v1/namespaces/default/secrets", "fieldManager=t", &secret);
    assert_eq!(status, 500);
    assert!(body["message"].as_str().unwrap().ends_with("illegal base64 data at input byte 0"), "{body}");
    // Another write of the same is a bad request.
    let (status, _) = world.send("POST", "/api/v1/namespaces/default/secrets", &secret);
    assert_eq!(status, 400);
    assert_eq!(world.send("POST", DEPLOYMENTS, &object).0, 400);
}

#[test]
fn a_custom_resource_is_held_against_its_schema() {
    let mut world = World::new();
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.shop.example"}, "spec": {"group": "shop.example", "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
                "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}}}]}});
    world.apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "fieldManager=t", &definition);
    world.pass(0);
    let mut thing =
        json!({"apiVersion": "shop.example/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": "big"}});
    let things = "/apis/shop.example/v1/namespaces/default/things";
    let (status, body) = world.apply(things, "fieldManager=t", &thing);
    assert_eq!((status, body.get("reason")), (500, None));
    assert_eq!(
        body["message"],
        "failed to create typed patch object (/a; shop.example/v1, Kind=Thing): .spec.size: expected numeric (int or float), got string"
    );
    thing["spec"] = json!({"width": 1});
    assert_eq!(world.apply(things, "fieldManager=t", &thing).0, 500);
    thing["spec"] = json!({"size": 1});
    assert_eq!(world.apply(things, "fieldManager=t", &thing).0, 201);
}

#[test]
fn a_namespace_that_goes_names_itself_as_the_cause() {
    let mut world = World::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ending"}});
    world.apply("/api/v1/namespaces", "fieldManager=t", &namespace);
    let maps = "/api/v1/namespaces/ending/configmaps";
    let held = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/held"]}});
    world.apply(maps, "fieldManager=t", &held);
    world.send("DELETE", "/api/v1/namespaces/ending", &Value::Null);
    let (status, body) = world.apply(
        maps,
        "fieldManager=t",
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}),
    );
    assert_eq!((status, body["reason"].clone()), (403, json!("Forbidden")));
    assert_eq!(
        body["message"],
        "configmaps \"a\" is forbidden: unable to create new content in namespace ending because it is being terminated"
    );
    assert_eq!(
        body["details"],
        json!({"name": "a", "kind": "configmaps", "causes": [
        {"reason": "NamespaceTerminating", "message": "namespace ending is being terminated", "field": "metadata.namespace"}]})
    );
}

#[test]
fn an_apply_of_an_old_state_is_a_conflict() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let mut old = nginx(1);
    old["metadata"]["resourceVersion"] = json!("1");
    let (status, body) = world.apply(DEPLOYMENTS, "fieldManager=tester", &old);
    assert_eq!((status, body["reason"].clone()), (409, json!("Conflict")));
    old["metadata"]["resourceVersion"] = world.deployment()["metadata"]["resourceVersion"].clone();
    assert_eq!(world.apply(DEPLOYMENTS, "fieldManager=tester", &old).0, 200);
}

#[test]
fn pods_beyond_a_quota_are_not_made() {
    let mut world = World::granted();
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}});
    world.apply("/api/v1/namespaces/default/resourcequotas", "fieldManager=t", &quota);
    world.deploy(&nginx(2));
    world.pass(2);
    assert_eq!(world.pods().len(), 1);
    let told = world.events("FailedCreate");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"),
        "{told:?}"
    );
}
