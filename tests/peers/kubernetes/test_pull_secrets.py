"""Pull secrets of the library on the real API server: server-side apply, and links that keep the entries of others."""

import base64
import json

from real import of_library

WRITES = ("create", "update", "patch", "delete")


def written(plane, mark):
    """What the library has written since a mark: verb and resource."""
    audit = [one for one in plane.audit(mark) if of_library(one) and one["verb"] in WRITES]
    return [(one["verb"], one["objectRef"]["resource"], one["objectRef"]["name"]) for one in audit]


def test_a_secret_is_applied_and_linked_and_a_second_run_writes_nothing(plane, library, api, namespace):
    path, accounts = f"/api/v1/namespaces/{namespace}/secrets/ghcr", f"/api/v1/namespaces/{namespace}/serviceaccounts"
    api.create(accounts, {"metadata": {"name": "builder"}, "imagePullSecrets": [{"name": "theirs"}, {"name": "others"}]})
    call = lambda **more: library("pull-secret", "ghcr", namespace=namespace, accounts=["default", "builder"], **more)  # noqa: E731

    mark = plane.audit_mark()
    made = call(password="word")
    assert (made["plan"]["action"], made["applied"]["outcome"]) == ("create", "created")
    assert made["applied"]["linked"] == ["default", "builder"]
    assert written(plane, mark) == [("patch", "secrets", "ghcr"), ("patch", "serviceaccounts", "default"), ("patch", "serviceaccounts", "builder")]
    secret = api.get(path)
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    config = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    assert config["auths"]["ghcr.io"]["password"] == "word"
    [manager] = secret["metadata"]["managedFields"]
    assert (manager["manager"], manager["operation"]) == ("aks-acr", "Apply")
    names = lambda account: [one["name"] for one in api.get(f"{accounts}/{account}")["imagePullSecrets"]]  # noqa: E731
    assert names("builder") == ["theirs", "others", "ghcr"] and names("default") == ["ghcr"]

    before = [api.get(one) for one in (path, f"{accounts}/builder", f"{accounts}/default")]
    mark = plane.audit_mark()
    again = call(password="word")
    assert (again["plan"]["action"], again["applied"]["outcome"], again["applied"]["linked"]) == ("nothing", "unchanged", [])
    assert written(plane, mark) == []
    assert [api.get(one) for one in (path, f"{accounts}/builder", f"{accounts}/default")] == before

    # Another manager adds an entry, and only the secret changes with the password.
    api.patch(f"{accounts}/builder", {"imagePullSecrets": [{"name": "theirs"}, {"name": "ghcr"}, {"name": "late"}]})
    mark = plane.audit_mark()
    assert call(password="newer")["applied"]["outcome"] == "updated"
    assert written(plane, mark) == [("patch", "secrets", "ghcr")]
    assert names("builder") == ["theirs", "ghcr", "late"]


def test_a_secret_that_another_manager_owns_is_replaced_only_by_force(plane, library, kubectl, api, namespace):
    kubectl(
        "create", "secret", "docker-registry", "ghcr", "-n", namespace,
        "--docker-server=ghcr.io", "--docker-username=robot", "--docker-password=old",
    )  # fmt: skip
    # The same content is no conflict.
    same = library("pull-secret", "ghcr", namespace=namespace, password="old", accounts=[])
    assert (same["plan"]["action"], same["applied"]["outcome"]) == ("nothing", "unchanged")
    mark = plane.audit_mark()
    error = library.refused("pull-secret", "ghcr", namespace=namespace, password="new", accounts=[])
    assert error.kind == "conflict" and "kubectl-create" in error.context["field manager"]
    assert written(plane, mark) == []
    forced = library("pull-secret", "ghcr", namespace=namespace, password="new", accounts=[], force=True)
    assert (forced["plan"]["action"], forced["applied"]["outcome"]) == ("take_over", "updated")
    secret = api.get(f"/api/v1/namespaces/{namespace}/secrets/ghcr")
    config = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    assert config["auths"]["ghcr.io"]["password"] == "new"
