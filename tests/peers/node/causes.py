"""The causes of `tests/vectors/node_causes.json`: one scene with all of them, and what pods of them come to.

Each cause has its own registry, so that one emulator and one real node serve all of them at once.
"""

import base64
import json
import pathlib
import re
from concurrent.futures import ThreadPoolExecutor

from arm import ASSIGNMENT_VERSION
from cloud import CLUSTER, GROUP

PATH = pathlib.Path(__file__).parents[2] / "vectors" / "node_causes.json"
# All that is not equal, with the reasons.
DIFFERENCES = json.loads(pathlib.Path(__file__).with_name("differences.json").read_text())
REPEATED = [event for one in DIFFERENCES["counts"] for event in one["events"]]
NAMESPACE = "/api/v1/namespaces/default"
SIZE = re.compile(r"Image size: \d+ bytes")
# For how long kubelet keeps the credential of a cause that waits for its end.
SHORT, HOUR = 20, 3600


def read():
    return json.loads(PATH.read_text())


def scene(causes, versions):
    """One scene with the parts of all, and a cluster of these versions."""
    whole = {"registries": [], "images": [], "upstreams": []}
    for cause in causes:
        for part, ones in cause["scene"].items():
            whole[part] += ones
    nodes = [{"name": "aks-nodepool1-12345678-vmss000000"}]
    cluster = {"group": GROUP, "name": CLUSTER, "version": versions["kubelet"], "containerd": versions["containerd"], "nodes": nodes}
    return whole | {"clusters": [cluster]}


def host(cause):
    return cause["image"].split("/")[0]


def of_versions(cause, versions):
    """What the file has for these versions, or nothing."""
    return next((one for one in cause["outcomes"] if versions.items() <= one.items()), {})


def noted(cause, outcome, versions):
    """A cause with the outcome of these versions."""
    others = [one for one in cause["outcomes"] if not versions.items() <= one.items()]
    outcomes = sorted([*others, versions | without_size(outcome)], key=lambda one: one["kubelet"])
    return cause | {"outcomes": outcomes}


class Clusters:
    """The pods of the causes in one Kubernetes, whose nodes belong to one emulated Azure."""

    def __init__(self, azure, call, turn, turns, moment):
        self.azure, self.call, self.turn, self.turns, self.moment = azure, call, turn, turns, moment
        self.grants, self.changes, self.reports = {}, [], {}
        # A list might miss what lasts for a moment.
        for kind in ("pods", "events"):
            call.watch(f"{NAMESPACE}/{kind}", lambda object, kind=kind: self.changes.append((kind, object)))

    def prepare(self, causes, image):
        """Grants, images with a program, faults: what a scene does not have."""
        for cause in causes:
            for registry in cause.get("pushed", []):
                image.push(self.azure, f"{registry}.azurecr.io", "team/app", "v1", *self.azure.owner.admin(GROUP, registry))
            for role, registry in cause.get("grants", []):
                scope = self.azure.owner.registry_id(GROUP, registry)
                self.grants[registry] = self.azure.owner.assign(scope, role, self.azure.kubelet["objectId"])["id"]
            for fault in cause.get("faults", []):
                self.azure.emulator.order("POST", "fault", fault | {"times": 1000})

    def run(self, causes, expire, at_once):
        """What the pods come to, after those that a cause has first.

        `expire` lets credentials expire that kubelet keeps for SHORT seconds; `at_once` says that others are kept meanwhile.
        """
        numbered = {f"p{number}": cause for number, cause in enumerate(causes)}
        first = {f"first-{name}": cause | cause["first"] for name, cause in numbered.items() if "first" in cause}
        for kept, expires in ((SHORT, True), (HOUR, False)):
            self.azure.emulator.order("POST", "timing", {"nodeCredentials": kept})
            begun = {name: cause for name, cause in first.items() if bool(cause.get("expired")) == expires}
            for name, outcome in self._pods(begun).items():
                assert outcome["states"] == [["running", ""]], (name, outcome)
        for cause in causes:
            for registry in cause.get("revoked", []):
                self.azure.owner.call("DELETE", self.grants[registry], ASSIGNMENT_VERSION)
            for registry in cause.get("switched", []):
                self.azure.owner.switch_mode(GROUP, registry, "AbacRepositoryPermissions")
        if at_once:
            self._check(causes)
        kept = {name: cause for name, cause in numbered.items() if not cause.get("expired")}
        rest = {name: cause for name, cause in numbered.items() if cause.get("expired")}
        if at_once:
            with ThreadPoolExecutor(1) as pool:
                late = pool.submit(lambda: (expire(), self._pods(rest))[1])
                found = self._pods(kept) | late.result()
        else:
            found = self._pods(kept)
            # They would go on for the time that this takes.
            self.call("DELETE", f"{NAMESPACE}/pods?gracePeriodSeconds=0")
            expire()
            found |= self._pods(rest)
        return [found[name] for name in numbered]

    def _check(self, causes):
        """What the library's `check` says of images in Azure's registries."""
        images = [one["image"] for one in causes if host(one).endswith(".azurecr.io") and one["image"].islower()]
        self.reports = dict(zip(images, self.azure.check(images)))

    def _pods(self, causes):
        watcher = Watcher(self.changes, causes, self.moment)
        for name, cause in causes.items():
            self._create(name, cause)
        while watcher.open and watcher.looks < self.turns:
            self.turn()
            watcher.look()
        if watcher.open:
            print("not done:", {causes[name]["cause"]: watcher.outcome(name) for name in watcher.open})
        found = {name: watcher.outcome(name) for name in causes}
        # kubelet waits a second for a secret, and pulls without it on a node with other work. Such a pod shows another cause.
        again = {f"{name}-again": causes[name] for name in watcher.without_secret if not name.endswith("-again" * 3)}
        if again:
            print("kubelet did not get the secret in time:", sorted(watcher.without_secret))
            found |= {name.removesuffix("-again"): outcome for name, outcome in self._pods(again).items()}
        return found

    def _create(self, name, cause):
        container = {"name": "c", "image": cause["image"], "imagePullPolicy": cause.get("policy", "Always")}
        spec = {"automountServiceAccountToken": False, "containers": [container], "terminationGracePeriodSeconds": 0}
        if cause.get("secret"):
            self.call("POST", f"{NAMESPACE}/secrets", self._secret(name, cause))
            spec["imagePullSecrets"] = [{"name": name}]
        self.call("POST", f"{NAMESPACE}/pods", {"metadata": {"name": name}, "spec": spec})

    def _secret(self, name, cause):
        given = cause["secret"]
        user, password = self.azure.owner.admin(GROUP, given["admin"]) if "admin" in given else given["user"]
        auths = {"auths": {host(cause): {"username": user, "password": password}}}
        data = {".dockerconfigjson": base64.b64encode(json.dumps(auths).encode()).decode()}
        return {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "data": data}


def without_size(outcome):
    """An outcome as the file has it: the size of a program depends on the compiler, and images of a scene have one only on real nodes."""
    return outcome | {"events": [[*e[:2], SIZE.sub("Image size: SIZE bytes", e[2]), e[3]] for e in outcome["events"]]}


def comparable(cause, outcome):
    """An outcome as it is compared with that of another node. Pushed images have the same size everywhere."""
    return outcome if "pushed" in cause else without_size(outcome)


def same(text):
    for one in DIFFERENCES["texts"]:
        text = text.replace(one["real"], one["emulated"])
    for one in DIFFERENCES["patterns"]:
        text = re.sub(one["pattern"], one["same"], text)
    return text


def moment_of_kubelet(event):
    """The first moment of an event of kubelet, which is in its name to the nanosecond."""
    return int(event["metadata"]["name"].rsplit(".", 1)[1], 16)


def second(event):
    """The first second of an event of an emulated node. Events of one second are in the order of their writes."""
    return event["firstTimestamp"]


# Why a container cannot start at all, as kubelet calls it.
REFUSED = ("InvalidImageName", "ErrImageNeverPull")


class Watcher:
    """What happens to pods until each runs or has failed twice: its states, and its events in their order."""

    def __init__(self, changes, causes, moment):
        self.changes, self.seen, self.causes, self.moment = changes, len(changes), causes, moment
        self.open, self.looks = set(causes), 0
        self.without_secret = set()
        self.states = {pod: [] for pod in causes}
        self.events = {pod: {} for pod in causes}

    def look(self):
        self.looks += 1
        changes = self.changes[self.seen :]
        self.seen += len(changes)
        for kind, object in changes:
            if kind == "events":
                self._event(object["involvedObject"], object)
                continue
            for status in object.get("status", {}).get("containerStatuses") or []:
                self._state(object["metadata"]["name"], status["state"])
        self.open -= {pod for pod in self.open if self._is_done(pod)}

    def _state(self, pod, state):
        [(kind, state)] = state.items()
        now = [state.get("reason", kind), same(state.get("message", ""))]
        if pod in self.open and now[0] != "ContainerCreating" and now not in self.states[pod]:
            self.states[pod].append(now)

    def _event(self, object, event):
        if event["reason"] == "FailedToRetrieveImagePullSecret" and object["name"] in self.causes:
            self.without_secret.add(object["name"])
        if object["name"] in self.open and object.get("fieldPath"):
            version = int(event["metadata"]["resourceVersion"])
            first = (self.moment(event), self.looks, version)
            known = self.events[object["name"]].setdefault(event["metadata"]["name"], {"first": first})
            known["event"] = event

    def _listed(self, pod):
        """The events of a pod: type, reason, message, and whether there was more than one."""
        counts = {}
        for one in sorted(self.events[pod].values(), key=lambda one: one["first"]):
            event = one["event"]
            known = event["type"], event["reason"], same(event["message"])
            # Two texts that are made equal are one event.
            counts[known] = counts.get(known, 0) + event["count"]
        events = []
        for (kind, reason, message), count in counts.items():
            # How often kubelet looks after a pod that waits is chance, and so is how often it says so.
            waits = reason in REPEATED or message in REPEATED
            # Of a cause that takes minutes only the first try is compared.
            again = count > 1 and not self.causes[pod].get("once")
            events.append([kind, reason, message, None if waits else again])
            # A scene's images have a program that runs on real nodes only.
            if reason == "Pulled" and "pushed" not in self.causes[pod]:
                break
            if message == "Error: ErrImagePull" and self.causes[pod].get("once"):
                break
        return events

    def _is_done(self, pod):
        events, states = self._listed(pod), [reason for reason, _ in self.states[pod]]
        if events and events[-1][1] == "Pulled" and "pushed" not in self.causes[pod]:
            return True
        if self.causes[pod].get("once"):
            return "ErrImagePull" in states and any(event[2] == "Error: ErrImagePull" for event in events)
        if ("ErrImagePull" in states) != ("ImagePullBackOff" in states):
            return False
        # The last event of a pull that failed.
        again = ["Warning", "Failed", "Error: ErrImagePull", True] in events
        # Events come after the state that they belong to.
        runs = "running" in states and events and events[-1][1] == "Started"
        # Of these the event with the reason of the state comes last.
        refused = any(event[2] == f"Error: {reason}" for event in events for reason in states if reason in REFUSED)
        return runs or again or refused

    def outcome(self, pod):
        events = self._listed(pod)
        is_cut = events and events[-1][1] == "Pulled" and "pushed" not in self.causes[pod]
        # Which one is seen first is chance, as both come again; their events have an order.
        once = self.causes[pod].get("once")
        states = [state for state in self.states[pod] if not once or state[0] == "ErrImagePull"]
        return {"events": events, "states": [] if is_cut else sorted(states)}
