"""The cluster: its nodes, its credentials, what the emulator refuses, and its end."""

import time

import pytest

from arm import CLUSTER_VERSION
from conftest import CLUSTER, GROUP
from leftovers import left


def test_the_nodes_are_objects_that_stay_alive(laptop):
    all_nodes, end = lambda: laptop.kubectl.json("get", "nodes")["items"], time.monotonic() + 20
    while any(node["spec"].get("taints") for node in all_nodes()):
        assert time.monotonic() < end, "the node controller removes the taint of nodes that are not ready"
        time.sleep(0.2)
    nodes = all_nodes()
    assert [node["metadata"]["name"] for node in nodes] == ["aks-nodepool1-0", "aks-nodepool1-1"]
    for node in nodes:
        labels = node["metadata"]["labels"]
        assert labels["kubernetes.io/arch"] == "amd64" and labels["kubernetes.io/os"] == "linux"
        assert labels["agentpool"] == labels["kubernetes.azure.com/agentpool"] == "nodepool1"
        assert node["spec"]["podCIDR"]
        assert {one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"] == "True"
        assert node["status"]["nodeInfo"]["kubeletVersion"] == laptop.kubectl.json("version")["serverVersion"]["gitVersion"]
    lease = lambda: laptop.kubectl.json("get", "lease", "-n", "kube-node-lease", "aks-nodepool1-0")["spec"]["renewTime"]  # noqa: E731
    before, end = lease(), time.monotonic() + 25
    while lease() == before:
        assert time.monotonic() < end
        time.sleep(1)


def test_a_token_of_a_service_account_is_the_api_servers_matter(laptop):
    token = laptop.kubectl("create", "token", "default").strip()
    config = laptop.kubectl("config", "view", "--raw", "-o", "jsonpath={.users[0].user.token}")
    text = (laptop.emulator.home / ".kube" / "config").read_text()
    # kubectl prefers the certificate in a kubeconfig, which only says who the emulator's administrator is.
    text = "\n".join(line for line in text.splitlines() if "client-certificate-data" not in line and "client-key-data" not in line)
    (laptop.emulator.home / "account.yaml").write_text(text.replace(config, token))
    account = ("--kubeconfig", str(laptop.emulator.home / "account.yaml"))
    assert "system:serviceaccount:default:default" in laptop.kubectl("auth", "whoami", *account)
    assert "cannot list resource" in laptop.kubectl.fails("get", "pods", *account)
    (laptop.emulator.home / "account.yaml").write_text(text.replace(config, "wrong"))
    assert "must be logged in" in laptop.kubectl.fails("get", "pods", *account)


def test_the_requests_are_in_the_log(laptop):
    mark = laptop.emulator.mark()
    laptop.kubectl("get", "configmaps")
    paths = [(one["method"], one["path"], one["status"]) for one in laptop.emulator.requests(mark)]
    assert any(method == "GET" and "/configmaps" in path and status == 200 for method, path, status in paths), paths


def test_the_api_server_sees_one_administrator(laptop):
    assert "masterclient" in laptop.kubectl("auth", "whoami")
    assert laptop.kubectl("auth", "can-i", "*", "*").strip() == "yes"


def test_faults_apply_to_watches_and_to_what_the_emulator_rejects(laptop):
    watch = "/api/v1/watch/namespaces/default/configmaps?timeoutSeconds=2"
    assert '"type":"ADDED"' in laptop.kubectl("get", "--raw", watch)
    mark = laptop.emulator.mark()
    laptop.emulator.order("POST", "fault", {"method": "GET", "part": "/watch/", "truncated": True})
    laptop.kubectl.fails("get", "--raw", watch)
    service = "/api/v1/namespaces/default/services/kubernetes"
    laptop.emulator.order("POST", "fault", {"method": "GET", "part": service, "status": 503})
    laptop.kubectl.fails("get", "--raw", service)
    found = [(one["status"], one["fault"]) for one in laptop.emulator.requests(mark) if one["fault"]]
    assert found == [(200, "truncated body"), (503, "server error")]


@pytest.mark.parametrize(("order", "body"), [("advance", {"seconds": 5}), ("clock", {"speed": 60})])
def test_the_clock_is_real(laptop, order, body):
    with pytest.raises(RuntimeError, match="400.*the clock cannot be turned: clusters have real control planes"):
        laptop.emulator.order("POST", order, body)


def test_what_needs_a_program_on_a_node_fails_at_once(laptop):
    laptop.kubectl("create", "deployment", "none", "--image=docker.io/library/none:1")
    end = time.monotonic() + 20
    while not (pods := laptop.kubectl.json("get", "pods", "-l", "app=none")["items"]) or not pods[0]["spec"].get("nodeName"):
        assert time.monotonic() < end
        time.sleep(0.2)
    pod = pods[0]["metadata"]["name"]
    mark = laptop.emulator.mark()
    laptop.emulator.order("POST", "fault", {"method": "*", "part": "/exec", "status": 503})
    laptop.kubectl.fails("exec", pod, "--", "true")
    assert "server error" in [one["fault"] for one in laptop.emulator.requests(mark)]
    assert "exec is not possible: the emulator's nodes run no programs" in laptop.kubectl.fails("exec", pod, "--", "true")
    # The API server itself cannot dial an address that may be a stranger's.
    assert "emulated-nodes-run-no-programs" in laptop.kubectl.fails("get", "--raw", f"/api/v1/namespaces/default/pods/{pod}/proxy/")
    laptop.kubectl("delete", "deployment", "none", "--wait=false")


def test_a_cluster_that_is_created_starts_one_and_its_deletion_ends_it(laptop):
    arm, folder = laptop.arm, laptop.emulator.folder
    count = lambda: len(list(folder.glob("aks-acr-control-plane-*")))  # noqa: E731
    assert count() == 1
    arm.cluster(GROUP, "second", nodes=1)
    config = laptop.emulator.folder / "second.yaml"
    config.write_text(arm.kubeconfig(GROUP, "second"))
    other = ("--kubeconfig", str(config))
    # The first request waits for the control plane.
    assert laptop.kubectl("get", "namespaces", "-o", "name", *other).split()[0] == "namespace/default"
    assert count() == 2
    arm.call("DELETE", arm.cluster_id(GROUP, "second"), CLUSTER_VERSION)
    end = time.monotonic() + 20
    while count() > 1:
        assert time.monotonic() < end, left(folder)
        time.sleep(0.2)
    assert laptop.kubectl("get", "nodes"), f"{CLUSTER} is as before"
