"""The story of a registry and a cluster by Azure's SDK for Go."""

import json
import os
import pathlib
import subprocess

from emulator import running

MANAGER = "https://management.azure.com"
WANTED = {
    "group": "Succeeded",
    "no registry": {"status": 404, "code": "ResourceNotFound"},
    "registry": {"server": "goregistry.azurecr.io", "state": "Succeeded"},
    "tags": {"team": "web"},
    "cluster": {"state": "Succeeded", "kubelet": True},
    "kubeconfigs": 1,
    "granted twice": {"status": 409, "code": "RoleAssignmentExists"},
    "grants": 1,
    "manifest": True,
    "images": {"repositories": ["team/app", "team/own"], "tags": ["v1"]},
    "no blob": 404,
    "no manifest": 404,
    "left": 0,
}


def program():
    folders = os.environ["AKS_ACR_PEER_ALL_TOOLS"].split(":")
    return next(found for folder in folders if (found := pathlib.Path(folder) / "bin" / "story").is_file())


def test_the_story_is_told_to_its_end():
    with running() as azure:
        # What takes minutes in Azure.
        azure.order("POST", "clock", {"speed": 30})
        mark = azure.mark()
        done = subprocess.run(
            [program(), azure.origin, MANAGER, azure.subscription, "group"],
            env=azure.client_environment(),
            capture_output=True,
            text=True,
            timeout=150,
        )
        gives = {one["step"]: one["gives"] for one in map(json.loads, done.stdout.splitlines())}
        assert (done.returncode, gives) == (0, WANTED), done.stderr
        requests = [one for one in azure.requests(mark) if one["from"] == "client"]
        assert {one["service"] for one in requests} == {"entra", "arm", "registry"}
        state = azure.state()
        assert (state["registries"], state["clusters"]) == ([], [])
