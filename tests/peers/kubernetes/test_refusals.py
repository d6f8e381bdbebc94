"""What Kubernetes refuses: at once, with its own words, as the kind of error that a caller acts on."""

import json

import pytest

from manifests import NAMESPACED, definition, widget
from real import refused_once, until

def is_error(response):
    return "error" in response


CONTAINER = "{name: c, image: nginx}"


def pod(spec):
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {spec}}}"


def deployment(spec="", container=CONTAINER):
    return (
        f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}, spec: {{{spec} selector: {{matchLabels: {{app: a}}}}, "
        f"template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{container}]}}}}}}}}"
    )


def config_map(data):
    return f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}, {data}}}"


# Objects that do not fit the schema of their kind: the server answers 500 without a reason.
SCHEMA = {
    "an unknown field": (deployment("replicaz: 1,"), ".spec.replicaz: field not declared in schema"),
    "a field in the wrong case": (config_map("Data: {a: b}"), ".Data: field not declared in schema"),
    "a text for a number": (deployment('replicas: "two",'), "expected numeric (int or float), got string"),
    "a text for a boolean": (deployment('paused: "yes",'), ".spec.paused: expected boolean"),
    "a number for a text": (config_map("data: {a: 1}"), ".data.a: expected string"),
    "a boolean for a text": (pod("{containers: [{name: c, image: nginx, env: [{name: A, value: true}]}]}"), "expected string"),
    "a map for a list": (pod("{containers: [{name: c, image: nginx, ports: {http: 80}}]}"), "expected list"),
    "two containers of one name": (pod(f"{{containers: [{CONTAINER}, {CONTAINER}]}}"), 'duplicate entries for key [name="c"]'),
    "two variables of one name": (
        pod("{containers: [{name: c, image: nginx, env: [{name: A, value: a}, {name: A, value: b}]}]}"),
        'duplicate entries for key [name="A"]',
    ),
    "two equal ports": (
        pod("{containers: [{name: c, image: nginx, ports: [{containerPort: 80}, {containerPort: 80}]}]}"),
        "duplicate entries for key [containerPort=80,protocol=",
    ),
    "a bad quantity": (pod("{containers: [{name: c, image: nginx, resources: {limits: {cpu: abc}}}]}"), "quantities must match"),
    "bad base64": ("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: '***'}}", "illegal base64 data"),
}


@pytest.mark.parametrize("case", SCHEMA)
def test_an_object_that_does_not_fit_its_schema(case, plane, library, kubectl, namespace):
    text, words = SCHEMA[case]
    with refused_once(plane):
        error = library.refused("apply", text, namespace=namespace)
    assert (error.kind, error.status, error.is_transient) == ("invalid_input", 500, False), vars(error)
    assert words in error.context["Kubernetes says"]
    theirs = kubectl.fails("apply", "--server-side", "--validate=false", "-n", namespace, "-f", "-", stdin=text)
    assert words in theirs


def define(library, namespace, group):
    """Applies the definition with a resource, which waits until the kind is served."""
    library.apply(definition(group) + widget(group, name="first"), namespace=namespace)


def test_a_custom_resource_that_does_not_fit_its_schema(plane, library, namespace):
    define(library, namespace, "strict.example")
    for spec, status, words in (
        ("{sizes: 3}", 500, ".spec.sizes: field not declared in schema"),
        ("{size: big}", 500, "expected numeric"),
        ("{size: 11}", 422, "should be less than or equal to 10"),
    ):
        with refused_once(plane):
            error = library.refused("apply", widget("strict.example", spec), namespace=namespace)
        assert (error.kind, error.status) == ("invalid_input", status)
        assert words in error.context["Kubernetes says"]


VALIDATION = {
    "no selector": "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {spec: {containers: []}}}}",
    "a bad name": "{apiVersion: v1, kind: ConfigMap, metadata: {name: A_b}}",
    "a bad label": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {a: 'b c'}}}",
    "no containers": pod("{containers: []}"),
    "requests over limits": pod("{containers: [{name: c, image: nginx, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}]}"),
    "a mount without a volume": pod("{containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /v}]}]}"),
    "a bad port": "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80000}]}}",
    "a bad key": config_map("data: {'a b': c}"),
    "several flaws": pod("{restartPolicy: Sometimes, containers: [{name: C, image: nginx, imagePullPolicy: Often}]}"),
}


@pytest.mark.parametrize("case", VALIDATION)
def test_an_invalid_object(case, library, kubectl, namespace):
    error = library.refused("apply", VALIDATION[case], namespace=namespace)
    assert (error.kind, error.status, error.code) == ("invalid_input", 422, "Invalid")
    theirs = kubectl.fails("apply", "--server-side", "-n", namespace, "-f", "-", stdin=VALIDATION[case])
    # kubectl shows several flaws as a list, one in each line.
    said = error.context["Kubernetes says"].split(" is invalid: ")[1]
    flaws = said.strip("[]").split(", spec.") if said.startswith("[") else [said]
    assert all(flaw.removeprefix("spec.") in theirs for flaw in flaws), theirs


def test_immutable_fields(library, namespace):
    library.apply(NAMESPACED["Deployment"], namespace=namespace)
    changed = NAMESPACED["Deployment"].replace("app: a", "app: b")
    error = library.refused("apply", changed, namespace=namespace)
    assert error.kind == "invalid_input" and "field is immutable" in error.text


def counts_one(quota):
    """Whether the ConfigMap that each namespace gets is there and counted."""
    return quota.get("status", {}).get("used", {}).get("configmaps") == "1"


def test_a_quota(plane, library, api, namespace):
    api.create(f"/api/v1/namespaces/{namespace}/resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "1"}}})
    api.wait_for(f"/api/v1/namespaces/{namespace}/resourcequotas/q", counts_one)
    with refused_once(plane):
        error = library.refused("apply", config_map("data: {a: b}"), namespace=namespace)
    assert (error.kind, error.status) == ("forbidden", 403)
    assert "ResourceQuota" in error.text
    assert error.context["Kubernetes says"] == (
        'configmaps "c" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1'
    )


def test_a_limit_range(library, api, namespace):
    limits = {"limits": [{"type": "Container", "max": {"cpu": "100m"}}]}
    api.create(f"/api/v1/namespaces/{namespace}/limitranges", {"metadata": {"name": "l"}, "spec": limits})
    # Admission reads it through a cache.
    text = pod("{containers: [{name: c, image: nginx, resources: {limits: {cpu: 1}}}]}")
    until(lambda: library.call("apply", text, namespace=namespace, dry_run=True), is_error)
    error = library.refused("apply", text, namespace=namespace)
    assert error.kind == "forbidden" and "LimitRange" in error.text
    assert "maximum cpu usage per Container is 100m, but limit is 1" in error.context["Kubernetes says"]


def test_pod_security(library, make_namespace):
    namespace = make_namespace({"pod-security.kubernetes.io/enforce": "baseline"})
    text = pod("{hostNetwork: true, containers: [{name: c, image: nginx}]}")
    error = library.refused("apply", text, namespace=namespace)
    assert (error.kind, error.refusal) == ("forbidden", "policy")
    assert 'violates PodSecurity "baseline:latest"' in error.context["Kubernetes says"]


def test_an_admission_policy(library, api, make_namespace):
    namespace = make_namespace({"policy": "tags"})
    base = "/apis/admissionregistration.k8s.io/v1/"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules},
        "validations": [{"expression": "object.spec.containers.all(c, c.image.contains(':'))", "message": "every image needs a tag"}],
    }
    api.create(base + "validatingadmissionpolicies", {"metadata": {"name": "tags"}, "spec": spec})
    selector = {"namespaceSelector": {"matchLabels": {"policy": "tags"}}}
    binding = {"policyName": "tags", "validationActions": ["Deny"], "matchResources": selector}
    api.create(base + "validatingadmissionpolicybindings", {"metadata": {"name": "tags"}, "spec": binding})
    # It takes a second until policies are in force.
    text = pod("{containers: [{name: c, image: nginx}]}")
    until(lambda: library.call("apply", text, namespace=namespace, dry_run=True), is_error)
    error = library.refused("apply", text, namespace=namespace)
    assert (error.kind, error.refusal) in (("invalid_input", "policy"), ("forbidden", "policy"))
    assert "ValidatingAdmissionPolicy 'tags' with binding 'tags' denied request: every image needs a tag" in error.text
    library.apply(pod("{containers: [{name: c, image: 'nginx:1'}]}"), namespace=namespace)


def test_an_admission_webhook_that_does_not_respond(library, api, make_namespace):
    namespace = make_namespace({"webhook": "silent"})
    webhook = {
        "name": "check.silent.example",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}],
        "namespaceSelector": {"matchLabels": {"webhook": "silent"}},
    }
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    api.create(path, {"metadata": {"name": "silent"}, "webhooks": [webhook]})
    text = "{apiVersion: v1, kind: Secret, metadata: {name: s}}"
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    until(lambda: api.call("POST", f"{secrets}?dryRun=All", {"metadata": {"name": "s"}}), lambda found: "webhook" in str(found))
    error = library.refused("apply", text, namespace=namespace, seconds=3)
    assert error.is_transient
    api.delete(f"{path}/silent")
    assert "webhook" in json.dumps(error.__dict__), error.__dict__


def test_a_namespace_that_is_missing_or_terminating(library, api, make_namespace):
    error = library.refused("apply", config_map("data: {}"), namespace="nowhere")
    assert error.kind == "not_found" and "no namespace 'nowhere'" in error.text
    namespace = make_namespace()
    api.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "keep", "finalizers": ["a.example/keep"]}})
    api.delete(f"/api/v1/namespaces/{namespace}")
    error = library.refused("apply", config_map("data: {}"), namespace=namespace)
    assert (error.kind, error.is_transient) == ("conflict", True) and "being deleted" in error.text
    assert f"unable to create new content in namespace {namespace} because it is being terminated" in error.text
    api.patch(f"/api/v1/namespaces/{namespace}/configmaps/keep", {"metadata": {"finalizers": None}})


def test_a_kind_that_the_cluster_does_not_have(plane, library, namespace):
    with refused_once(plane):
        error = library.refused("apply", "{apiVersion: nobody.example/v1, kind: Thing, metadata: {name: t}}", namespace=namespace)
    assert error.kind == "not_found" and "no kind 'Thing'" in error.text


@pytest.mark.parametrize("size, status", [(1 << 20, 422), (3 << 20, 413)])
def test_a_config_map_that_is_too_large(size, status, plane, library, kubectl, namespace):
    text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "x" * (size + 1)}})
    with refused_once(plane):
        error = library.refused("apply", text, namespace=namespace)
    assert (error.kind, error.status, error.is_transient) == ("invalid_input", status, False)
    words = "Too long: may not be more than 1048576 bytes" if status == 422 else "limit is 3145728"
    assert words in error.context["Kubernetes says"]
    theirs = kubectl.fails("apply", "--server-side", "-n", namespace, "-f", "-", stdin=text)
    assert words in theirs


def test_a_custom_resource_that_is_too_large(plane, library, namespace):
    define(library, namespace, "large.example")
    text = widget("large.example", json.dumps({"text": "x" * (5 << 19)}))
    with refused_once(plane):
        error = library.refused("apply", text, namespace=namespace)
    assert (error.kind, error.status, error.is_transient) == ("invalid_input", 500, False)
    assert "larger than max" in error.context["Kubernetes says"]


def test_a_config_map_of_900_kb_is_applied(library, namespace):
    text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "x" * 900_000}})
    library.apply(text, namespace=namespace)
