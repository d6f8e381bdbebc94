"""An emulator for each test that asks for one, and clients of it."""

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


@pytest.fixture
def azure():
    with Emulator(scene=SCENE) as azure:
        yield azure


@pytest.fixture
def client(azure):
    with blocking(azure) as client:
        yield client
