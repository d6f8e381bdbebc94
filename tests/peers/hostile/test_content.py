"""Requests that are well-formed HTTP and ill-formed otherwise."""

import base64
import json

import pytest

from arm import Arm, Refused
from conftest import GROUP, is_refusal
from emulator import running

DEEP = 200_000
VERSION = "?api-version=2025-11-01"


def nested(opening, closing, core=b""):
    return opening * DEEP + core + closing * DEEP


BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "a number": b"1e999999",
    "deep lists": nested(b"[", b"]"),
    "deep lists without an end": b"[" * DEEP,
    "deep objects": nested(b'{"a":', b"}", b"1"),
    "deep properties": b'{"location":"x","properties":' + nested(b'{"a":', b"}", b"1") + b"}",
    "no text": b"\xff\xfe\x00\x01",
    "a lone surrogate": b'{"location": "\\ud800"}',
    "a zero": b'{"location": "a\x00b"}',
    "wrong types": b'{"location": {}, "sku": [], "properties": "text"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_resource_of_odd_content_is_refused(target, name):
    for path in (
        f"{target.arm.subscription}/resourceGroups/{GROUP}/providers/Microsoft.ContainerRegistry/registries/oddregistry{VERSION}",
        f"{target.arm.cluster_id(GROUP, 'odd')}?api-version=2025-10-01",
        f"{target.registry['id']}/providers/Microsoft.Authorization/roleAssignments/"
        "00000000-0000-4000-8000-000000000001?api-version=2022-04-01",
    ):
        code, answer = target.arm_ask("PUT", path, body=BODIES[name])
        assert is_refusal(code) and code is not None, (path, code, answer[:300])
        told = json.loads(answer)
        # AKS answers without the envelope that the others have.
        assert told.get("error", told)["code"]


@pytest.mark.parametrize("name", BODIES)
def test_an_object_of_odd_content_is_refused(target, name):
    code, answer = target.cluster_ask("POST", "/apis/apps/v1/namespaces/default/deployments", body=BODIES[name])
    assert code in (400, 422), answer[:300]
    assert json.loads(answer)["kind"] == "Status"


YAML = {
    "deep flow": b"[" * DEEP,
    "deep blocks": b"".join(b" " * at + b"a:\n" for at in range(2000)),
    "aliases that grow": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (at, at, b",".join([b"*%c" % (at - 1)] * 9)) for at in b"bcdefghijk"),
    "an alias of nothing": b"a: *b\n",
    "a tag": b"a: !!python/object/apply:os.system [ls]\n",
    "many documents": b"---\na: 1\n" * 10,
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("name", YAML)
def test_an_apply_of_odd_yaml_is_refused(target, name):
    path = "/apis/apps/v1/namespaces/default/deployments/odd?fieldManager=x"
    code, answer = target.cluster_ask("PATCH", path, body=YAML[name], content_type="application/apply-patch+yaml")
    assert code in (400, 415, 422), (code, answer[:300])
    assert json.loads(answer)["kind"] == "Status"


@pytest.mark.parametrize("body", [b"", b"k8s\x00", b"k8s\x00" + b"\xff" * 64, b"k8s\x00\x0a\xff\xff\xff\xff\x0f", b"junk"])
def test_odd_protobuf_is_refused(target, body):
    code, answer = target.cluster_ask(
        "POST", "/api/v1/namespaces/default/pods", body=body, content_type="application/vnd.kubernetes.protobuf"
    )
    assert code in (400, 415, 422), (code, answer[:300])


def test_deep_conditions_and_filters_are_refused(target):
    deep = "(" * 100_000 + "true" + ")" * 100_000
    properties = {
        "roleDefinitionId": f"{target.arm.subscription}/providers/Microsoft.Authorization/roleDefinitions/"
        "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        "principalId": target.cluster["properties"]["identityProfile"]["kubeletidentity"]["objectId"],
        "condition": deep,
        "conditionVersion": "2.0",
    }
    path = f"{target.registry['id']}/providers/Microsoft.Authorization/roleAssignments"
    body = json.dumps({"properties": properties}).encode()
    code, answer = target.arm_ask("PUT", f"{path}/00000000-0000-4000-8000-000000000002?api-version=2022-04-01", body)
    # What is not understood is no right: it is said, and nothing is stored.
    assert code in (400, 501), (code, answer[:300])
    for text in ("(" * 5000, "principalId%20eq", "'", "%00", "principalId%20eq%20'x'%20or%201%20eq%201", "a" * 5000):
        code, answer = target.arm_ask("GET", f"{path}?$filter={text}&api-version=2022-04-01")
        assert code in (400, 501), (text[:50], code, answer[:300])
    for text in ("((((", "a in (", "a=b=c", "!", "%00"):
        code, answer = target.cluster_ask("GET", f"/api/v1/pods?labelSelector={text}")
        assert code == 400, (text, code, answer[:300])


PATHS = [
    "/..",
    "/../../etc/passwd",
    "/subscriptions/../../_emulator/state",
    "/%2e%2e/_emulator/state",
    "/_emulator%2fstate",
    "/_emulator/../_emulator/state",
    "/subscriptions/%00",
    "/subscriptions/%ff%fe",
    "/subscriptions/%",
    "/subscriptions//resourceGroups//providers",
    "/subscriptions/{s}/resourceGroups/..%2f..%2fother",
    "/subscriptions/{s}/resourceGroups/" + "a" * 5000,
    "/" + "a/" * 5000,
    "//localhost//_emulator//state",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_paths_with_tricks_lead_nowhere(target, path):
    path = path.replace("{s}", target.emulator.subscription)
    for method in ("GET", "PUT", "DELETE"):
        code, answer = target.arm_ask(method, path + "?api-version=2024-11-01", body=b"" if method == "GET" else b"{}")
        # A request without a rule gets its own status, and does nothing.
        assert is_refusal(code) or code == 501, (method, code, answer[:300])
        assert b"controlToken" not in answer and b"principals" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/v2/../../_emulator/state",
        "/v2/nginx/blobs/../../../etc/passwd",
        "/v2/nginx/blobs/sha256:%2e%2e",
        "/v2/nginx/manifests/%00",
        "/v2/" + "a/" * 3000 + "manifests/x",
        "/v2/nginx/referrers/none",
        "/v2/nginx/tags/list?n=-1",
        "/v2/nginx/tags/list?n=99999999999999999999999",
    ],
    ids=lambda path: path[:40],
)
def test_paths_of_registries_lead_nowhere_without_a_token(target, path):
    code, answer = target.ask("GET", path, target.registry_host)
    assert code in (400, 401, 404, 431, 501), (code, answer[:300])


def bearer(*parts):
    encode = lambda part: base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()  # noqa: E731
    return ".".join([*map(encode, parts), ""])


def test_tokens_that_nobody_issued_are_refused_everywhere(target):
    _, claims, signature = target.arm.token().split(".")
    forged = json.loads(base64.urlsafe_b64decode(claims + "=="))
    none = {"alg": "none", "typ": "JWT"}
    altered = claims[:-2] + ("AA" if claims[-2:] != "AA" else "BB")
    for token in (
        "",
        "x",
        ".",
        "..",
        "a.b.c",
        "\xe9" * 100,
        "a" * 20_000,
        bearer(none, forged),
        f"e30.{claims}.",
        f"e30.{altered}.{signature}",
        f"{target.arm.token()}x",
    ):
        own = {"authorization": f"Bearer {token}"}
        code, _ = target.ask("GET", target.registry["id"] + VERSION, **own)
        assert code == 401, token[:50]
        code, _ = target.ask("GET", "/api/v1/pods", target.cluster_host, **own)
        assert code == 401, token[:50]
        code, _ = target.ask("GET", "/v2/nginx/manifests/v1", target.registry_host, **own)
        assert code == 401, token[:50]
        code, _ = target.ask("GET", "/_emulator/state", **own)
        assert code == 401, token[:50]


def test_tokens_for_one_thing_open_no_other(target):
    arm, cluster = target.arm.token(), target.cluster_token
    for token, path, host in (
        (cluster, target.registry["id"] + VERSION, "localhost"),
        (cluster, "/v2/nginx/manifests/v1", target.registry_host),
        (arm, "/api/v1/pods", target.cluster_host),
        (arm, "/v1.0/servicePrincipals", "graph.microsoft.com"),
        (arm, "/v2/nginx/manifests/v1", target.registry_host),
        (arm, "/_emulator/state", "localhost"),
    ):
        code, _ = target.ask("GET", path, host, authorization=f"Bearer {token}")
        assert code == 401, (path, host)


def test_a_token_of_another_emulator_is_refused(target):
    with running() as other:
        token = Arm(other).token()
    code, _ = target.ask("GET", target.registry["id"] + VERSION, authorization=f"Bearer {token}")
    assert code == 401


def test_a_token_is_refused_when_its_time_is_over():
    with running() as emulator:
        arm = Arm(emulator)
        arm.group(GROUP)
        emulator.order("POST", "advance", {"seconds": 8 * 24 * 3600})
        with pytest.raises(Refused) as refused:
            arm.call("GET", f"{arm.subscription}/resourceGroups/{GROUP}", "2024-11-01")
        assert refused.value.status == 401
