"""What the suite's tests start from: the programs of an emulator with real nodes, in one folder."""

import os
import pathlib
import re
import subprocess
import time

import pytest

import images
from cloud import cloud, server
from emulator import running

TOOLS = {path.name: path / "bin" for path in map(pathlib.Path, os.environ["AKS_ACR_PEER_ALL_TOOLS"].split(os.pathsep))}
# With `newest`, the folders are named by the versions of containerd.
NAMES = {"containerd": ("containerd", "containerd-shim-runc-v2"), "agent": ("agent",)}
began = time.monotonic()
measured, said = {}, []


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """A folder as `build-kubernetes --node` fills it, with the programs of the suite's clients."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "bin").mkdir()
    for name, place in TOOLS.items():
        for program in NAMES.get(name) or [one.name for one in place.iterdir() if one.suffix == "" and not one.name.startswith("py")]:
            (folder / "bin" / program).symlink_to(place / program)
    return folder


@pytest.fixture(scope="session")
def versions(programs):
    """Major and minor version of kubelet and of containerd."""
    found = {}
    for part in ("kubelet", "containerd"):
        said = subprocess.run([programs / "bin" / part, "--version"], check=True, capture_output=True, text=True).stdout
        found[part] = re.search(r" v(\d+\.\d+)\.", said)[1]
    return found


@pytest.fixture(scope="session")
def say():
    """Writes what is shown after the tests."""
    return said.append


@pytest.fixture(scope="session")
def image(programs):
    return images.Image(programs / "bin" / "program")


@pytest.fixture(scope="session")
def real(programs):
    """Starts an emulator whose cluster has a real control plane and a real node, and waits for the node."""

    def start(scene, folder):
        return cloud(running, scene, folder, "--kubernetes", programs, "--node")

    return start


def ready(azure, count=1):
    """Waits until so many nodes are ready; the API server."""
    call, began = server(azure), time.monotonic()
    while [is_ready(node) for node in call("GET", "/api/v1/nodes")["items"]] != [True] * count:
        assert time.monotonic() < began + 120, azure.emulator.complaints()
        time.sleep(0.1)
    # The controller that looks after nodes removes the taint.
    while any(node["spec"].get("taints") for node in call("GET", "/api/v1/nodes")["items"]):
        assert time.monotonic() < began + 120
        time.sleep(0.1)
    measured["control plane and node"] = time.monotonic() - began
    return call


def is_ready(node):
    conditions = node.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def pytest_terminal_summary(terminalreporter):
    if said:
        terminalreporter.section("the story on a real node")
        terminalreporter.write_line("\n".join(said))
    starts = ", ".join(f"{name} ready after {seconds:.1f} s" for name, seconds in measured.items())
    terminalreporter.write_line(f"{starts}; suite {time.monotonic() - began:.0f} s")
