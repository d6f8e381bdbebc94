use super::*;

#[test]
fn an_applied_deployment_comes_to_run() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    assert!(world.pods().is_empty());
    world.pass(0);
    assert_eq!(world.pods().iter().map(waiting).collect::<Vec<_>>(), ["ContainerCreating"; 2]);
    world.pass(2);
    let pods = world.pods();
    for pod in &pods {
        assert_eq!(pod["status"]["phase"], "Running");
        assert_eq!(condition(pod, "Ready"), "True ");
        let id = pod["status"]["containerStatuses"][0]["imageID"].as_str().unwrap();
        assert!(id.starts_with("r.azurecr.io/nginx@sha256:"), "{id}");
        assert!(pod["status"]["podIP"].is_string());
    }
    assert_ne!(pods[0]["spec"]["nodeName"], pods[1]["spec"]["nodeName"]);
    let deployment = world.deployment();
    assert_eq!(deployment["status"]["availableReplicas"], 2);
    assert_eq!(condition(&deployment, "Available"), "True MinimumReplicasAvailable");
    assert_eq!(condition(&deployment, "Progressing"), "True NewReplicaSetAvailable");
    // Nothing is to happen any more, but that its events are forgotten.
    let next = world.kubernetes.next_event().unwrap();
    assert!(next > world.now + Duration::from_secs(59 * 60));
    world.pass(60 * 60);
    assert_eq!(world.get("/api/v1/events")["items"], json!([]));
    assert_eq!(world.kubernetes.next_event(), None);
}

#[test]
fn pod_names_are_made_of_deployment_template_hash_and_suffix() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(0);
    let pod = world.pods().remove(0);
    let name = pod["metadata"]["name"].as_str().unwrap();
    let parts: Vec<_> = name.split('-').collect();
    assert_eq!((parts[0], parts[1].len(), parts[2].len()), ("web", 10, 5));
    assert_eq!(pod["metadata"]["labels"]["pod-template-hash"], parts[1]);
}

#[test]
fn a_refused_pull_backs_off_and_recovers_when_the_role_comes() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    world.pass(1);
    let pod = world.pods().remove(0);
    assert_eq!(waiting(&pod), "ErrImagePull");
    let message = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].as_str().unwrap();
    assert!(message.contains("failed to fetch oauth token") && message.contains("401 Unauthorized"), "{message}");
    world.pass(1);
    let pod = world.pods().remove(0);
    assert_eq!(waiting(&pod), "ImagePullBackOff");
    let back_off = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].as_str().unwrap();
    assert_eq!(back_off, format!("Back-off pulling image \"r.azurecr.io/nginx:v1\": ErrImagePull: {message}"));
    world.network.grant("r.azurecr.io/nginx");
    world.pass(11);
    assert_eq!(world.pods()[0]["status"]["phase"], "Running");
}

#[test]
fn the_wait_between_pulls_doubles_up_to_five_minutes() {
    let mut world = World::new();
    world.deploy(&nginx(1));
    let mut pulls = Vec::new();
    for second in 0..1300 {
        let before = world.network.log.len();
        world.pass(u64::from(second > 0));
        if world.network.log.len() > before {
            pulls.push(second);
        }
    }
    let gaps: Vec<_> = pulls.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [11, 21, 41, 81, 161, 301, 301, 301]);
}

#[test]
fn one_long_step_in_time_passes_through_the_same_events_as_many_short_ones() {
    let mut slow = World::new();
    slow.deploy(&nginx(1));
    slow.pass(0);
    (0..120).for_each(|_| slow.pass(1));
    let mut fast = World::new();
    fast.deploy(&nginx(1));
    fast.pass(120);
    assert_eq!(slow.events(""), fast.events(""));
}

#[test]
fn events_tell_the_story_of_a_pod() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    for reason in ["Scheduled", "Pulling", "Pulled", "Created", "Started", "SuccessfulCreate", "ScalingReplicaSet"] {
        assert_eq!(world.events(&format!("{reason} x1")).len(), 1, "{reason}");
    }
    let name = world.pods()[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let query = format!("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name={name},type=Normal");
    assert_eq!(world.get(&query)["items"].as_array().unwrap().len(), 5);
}

#[test]
fn an_image_that_is_on_the_node_is_not_pulled_again() {
    let mut world = World::with_nodes(&[("linux", "amd64")]);
    world.network.grant("r.azurecr.io/nginx");
    world.deploy(&nginx(1));
    world.pass(2);
    let requests = world.network.log.len();
    world.network.granted.clear();
    world.deploy(&nginx(2));
    world.pass(2);
    assert_eq!(world.network.log.len(), requests);
    assert_eq!(world.deployment()["status"]["readyReplicas"], 2);
    assert_eq!(world.events("already present on machine").len(), 1);
}

#[test]
fn an_unreadable_image_name_is_reported_and_never_asked_for() {
    let mut world = World::granted();
    world.deploy(&web("r.azurecr.io/Nginx:v1", 1));
    world.pass(60);
    assert_eq!(waiting(&world.pods()[0]), "InvalidImageName");
    assert!(world.network.log.is_empty());
}

#[test]
fn a_policy_of_never_needs_the_image_on_the_node() {
    let mut world = World::granted();
    let mut object = nginx(1);
    object["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Never");
    world.deploy(&object);
    world.pass(5);
    assert_eq!(waiting(&world.pods()[0]), "ErrImageNeverPull");
}

#[test]
fn init_containers_run_one_after_another_before_the_others() {
    let mut world = World::granted();
    let mut object = nginx(1);
    let image = "r.azurecr.io/nginx:v1";
    object["spec"]["template"]["spec"]["initContainers"] =
        json!([{"name": "one", "image": image}, {"name": "two", "image": image}]);
    world.deploy(&object);
    world.pass(2);
    let pod = world.pods().remove(0);
    assert!(pod["status"]["initContainerStatuses"][0]["state"]["running"].is_object());
    assert_eq!(pod["status"]["initContainerStatuses"][1]["state"]["waiting"]["reason"], "PodInitializing");
    assert_eq!(waiting(&pod), "PodInitializing");
    assert_eq!(condition(&pod, "Initialized"), "False ContainersNotInitialized");
    world.pass(10);
    let pod = world.pods().remove(0);
    assert_eq!(pod["status"]["phase"], "Running");
    assert_eq!(pod["status"]["initContainerStatuses"][1]["state"]["terminated"]["reason"], "Completed");
}

#[test]
fn a_pod_that_fits_no_node_stays_pending() {
    let mut world = World::granted();
    let mut object = nginx(1);
    object["spec"]["template"]["spec"]["nodeSelector"] = json!({"kubernetes.io/arch": "arm64"});
    world.deploy(&object);
    world.pass(30);
    let pod = world.pods().remove(0);
    assert_eq!(pod["status"]["phase"], "Pending");
    assert_eq!(condition(&pod, "PodScheduled"), "False Unschedulable");
    assert_eq!(world.events("FailedScheduling").len(), 1);
}

#[test]
fn a_node_of_another_architecture_finds_no_match() {
    let mut world = World::with_nodes(&[("linux", "arm64")]);
    world.network.grant("r.azurecr.io/nginx");
    world.deploy(&nginx(1));
    world.pass(1);
    let pod = world.pods().remove(0);
    let message = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].as_str().unwrap();
    assert!(message.contains("no match for platform in manifest"), "{message}");
}

#[test]
fn a_pull_secret_lets_a_pod_pull_without_a_role() {
    let mut world = World::new();
    world.network.users.insert("robot:word".to_owned());
    let config = json!({"auths": {"r.azurecr.io": {"username": "robot", "password": "word"}}});
    let secret = json!({"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": config.to_string()}});
    assert_eq!(world.send("POST", "/api/v1/namespaces/default/secrets", &secret).0, 201);
    let mut object = nginx(1);
    object["spec"]["template"]["spec"]["imagePullSecrets"] = json!([{"name": "pull"}]);
    world.deploy(&object);
    world.pass(2);
    assert_eq!(world.pods()[0]["status"]["phase"], "Running");
}

#[test]
fn a_deleted_pod_is_let_go_by_its_kubelet_and_replaced() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    let name = world.pods()[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let (status, body) = world.send("DELETE", &format!("{PODS}/{name}"), &Value::Null);
    assert_eq!((status, body["metadata"]["deletionGracePeriodSeconds"].clone()), (200, json!(30)));
    assert!(world.pods()[0]["metadata"]["deletionTimestamp"].is_string());
    world.pass(0);
    assert_eq!(world.pods().len(), 2);
    world.pass(3);
    let pods = world.pods();
    assert_eq!(pods.len(), 1);
    assert_ne!(pods[0]["metadata"]["name"], name.as_str());
}

#[test]
fn events_are_kept_for_an_hour() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    world.pass(3590);
    assert!(!world.events("Pulled").is_empty());
    world.pass(30);
    world.pass(1);
    assert!(world.events("").is_empty());
}

#[test]
fn a_changed_image_is_pulled_in_the_same_pod() {
    let mut world = World::granted();
    let pod = json!({"metadata": {"name": "one"},
        "spec": {"containers": [{"name": "nginx", "image": "r.azurecr.io/nginx:v1"}]}});
    assert_eq!(world.send("POST", PODS, &pod).0, 201);
    world.pass(2);
    let change = json!({"spec": {"containers": [{"name": "nginx", "image": "r.azurecr.io/nginx:v2"}]}});
    let strategic = "application/strategic-merge-patch+json";
    assert_eq!(world.send_as("PATCH", &format!("{PODS}/one"), strategic, &change).0, 200);
    world.pass(1);
    let found = world.pods().remove(0);
    assert_eq!((waiting(&found), found["status"]["phase"].as_str()), ("ErrImagePull", Some("Running")));
    let other = json!({"spec": {"containers": [{"name": "nginx", "command": ["x"]}]}});
    assert_eq!(world.send_as("PATCH", &format!("{PODS}/one"), strategic, &other).0, 422);
}

#[test]
fn logs_say_that_a_container_started_or_why_it_did_not() {
    let log = |world: &mut World, options: &str| {
        let name = world.pods()[0]["metadata"]["name"].as_str().unwrap().to_owned();
        let request = Request::builder().uri(format!("{PODS}/{name}/log?{options}"));
        let Answer::Whole(response) = world.answer(request, Bytes::new()) else { panic!("a watch came back") };
        (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap())
    };
    let mut world = World::new();
    world.deploy(&nginx(1));
    world.pass(1);
    let (status, told) = log(&mut world, "");
    assert!(status == 400 && told.contains("is waiting to start: image can't be pulled"), "{told}");
    world.network.grant("r.azurecr.io/nginx");
    world.pass(15);
    let (status, told) = log(&mut world, "container=nginx");
    assert!(status == 200 && told.starts_with("nginx: started from r.azurecr.io/nginx@sha256:"), "{told}");
    assert_eq!(log(&mut world, "limitBytes=5"), (200, "nginx".to_owned()));
    assert_eq!(log(&mut world, "tailLines=0"), (200, String::new()));
    assert_eq!(log(&mut world, "container=other").0, 400);
    assert_eq!(log(&mut world, "previous=true").0, 400);
}

#[test]
fn wide_tables_show_the_images_of_a_workload() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    let request = Request::builder().uri(DEPLOYMENTS).header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let Answer::Whole(response) = world.answer(request, Bytes::new()) else { panic!("a watch came back") };
    let table: Value = serde_json::from_slice(response.body()).unwrap();
    let shown: Vec<_> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .zip(table["rows"][0]["cells"].as_array().unwrap())
        .map(|(column, cell)| format!("{}/{}={cell}", column["name"].as_str().unwrap(), column["priority"]))
        .collect();
    assert_eq!(shown[1..4], ["Ready/0=\"1/1\"", "Up-to-date/0=1", "Available/0=1"]);
    assert_eq!(shown[5..], ["Containers/1=\"nginx\"", "Images/1=\"r.azurecr.io/nginx:v1\"", "Selector/1=\"app=web\""]);
}
