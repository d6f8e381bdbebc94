use super::*;

fn types(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["type"].as_str().unwrap()).collect()
}

#[test]
fn a_watch_tells_what_happened_after_its_revision() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(0);
    let list = world.get(PODS);
    let revision = list["metadata"]["resourceVersion"].as_str().unwrap();
    let mut watch = world.open_watch(&format!("{PODS}?watch=true&resourceVersion={revision}"));
    assert!(world.lines(&mut watch).is_empty());
    world.pass(2);
    let lines = world.lines(&mut watch);
    assert!(types(&lines).iter().all(|kind| *kind == "MODIFIED"));
    assert_eq!(lines.last().unwrap()["object"]["status"]["phase"], "Running");
    assert_eq!(lines.last().unwrap()["object"]["kind"], "Pod");
    assert!(world.lines(&mut watch).is_empty());
}

#[test]
fn a_watch_without_a_revision_begins_with_what_is_there() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    world.pass(2);
    let mut watch = world.open_watch(&format!("{PODS}?watch=true"));
    assert_eq!(types(&world.lines(&mut watch)), ["ADDED", "ADDED"]);
}

#[test]
fn streaming_a_list_ends_it_with_a_bookmark() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = world.open_watch(&format!("{PODS}?{query}"));
    let lines = world.lines(&mut watch);
    assert_eq!(types(&lines), ["ADDED", "BOOKMARK"]);
    assert_eq!(lines[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[test]
fn an_object_that_leaves_the_selection_is_deleted_for_the_watch() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(0);
    let mut watch = world.open_watch(&format!("{PODS}?watch=true&fieldSelector=status.phase%3DPending"));
    assert_eq!(types(&world.lines(&mut watch)), ["ADDED"]);
    world.pass(2);
    assert_eq!(types(&world.lines(&mut watch)).last(), Some(&"DELETED"));
}

#[test]
fn a_revision_that_is_no_longer_known_is_gone() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(2);
    let path = format!("{PODS}?watch=true&resourceVersion=3");
    let mut known = world.open_watch(&path);
    assert!(types(&world.lines(&mut known)).contains(&"MODIFIED"));
    world.kubernetes.compact();
    let mut unknown = world.open_watch(&path);
    let lines = world.lines(&mut unknown);
    assert_eq!((types(&lines), lines[0]["object"]["code"].clone()), (vec!["ERROR"], json!(410)));
    assert!(unknown.is_over() && !known.is_over());
    world.deploy(&nginx(2));
    world.pass(0);
    assert!(!types(&world.lines(&mut known)).contains(&"ERROR"));
}

#[test]
fn old_changes_are_forgotten_when_there_are_many() {
    let mut world = World::new();
    world.deploy(&nginx(8));
    (0..40).for_each(|_| world.pass(60));
    let mut watch = world.open_watch(&format!("{PODS}?watch=true&resourceVersion=3"));
    assert_eq!(types(&world.lines(&mut watch)), ["ERROR"]);
}

#[test]
fn a_page_of_a_forgotten_list_is_gone() {
    let mut world = World::granted();
    world.deploy(&nginx(2));
    world.pass(0);
    let token = world.get(&format!("{PODS}?limit=1"))["metadata"]["continue"].as_str().unwrap().to_owned();
    world.pass(2);
    world.kubernetes.compact();
    let (status, body) = world.send("GET", &format!("{PODS}?limit=1&continue={token}"), &Value::Null);
    assert_eq!((status, body["reason"].clone()), (410, json!("Expired")));
}

#[test]
fn a_quiet_watch_gets_bookmarks_if_it_wants_them() {
    let mut world = World::new();
    let mut watch = world.open_watch(&format!("{PODS}?watch=true&allowWatchBookmarks=true&resourceVersion=5"));
    world.pass(30);
    assert!(world.lines(&mut watch).is_empty());
    world.pass(30);
    assert_eq!(types(&world.lines(&mut watch)), ["BOOKMARK"]);
}

#[test]
fn long_lists_come_in_pages() {
    let mut world = World::new();
    for index in 0..5 {
        let object = json!({"metadata": {"name": format!("c{index}")}, "stringData": {}});
        world.send("POST", "/api/v1/namespaces/default/secrets", &object);
    }
    let path = "/api/v1/namespaces/default/secrets?limit=2";
    let first = world.get(path);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    let mut names = Vec::new();
    let mut page = first;
    loop {
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].clone()));
        let Some(token) = page["metadata"]["continue"].as_str() else {
            break;
        };
        page = world.get(&format!("{path}&continue={token}"));
    }
    assert_eq!(names, ["c0", "c1", "c2", "c3", "c4"]);
}

#[test]
fn pods_are_shown_as_a_table_on_demand() {
    let mut world = World::granted();
    world.deploy(&nginx(1));
    world.pass(20);
    let request = Request::builder().uri(PODS).header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let Answer::Whole(response) = world.answer(request, Bytes::new()) else { panic!("a watch came back") };
    let table: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(table["columnDefinitions"].as_array().unwrap().len(), 9);
    assert_eq!(
        table["rows"][0]["cells"].as_array().unwrap()[1..5],
        [json!("1/1"), json!("Running"), json!("0"), json!("20s")]
    );
}

#[test]
fn a_watch_knows_when_its_client_wanted_it_to_end() {
    let mut world = World::new();
    let watch = world.open_watch(&format!("{PODS}?watch=true&timeoutSeconds=290"));
    assert_eq!(watch.ends(), Some(world.now + Duration::from_secs(290)));
}
