"""One ground and one control plane for all tests."""

import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).parent
# The name server, and the causes of failed pulls.
sys.path.insert(0, str(HERE.parent / "containerd"))

import containerd  # noqa: E402
import control_plane  # noqa: E402
from causes import NAMESPACE  # noqa: E402
from cloud import caller  # noqa: E402
import images  # noqa: E402
import node  # noqa: E402

TOOLS = {path.name: path for path in map(pathlib.Path, os.environ["AKS_ACR_PEER_ALL_TOOLS"].split(os.pathsep))}
began = time.monotonic()
measured, said = {}, []


@pytest.fixture(scope="session")
def ground():
    why = node.obstacle(TOOLS["kubelet"] / "bin")
    if why:
        pytest.skip(f"a node cannot run here: {why}")
    ground = node.Ground(containerd.NameServer)
    yield ground
    ground.close()


@pytest.fixture(scope="session")
def tools():
    return TOOLS


@pytest.fixture(scope="session")
def versions(ground):
    """Major and minor version of kubelet and of containerd."""
    found = {}
    for folder, part in (("kubelet", "kubelet"), ("containerd", "containerd")):
        said = subprocess.run([TOOLS[folder] / "bin" / part, "--version"], check=True, capture_output=True, text=True).stdout
        found[part] = re.search(r" v(\d+\.\d+)\.", said)[1]
    return found


@pytest.fixture(scope="session")
def say():
    """Writes what is shown after the tests."""
    return said.append


@pytest.fixture(scope="session")
def plane(ground):
    with control_plane.running(TOOLS["control-plane"]) as plane:
        measured["control plane"] = plane.start_seconds
        yield plane


@pytest.fixture(scope="session")
def image(ground):
    return images.Image(TOOLS["kubelet"] / "bin" / "program")


@pytest.fixture(scope="session")
def sandbox(image):
    registry = images.Registry(image)
    yield registry.image
    registry.close()


@pytest.fixture(scope="session")
def plane_api(plane):
    return caller(plane.request)


@pytest.fixture(scope="module")
def join(ground, plane, sandbox):
    """Starts a node that belongs to a cluster of an emulated Azure."""
    nodes = []

    def join(azure, silent=(), short=None):
        ground.names.known, ground.names.silent = azure.hosts(), silent
        nodes.append(node.Node(ground, plane, TOOLS, azure, sandbox, short))
        measured["node"] = nodes[-1].start_seconds
        return nodes[-1]

    yield join
    for one in nodes:
        one.stop()
        plane.request("DELETE", "/apis/apps/v1/namespaces/default/deployments")
        plane.request("DELETE", f"/api/v1/nodes/{node.NAME}")
        for kind in ("pods", "events", "secrets"):
            plane.request("DELETE", f"{NAMESPACE}/{kind}?gracePeriodSeconds=0")


def pytest_terminal_summary(terminalreporter):
    if said:
        terminalreporter.section("the story on a real node")
        terminalreporter.write_line("\n".join(said))
    starts = ", ".join(f"{name} ready after {seconds:.1f} s" for name, seconds in measured.items())
    terminalreporter.write_line(f"{starts}; suite {time.monotonic() - began:.0f} s")
