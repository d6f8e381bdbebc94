"""What `check` of the library says of a cell, and what a real kubelet and containerd then do: they pull, or fail with a text of its cause."""

import re
import time

import pytest

from causes import DIFFERENCES, NAMESPACE, read
from cells import cells
from cloud import CLUSTER, GROUP
from conftest import ready
from verdicts import check_agrees

CELLS = cells()
# The containers of a pod pull one after another; pods pull at the same time.
PODS = 20


def scene():
    whole = {"entraGroups": [{"name": "inner", "members": [f"{GROUP}/{CLUSTER}"]}]}
    for cell in CELLS:
        for part, ones in cell.parts().items():
            whole[part] = whole.get(part, []) + ones
    return whole | {"clusters": [{"group": GROUP, "name": CLUSTER, "nodes": [{"name": "aks-nodepool1-12345678-vmss000000"}]}]}


def pods():
    """Pods with a container for each cell."""
    for number in range(PODS):
        containers = [{"name": one.container, "image": one.image, "imagePullPolicy": "Always"} for one in CELLS[number::PODS]]
        spec = {"automountServiceAccountToken": False, "containers": containers, "terminationGracePeriodSeconds": 0}
        yield {"metadata": {"name": f"pod{number}"}, "spec": spec}


def pulls(call):
    """For each container whether its image was pulled, or the text of the failure."""
    changes, found, end = [], {}, time.monotonic() + 240
    call.watch(f"{NAMESPACE}/events", changes.append)
    for pod in pods():
        call("POST", f"{NAMESPACE}/pods", pod)
    while len(found) < len(CELLS):
        assert time.monotonic() < end, (len(found), sorted(one.name for one in CELLS if one.container not in found))
        time.sleep(0.2)
        for event in changes:
            container = re.search(r"\{(c\d+)\}", event["involvedObject"].get("fieldPath", ""))
            if container and event["reason"] == "Pulled":
                found[container[1]] = True
            elif container and event["message"].startswith("Failed to pull image"):
                found.setdefault(container[1], event["message"])
    return found


@pytest.fixture(scope="module")
def compared(real, tmp_path_factory):
    """Reports and pulls, by cell."""
    with real(scene(), tmp_path_factory.mktemp("check")) as azure:
        call = ready(azure)
        for cell in CELLS:
            cell.prepare(azure)
        reports = azure.check([one.image for one in CELLS])
        found = pulls(call)
        return {one.name: (report, found[one.container]) for one, report in zip(CELLS, reports)}


@pytest.mark.parametrize("name", [one.name for one in CELLS])
def test_the_verdict_is_what_the_real_node_does(name, compared, versions):
    check_agrees(name, *compared[name], versions)


def test_there_are_enough_cells():
    assert len({one.name for one in CELLS}) == len(CELLS) >= 59
    known = {one["cell"] for one in DIFFERENCES["checks"]}
    assert known <= {one.name for one in CELLS} | {one["cause"] for one in read()}
