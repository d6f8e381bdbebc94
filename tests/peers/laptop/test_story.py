"""The story: without a grant a Deployment fails, after `attach` by the library it runs, after `detach` a new pod fails once its node has
no cached credential.

API server, controllers and scheduler are Kubernetes' own. The nodes are emulated, and pull by Azure's grants.
"""

import ipaddress
import json
import time

from conftest import CLUSTER, GROUP, HOST, IMAGE, REGISTRY

TOKEN = f"https://{HOST}/oauth2/token?scope=repository%3Ateam%2Fapp%3Apull&service={HOST}"
# As nodes of AKS write it.
REFUSED = (
    f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": failed to authorize: '
    f"failed to fetch anonymous token: unexpected status from GET request to {TOKEN}: 401 Unauthorized"
)
FAILURE = [
    ("Normal", "Pulling", f'Pulling image "{IMAGE}"'),
    ("Warning", "Failed", f'Failed to pull image "{IMAGE}": {REFUSED}'),
    ("Warning", "Failed", "Error: ErrImagePull"),
    ("Normal", "BackOff", f'Back-off pulling image "{IMAGE}"'),
    ("Warning", "Failed", "Error: ImagePullBackOff"),
]
SUCCESS = ["Pulled", "Created", "Started"]


def manifest(name, replicas):
    container = {"name": "c", "image": IMAGE, "imagePullPolicy": "Always"}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})


def pod(name, node):
    container = {"name": "c", "image": IMAGE, "imagePullPolicy": "Always"}
    spec = {"nodeName": node, "containers": [container]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec})


def states(kubectl, name):
    return [row["STATUS"] for row in kubectl.rows("get", "pods", "-l", f"app={name}")]


def wait(kubectl, name, *wanted, timeout=60):
    """Waits until the pods show these statuses, in any order."""
    end = time.monotonic() + timeout
    while sorted(shown := states(kubectl, name)) != sorted(wanted):
        assert time.monotonic() < end, shown
        time.sleep(0.3)


def events(kubectl, pod, last, timeout=20):
    """The events of a pod's container, in the order in which its kubelet wrote them."""
    end = time.monotonic() + timeout
    while True:
        found = kubectl.json("get", "events", f"--field-selector=involvedObject.name={pod}")["items"]
        found = sorted((one for one in found if one["involvedObject"].get("fieldPath")), key=lambda one: int(one["metadata"]["resourceVersion"]))
        listed = [(one["type"], one["reason"], one["message"]) for one in found]
        if any(last in one for one in listed):
            return listed
        assert time.monotonic() < end, listed
        time.sleep(0.2)


def test_a_grant_decides(laptop):
    kubectl, words = laptop.kubectl, (f"{GROUP}/{CLUSTER}", REGISTRY)
    # kubelet keeps a registry's credential for an hour, here for a second.
    laptop.emulator.order("POST", "timing", {"nodeCredentials": 1})

    kubectl("apply", "-f", "-", stdin=manifest("web", 2))
    wait(kubectl, "web", "ImagePullBackOff", "ImagePullBackOff")
    for pod in kubectl.json("get", "pods", "-l", "app=web")["items"]:
        assert events(kubectl, pod["metadata"]["name"], "Error: ImagePullBackOff")[:5] == FAILURE
        [status] = pod["status"]["containerStatuses"]
        assert status["state"]["waiting"]["message"] == f'Back-off pulling image "{IMAGE}": ErrImagePull: {REFUSED}'

    assert laptop.operate("attach", *words)["outcome"] == {"kind": "granted"}
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    wait(kubectl, "web", "Running", "Running")
    networks = {node["metadata"]["name"]: ipaddress.ip_network(node["spec"]["podCIDR"]) for node in kubectl.json("get", "nodes")["items"]}
    for pod in kubectl.json("get", "pods", "-l", "app=web")["items"]:
        assert ipaddress.ip_address(pod["status"]["podIP"]) in networks[pod["spec"]["nodeName"]]
    shown = laptop.operate("pods", f"{GROUP}/{CLUSTER}", "app=web")
    names = [row["NAME"] for row in kubectl.rows("get", "pods", "-l", "app=web")]
    assert len(names) == 2 and all(name in json.dumps(shown) for name in names)
    assert [one[1] for one in events(kubectl, names[0], "Started")][-3:] == SUCCESS
    assert kubectl("logs", names[0]).startswith(f"c: started from {HOST}/team/app@sha256:")

    assert laptop.operate("detach", *words)["outcome"] == "removed"
    time.sleep(1.5)
    kubectl("scale", "deployment/web", "--replicas=3")
    # What runs goes on running; the third pod does not start.
    wait(kubectl, "web", "ImagePullBackOff", "Running", "Running")


def test_an_event_that_is_gone_is_written_again(laptop):
    kubectl = laptop.kubectl
    kubectl("apply", "-f", "-", stdin=manifest("again", 1))
    wait(kubectl, "again", "ImagePullBackOff")
    [pod] = kubectl.json("get", "pods", "-l", "app=again")["items"]
    selector = f"--field-selector=involvedObject.name={pod['metadata']['name']},reason=BackOff"
    kubectl("delete", "events", selector)
    end = time.monotonic() + 40
    while not (found := kubectl.json("get", "events", selector)["items"]):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert [one["count"] > 1 for one in found] == [True]


def test_a_cached_credential_outlives_the_grant(laptop):
    kubectl, words = laptop.kubectl, (f"{GROUP}/{CLUSTER}", REGISTRY)
    with_cache, without = (node["metadata"]["name"] for node in kubectl.json("get", "nodes")["items"])
    laptop.emulator.order("POST", "timing", {"nodeCredentials": 3600})
    try:
        laptop.operate("attach", *words)
        kubectl("apply", "-f", "-", stdin=pod("first", with_cache))
        wait(kubectl, "first", "Running")
        laptop.operate("detach", *words)
        # The node has a credential from before.
        kubectl("apply", "-f", "-", stdin=pod("second", with_cache))
        wait(kubectl, "second", "Running")
        kubectl("apply", "-f", "-", stdin=pod("third", without))
        wait(kubectl, "third", "ImagePullBackOff")
    finally:
        laptop.emulator.order("POST", "timing", {"nodeCredentials": 1})


def test_the_library_applies_and_waits(laptop, tmp_path):
    cluster, words = f"{GROUP}/{CLUSTER}", (f"{GROUP}/{CLUSTER}", REGISTRY)
    file = tmp_path / "library.json"
    file.write_text(manifest("library", 1))
    laptop.operate("attach", *words)
    laptop.operate("apply", cluster, str(file), REGISTRY)
    assert laptop.operate("rollout", cluster, "library")["ready"] == 1
    laptop.operate("detach", *words)
