"""Callers with few permissions, and what the library sends."""

import pytest

from kubelet import create_node, create_pod
from manifests import NAMESPACED
from real import Api, of_library, refused_once, until
from states import STATES


def allow(api, namespace, rules):
    base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/"
    api.create(base + "roles", {"metadata": {"name": "r"}, "rules": rules})
    subject = {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    api.create(base + "rolebindings", {"metadata": {"name": "r"}, "roleRef": role, "subjects": [subject]})
    # The API server reads them through a cache.
    reader = Api(api.plane, "reader")
    for wanted in rules:
        for verb in wanted["verbs"]:
            attributes = {"namespace": namespace, "group": wanted["apiGroups"][0], "resource": wanted["resources"][0], "verb": verb}
            review = {"spec": {"resourceAttributes": attributes}}
            path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
            until(lambda: reader.create(path, review), lambda found: found["status"]["allowed"])  # noqa: B023


def rule(group, resource, *verbs):
    return {"apiGroups": [group], "resources": [resource], "verbs": verbs}


@pytest.mark.parametrize(
    "operation, on, words",
    [
        ("apply", NAMESPACED["Deployment"], 'cannot patch resource "deployments" in API group "apps" in the namespace'),
        ("pods", "", 'User "reader" cannot list resource "pods" in API group "" in the namespace'),
        ("rollout", "d", 'User "reader" cannot'),
    ],
)
def test_a_caller_without_permissions(operation, on, words, plane, reader, namespace):
    with refused_once(plane):
        error = reader.refused(operation, on, namespace=namespace)
    assert (error.kind, error.status, error.is_transient) == ("forbidden", 403, False)
    assert words in error.text and "RBAC" in error.text


def test_a_caller_who_may_only_list_pods(reader, api, namespace):
    create_node(api, "node-a")
    create_pod(api, namespace, "p", STATES["running"]["status"])
    allow(api, namespace, [rule("", "pods", "list")])
    assert len(reader("pods", namespace=namespace)["pods"]["pods"]) == 1


def test_a_caller_who_may_patch_but_not_create(reader, api, library, namespace):
    """Server-side apply needs both permissions for a new object."""
    allow(api, namespace, [rule("", "configmaps", "patch", "get")])
    library.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: there}}", namespace=namespace)
    reader.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: there}}", namespace=namespace)
    error = reader.refused("apply", "{apiVersion: v1, kind: ConfigMap, metadata: {name: new}}", namespace=namespace)
    assert error.kind == "forbidden" and "cannot create resource" in error.text


def test_every_request_names_the_library(plane, library, namespace):
    mark = plane.audit_mark()
    library.apply(NAMESPACED["ConfigMap"], namespace=namespace)
    library("pods", namespace=namespace)
    mine = [entry for entry in plane.audit(mark) if namespace in entry["requestURI"] and of_library(entry)]
    assert {entry["verb"] for entry in mine} == {"patch", "list"}
