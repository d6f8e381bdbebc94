"""The story: without a grant a Deployment fails, after `attach` by the library it runs, after `detach` a new pod fails.

Between `detach` and the failure is what AKS's nodes do, too: kubelet keeps a registry's credential. Here it keeps this one for
KEPT seconds, not for an hour.
"""

import os
import pathlib
import time

from causes import NAMESPACE
from cloud import CLUSTER, GROUP
from conftest import ready
from program import Kubectl

KEPT = 30
# Between two reads. Each is a connection of its own, and the machine has other nodes to run.
PAUSE = 0.3
HOST = "storyregistry.azurecr.io"
IMAGE = f"{HOST}/team/app:v1"
SCENE = {
    "registries": [{"group": GROUP, "name": "storyregistry"}],
    "clusters": [{"group": GROUP, "name": CLUSTER, "nodes": [{"name": "aks-nodepool1-12345678-vmss000000"}]}],
    # A scene's image runs a program that waits.
    "images": [{"name": IMAGE}],
}
TOKEN = f"https://{HOST}/oauth2/token?scope=repository%3Ateam%2Fapp%3Apull&service={HOST}"


def refused(containerd):
    """As nodes of AKS write it, with this version of containerd."""
    resolve = "failed to resolve image" if containerd == "2.4" else f'failed to resolve reference "{IMAGE}"'
    return (
        f'failed to pull and unpack image "{IMAGE}": {resolve}: failed to authorize: failed to fetch anonymous token: '
        f"unexpected status from GET request to {TOKEN}: 401 Unauthorized"
    )


def failure(text):
    """The events of a pull that failed."""
    return [
        ("Normal", "Pulling", f'Pulling image "{IMAGE}"'),
        ("Warning", "Failed", f'Failed to pull image "{IMAGE}": {text}'),
        ("Warning", "Failed", "Error: ErrImagePull"),
        ("Normal", "BackOff", f'Back-off pulling image "{IMAGE}"'),
        ("Warning", "Failed", "Error: ImagePullBackOff"),
    ]


def template(name):
    container = {"name": "c", "image": IMAGE, "imagePullPolicy": "Always"}
    spec = {"automountServiceAccountToken": False, "containers": [container], "terminationGracePeriodSeconds": 0}
    return {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


class Pods:
    """Pods in the real Kubernetes, by the label `app`."""

    def __init__(self, call, kubectl, say):
        self.call, self.program, self.say = call, kubectl, say

    def deploy(self, name, replicas):
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name)}
        self.call("POST", "/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": name}, "spec": spec})

    def create(self, name):
        self.call("POST", f"{NAMESPACE}/pods", template(name))

    def all(self, name):
        return self.call("GET", f"{NAMESPACE}/pods?labelSelector=app%3D{name}")["items"]

    def states(self, name):
        """Reason and message of each pod's container."""
        found = []
        for pod in self.all(name):
            for status in pod["status"].get("containerStatuses") or []:
                [(kind, state)] = status["state"].items()
                found.append((state.get("reason", kind), state.get("message", "")))
        return found

    def wait(self, name, reason, count=1, timeout=180):
        """Waits until all pods are in a state; its messages."""
        end = time.monotonic() + timeout
        while [state for state, _ in self.states(name)] != [reason] * count:
            assert time.monotonic() < end, self.states(name)
            time.sleep(PAUSE)
        self.kubectl("get", "pods")
        return [message for _, message in self.states(name)]

    def events(self, pod, reason, timeout=60):
        """The events of a pod's container in their order, once there is one with this reason or message."""
        end = time.monotonic() + timeout
        while True:
            events = self.call("GET", f"{NAMESPACE}/events?fieldSelector=involvedObject.name={pod}")["items"]
            events = [one for one in events if one["involvedObject"].get("fieldPath")]
            events.sort(key=lambda one: int(one["metadata"]["name"].rsplit(".", 1)[1], 16))
            listed = [(one["type"], one["reason"], one["message"]) for one in events]
            if any(reason in one for one in listed):
                return listed
            assert time.monotonic() < end, listed
            time.sleep(PAUSE)

    def kubectl(self, *words):
        self.say(f"$ kubectl {' '.join(words)}\n{self.program(*words).rstrip()}")


def fails(pods, name, text):
    """A new pod fails as those before the grant."""
    pods.create(name)
    assert pods.wait(name, "ImagePullBackOff") == [f'Back-off pulling image "{IMAGE}": ErrImagePull: {text}']
    assert pods.events(name, "Error: ImagePullBackOff") == failure(text)


def exchanges(azure, since):
    """What the registry answered to exchanges."""
    return [one["status"] for one in azure.emulator.requests(since) if one["path"] == "/oauth2/exchange"]


def identities(azure, since):
    """For which identities of the node its endpoint gave a token."""
    return {one["caller"] for one in azure.emulator.requests(since) if one["host"] == "169.254.169.254" and one["from"] == "node"}


def end_kubelet():
    """Ends kubelet, which is started again, as on a node of AKS: it forgets credentials. Containers keep running."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if words[0] == "kubelet":
            found.append(int(entry.name))
    [kubelet] = found
    os.kill(kubelet, 9)


def test_a_grant_decides_and_a_cached_credential_outlives_it(real, versions, programs, tmp_path, say):
    words, text = (f"{GROUP}/{CLUSTER}", "storyregistry"), refused(versions["containerd"])
    library = os.environ["AKS_ACR_OPERATE_BIN"]
    with real(SCENE, tmp_path) as azure:
        call = ready(azure)
        kubectl = Kubectl(azure.emulator, azure.owner.kubeconfig(GROUP, CLUSTER), programs)
        pods = Pods(call, kubectl, say)
        azure.emulator.order("POST", "timing", {"nodeCredentials": KEPT})
        pods.kubectl("get", "nodes", "-o", "wide")

        say("# no grant")
        pods.deploy("web", 2)
        assert pods.wait("web", "ImagePullBackOff", 2) == [f'Back-off pulling image "{IMAGE}": ErrImagePull: {text}'] * 2
        for pod in pods.all("web"):
            assert pods.events(pod["metadata"]["name"], "Error: ImagePullBackOff") == failure(text)
        say("\n".join(" ".join(event) for event in failure(text)))
        assert set(exchanges(azure, 0)) == {401}
        assert identities(azure, 0) == {azure.kubelet["name"]}

        say("# attach")
        mark = azure.emulator.mark()
        assert azure.operate(library, "attach", *words)["outcome"] == {"kind": "granted"}
        pods.wait("web", "running", 2)
        until = time.monotonic() + KEPT
        assert exchanges(azure, mark).count(200) >= 1
        # The API server gets to kubelet; the program writes nothing.
        assert kubectl("logs", "deployment/web") == ""

        say(f"# detach; kubelet keeps its credential for {KEPT} s (on AKS: an hour), and does not ask for another")
        mark = azure.emulator.mark()
        assert azure.operate(library, "detach", *words)["outcome"] == "removed"
        pods.create("soon")
        pods.wait("soon", "running")
        assert exchanges(azure, mark) == []

        say("# the credential has expired")
        time.sleep(max(0, until - time.monotonic()))
        mark = azure.emulator.mark()
        fails(pods, "later", text)
        assert set(exchanges(azure, mark)) == {401}

        say("# attach and detach again; kubelet is restarted, and its credential is gone")
        azure.emulator.order("POST", "timing", {"nodeCredentials": 3600})
        assert azure.operate(library, "attach", *words)["outcome"] == {"kind": "granted"}
        pods.wait("later", "running")
        assert azure.operate(library, "detach", *words)["outcome"] == "removed"
        end_kubelet()
        fails(pods, "last", text)
        # What runs, keeps running.
        assert pods.states("web") == [("running", "")] * 2
        assert azure.emulator.complaints() == ""
