"""What the suite's tests start from: a cluster, a registry with an image, and a kubectl that knows the cluster."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from arm import Arm
from emulator import running

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


class Kubectl:
    """kubectl with a home of its own and the administrator's kubeconfig."""

    def __init__(self, emulator, kubeconfig):
        self.emulator = emulator
        self.program = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]) / "bin" / "kubectl"
        config = emulator.home / ".kube" / "config"
        config.parent.mkdir(exist_ok=True)
        config.write_text(kubeconfig)
        config.chmod(0o600)
        # Without the variables for proxy and trust: the kubeconfig has to be enough.
        told = emulator.client_environment()
        self.environment = {name: told[name] for name in told if name not in emulator.environment}

    def start(self, *arguments):
        """Starts it and does not wait."""
        return subprocess.Popen(
            [str(self.program), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.emulator.home,
        )

    def run(self, *arguments, stdin=None):
        """Runs it, however it ends: exit code, output, errors."""
        done = subprocess.run(
            [str(self.program), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment,
            cwd=self.emulator.home,
        )
        return done.returncode, done.stdout, done.stderr

    def __call__(self, *arguments, stdin=None):
        """Its output; it has to succeed."""
        code, out, errors = self.run(*arguments, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(arguments)}: {code}\n{out}\n{errors}"
        return out

    def fails(self, *arguments, stdin=None):
        """What it complains of; it has to fail."""
        code, out, errors = self.run(*arguments, stdin=stdin)
        assert code != 0, f"kubectl {' '.join(arguments)} did not fail\n{out}"
        return errors

    def json(self, *arguments):
        return json.loads(self(*arguments, "-o", "json"))

    def rows(self, *arguments):
        """A table, as a dictionary for each row. Three blanks stand between columns."""
        head, *lines = self(*arguments).splitlines()
        starts = [found.start() for found in re.finditer(r"\S+( \S+)*", head)]
        cut = lambda line: [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])]  # noqa: E731
        return [dict(zip(cut(head), cut(line))) for line in lines]


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
