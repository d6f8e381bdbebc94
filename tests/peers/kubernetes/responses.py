"""The same requests to each version of Kubernetes, and the responses without what differs in each run."""

import json
import re

from manifests import CLUSTER_WIDE, NAMESPACED, definition
from test_refusals import SCHEMA, VALIDATION

# Their resources are listed: what a server offers and what can be done with it.
GROUPS = [
    "/api/v1",
    "/apis/admissionregistration.k8s.io/v1",
    "/apis/apiextensions.k8s.io/v1",
    "/apis/apps/v1",
    "/apis/authorization.k8s.io/v1",
    "/apis/autoscaling/v2",
    "/apis/batch/v1",
    "/apis/coordination.k8s.io/v1",
    "/apis/events.k8s.io/v1",
    "/apis/networking.k8s.io/v1",
    "/apis/node.k8s.io/v1",
    "/apis/policy/v1",
    "/apis/rbac.authorization.k8s.io/v1",
    "/apis/scheduling.k8s.io/v1",
    "/apis/storage.k8s.io/v1",
]
PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies", "ValidatingAdmissionPolicy": "validatingadmissionpolicies"}
PLURALS |= {name: name.lower() + "es" for name in ("PriorityClass", "StorageClass", "RuntimeClass")}
APPLY = "application/apply-patch+yaml"
POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}
ACCESS = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def first(pattern, text):
    return re.search(pattern, text)[1]


def applied(text, namespace):
    """The request that applies one object of a manifest, as a dry run."""
    version, kind, name = (first(rf"\b{field}: ([^,}}\s]+)", text) for field in ("apiVersion", "kind", "name"))
    resource = PLURALS.get(kind, kind.lower() + "s")
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    within = f"/namespaces/{namespace}" if namespace else ""
    return "PATCH", f"{base}{within}/{resource}/{name}?fieldManager=aks-acr&dryRun=All", text, APPLY


def requests(namespace):
    """Name, then method, path, body and content type, then the user and more headers."""
    base = f"/api/v1/namespaces/{namespace}"
    json_type = "application/json"
    yield "groups", ("GET", "/apis")
    yield "versions", ("GET", "/api")
    for group in GROUPS:
        yield f"resources of {group}", ("GET", group)
    for kind, text in NAMESPACED.items():
        if kind != "List":
            yield f"apply {kind}", applied(text, namespace)
    for kind, text in CLUSTER_WIDE.items():
        yield f"apply {kind}", applied(text.replace("{n}", "x"), "")
    crd = definition("answers.example")
    name = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.answers.example"
    yield "apply CustomResourceDefinition", ("PATCH", name + "?fieldManager=aks-acr&dryRun=All", crd, APPLY)
    for case, (text, _) in SCHEMA.items():
        yield f"apply {case}", applied(text, namespace)
    for case, text in VALIDATION.items():
        yield f"apply {case}", applied(text, namespace)
    yield "a missing pod", ("GET", f"{base}/pods/nobody")
    yield "a missing namespace", ("POST", "/api/v1/namespaces/nowhere/pods", POD, json_type)
    yield "a missing group", ("GET", "/apis/nobody.example/v1/things")
    yield "a missing resource", ("GET", "/apis/apps/v1/things")
    yield "no permission to read", ("GET", f"{base}/pods", None, None, "reader")
    yield "no permission to apply", (*applied(NAMESPACED["Deployment"], namespace), "reader")
    yield "no permission at all", ("GET", "/api/v1/nodes", None, None, "reader")
    yield "whether the caller may", ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ACCESS, json_type, "reader")
    yield "create a pod", ("POST", f"{base}/pods?dryRun=All", POD, json_type)
    yield "create what exists", ("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}, json_type)
    yield "create without a name", ("POST", f"{base}/pods?dryRun=All", {"spec": POD["spec"]}, json_type)
    yield "create another kind", ("POST", f"{base}/pods?dryRun=All", {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s"}}, json_type)
    yield "create with an unknown field", ("POST", f"{base}/pods?dryRun=All&fieldValidation=Strict", POD | {"speck": 1}, json_type)
    yield "apply without a field manager", ("PATCH", f"{base}/configmaps/c", "{apiVersion: v1, kind: ConfigMap}", APPLY)
    yield "apply invalid YAML", ("PATCH", f"{base}/configmaps/c?fieldManager=a", "{", APPLY)
    old = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, resourceVersion: '1'}}"
    yield "apply an old version", ("PATCH", f"{base}/serviceaccounts/default?fieldManager=a&dryRun=All", old, APPLY)
    yield "an unknown media type", ("POST", f"{base}/pods", "x", "text/plain")
    yield "an unknown patch type", ("PATCH", f"{base}/configmaps/c", "x", "text/plain")
    yield "a bad label selector", ("GET", f"{base}/pods?labelSelector=a%20b")
    yield "a bad field selector", ("GET", f"{base}/pods?fieldSelector=spec.nobody%3Da")
    yield "a bad continue token", ("GET", f"{base}/pods?limit=1&continue=x")
    yield "a bad limit", ("GET", f"{base}/pods?limit=x")
    yield "a version of the future", ("GET", f"{base}/pods?resourceVersion=99999999999&timeoutSeconds=1")
    yield "a table of pods", ("GET", f"{base}/pods", None, None, "admin", TABLE)
    yield "delete a missing pod", ("DELETE", f"{base}/pods/nobody")
    yield "a method that is not allowed", ("PUT", f"{base}/pods", POD, json_type)


VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "time", "storageVersionHash", "fieldsV1", "clusterIP", "clusterIPs"}
VOLATILE |= {"serverAddress"}
PATTERNS = [
    (re.compile(r"kube-api-access-\w{5}"), "kube-api-access-…"),
    # A dry run of a Job makes up its uid too.
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    # The revision of the server's database.
    (re.compile(r"(current: )\d+"), r"\1N"),
]


def plain(value, namespace):
    """A value without what differs in each run."""
    if isinstance(value, dict):
        return {key: plain(inner, namespace) for key, inner in sorted(value.items()) if key not in VOLATILE}
    if isinstance(value, list):
        return [plain(inner, namespace) for inner in value]
    if isinstance(value, str):
        for pattern, shown in PATTERNS:
            value = pattern.sub(shown, value)
        return value.replace(namespace, "NAMESPACE")
    return value


def described(name, body):
    """The lists of discovery by name: their order is of no meaning. Tests define groups of their own, which end in `.example`."""
    if name.startswith("resources of"):
        return {one["name"]: one | {"name": None} for one in body["resources"]}
    if name == "groups":
        return {one["name"]: [version["version"] for version in one["versions"]] for one in body["groups"] if not one["name"].endswith(".example")}
    return body


def responses(plane, namespace):
    """The status and the body of each request."""
    found = {}
    for name, request in requests(namespace):
        method, path, body, kind, user, more = (*request, *(None,) * 6)[:6]
        text = body if isinstance(body, (str, type(None))) else json.dumps(body)
        headers = ({"Content-Type": kind} if kind else {}) | (more or {})
        status, _, answer = plane.request(method, path, text, headers, user or "admin")
        try:
            body = described(name, json.loads(answer))
        except ValueError:
            body = answer.decode()
        found[name] = {"status": status, "body": plain(body, namespace)}
    return found


def fields(value, path=""):
    """Each field of a value with its path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not inner:
        yield path, value
    for key, part in inner:
        yield from fields(part, f"{path}/{key}")


def differences(before, after):
    """The fields that differ, for each request: both values, `null` where a version has no such field."""
    found = {}
    for name in sorted(before.keys() | after.keys()):
        left, right = (dict(fields(side.get(name, {}))) for side in (before, after))
        changed = {
            path: [left.get(path), right.get(path)] for path in sorted(left.keys() | right.keys()) if left.get(path) != right.get(path)
        }
        if changed:
            found[name] = changed
    return found
