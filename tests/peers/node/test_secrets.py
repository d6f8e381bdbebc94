"""Pull secrets that the library writes, on a real node: a private registry outside of Azure, and an expired secret before the node's identity."""

import base64
import json
import os
import time

import pytest

from causes import NAMESPACE
from cloud import CLUSTER, GROUP
from conftest import ready

UPSTREAM, PRIVATE = "private.example", "private.example/team/app:v1"
GRANTED, SHADOWED = "grantedregistry.azurecr.io/team/app:v1", "shadowed.azurecr.io/team/app:v1"
LIBRARY = os.environ["AKS_ACR_OPERATE_BIN"]
SCENE = {
    "registries": [{"group": GROUP, "name": name} for name in ("grantedregistry", "shadowed")],
    "upstreams": [{"host": UPSTREAM, "users": [{"name": "robot", "password": "word"}]}],
    "images": [{"name": one} for one in (PRIVATE, GRANTED, SHADOWED)],
    "clusters": [{"group": GROUP, "name": CLUSTER, "nodes": [{"name": "aks-nodepool1-12345678-vmss000000"}]}],
}


@pytest.fixture(scope="module")
def azure(real, tmp_path_factory):
    with real(SCENE, tmp_path_factory.mktemp("secrets")) as azure:
        azure.call = ready(azure)
        azure.owner.assign(azure.owner.registry_id(GROUP, "grantedregistry"), "AcrPull", azure.kubelet["objectId"])
        yield azure


def expired():
    """A refresh token of a registry that has expired."""
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    return f"{part({'alg': 'RS256'})}.{part({'exp': int(time.time()) - 3600})}.c2lnbmF0dXJl"


def pull(azure, name, image, policy="Always"):
    """A new pod of the service account; whether it runs, or the text of the pull."""
    container = {"name": "c", "image": image, "imagePullPolicy": policy}
    spec = {"automountServiceAccountToken": False, "containers": [container], "terminationGracePeriodSeconds": 0}
    azure.call("POST", f"{NAMESPACE}/pods", {"metadata": {"name": name}, "spec": spec})
    end = time.monotonic() + 120
    while True:
        [status] = azure.call("GET", f"{NAMESPACE}/pods/{name}")["status"].get("containerStatuses") or [{"state": {"waiting": {}}}]
        if "running" in status["state"]:
            return True
        message = status["state"].get("waiting", {}).get("message")
        if message:
            return message
        assert time.monotonic() < end, status
        time.sleep(0.3)


def secrets(azure):
    """The pull secrets of the service account."""
    return [one["name"] for one in azure.call("GET", f"{NAMESPACE}/serviceaccounts/default").get("imagePullSecrets") or []]


def apply(azure, name, registry, user, password):
    return azure.operate(LIBRARY, "pull-secret", f"{GROUP}/{CLUSTER}", name, registry, user, password)


def remove(azure, name):
    azure.call("DELETE", f"{NAMESPACE}/secrets/{name}")
    entries = [{"name": one} for one in secrets(azure) if one != name]
    patch = {"imagePullSecrets": entries}
    azure.call("PATCH", f"{NAMESPACE}/serviceaccounts/default", patch, "application/merge-patch+json")


def exchanges(azure, host, since):
    """What the registry answered to the node, in order: the path and the status."""
    asked = [one for one in azure.emulator.requests(since) if one["host"] == host and one["path"] in ("/oauth2/token", "/oauth2/exchange")]
    return [(one["path"], one["status"]) for one in asked]


def test_a_private_registry_needs_a_secret(azure):
    text = pull(azure, "without", PRIVATE)
    assert text is not True and "401 Unauthorized" in text and PRIVATE in text
    made = apply(azure, "private", UPSTREAM, "robot", "word")
    assert (made["plan"]["action"], made["applied"]["outcome"], made["applied"]["linked"]) == ("create", "created", ["default"])
    assert made["plan"]["warnings"] == [] and secrets(azure) == ["private"]
    assert pull(azure, "with", PRIVATE) is True
    again = apply(azure, "private", UPSTREAM, "robot", "word")
    assert (again["plan"]["action"], again["applied"]["outcome"], again["applied"]["linked"]) == ("nothing", "unchanged", [])
    wrong = apply(azure, "private", UPSTREAM, "robot", "other")
    assert wrong["applied"]["outcome"] == "updated"
    text = pull(azure, "wrong", PRIVATE)
    assert text is not True and "401 Unauthorized" in text


def test_an_expired_secret_that_shadows_the_identity_is_named(azure):
    password = expired()
    made = apply(azure, "old", "shadowed.azurecr.io", "00000000-0000-0000-0000-000000000000", password)
    assert [one["kind"] for one in made["plan"]["warnings"]] == ["expired", "shadows_identity"]
    assert made["applied"]["warnings"] == made["plan"]["warnings"] and password not in json.dumps(made)

    # Without a grant nothing else lets the node in.
    mark = azure.emulator.mark()
    text = pull(azure, "shadowed", SHADOWED)
    assert text is not True and "failed to fetch oauth token: unexpected status" in text and "401 Unauthorized" in text
    assert ("/oauth2/token", 401) in exchanges(azure, "shadowed.azurecr.io", mark)
    azure.owner.assign(azure.owner.registry_id(GROUP, "shadowed"), "AcrPull", azure.kubelet["objectId"])
    remove(azure, "old")
    mark = azure.emulator.mark()
    assert pull(azure, "bare", SHADOWED) is True
    assert {status for _, status in exchanges(azure, "shadowed.azurecr.io", mark)} == {200}


def test_each_pull_first_fails_with_an_expired_secret_before_a_grant(azure):
    made = apply(azure, "stale", "grantedregistry.azurecr.io", "00000000-0000-0000-0000-000000000000", expired())
    assert [one["kind"] for one in made["plan"]["warnings"]] == ["expired", "shadows_identity"]
    mark = azure.emulator.mark()
    assert pull(azure, "stale", GRANTED) is True
    tokens = [status for path, status in exchanges(azure, "grantedregistry.azurecr.io", mark) if path == "/oauth2/token"]
    assert tokens[0] == 401 and tokens[-1] == 200, tokens
    remove(azure, "stale")
    mark = azure.emulator.mark()
    assert pull(azure, "fresh", GRANTED) is True
    assert 401 not in [status for _, status in exchanges(azure, "grantedregistry.azurecr.io", mark)]


def test_an_image_on_the_node_is_pulled_again_for_other_credentials(azure, versions):
    """Since Kubernetes 1.35; a node before that uses the image for every pod."""
    apply(azure, "private", UPSTREAM, "robot", "word")
    assert pull(azure, "first", PRIVATE) is True
    remove(azure, "private")
    # The kubelet reports its images with its status.
    end = time.monotonic() + 120
    names = lambda node: [name for image in node["status"].get("images", []) for name in image["names"]]  # noqa: E731
    while PRIVATE not in names(azure.call("GET", "/api/v1/nodes")["items"][0]):
        assert time.monotonic() < end
        time.sleep(0.5)
    said = pull(azure, "second", PRIVATE, "IfNotPresent")
    rechecks = tuple(int(one) for one in versions["kubelet"].split(".")) >= (1, 35)
    if rechecks:
        assert said is not True and "401 Unauthorized" in said
    else:
        assert said is True
    groups = azure.operate(LIBRARY, "explain", f"{GROUP}/{CLUSTER}")["groups"]
    again = {pod for group in groups for one in group["report"]["findings"] if one["id"] == "node.credentials_rechecked" for pod in group["pods"]}
    assert again == ({"default/second"} if rechecks else set()), groups
