"""An emulator for each test that asks for one, and clients of it."""

import asyncio
import time

import pytest
from aks_acr_emulator import Emulator

import aks_acr

SCENE = {
    "clusters": [{"group": "group", "name": "dev"}],
    "registries": [{"group": "group", "name": "myregistry"}],
    "images": [{"name": "docker.io/library/nginx:latest", "platforms": ["linux/amd64"]}],
}

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: <acr-name>.azurecr.io/nginx:v1}]}
"""


def blocking(azure, credential=None):
    return aks_acr.Client(credential or azure.credential(), azure.subscription_id, **azure.client_options())


def awaiting(azure, credential=None):
    return aks_acr.aio.Client(credential or azure.async_credential(), azure.subscription_id, **azure.client_options())


def is_asked(azure, part, since):
    """Whether a request for such a path has arrived. It is in the log from its start, and its delay comes after."""
    return any(part in request.path for request in azure.requests(since=since))


def wait_until_asked(azure, part, since):
    until = time.monotonic() + 10
    while not is_asked(azure, part, since):
        assert time.monotonic() < until, azure.requests(since=since)
        time.sleep(0.002)


async def until_asked(azure, part, since):
    await asyncio.to_thread(wait_until_asked, azure, part, since)


@pytest.fixture
def azure():
    with Emulator(scene=SCENE) as azure:
        yield azure


@pytest.fixture
def client(azure):
    with blocking(azure) as client:
        yield client
