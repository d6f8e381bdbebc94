"""Why a rollout does not end: what the library says, beside what Kubernetes has."""

import contextlib
import threading

import pytest

from kubelet import container, create_node, running, status_of, terminated, waiting
from real import until
from test_callers import allow, rule

TEMPLATE = "template: {{metadata: {{labels: {{app: a}}}}, spec: {{{pod}containers: [{{name: c0, image: nginx:1{more}}}]}}}}"
SELECTOR = "selector: {matchLabels: {app: a}}"


def workload(kind="Deployment", name="w", spec="replicas: 1,", pod="", more=""):
    group, selector = ("batch/v1", "") if kind == "Job" else ("apps/v1", SELECTOR + ", ")
    service = "serviceName: w, " if kind == "StatefulSet" else ""
    template = TEMPLATE.format(pod=pod, more=more)
    return f"{{apiVersion: {group}, kind: {kind}, metadata: {{name: {name}}}, spec: {{{spec} {service}{selector}{template}}}}}"


def schedulable_node(api):
    """A node without the taint that the API server gives to new ones: here no controller removes it."""
    create_node(api, "node-a")
    api.patch("/api/v1/nodes/node-a", {"spec": {"taints": None}})


READY = status_of("Running", [container(running(seconds=1), ready=True, started=True)], ready=True)


@contextlib.contextmanager
def kubelet(api, namespace, status):
    """Gives each scheduled pod this status, and removes those that are deleted, while the block runs."""
    schedulable_node(api)
    ended = threading.Event()

    def work():
        while not ended.wait(0.2):
            for pod in api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]:
                path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
                if "deletionTimestamp" in pod["metadata"]:
                    api.call("DELETE", path, {"gracePeriodSeconds": 0})
                elif "nodeName" in pod["spec"] and "containerStatuses" not in pod["status"]:
                    api.call("PATCH", f"{path}/status", {"status": status}, "application/merge-patch+json")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# What ends a rollout ends it long before the deadline of `refused`, on a slow machine too. In seconds.
SOON = 30


def refused(library, namespace, text, on="w", seconds=60, **options):
    library.apply(text, namespace=namespace)
    return library.refused("rollout", on, namespace=namespace, seconds=seconds, **options)


def wait_for_words(api, namespace, kind, words):
    """Waits until controllers have reported that they cannot create pods: in events, and in the Deployment's status."""
    api.wait_for(f"/api/v1/namespaces/{namespace}/events", lambda events: words in str(events))
    if kind == "Deployment":
        api.wait_for(f"/apis/apps/v1/namespaces/{namespace}/deployments/w", lambda found: words in str(found["status"]))


def wait_for_pod(api, namespace, met):
    api.wait_for(f"/api/v1/namespaces/{namespace}/pods", lambda pods: pods["items"] and all(map(met, pods["items"])))


def blocked(error, by, words):
    assert error.context.get("blocked by") == by, error.text
    assert words in error.context["message"], error.text
    return True


QUOTA = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}
LIMITS = {
    "metadata": {"name": "l"},
    "spec": {"limits": [{"type": "Container", "max": {"cpu": "100m"}, "default": {"cpu": "100m"}, "defaultRequest": {"cpu": "50m"}}]},
}
BIG = ", resources: {limits: {cpu: 1}}"
KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job"]


def on(kind):
    return f"{kind.lower()}/w"


def spec_of(kind):
    return "" if kind in ("DaemonSet", "Job") else "replicas: 1,"


def pod_of(kind):
    return "restartPolicy: Never, " if kind == "Job" else ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_quota_is_reported_and_is_final_only_with_fail_fast(kind, library, api, namespace):
    schedulable_node(api)
    api.create(f"/api/v1/namespaces/{namespace}/resourcequotas", QUOTA)
    api.wait_for(f"/api/v1/namespaces/{namespace}/resourcequotas/q", lambda quota: quota["status"].get("hard"))
    library.apply(workload(kind, spec=spec_of(kind), pod=pod_of(kind)), namespace=namespace)
    wait_for_words(api, namespace, kind, "exceeded quota: q")
    error = library.refused("rollout", on(kind), namespace=namespace, seconds=4)
    assert error.kind == "deadline_exceeded" and blocked(error, "quota", "exceeded quota: q")
    error = library.refused("rollout", on(kind), namespace=namespace, seconds=60, fail_fast=True)
    assert error.kind == "operation_failed" and error.seconds < SOON and blocked(error, "quota", "exceeded quota: q")


@pytest.mark.parametrize("kind", KINDS)
def test_admission_that_rejects_the_pods_ends_the_wait(kind, library, api, make_namespace):
    schedulable_node(api)
    namespace = make_namespace({"pod-security.kubernetes.io/enforce": "restricted"})
    error = refused(library, namespace, workload(kind, spec=spec_of(kind), pod=pod_of(kind)), on(kind))
    assert error.kind == "operation_failed" and error.seconds < SOON
    assert blocked(error, "rejected", 'violates PodSecurity "restricted:latest"')


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_range_ends_the_wait(kind, library, api, namespace):
    schedulable_node(api)
    api.create(f"/api/v1/namespaces/{namespace}/limitranges", LIMITS)
    # Admission reads it through a cache.
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx:1", "resources": {"limits": {"cpu": 1}}}]}}
    until(lambda: api.call("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod), lambda found: found[0] == 403)
    error = refused(library, namespace, workload(kind, spec=spec_of(kind), pod=pod_of(kind), more=BIG), on(kind))
    assert error.kind == "operation_failed" and error.seconds < SOON
    assert blocked(error, "rejected", "maximum cpu usage per Container is 100m")


def test_a_missing_service_account(library, namespace):
    text = workload(pod="serviceAccountName: nobody, ")
    error = refused(library, namespace, text, fail_fast=True)
    assert error.kind == "operation_failed" and blocked(error, "missing_config", 'serviceaccount "nobody" not found')


def test_pods_that_fit_no_node(library, api, namespace):
    schedulable_node(api)
    library.apply(workload(pod="nodeSelector: {disk: none}, "), namespace=namespace)
    wait_for_pod(api, namespace, lambda pod: pod["status"].get("conditions"))
    error = library.refused("rollout", "w", namespace=namespace, seconds=4)
    assert error.kind == "deadline_exceeded" and blocked(error, "unschedulable", "nodes are available")


@pytest.mark.parametrize(
    "status, by, words",
    [
        (container(waiting("CreateContainerConfigError", 'configmap "nope" not found')), "missing_config", 'configmap "nope"'),
        (
            container(waiting("CrashLoopBackOff", "back-off 10s"), restarts=2, last=terminated(3, "Error")),
            "crash_loop",
            "container c0 exited with code 3 (Error)",
        ),
        (container(waiting("RunContainerError", "exec: no such file")), "container_error", "no such file"),
    ],
)
def test_a_container_that_does_not_start(status, by, words, library, api, namespace):
    with kubelet(api, namespace, status_of("Pending", [status])):
        library.apply(workload(), namespace=namespace)
        wait_for_pod(api, namespace, lambda pod: "containerStatuses" in pod["status"])
        error = library.refused("rollout", "w", namespace=namespace, seconds=4)
        assert error.kind == "deadline_exceeded" and blocked(error, by, words)
        response = library.call("rollout", "w", namespace=namespace, seconds=3)
        assert any(words in event for event in response["events"]), response


def test_a_paused_deployment(library, api, kubectl, namespace):
    with kubelet(api, namespace, READY):
        library.apply(workload(), namespace=namespace)
        assert library("rollout", "w", namespace=namespace, seconds=120) == {"ready": 1, "wanted": 1}
        error = refused(library, namespace, workload(spec="replicas: 1, paused: true,", more=", env: [{name: A, value: b}]"))
        assert error.kind == "operation_failed" and error.seconds < SOON and "paused" in error.text
        kubectl("rollout", "resume", "deployment/w", "-n", namespace)
        assert library("rollout", "w", namespace=namespace, seconds=120)["ready"] == 1


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Deployment"])
def test_a_rollout_ends_when_kubectl_says_so(kind, library, api, kubectl, namespace):
    with kubelet(api, namespace, READY):
        for image in ("nginx:1", "nginx:2"):
            library.apply(workload(kind, spec=spec_of(kind)).replace("nginx:1", image), namespace=namespace)
            ended = library("rollout", on(kind), namespace=namespace, seconds=120)
            assert ended["ready"] == ended["wanted"] >= 1
            kubectl("rollout", "status", on(kind), "-n", namespace, "--watch=false")
            pods = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
            images = {pod["spec"]["containers"][0]["image"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}
            assert images == {image}


def test_a_job(library, api, namespace):
    text = workload("Job", spec="completions: 2, parallelism: 2,", pod="restartPolicy: Never, ")
    with kubelet(api, namespace, status_of("Succeeded", [container(terminated(0, "Completed"))])):
        library.apply(text, namespace=namespace)
        assert library("rollout", "job/w", namespace=namespace, seconds=120) == {"ready": 2, "wanted": 2}


def test_a_job_that_fails(library, api, namespace):
    text = workload("Job", spec="backoffLimit: 0,", pod="restartPolicy: Never, ")
    with kubelet(api, namespace, status_of("Failed", [container(terminated(3, "Error"))])):
        error = refused(library, namespace, text, "job/w", seconds=120)
        assert error.kind == "operation_failed" and error.context["Kubernetes says"].startswith("BackoffLimitExceeded: ")
        assert blocked(error, "crash_loop", "container c0 exited with code 3 (Error)")


def test_a_deployment_is_not_judged_by_the_pods_of_another(library, api, namespace):
    schedulable_node(api)
    library.apply(workload(name="other", pod="nodeSelector: {disk: none}, "), namespace=namespace)
    with kubelet(api, namespace, READY):
        library.apply(workload(), namespace=namespace)
        assert library("rollout", "w", namespace=namespace, seconds=120) == {"ready": 1, "wanted": 1}
    error = library.refused("rollout", "other", namespace=namespace, seconds=3)
    assert error.context["ready"] == "0/1" and blocked(error, "unschedulable", "nodes are available")


def test_a_caller_who_may_only_read_the_deployment(reader, library, api, namespace):
    with kubelet(api, namespace, READY):
        library.apply(workload(), namespace=namespace)
        allow(api, namespace, [rule("apps", "deployments", "get", "list", "watch")])
        assert reader("rollout", "w", namespace=namespace, seconds=120) == {"ready": 1, "wanted": 1}
