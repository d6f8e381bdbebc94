"""What the suite's tests start from: an emulator, its cluster with a real control plane or the emulated API server, and helm."""

import json
import os
import pathlib
import subprocess

import pytest

from arm import CLUSTER_VERSION, Arm
from emulator import running
from program import Kubectl

GROUP, CLUSTER, REGISTRY = "group", "dev", "chartregistry"
IMAGE = f"{REGISTRY}.azurecr.io/team/app"
SCENE = {
    "groups": [{"name": GROUP, "location": "westeurope"}],
    "registries": [{"group": GROUP, "name": REGISTRY}],
    "clusters": [{"group": GROUP, "name": CLUSTER}],
    "images": [{"name": f"{IMAGE}:v1"}, {"name": f"{IMAGE}:v2"}],
}


def program(name):
    """A program of this suite, or of those that it uses."""
    places = (pathlib.Path(folder) / "bin" / name for folder in os.environ["AKS_ACR_PEER_ALL_TOOLS"].split(":"))
    return next(place for place in places if place.is_file())


class Cluster:
    """A cluster with kubectl and helm."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.arm = Arm(emulator)
        self.kubectl = Kubectl(emulator, self.arm.kubeconfig(GROUP, CLUSTER))

    def start(self, name, *arguments):
        """Starts a program and does not wait."""
        command = [str(program(name)), *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, text=True, env=self.kubectl.environment, cwd=self.emulator.home, **pipes)

    def run_helm(self, *arguments):
        """Runs helm, however it ends: exit code and what it printed."""
        process = self.start("helm", *arguments)
        out, _ = process.communicate(timeout=120)
        return process.returncode, out

    def helm(self, *arguments):
        """helm's output; it has to succeed."""
        code, out = self.run_helm(*arguments)
        assert code == 0, f"helm {' '.join(map(str, arguments))}: {code}\n{out}"
        return out

    def grant(self):
        """Lets the nodes pull."""
        cluster, _ = self.arm.call("GET", self.arm.cluster_id(GROUP, CLUSTER), CLUSTER_VERSION)
        return self.arm.attach(cluster, {"id": self.arm.registry_id(GROUP, REGISTRY)})


@pytest.fixture(scope="session", params=["real", "emulated"])
def cluster(request, tmp_path_factory):
    """One of each for all tests: a control plane takes some seconds."""
    scene = tmp_path_factory.mktemp("scene") / "scene.json"
    scene.write_text(json.dumps(SCENE))
    real = ["--kubernetes", os.environ["AKS_ACR_PEER_TOOLS"]] if request.param == "real" else []
    with running("--seed", scene, *real) as emulator:
        yield Cluster(emulator)


@pytest.fixture
def chart(tmp_path):
    """A chart as people write them: a job before the installation, a workload with its configuration, and a test."""
    files = {
        "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: v1\n",
        "values.yaml": f"replicas: 2\nimage: {IMAGE}\ntag: v1\n",
        "templates/all.yaml": WORKLOAD,
        "templates/prepare.yaml": PREPARE,
        "templates/tests/answers.yaml": TEST,
    }
    for name, text in files.items():
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "web"


WORKLOAD = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  greeting: {{ printf "hello from revision %d" .Release.Revision | quote }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
      - name: web
        image: "{{ .Values.image }}:{{ .Values.tag }}"
        envFrom: [{configMapRef: {name: {{ .Release.Name }}}}]
"""
PREPARE = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-prepare
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: prepare, image: "{{ .Values.image }}:{{ .Values.tag }}", command: [sh, -c, exit 0]}]
"""
TEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-answers
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers: [{name: ask, image: "{{ .Values.image }}:{{ .Values.tag }}", command: [sh, -c, exit 0]}]
"""
