"""Every kind, applied by the library and by kubectl: the objects and their managers are equal."""

import json
import time

import pytest

from manifests import CLUSTER_WIDE, NAMESPACED, definition, widget
from real import comparable, until

# The API server serves a new kind after a second or two, on a loaded machine after some more.
SOON = 20


def read(kubectl, text, namespace):
    found = json.loads(kubectl("get", "-n", namespace, "-f", "-", "-o", "json", "--show-managed-fields", stdin=text))
    return [comparable(one) for one in found.get("items", [found])]


def containers_of(pod):
    return pod["spec"]["containers"] + pod["spec"]["initContainers"]


def same(mine, theirs):
    """Without names and namespaces, which differ."""
    for object in mine + theirs:
        for field in ("name", "namespace", "labels"):
            object["metadata"].pop(field, None)
        # The controller adds it as soon as it sees the Deployment.
        if object["kind"] == "Deployment" and "annotations" in object["metadata"]:
            object["metadata"]["annotations"].pop("deployment.kubernetes.io/revision", None)
            if not object["metadata"]["annotations"]:
                del object["metadata"]["annotations"]
        if object["kind"] == "Service":
            for field in ("clusterIP", "clusterIPs"):
                object["spec"].pop(field)
        # The API server labels a Job's pods with its uid.
        if object["kind"] == "Job":
            object["spec"].pop("selector"), object["spec"]["template"]["metadata"].pop("labels")
        if object["kind"] == "Pod":
            for volume in [*object["spec"]["volumes"], *(m for c in containers_of(object) for m in c["volumeMounts"])]:
                volume["name"] = volume["name"][: len("kube-api-access-")]
        if object["kind"] == "APIService":
            object["spec"].pop("group")
        if object["kind"] == "Namespace":
            object.pop("spec")
    assert mine == theirs


def unchanged(api_read, apply):
    """Applying again changes no version. Controllers may, so this waits for them."""

    def applied():
        before = api_read()
        apply()
        return before, api_read()

    until(applied, lambda versions: versions[0] == versions[1])


def versions(kubectl, text, namespace):
    found = json.loads(kubectl("get", "-n", namespace, "-f", "-", "-o", "json", stdin=text))
    return [one["metadata"]["resourceVersion"] for one in found.get("items", [found])]


@pytest.mark.parametrize("kind", NAMESPACED)
def test_a_namespaced_kind_is_applied_as_kubectl_applies_it(kind, library, kubectl, make_namespace):
    text, mine, theirs = NAMESPACED[kind], make_namespace(), make_namespace()
    applied = library.apply(text, namespace=mine)
    assert all(one["is_new"] and one["namespace"] == mine for one in applied)
    kubectl("apply", "--server-side", "--field-manager", "aks-acr", "-n", theirs, "-f", "-", stdin=text)
    same(read(kubectl, text, mine), read(kubectl, text, theirs))

    def again():
        assert not any(one["is_new"] for one in library.apply(text, namespace=mine))

    unchanged(lambda: versions(kubectl, text, mine), again)


@pytest.mark.parametrize("kind", CLUSTER_WIDE)
def test_a_cluster_wide_kind_is_applied_as_kubectl_applies_it(kind, library, kubectl):
    mine, theirs = (CLUSTER_WIDE[kind].replace("{n}", suffix) for suffix in "ab")
    applied = library.apply(mine, namespace="ignored")
    assert applied[0]["is_new"] and applied[0]["namespace"] is None
    kubectl("apply", "--server-side", "--field-manager", "aks-acr", "-f", "-", stdin=theirs)
    same(read(kubectl, mine, "default"), read(kubectl, theirs, "default"))
    unchanged(lambda: versions(kubectl, mine, "default"), lambda: library.apply(mine))
    kubectl("delete", "--wait=false", "-f", "-", stdin=mine + "---\n" + theirs)


def test_a_list_of_a_kind_is_applied(library, api, namespace):
    text = "{apiVersion: v1, kind: ConfigMapList, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]}"
    assert [one["name"] for one in library.apply(text, namespace=namespace)] == ["a"]
    api.get(f"/api/v1/namespaces/{namespace}/configmaps/a")


def test_a_definition_and_its_resource_in_one_file(library, api, namespace):
    begun = time.monotonic()
    applied = library.apply(definition("first.example") + widget("first.example"), namespace=namespace)
    assert [one["kind"] for one in applied] == ["CustomResourceDefinition", "Widget"]
    assert time.monotonic() - begun < SOON
    assert api.get(f"/apis/first.example/v1/namespaces/{namespace}/widgets/w")["spec"] == {"size": 3}


def test_a_definition_after_its_resource(library, api, namespace):
    begun = time.monotonic()
    applied = library.apply(widget("second.example") + "\n---\n" + definition("second.example"), namespace=namespace)
    assert {one["kind"] for one in applied} == {"CustomResourceDefinition", "Widget"}
    assert time.monotonic() - begun < SOON
    assert api.get(f"/apis/second.example/v1/namespaces/{namespace}/widgets/w")["spec"] == {"size": 3}


def test_a_namespace_and_objects_in_it(library, api):
    text = "{apiVersion: v1, kind: Namespace, metadata: {name: made}}\n---\n"
    text += "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: made}}"
    library.apply(text)
    api.get("/api/v1/namespaces/made/configmaps/a")


def test_a_namespace_after_its_objects(library, api):
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: late}}\n---\n"
    text += "{apiVersion: v1, kind: Namespace, metadata: {name: late}}"
    assert {one["kind"] for one in library.apply(text)} == {"Namespace", "ConfigMap"}
    api.get("/api/v1/namespaces/late/configmaps/a")


def test_a_dry_run_leaves_nothing(library, api, namespace):
    text = NAMESPACED["Deployment"] + "---" + NAMESPACED["ConfigMap"]
    assert all(one["is_new"] for one in library.apply(text, namespace=namespace, dry_run=True))
    assert api.call("GET", f"/api/v1/namespaces/{namespace}/configmaps/c")[0] == 404
    assert api.call("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/d")[0] == 404
    library.apply(text, namespace=namespace)
    assert not any(one["is_new"] for one in library.apply(text, namespace=namespace, dry_run=True))


def test_warnings_of_the_server_are_reported(library, kubectl, make_namespace):
    namespace = make_namespace({"pod-security.kubernetes.io/warn": "restricted"})
    text = NAMESPACED["Deployment"]
    done = kubectl.run("apply", "--server-side", "--dry-run=server", "-n", namespace, "-f", "-", stdin=text)
    theirs = [line.removeprefix("Warning: ") for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    assert len(theirs) == 1 and 'would violate PodSecurity "restricted:latest"' in theirs[0]
    assert library.apply(text, namespace=namespace)[0]["warnings"] == theirs
    quiet = library.apply(NAMESPACED["ConfigMap"], namespace=namespace)[0]
    assert not quiet.get("warnings")


def test_500_objects_are_applied(library, api, namespace):
    text = "\n---\n".join(f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{n}}}, data: {{n: '{n}'}}}}" for n in range(500))
    assert len(library.apply(text, namespace=namespace)) == 500
    assert len(api.get(f"/api/v1/namespaces/{namespace}/configmaps")["items"]) == 501
