"""An emulator for each test, and nothing of the user's within reach."""

import os
import tempfile

import cloud
import emulator
import pytest
import scene


@pytest.fixture
def running(monkeypatch):
    """The emulator; the process has its environment and a home in its folder as long as it runs."""
    with emulator.running("--caller", f"reader:{cloud.READER_SECRET}:Reader") as started:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in started.client_environment().items():
            monkeypatch.setenv(name, value)
        # Clients put certificates of a kubeconfig into files there.
        monkeypatch.setattr(tempfile, "tempdir", str(started.folder))
        yield started


@pytest.fixture(params=["origin", "proxy"])
def azure(request, running, monkeypatch):
    """The clients, by each of the two ways in."""
    if request.param == "origin":
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
    return cloud.Cloud(running, request.param)


@pytest.fixture
def group(azure):
    """A resource group."""
    return azure.groups().create_or_update("team", {"location": cloud.LOCATION}).name


@pytest.fixture
def registry(azure, group):
    """A registry in the group."""
    return scene.create_registry(azure, group, "teamregistry")


@pytest.fixture
def cluster(azure, group):
    """A cluster in the group."""
    return scene.create_cluster(azure, group, "dev")
