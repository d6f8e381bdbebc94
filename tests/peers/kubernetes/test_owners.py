"""Fields that another field manager owns."""

import json

import pytest

from manifests import NAMESPACED
from real import refused_once

DEPLOYMENT = NAMESPACED["Deployment"]


def path_of(namespace):
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/d"


def test_a_conflict_names_field_and_manager_and_force_takes_over(plane, library, kubectl, api, namespace):
    library.apply(DEPLOYMENT, namespace=namespace)
    kubectl("scale", "deployment/d", "--replicas=5", "-n", namespace)
    with refused_once(plane):
        error = library.refused("apply", DEPLOYMENT, namespace=namespace)
    assert error.kind == "conflict" and error.status == 409 and not error.is_transient
    said = error.context["Kubernetes says"]
    assert 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas' in said
    # kubectl is refused in the same words.
    theirs = kubectl.fails("apply", "--server-side", "--field-manager=aks-acr", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)
    assert said.split(": ", 1)[1] in theirs
    library.apply(DEPLOYMENT, namespace=namespace, force=True)
    assert api.get(path_of(namespace))["spec"]["replicas"] == 2


def test_fields_of_others_stay(library, kubectl, api, namespace):
    library.apply(NAMESPACED["ConfigMap"], namespace=namespace)
    other = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {more: x}}"
    kubectl("apply", "--server-side", "--field-manager=other", "-n", namespace, "-f", "-", stdin=other)
    library.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: new}}", namespace=namespace)
    assert api.get(f"/api/v1/namespaces/{namespace}/configmaps/c")["data"] == {"a": "new", "more": "x"}


def test_an_object_of_client_side_apply(library, kubectl, api, namespace):
    """kubectl's own server-side apply takes over what its client-side apply wrote. The library is another manager: it says so."""
    kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)
    changed = DEPLOYMENT.replace("nginx:1", "nginx:2")
    error = library.refused("apply", changed, namespace=namespace)
    assert error.kind == "conflict" and "kubectl-client-side-apply" in error.context["Kubernetes says"]
    assert "client-side" in error.context["hint"] and "force" in error.context["hint"]
    library.apply(changed, namespace=namespace, force=True)
    found = api.get(path_of(namespace))
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    # The same file of kubectl is then refused nothing: client-side apply never is.
    kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)


def test_an_unchanged_object_of_client_side_apply_is_no_conflict(library, kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)
    library.apply(DEPLOYMENT, namespace=namespace)


@pytest.mark.parametrize(
    "field, value, kind", [("resourceVersion", "1", "conflict"), ("uid", "00000000-0000-0000-0000-000000000000", "invalid_input")]
)
def test_an_object_that_changed_since_it_was_read(library, namespace, field, value, kind):
    text = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}}
    library.apply(json.dumps(text), namespace=namespace)
    text["metadata"][field] = value
    assert library.refused("apply", json.dumps(text), namespace=namespace).kind == kind
