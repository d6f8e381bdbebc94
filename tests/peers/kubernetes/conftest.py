"""What the tests start from: one real control plane for all, and a namespace for each."""

import itertools
import os
import time

import pytest

import control_plane
from library import Library
from real import Api, Kubectl

numbers = itertools.count(1)
began = time.monotonic()
measured = {}


@pytest.fixture(scope="session")
def plane():
    with control_plane.running(os.environ["AKS_ACR_PEER_TOOLS"]) as plane:
        measured["start"] = plane.start_seconds
        yield plane
        measured["memory"] = plane.memory()


@pytest.fixture(scope="session")
def api(plane):
    return Api(plane)


@pytest.fixture(scope="session")
def kubectl(plane):
    return Kubectl(plane)


@pytest.fixture(scope="session")
def library(plane):
    library = Library(plane.kubeconfigs["admin"])
    yield library
    library.close()


@pytest.fixture(scope="session")
def reader(plane):
    """The library with the kubeconfig of a user without permissions."""
    library = Library(plane.kubeconfigs["reader"])
    yield library
    library.close()


@pytest.fixture
def make_namespace(api):
    """Creates a namespace, and waits until controllers have made all that they make in it."""

    def make(labels=None):
        name = f"t{next(numbers)}"
        api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels or {}}})
        for path in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            api.wait_for(f"/api/v1/namespaces/{name}/{path}", lambda _: True)
        return name

    return make


@pytest.fixture
def namespace(make_namespace):
    return make_namespace()


def pytest_terminal_summary(terminalreporter):
    if measured:
        memory = measured.get("memory", {})
        terminalreporter.write_line(
            f"control plane: ready after {measured['start']:.1f} s, memory at the end {sum(memory.values())} MiB {memory}, "
            f"suite {time.monotonic() - began:.0f} s"
        )
