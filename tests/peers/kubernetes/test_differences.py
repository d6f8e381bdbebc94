"""The emulator's Kubernetes responds as a real one does, apart from what `differences.json` lists.

The list may only shrink: a difference that is not in it fails, and so does one in it that no longer occurs. An entry has the field, the
values of both, as the message of a failure shows them, and a reason.
"""

import json
import os
import pathlib
import re
import time

import pytest

from both import Both, emulated_server, real_server
from emulator import running
from exchanges import SCENARIOS
from kubelet import create_node
from real import Api

LISTED = json.loads(pathlib.Path(__file__).with_name("differences.json").read_text())
MOST = 0
# The emulator has the responses of one version; test_versions.py has those that differ in others.
pytestmark = pytest.mark.skipif(
    os.environ.get("AKS_ACR_PEER_CLIENTS", "client") != "client", reason="the emulated version is that of the usual control plane"
)
# In GET and PATCH of these, nothing may differ.
EQUAL = {"deployments", "statefulsets", "daemonsets", "jobs", "pods", "configmaps", "secrets", "namespaces"}


@pytest.fixture(scope="module")
def both(plane):
    with running() as emulator:
        real = real_server(plane)
        version = real.call("GET", "/version")["body"]["gitVersion"].removeprefix("v")
        both = Both(real, emulated_server(emulator, version), lambda: plane.log("kube-controller-manager")[-2000:])
        create_node(Api(plane), "node-a")
        for name, run in SCENARIOS.items():
            both.scenario, namespace = name, f"x-{name.lower().replace('_', '-')}"
            both.quietly("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            # Controllers make these, and the scenarios read and count them.
            for path in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
                both.settle(f"/api/v1/namespaces/{namespace}/{path}", lambda body: "metadata" in body and "code" not in body, still=0)
            run(both, namespace)
        yield both


def test_only_the_listed_differences_occur(both):
    found = both.found()
    known = {json.dumps([one["field"], one["real"], one["emulated"]], sort_keys=True) for one in LISTED}
    new = [f"{requests[0]} and {len(requests) - 1} more: {key[:400]}" for key, requests in found.items() if key not in known]
    assert not new, "not listed:\n" + "\n".join(new)
    over = known - found.keys()
    assert not over, "no longer there, take it out of the list:\n" + "\n".join(over)


def failures(server, events):
    """The events about pods that were not created: the kind, the component, and the message without what a server chooses."""
    items = server.call("GET", events)["body"]["items"]
    said = lambda event: re.sub(r'pods "(job|ds)-[a-z0-9]{5}"', r'pods "\1-x"', event["message"])  # noqa: E731
    return {(one["involvedObject"]["kind"], one["type"], one["source"]["component"], said(one)) for one in items}


def test_pods_that_are_not_created_have_the_same_events(both):
    """A ReplicaSet has a condition as well; for the other kinds, the events are all there is."""
    namespace = "x-not-created"
    both.quietly("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}
    both.quietly("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    both.settle(f"/api/v1/namespaces/{namespace}/resourcequotas/q", lambda body: body.get("status", {}).get("used") == {"pods": "0"})
    pod = {"containers": [{"name": "c", "image": "nginx:1"}]}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": pod}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    for path, name, spec in (
        ("/apis/apps/v1/namespaces/{}/statefulsets", "sts", spec | {"serviceName": "a"}),
        ("/apis/apps/v1/namespaces/{}/daemonsets", "ds", spec),
        ("/apis/batch/v1/namespaces/{}/jobs", "job", {"template": {"spec": pod | {"restartPolicy": "Never"}}}),
    ):
        both.quietly("POST", path.format(namespace), {"metadata": {"name": name}, "spec": spec})
    events = f"/api/v1/namespaces/{namespace}/events?fieldSelector=reason%3DFailedCreate"
    end = time.monotonic() + 60
    while any({kind for kind, *_ in failures(server, events)} != {"StatefulSet", "DaemonSet", "Job"} for server in both.servers):
        assert time.monotonic() < end, [failures(server, events) for server in both.servers]
        time.sleep(0.2)
    real, emulated = (failures(server, events) for server in both.servers)
    assert real == emulated and len(real) == 3


def test_the_list_is_short_and_has_reasons():
    assert len(LISTED) <= MOST
    assert all(one["reason"] for one in LISTED)


def test_common_kinds_are_read_and_changed_as_on_the_real_server(both):
    assert len(both.compared) >= 2000
    sent = {name: one for name, one in both.sent.items() if one[0] in ("GET", "PATCH") and one[1] in EQUAL}
    for plural in EQUAL:
        assert {method for method, other in sent.values() if other == plural} == {"GET", "PATCH"}, plural
    assert len(sent) >= 280
    different = {name: both.compared[name] for name in sent if both.compared[name]}
    assert not different, different
