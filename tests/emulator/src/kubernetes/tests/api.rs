use super::*;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

#[test]
fn what_is_not_served_is_not_found() {
    let mut world = World::new();
    for path in ["/apis/none.example/v1/things", "/elsewhere"] {
        assert_eq!(world.send("GET", path, &Value::Null), (404, json!("404 page not found\n")), "{path}");
    }
    for path in ["/api/v1/nothings", "/apis/apps/v2/deployments"] {
        let (status, body) = world.send("GET", path, &Value::Null);
        assert_eq!(
            (status, body["reason"].clone(), body["kind"].clone()),
            (404, json!("NotFound"), json!("Status")),
            "{path}"
        );
    }
    let (_, body) = world.send("GET", &format!("{DEPLOYMENTS}/web"), &Value::Null);
    assert_eq!(body["message"], "deployments.apps \"web\" not found");
    assert_eq!(body["details"], json!({"name": "web", "group": "apps", "kind": "deployments"}));
}

#[test]
fn discovery_comes_in_the_old_form_and_the_aggregated_one() {
    let mut world = World::new();
    assert_eq!(world.get("/version")["gitVersion"], "v1.33.4");
    assert_eq!(world.get("/api")["versions"], json!(["v1"]));
    assert!(world.get("/apis")["groups"].as_array().unwrap().iter().any(|group| group["name"] == "apps"));
    let resources = world.get("/apis/apps/v1");
    let names: Vec<_> = resources["resources"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    assert!(names.contains(&json!("deployments")) && names.contains(&json!("deployments/scale")));
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let request = Request::builder().uri("/apis").header("accept", accept);
    let Answer::Whole(response) = world.answer(request, Bytes::new()) else { panic!("a watch came back") };
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["kind"], "APIGroupDiscoveryList");
    assert_eq!(body["items"][0]["versions"][0]["resources"][0]["scope"], "Namespaced");
}

#[test]
fn a_second_creation_is_a_conflict() {
    let mut world = World::new();
    let object = config_map("a", &json!({}));
    assert_eq!(world.send("POST", CONFIG_MAPS, &object).0, 201);
    let (status, body) = world.send("POST", CONFIG_MAPS, &object);
    assert_eq!((status, body["reason"].clone()), (409, json!("AlreadyExists")));
}

#[test]
fn an_update_from_an_old_state_is_a_conflict() {
    let mut world = World::new();
    let (_, mut object) = world.send("POST", CONFIG_MAPS, &config_map("a", &json!({"k": "1"})));
    let old = object.clone();
    object["data"]["k"] = json!("2");
    assert_eq!(world.send("PUT", &format!("{CONFIG_MAPS}/a"), &object).0, 200);
    let (status, body) = world.send("PUT", &format!("{CONFIG_MAPS}/a"), &old);
    assert_eq!((status, body["reason"].clone()), (409, json!("Conflict")));
}

#[test]
fn writing_the_same_again_changes_no_revision() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    world.pass(0);
    let before = world.deployment();
    world.pass(30);
    let revision =
        |object: &Value| (object["metadata"]["managedFields"].clone(), object["metadata"]["generation"].clone());
    let (status, after) = world.apply(DEPLOYMENTS, "fieldManager=tester", &nginx(1));
    assert_eq!((status, revision(&after)), (200, revision(&before)));
    let (_, again) = world.apply(DEPLOYMENTS, "fieldManager=tester", &nginx(1));
    assert_eq!(again["metadata"]["resourceVersion"], after["metadata"]["resourceVersion"]);
}

#[test]
fn apply_conflicts_name_field_and_manager_and_force_takes_over() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let (status, body) = world.apply(DEPLOYMENTS, "fieldManager=other", &nginx(3));
    assert_eq!(status, 409);
    assert_eq!(body["message"], "Apply failed with 1 conflict: conflict with \"tester\": .spec.replicas");
    let (status, _) = world.apply(DEPLOYMENTS, "fieldManager=other&force=true", &nginx(3));
    assert_eq!(status, 200);
    assert_eq!(world.apply(DEPLOYMENTS, "fieldManager=tester", &nginx(1)).0, 409);
    assert_eq!(world.apply(DEPLOYMENTS, "force=true", &nginx(1)).0, 422);
}

#[test]
fn a_plain_update_takes_ownership_from_an_apply() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let scale = json!({"spec": {"replicas": 4}});
    let path = format!("{DEPLOYMENTS}/web?fieldManager=scaler");
    assert_eq!(world.send_as("PATCH", &path, "application/merge-patch+json", &scale).0, 200);
    let (status, body) = world.apply(DEPLOYMENTS, "fieldManager=tester", &nginx(1));
    assert_eq!(status, 409);
    let message = body["details"]["causes"][0]["message"].as_str().unwrap();
    assert_eq!(message, "conflict with \"scaler\" using apps/v1");
}

#[test]
fn yaml_is_applied_as_json_is() {
    let mut world = World::new();
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  \"on\": \"yes\"\n  n: 'no'\n";
    let request = Request::builder()
        .method("PATCH")
        .uri(format!("{CONFIG_MAPS}/a?fieldManager=t"))
        .header("content-type", "application/apply-patch+yaml");
    let Answer::Whole(response) = world.answer(request, Bytes::from(yaml)) else { panic!("a watch came back") };
    assert_eq!(response.status(), 201);
    assert_eq!(world.get(&format!("{CONFIG_MAPS}/a"))["data"], json!({"on": "yes", "false": "no"}));
}

#[test]
fn a_strategic_patch_changes_one_container() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let change =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "nginx", "image": "r.azurecr.io/nginx:v2"}]}}}});
    let path = format!("{DEPLOYMENTS}/web");
    let (_, body) = world.send_as("PATCH", &path, "application/strategic-merge-patch+json", &change);
    let container = &body["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        (container["image"].clone(), container["ports"][0]["containerPort"].clone()),
        (json!("r.azurecr.io/nginx:v2"), json!(80))
    );
    assert_eq!(body["metadata"]["generation"], 2);
}

#[test]
fn defaults_are_filled_in() {
    let mut world = World::new();
    world.deploy(&web("nginx", 1));
    let spec = world.deployment()["spec"].clone();
    assert_eq!(spec["progressDeadlineSeconds"], 600);
    assert_eq!(spec["strategy"]["rollingUpdate"], json!({"maxSurge": "25%", "maxUnavailable": "25%"}));
    let template = &spec["template"]["spec"];
    assert_eq!(
        (template["restartPolicy"].clone(), template["terminationGracePeriodSeconds"].clone()),
        (json!("Always"), json!(30))
    );
    assert_eq!(template["containers"][0]["imagePullPolicy"], "Always");
    let mut world = World::new();
    world.deploy(&web("nginx:1.27", 1));
    assert_eq!(world.deployment()["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
}

#[test]
fn what_is_wrong_with_an_object_is_named_by_field() {
    let mut world = World::new();
    let mut object = nginx(1);
    object["spec"]["template"]["metadata"]["labels"]["app"] = json!("other");
    object["spec"]["template"]["spec"]["containers"][0]["name"] = json!("Bad_Name");
    let (status, body) = world.send("POST", DEPLOYMENTS, &object);
    let fields: Vec<_> =
        body["details"]["causes"].as_array().unwrap().iter().map(|cause| cause["field"].clone()).collect();
    assert_eq!((status, body["reason"].clone()), (422, json!("Invalid")));
    assert_eq!(fields, ["spec.template.metadata.labels", "spec.template.spec.containers[0].name"]);
    let (status, body) = world.send("POST", CONFIG_MAPS, &config_map("Upper", &json!({})));
    assert_eq!((status, body["details"]["causes"][0]["field"].clone()), (422, json!("metadata.name")));
}

#[test]
fn a_selector_never_changes() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let mut object = nginx(1);
    object["spec"]["selector"]["matchLabels"]["app"] = json!("new");
    object["spec"]["template"]["metadata"]["labels"]["app"] = json!("new");
    let (status, body) = world.apply(DEPLOYMENTS, "fieldManager=tester", &object);
    assert_eq!((status, body["details"]["causes"][0]["field"].clone()), (422, json!("spec.selector")));
}

#[test]
fn mismatches_of_kind_and_namespace_are_bad_requests() {
    let mut world = World::new();
    let mut object = config_map("a", &json!({}));
    object["kind"] = json!("Secret");
    assert_eq!(world.send("POST", CONFIG_MAPS, &object).0, 400);
    let mut object = config_map("a", &json!({}));
    object["metadata"]["namespace"] = json!("other");
    assert_eq!(world.send("POST", CONFIG_MAPS, &object).0, 400);
    let (status, body) = world.send("POST", "/api/v1/namespaces/absent/configmaps", &config_map("a", &json!({})));
    assert_eq!((status, body["message"].clone()), (404, json!("namespaces \"absent\" not found")));
}

#[test]
fn unknown_fields_are_refused_when_strict_and_dropped_otherwise() {
    let mut world = World::new();
    let mut object = nginx(1);
    object["spec"]["repllicas"] = json!(2);
    let (status, body) = world.send("POST", &format!("{DEPLOYMENTS}?fieldValidation=Strict"), &object);
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap().contains("strict decoding error: unknown field \"spec.repllicas\""));
    assert_eq!(world.apply(DEPLOYMENTS, "fieldManager=t", &object).0, 500);
    let (status, body) = world.send("POST", DEPLOYMENTS, &object);
    assert_eq!((status, body["spec"].get("repllicas")), (201, None));
}

#[test]
fn a_dry_run_keeps_nothing() {
    let mut world = World::new();
    let (status, _) = world.apply(DEPLOYMENTS, "fieldManager=t&dryRun=All", &nginx(1));
    assert_eq!(status, 201);
    assert_eq!(world.send("GET", &format!("{DEPLOYMENTS}/web"), &Value::Null).0, 404);
}

#[test]
fn a_definition_makes_its_kind_served() {
    let mut world = World::new();
    let things = "/apis/shop.example/v1/namespaces/default/things";
    assert_eq!(world.send("GET", things, &Value::Null).0, 404);
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.shop.example"}, "spec": {"group": "shop.example", "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let (status, body) = world.apply(path, "fieldManager=t", &definition);
    assert_eq!((status, body["status"]["conditions"].clone()), (201, Value::Null));
    assert_eq!(world.send("GET", things, &Value::Null).0, 404);
    world.pass(0);
    let body = world.get(&format!("{path}/things.shop.example"));
    assert_eq!(condition(&body, "Established"), "True InitialNamesAccepted");
    let thing =
        json!({"apiVersion": "shop.example/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"x": [1]}});
    assert_eq!(world.apply(things, "fieldManager=t", &thing).0, 201);
    let mut with_status = thing.clone();
    with_status["status"] = json!({"seen": true});
    world.send_as(
        "PATCH",
        &format!("{things}/a/status"),
        "application/merge-patch+json",
        &json!({"status": {"seen": true}}),
    );
    let found = world.get(&format!("{things}/a"));
    assert_eq!((found["status"].clone(), found["metadata"]["generation"].clone()), (json!({"seen": true}), json!(1)));
    assert_eq!(world.get("/apis/shop.example/v1")["resources"][0]["kind"], "Thing");
    let (_, body) = world.send("DELETE", &format!("{path}/things.shop.example"), &Value::Null);
    assert_eq!(condition(&body, "Terminating"), "True InstanceDeletionPending");
    world.pass(0);
    assert_eq!(world.send("GET", &format!("{path}/things.shop.example"), &Value::Null).0, 404);
    assert_eq!(world.send("GET", things, &Value::Null).0, 404);
}

#[test]
fn lists_are_narrowed_by_labels_and_fields() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    world.pass(2);
    let count =
        |world: &mut World, query: &str| world.get(&format!("{PODS}?{query}"))["items"].as_array().unwrap().len();
    assert_eq!(count(&mut world, "labelSelector=app%3Dweb"), 2);
    assert_eq!(count(&mut world, "labelSelector=app%20in%20(other)"), 0);
    assert_eq!(count(&mut world, "fieldSelector=spec.nodeName%3Daks-nodepool1-0"), 1);
    assert_eq!(count(&mut world, "fieldSelector=status.phase!%3DRunning"), 0);
    assert_eq!(world.send("GET", &format!("{PODS}?fieldSelector=spec.x%3D1"), &Value::Null).0, 400);
}

#[test]
fn a_status_is_written_only_through_its_subresource() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let mut object = world.deployment();
    object["status"] = json!({"replicas": 99});
    let (_, body) = world.send("PUT", &format!("{DEPLOYMENTS}/web"), &object);
    assert_eq!(body["status"]["replicas"], Value::Null);
    let mut object = world.deployment();
    object["status"] = json!({"replicas": 99});
    object["spec"]["replicas"] = json!(7);
    let (_, body) = world.send("PUT", &format!("{DEPLOYMENTS}/web/status"), &object);
    assert_eq!((body["status"]["replicas"].clone(), body["spec"]["replicas"].clone()), (json!(99), json!(1)));
}

#[test]
fn several_conflicts_are_told_by_manager() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let (status, body) = world.apply(DEPLOYMENTS, "fieldManager=other", &web("r.azurecr.io/nginx:v2", 3));
    assert_eq!(status, 409);
    assert_eq!(
        body["message"],
        "Apply failed with 2 conflicts: conflicts with \"tester\":\n- .spec.replicas\n- .spec.template.spec.containers[name=\"nginx\"].image"
    );
}

#[test]
fn a_cluster_does_not_show_its_secrets() {
    let mut world = World::new();
    let secret = json!({"metadata": {"name": "s"}, "stringData": {"k": "geheim"}});
    let (_, made) = world.send("POST", "/api/v1/namespaces/default/secrets", &secret);
    let shown = format!("{:?}", world.kubernetes);
    assert!(!shown.contains("geheim") && !shown.contains(made["data"]["k"].as_str().unwrap()));
}

#[test]
fn a_dry_run_changes_nothing_whatever_the_verb() {
    let mut world = World::granted();
    let maps = "/api/v1/namespaces/default/configmaps";
    world.send("POST", maps, &json!({"metadata": {"name": "c"}, "data": {"a": "b"}}));
    let before = world.get(&format!("{maps}/c"));
    for (word, is_known) in [("All", true), ("", false), ("all", false), ("Some", false)] {
        let changed = json!({"metadata": {"name": "c"}, "data": {"a": "c"}});
        for (method, path, media) in [
            ("POST", maps.to_owned(), "application/json"),
            ("PUT", format!("{maps}/c"), "application/json"),
            ("PATCH", format!("{maps}/c"), "application/merge-patch+json"),
            ("DELETE", format!("{maps}/c"), ""),
            ("DELETE", maps.to_owned(), ""),
        ] {
            let mut body = if method == "DELETE" { Value::Null } else { changed.clone() };
            if method == "POST" {
                body["metadata"]["name"] = json!("new");
            }
            let (code, answer) = world.send_as(method, &format!("{path}?dryRun={word}"), media, &body);
            assert_eq!(code < 300, is_known, "{method} {word}: {answer}");
        }
        assert_eq!(world.get(&format!("{maps}/c")), before);
        assert_eq!(world.send("GET", &format!("{maps}/new"), &Value::Null).0, 404);
    }
}

#[test]
fn what_is_no_object_does_not_replace_one() {
    let mut world = World::granted();
    let maps = "/api/v1/namespaces/default/configmaps";
    world.send("POST", maps, &json!({"metadata": {"name": "c"}, "data": {"a": "b"}}));
    for body in [json!(5), json!("x"), json!([]), json!(false), json!(null)] {
        for media in ["merge-patch+json", "strategic-merge-patch+json", "json-patch+json", "apply-patch+yaml"] {
            let path = format!("{maps}/c?fieldManager=t");
            let bytes = Bytes::from(body.to_string());
            let request =
                Request::builder().method("PATCH").uri(&path).header("content-type", format!("application/{media}"));
            let Answer::Whole(response) = world.answer(request, bytes) else { panic!("a watch came back") };
            let is_no_change = body.is_null() && media != "merge-patch+json" && media != "apply-patch+yaml"
                || body == json!([]) && media == "json-patch+json";
            assert_eq!(response.status().is_success(), is_no_change, "{media} {body}");
        }
        assert_eq!(world.get(&format!("{maps}/c"))["data"], json!({"a": "b"}));
    }
    let whole = json!([{"op": "replace", "path": "", "value": 5}]);
    let (code, _) = world.send_as("PATCH", &format!("{maps}/c"), "application/json-patch+json", &whole);
    assert_eq!(code, 400);
}

#[test]
fn a_scale_needs_a_whole_number() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    let path = format!("{DEPLOYMENTS}/web/scale");
    for replicas in [json!("3"), json!(1.5), json!(true), json!([]), json!(1_i64 << 31), json!(-1)] {
        let scale = json!({"metadata": {"name": "web"}, "spec": {"replicas": replicas}});
        assert!(world.send("PUT", &path, &scale).0 >= 400, "{replicas}");
        assert_eq!(world.send_as("PATCH", &path, "application/merge-patch+json", &scale).0, 422, "{replicas}");
    }
    let old = json!({"metadata": {"name": "web", "resourceVersion": "1"}, "spec": {"replicas": 0}});
    assert_eq!(world.send("PUT", &path, &old).0, 409);
    assert_eq!(world.deployment()["spec"]["replicas"], 2);
}
