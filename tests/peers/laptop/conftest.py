"""What the suite's tests start from: an emulator whose cluster has a real control plane."""

import json
import os
import subprocess

import pytest

from arm import Arm
from emulator import running
from program import Kubectl

TOOLS = os.environ["AKS_ACR_PEER_TOOLS"]
GROUP, CLUSTER, REGISTRY = "group", "dev", "laptopregistry"
HOST = f"{REGISTRY}.azurecr.io"
IMAGE = f"{HOST}/team/app:v1"
SCENE = {
    "groups": [{"name": GROUP, "location": "westeurope"}],
    "registries": [{"group": GROUP, "name": REGISTRY}],
    "clusters": [{"group": GROUP, "name": CLUSTER}],
    "images": [{"name": IMAGE}],
}


class Laptop:
    """An emulator, the cluster's kubectl, and the library."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.arm = Arm(emulator)
        self.kubectl = Kubectl(emulator, self.arm.kubeconfig(GROUP, CLUSTER))

    def operate(self, *words):
        """An operation of the library; its result."""
        command = [os.environ["AKS_ACR_OPERATE_BIN"], self.emulator.origin, self.emulator.subscription, *words]
        done = subprocess.run(command, env=self.emulator.client_environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "scene.json"
    path.write_text(json.dumps(SCENE))
    return path


@pytest.fixture(scope="session")
def start(scene):
    """Starts an emulator with this scene."""
    return lambda *arguments: running("--kubernetes", TOOLS, "--seed", scene, *arguments)


@pytest.fixture(scope="session")
def laptop(start):
    """One for all tests: a control plane takes some seconds."""
    with start() as emulator:
        yield Laptop(emulator)
