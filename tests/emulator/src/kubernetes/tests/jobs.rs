//! Jobs and their pods, with the controller that a real cluster has.

use serde_json::{Value, json};

use super::{PODS, World, condition, waiting};

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

fn job(command: &[&str], spec: &Value) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "task"}, "spec": {
        "template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "c", "image": "r.azurecr.io/nginx:v1", "command": command}]}}}});
    job["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    job
}

fn start(world: &mut World, command: &[&str], spec: &Value) {
    let (status, body) = world.apply(JOBS, "fieldManager=t", &job(command, spec));
    assert_eq!(status, 201, "{body}");
    world.pass(0);
}

fn status(world: &mut World) -> Value {
    world.get(&format!("{JOBS}/task"))["status"].clone()
}

/// Lets time pass in steps, so that controllers see each change by itself.
fn pass(world: &mut World, seconds: u64) {
    for _ in 0..seconds {
        world.pass(1);
    }
}

#[test]
fn a_job_runs_its_pods_to_their_end() {
    let mut world = World::granted();
    start(&mut world, &["work"], &json!({"completions": 3, "parallelism": 2}));
    assert_eq!((status(&mut world)["active"].clone(), world.pods().len()), (json!(2), 2));
    pass(&mut world, 20);
    let job = world.get(&format!("{JOBS}/task"));
    assert_eq!(condition(&job, "Complete"), "True CompletionsReached");
    assert_eq!(condition(&job, "SuccessCriteriaMet"), "True CompletionsReached");
    assert_eq!((job["status"]["succeeded"].clone(), job["status"].get("active")), (json!(3), None));
    assert!(job["status"]["completionTime"].is_string());
    let pods = world.pods();
    assert!(
        pods.iter().all(|pod| pod["status"]["phase"] == "Succeeded" && pod["metadata"].get("finalizers").is_none())
    );
    assert_eq!(condition(&pods[0], "Ready"), "False PodCompleted");
    assert_eq!(world.events("Job completed"), ["Completed x1 Job completed"]);
}

#[test]
fn a_job_fails_after_as_many_failures_as_it_allows() {
    let mut world = World::granted();
    start(&mut world, &["sh", "-c", "exit 3"], &json!({"backoffLimit": 1}));
    pass(&mut world, 8);
    assert_eq!((status(&mut world)["failed"].clone(), world.pods().len()), (json!(1), 1), "the second one waits");
    pass(&mut world, 20);
    let job = world.get(&format!("{JOBS}/task"));
    assert_eq!(condition(&job, "Failed"), "True BackoffLimitExceeded");
    assert_eq!(condition(&job, "FailureTarget"), "True BackoffLimitExceeded");
    assert_eq!(job["status"]["failed"], 2);
    let ended = world.pods()[0]["status"]["containerStatuses"][0]["state"]["terminated"].clone();
    assert_eq!((ended["exitCode"].clone(), ended["reason"].clone()), (json!(3), json!("Error")));
}

#[test]
fn a_job_that_takes_too_long_fails_with_its_pods() {
    let mut world = World::granted();
    start(&mut world, &["sleep", "600"], &json!({"activeDeadlineSeconds": 10}));
    pass(&mut world, 9);
    assert_eq!(status(&mut world)["ready"], 1);
    pass(&mut world, 4);
    let job = world.get(&format!("{JOBS}/task"));
    assert_eq!(condition(&job, "Failed"), "True DeadlineExceeded");
    assert_eq!((job["status"]["failed"].clone(), world.pods().len()), (json!(1), 0));
}

#[test]
fn a_suspended_job_has_no_pods_until_it_is_resumed() {
    let mut world = World::granted();
    start(&mut world, &["sleep", "600"], &json!({"suspend": true}));
    let job = world.get(&format!("{JOBS}/task"));
    assert_eq!((condition(&job, "Suspended").as_str(), job["status"].get("startTime")), ("True JobSuspended", None));
    let path = format!("{JOBS}/task");
    let change = |suspend: bool| json!({"spec": {"suspend": suspend}});
    world.send_as("PATCH", &path, "application/merge-patch+json", &change(false));
    pass(&mut world, 5);
    let job = world.get(&path);
    assert_eq!(condition(&job, "Suspended"), "False JobResumed");
    assert_eq!((job["status"]["active"].clone(), world.pods().len()), (json!(1), 1));
    world.send_as("PATCH", &path, "application/merge-patch+json", &change(true));
    pass(&mut world, 3);
    assert_eq!((status(&mut world).get("failed"), world.pods().len()), (None, 0));
}

#[test]
fn a_pull_that_fails_keeps_a_job_waiting() {
    let mut world = World::new();
    start(&mut world, &["work"], &json!({}));
    pass(&mut world, 5);
    assert!(waiting(&world.pods()[0]).contains("ImagePull"));
    assert_eq!((status(&mut world)["active"].clone(), status(&mut world)["ready"].clone()), (json!(1), json!(0)));
    world.network.grant("r.azurecr.io/nginx");
    pass(&mut world, 30);
    assert_eq!(status(&mut world)["succeeded"], 1);
}

#[test]
fn a_deleted_job_leaves_its_pods_behind_without_a_propagation_policy() {
    for (policy, left) in [("", 1), ("?propagationPolicy=Background", 0)] {
        let mut world = World::granted();
        start(&mut world, &["sleep", "600"], &json!({}));
        pass(&mut world, 3);
        world.send("DELETE", &format!("{JOBS}/task{policy}"), &Value::Null);
        pass(&mut world, 3);
        assert_eq!(world.send("GET", &format!("{JOBS}/task"), &Value::Null).0, 404);
        let pods = world.pods();
        assert_eq!(pods.len(), left, "{policy}");
        assert!(pods.iter().all(|pod| pod["metadata"].get("finalizers").is_none()));
    }
}

#[test]
fn a_finished_job_goes_after_its_time_to_live() {
    let mut world = World::granted();
    start(&mut world, &["work"], &json!({"ttlSecondsAfterFinished": 60}));
    pass(&mut world, 30);
    assert_eq!(status(&mut world)["succeeded"], 1);
    pass(&mut world, 60);
    assert_eq!(world.send("GET", &format!("{JOBS}/task"), &Value::Null).0, 404);
    assert!(world.pods().is_empty());
}

#[test]
fn each_index_has_to_succeed_once() {
    let mut world = World::granted();
    start(&mut world, &["work"], &json!({"completionMode": "Indexed", "completions": 3, "parallelism": 2}));
    let first = world.pods()[0].clone();
    assert!(first["metadata"]["name"].as_str().unwrap().starts_with("task-0-"));
    assert_eq!(first["spec"]["hostname"], "task-0");
    pass(&mut world, 20);
    assert_eq!(status(&mut world)["completedIndexes"], "0-2");
}

#[test]
fn a_container_that_keeps_failing_is_restarted_with_growing_waits() {
    let mut world = World::granted();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "containers": [{"name": "c", "image": "r.azurecr.io/nginx:v1", "command": ["false"]}]}});
    world.apply(PODS, "fieldManager=t", &pod);
    pass(&mut world, 12);
    let status = world.pods()[0]["status"].clone();
    assert_eq!((waiting(&world.pods()[0]), status["phase"].clone()), ("CrashLoopBackOff", json!("Running")));
    let container = &status["containerStatuses"][0];
    assert_eq!(
        (container["restartCount"].clone(), container["lastState"]["terminated"]["exitCode"].clone()),
        (json!(1), json!(1))
    );
    assert!(
        container["state"]["waiting"]["message"]
            .as_str()
            .unwrap()
            .starts_with("back-off 10s restarting failed container=c")
    );
    pass(&mut world, 20);
    assert!(world.pods()[0]["status"]["containerStatuses"][0]["restartCount"].as_i64() >= Some(2));
}
