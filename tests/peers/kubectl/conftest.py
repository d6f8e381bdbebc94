"""What the suite's tests start from: a cluster, a registry with an image, and a kubectl that knows the cluster."""

import pytest

from arm import Arm
from emulator import running
from program import Kubectl

GROUP, CLUSTER, REGISTRY = "group", "dev", "peerregistry"
IMAGE = f"{REGISTRY}.azurecr.io/nginx:v1"

MANIFEST = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: nginx
          image: {IMAGE}
          ports:
            - containerPort: 80
"""


class Azure:
    """An emulator with a cluster that is not attached to a registry with an image."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.arm = Arm(emulator)
        self.arm.group(GROUP)
        self.registry = self.arm.registry(GROUP, REGISTRY)
        self.arm.import_image(GROUP, REGISTRY, "docker.io/library/nginx:latest", "nginx:v1")
        self.cluster = self.arm.cluster(GROUP, CLUSTER)
        self.kubectl = Kubectl(emulator, self.arm.kubeconfig(GROUP, CLUSTER))

    def attach(self):
        return self.arm.attach(self.cluster, self.registry)

    def pass_time(self, seconds):
        """Lets the emulator's clock jump."""
        self.emulator.order("POST", "advance", {"seconds": seconds})


    def hurry(self, speed=20):
        """Lets the emulator's clock run faster, or with 1 as usual."""
        self.emulator.order("POST", "clock", {"speed": speed})


@pytest.fixture
def azure():
    """One for each test: starting takes no time."""
    with running() as emulator:
        yield Azure(emulator)


@pytest.fixture
def kubectl(azure):
    return azure.kubectl


@pytest.fixture
def attached(azure):
    """The same, where the nodes may pull."""
    azure.attach()
    return azure


@pytest.fixture
def deployed(attached):
    """The same, with the deployment rolled out."""
    attached.hurry()
    attached.kubectl("apply", "-f", "-", stdin=MANIFEST)
    attached.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    attached.hurry(1)
    return attached
