"""The same requests to the real API server and to the emulator's, and how their responses differ."""

import concurrent.futures
import json
import re
import time

from arm import Arm
from kubeconfig import sender

MEDIA = {
    "json": "application/json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "patch": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
    "yaml": "application/yaml",
}

# What is different in every run, and what stands for it.
VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b"), "<time>"),
    # The suffix of a generated name, and the hash of a pod template with it.
    (re.compile(r"\b(gen|web|sts|ds|job|second|rs)-[bcdfghjklmnpqrstvwxz2456789]{8,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?\b"), r"\1-<hash>"),
    (re.compile(r"\b(gen|task(-\d)?)-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), r"\1-<hash>"),
    (re.compile(r"\bkube-api-access-[a-z0-9]{5}\b"), "kube-api-access-<hash>"),
    # Go's form of a whole object, with addresses in memory. go-cmp chooses the kind of blank before it when a process starts.
    (re.compile(r"\s*core\.Pod(Template)?Spec\{.*\}", re.DOTALL), " <pod>"),
    # The whole object that a patch led to, with the order of fields of each server.
    (re.compile(r'Invalid value: "\{.*\}": ', re.DOTALL), 'Invalid value: "<object>": '),
    # An address in the memory of the server.
    (re.compile(r"\(0x[0-9a-f]+\)"), "(<pointer>)"),
    (re.compile(r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n?", re.DOTALL), "<certificate>"),
    (re.compile(r"\b10\.0\.\d+\.\d+\b"), "<address>"),
)
# Fields with a value of each server, wherever they are.
OWN = {"resourceVersion": "<version>", "pod-template-hash": "<hash>", "continue": "<token>", "nodePort": "<port>"}
# How the real server was built, not what it does.
OWN |= {name: f"<{name}>" for name in ("buildDate", "gitCommit", "gitTreeState", "goVersion")}


# Controllers write these too.
CONTROLLED = re.compile(
    r"/apis?/[^?]+/(deployments|statefulsets|daemonsets|replicasets|jobs|poddisruptionbudgets|resourcequotas|persistentvolumes|pods)/[^/?]+"
)
# How long an object has to stay as it is to count as left alone, and how long a wait takes at most, in seconds.
STILL, PATIENCE = 0.4, 60
# After the first difference the run has failed: the waits for others are short.
IMPATIENCE = 5


# The plural of the kind that a path is about.
PLURAL = re.compile(r"/apis?/(?:[^/]+/)?v\d\w*(?:/namespaces/[^/?]+)?/(\w+)")


def status_of(body):
    """The status of an object; empty if it has none, and for a response that is no object."""
    status = body.get("status") if isinstance(body, dict) else None
    return status if isinstance(status, dict) else {}


def observed(body):
    return status_of(body).get("observedGeneration") == body["metadata"]["generation"]


# Whether the controller of a kind has seen an object. Before, equal responses of both servers mean nothing.
SEEN = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "PodDisruptionBudget"), observed),
    "Job": lambda job: "startTime" in status_of(job) or "conditions" in status_of(job),
    "ResourceQuota": lambda quota: status_of(quota).get("hard") == quota["spec"].get("hard") and "used" in status_of(quota),
    "PersistentVolume": lambda volume: status_of(volume).get("phase", "Pending") != "Pending",
    # By the scheduler.
    "Pod": lambda pod: any(one["type"] == "PodScheduled" for one in status_of(pod).get("conditions") or []),
}


def seen(body):
    """Whether controllers have seen an object, or each object of a list. Whatever does not exist needs none."""
    if not isinstance(body, dict):
        return True
    kind = body.get("kind", "")
    if "items" in body:
        return all(seen(one | {"kind": kind.removesuffix("List")}) for one in body["items"])
    return SEEN.get(kind, lambda _: True)(body)


def steady(response):
    """A response without the version of a list, which is that of the whole database."""
    body = response["body"]
    return response | {"body": body | {"metadata": None}} if isinstance(body, dict) and "items" in body else response


class Server:
    """One of the two."""

    def __init__(self, send):
        self.send = send

    def call(self, method, path, body=None, kind="json", headers=None):
        """Status, warnings and body of a response; JSON is read."""
        data = body if body is None or isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        sent = {"User-Agent": "exchange/1"} | ({} if data is None else {"Content-Type": MEDIA.get(kind, kind)})
        status, headers, answer = self.send(method, path, data, sent | (headers or {}))
        text = answer.decode()
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        return {"status": status, "warnings": headers.get_all("Warning") or [], "body": body}


def real_server(plane):
    return Server(plane.request)


def emulated_server(emulator, version):
    """The administrator's view of one cluster of a Kubernetes version."""
    arm = Arm(emulator)
    arm.group("group")
    arm.cluster("group", "dev", nodes=1, version=version)
    return Server(sender(arm.kubeconfig("group", "dev"), emulator.proxy))


def comparable(value, field=""):
    """A response without what is different in every run."""
    if field in OWN and (value or field.startswith("git")):
        return OWN[field]
    if isinstance(value, dict):
        # Among the names of managed fields are keys of lists, such as a uid.
        return {comparable(name): comparable(one, name) for name, one in value.items()}
    if isinstance(value, list):
        if field == "managedFields":
            key = lambda entry: (entry["manager"], entry["operation"], entry.get("subresource", ""))  # noqa: E731
            value = sorted(value, key=key)
        if field == "causes":
            # The real server goes through the owners of fields in the order of a Go map, which is random.
            value = sorted(value, key=lambda cause: (cause.get("field", ""), cause.get("message", "")))
        if field == "conditions":
            value = sorted(value, key=lambda condition: condition["type"])
        return [comparable(one) for one in value]
    if isinstance(value, str):
        for pattern, word in VARYING:
            value = pattern.sub(word, value)
    return value


def differences(real, emulated, path=""):
    """Each field that differs: its path, and both values; None for a field that is absent."""
    if isinstance(real, dict) and isinstance(emulated, dict):
        for name in sorted(real.keys() | emulated.keys()):
            yield from differences(real.get(name), emulated.get(name), f"{path}.{name}" if path else name)
    elif isinstance(real, list) and isinstance(emulated, list) and len(real) == len(emulated):
        for index, (one, other) in enumerate(zip(real, emulated)):
            yield from differences(one, other, f"{path}[{index}]")
    elif real != emulated:
        yield path, real, emulated


def summary(response):
    body = response["body"]
    is_status = isinstance(body, dict) and body.get("kind") == "Status"
    return f"{response['status']} {body.get('message', '')}".strip() if is_status else str(response["status"])


class Both:
    """Sends requests to both servers and keeps what differs."""

    def __init__(self, real, emulated, log=lambda: ""):
        self.servers = (real, emulated)
        # What an error of a wait shows beside the last state.
        self.log = log
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        # By the name of the request: what differs.
        self.compared = {}
        # By the name of the request: method and plural of the kind.
        self.sent = {}
        self.scenario = ""

    def __call__(self, name, method, path, body=None, kind="json", **headers):
        """One request to both; returns their bodies. A tuple has a body for each server."""
        assert method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        written = CONTROLLED.match(path)
        if written and method in ("PATCH", "PUT", "DELETE"):
            # Otherwise the response depends on how far controllers are.
            self.settle(written.group())
        bodies = body if isinstance(body, tuple) else (body, body)
        responses = [server.call(method, path, one, kind, headers) for server, one in zip(self.servers, bodies)]
        return self.compare(name, method, path, responses)

    def settled(self, name, path, *met):
        """A GET once controllers are done."""
        return self.compare(name, "GET", path, self.wait(path, *met))

    def settle(self, path, *met, **request):
        """Waits. The state that it ends in is compared, too."""
        responses = self.wait(path, *met, **request)
        if comparable(responses[0]) != comparable(responses[1]):
            self.compare(f"{len(self.compared)}, waiting for {path}", "GET", path, responses)

    def wait(self, path, met=lambda _: True, method="GET", body=None, still=STILL):
        """Repeats a request that changes nothing until controllers have seen the objects on both servers, `met` is true of both, the
        servers respond alike, and have done so for a moment. Their responses; if they stay different, the last ones."""
        begun, before, since = time.monotonic(), None, 0
        patience = IMPATIENCE if any(self.compared.values()) else PATIENCE
        while True:
            responses = list(self.pool.map(lambda server: server.call(method, path, body), self.servers))
            ready = all(seen(response["body"]) and met(response["body"]) for response in responses)
            now = [steady(response) for response in responses]
            if now != before or not ready:
                before, since = now, time.monotonic()
            # No controller writes to an object that does not exist.
            left_alone = time.monotonic() - since >= still or all(response["status"] == 404 for response in responses)
            if ready and left_alone and comparable(responses[0]) == comparable(responses[1]):
                return responses
            waited = time.monotonic() - begun
            if ready and waited > patience:
                return responses
            if waited > PATIENCE:
                real, emulated = (json.dumps(response)[:3000] for response in responses)
                raise TimeoutError(f"{self.scenario}: {method} {path} does not get ready\nreal: {real}\nemulated: {emulated}\n{self.log()}")
            time.sleep(0.1)

    def compare(self, name, method, path, responses):
        name = f"{self.scenario}: {name}"
        assert name not in self.compared, name
        plural = PLURAL.match(path)
        self.sent[name] = (method, plural and plural.group(1))
        real, emulated = [comparable(response) for response in responses]
        if real["status"] != emulated["status"]:
            # One accepts what the other refuses: then nothing in the bodies compares.
            self.compared[name] = [("status", *(summary(response) for response in (real, emulated)))]
        else:
            self.compared[name] = list(differences(real, emulated))
        return tuple(response["body"] for response in responses)

    def quietly(self, method, path, body=None, kind="json"):
        """A request that prepares others; it has to succeed on both."""
        for server in self.servers:
            response = server.call(method, path, body, kind)
            assert response["status"] < 300, response

    def found(self):
        """Every difference once, with all requests that have it."""
        grouped = {}
        for name, fields in self.compared.items():
            for field, real, emulated in fields:
                key = json.dumps([field, real, emulated], sort_keys=True)
                grouped.setdefault(key, []).append(name)
        return {key: sorted(names) for key, names in grouped.items()}
