"""Proofs of the library on a real API server and a real node, with emulated nodes of other platforms beside it."""

import os
import subprocess
import time

import pytest

from cloud import CLUSTER, GROUP
from conftest import ready

IMAGE, LATER = "provenregistry.azurecr.io/team/app:v1", "provenregistry.azurecr.io/team/later:v1"
LIBRARY = os.environ["AKS_ACR_OPERATE_BIN"]
NODES = [
    {"name": "aks-nodepool1-12345678-vmss000000"},
    {"name": "aks-arm-12345678-vmss000000", "architecture": "arm64"},
    {"name": "aks-win-12345678-vmss000000", "os": "windows"},
]
SCENE = {
    "registries": [{"group": GROUP, "name": "provenregistry"}],
    "images": [{"name": one, "platforms": ["linux/amd64"]} for one in (IMAGE, LATER)],
    "clusters": [{"group": GROUP, "name": CLUSTER, "nodes": NODES}],
}
# No pod of the namespace without a label of its team; see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
POLICY = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "team"},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
        "validations": [{"expression": "has(object.metadata.labels) && 'team' in object.metadata.labels", "message": "a pod needs a team"}],
    },
}
BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "team"},
    "spec": {
        "policyName": "team",
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "strict"}}},
    },
}


@pytest.fixture(scope="module")
def azure(real, tmp_path_factory):
    with real(SCENE, tmp_path_factory.mktemp("prove")) as azure:
        azure.call = ready(azure, len(NODES))
        strict = {"pod-security.kubernetes.io/enforce": "restricted"}
        azure.call("POST", "/api/v1/namespaces", {"metadata": {"name": "strict", "labels": strict}})
        yield azure


def prove(azure, image, namespace, *labels):
    return azure.operate(LIBRARY, "prove", f"{GROUP}/{CLUSTER}", image, namespace, *labels)


def left(azure, namespace):
    """The Jobs and pods of a namespace, once Kubernetes has deleted what is to be deleted."""
    paths = [f"/apis/batch/v1/namespaces/{namespace}/jobs", f"/api/v1/namespaces/{namespace}/pods"]
    end = time.monotonic() + 20
    while True:
        found = [one["metadata"]["name"] for path in paths for one in azure.call("GET", path)["items"]]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def grant(azure):
    azure.owner.assign(azure.owner.registry_id(GROUP, "provenregistry"), "AcrPull", azure.kubelet["objectId"])


def test_without_a_grant_the_real_node_fails_and_the_report_says_why(azure):
    proof = prove(azure, IMAGE, "default")
    assert (proof["outcome"], proof["cleaned_up"]) == ("failed", True), proof
    failed = next(pool for pool in proof["pools"] if pool["outcome"] == "failed")
    assert failed["pool"] == "nodepool1" and "401 Unauthorized" in failed["message"]
    assert failed["report"]["root_cause"] == "grant.missing"
    assert failed["report"]["findings"][0]["next_step"]["operation"] == "attach"
    assert left(azure, "default") == []


def test_with_a_grant_one_pool_is_proven_and_two_are_skipped(azure, say):
    grant(azure)
    proof = prove(azure, IMAGE, "default")
    assert {pool["pool"]: pool["outcome"] for pool in proof["pools"]} == {"nodepool1": "proven", "arm": "skipped", "win": "skipped"}, proof
    assert (proof["outcome"], proof["cleaned_up"]) == ("proven", True)
    proven = next(pool for pool in proof["pools"] if pool["pool"] == "nodepool1")
    assert proven["proof"] in ("kubelet_pulled_layers", "kubelet_resolved_manifest") and "@sha256:" in proven["image_id"]
    assert proven["message"].startswith(f'Successfully pulled image "{IMAGE}"')
    assert proven["identity_client_id"] == azure.kubelet["clientId"]
    say(f"a proof: {proven['message']}")
    assert left(azure, "default") == []


def test_the_pod_passes_restricted_pod_security_and_ends_before_its_program(azure):
    """The events and the status of the real kubelet, read while the Job is there."""
    end = time.monotonic() + 90
    # A node lists its images when it next looks at them.
    while not azure.call("GET", f"/api/v1/nodes/{NODES[0]['name']}")["status"].get("images"):
        assert time.monotonic() < end
        time.sleep(0.5)
    seen = {}
    azure.call.watch("/api/v1/namespaces/strict/pods", lambda pod: seen.setdefault(pod["metadata"]["name"], []).append(pod["status"]))
    proof = prove(azure, LATER, "strict", "team=web")
    assert proof["outcome"] == "proven", proof
    assert next(pool for pool in proof["pools"] if pool["pool"] == "nodepool1")["proof"] == "kubelet_pulled_layers", proof
    states = [one["state"] for pod in seen.values() for status in pod for one in status.get("containerStatuses") or []]
    ended = [state["terminated"] for state in states if "terminated" in state]
    assert ended and {(one["reason"], one["exitCode"]) for one in ended} == {("StartError", 128)}, states
    assert all("/nonexistent/aks-acr-pull-proof" in one["message"] for one in ended), ended
    assert left(azure, "strict") == []


def test_an_admission_policy_makes_it_inconclusive_until_the_pod_is_as_it_wants(azure):
    azure.call("POST", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", POLICY)
    azure.call("POST", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", BINDING)
    end = time.monotonic() + 60
    while True:
        proof = prove(azure, IMAGE, "strict")
        if proof["outcome"] == "inconclusive":
            break
        # A new policy takes effect after a moment.
        assert time.monotonic() < end, proof
    pool = next(pool for pool in proof["pools"] if pool["pool"] == "nodepool1")
    assert "a pod needs a team" in pool["reason"], proof
    assert left(azure, "strict") == []
    assert prove(azure, IMAGE, "strict", "team=web")["outcome"] == "proven"
    assert left(azure, "strict") == []


def test_killed_at_any_point_the_next_run_leaves_nothing(azure):
    words = [LIBRARY, azure.emulator.origin, azure.emulator.subscription, "prove", f"{GROUP}/{CLUSTER}", IMAGE, "default"]
    for tenths in (1, 3, 5, 8, 12, 20):
        process = subprocess.Popen(words, env=azure.emulator.client_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(tenths / 10)
        process.kill()
        process.wait()
        proof = prove(azure, IMAGE, "default")
        assert (proof["outcome"], proof["cleaned_up"]) == ("proven", True), (tenths, proof)
        assert left(azure, "default") == [], tenths


def test_each_node_says_which_identity_it_pulls_with(azure):
    found = azure.operate(LIBRARY, "node-identities", f"{GROUP}/{CLUSTER}")
    assert {pool["pool"]: pool["state"] for pool in found["pools"]} == dict.fromkeys(("nodepool1", "arm", "win"), "current"), found
    assert found["pools"][0]["client_ids"] == [azure.kubelet["clientId"]]
