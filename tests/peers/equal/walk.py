"""The same walk twice: registry, import, attach, deployment. Once by az and kubectl, once by the library."""

import os
import pathlib
import subprocess
import sys

PEERS = pathlib.Path(__file__).resolve().parents[1]
ROOT = PEERS.parents[1]
# The suite whose client is used brings what calls it.
sys.path.append(str(PEERS / "az"))

from arm import Arm  # noqa: E402
from cli import Az  # noqa: E402
from program import Kubectl  # noqa: E402

GROUP, CLUSTER, REGISTRY = "group", "dev", "myregistry"
SOURCE = "docker.io/library/nginx:latest"


def prepare(emulator):
    """What there is before: a group and a cluster."""
    arm = Arm(emulator)
    arm.group(GROUP)
    arm.cluster(GROUP, CLUSTER)
    # Pods need not be waited for.
    emulator.order("POST", "clock", {"speed": 20})


def prepare_group(emulator):
    """What there is before, where the walk makes the cluster too."""
    Arm(emulator).group(GROUP)
    emulator.order("POST", "clock", {"speed": 20})


def by_library(emulator, *more):
    """The quickstart on the emulator as a custom cloud; what it printed."""
    named = os.environ.get("AKS_ACR_QUICKSTART_BIN")
    program = named or ROOT / "target" / "debug" / "examples" / "quickstart"
    where = ("--cluster", f"{GROUP}/{CLUSTER}", "--registry", REGISTRY, "--resource-manager", emulator.origin)
    done = subprocess.run(
        [str(program), "--azure", *where, *more],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=emulator.home,
        env=emulator.client_environment(AZURE_AUTHORITY_HOST=emulator.origin),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def signed_in(emulator):
    az = Az(emulator, "walk")
    az.register_cloud()
    az.sign_in()
    return az


def by_az_and_kubectl(emulator):
    """The documented way, with a cluster that is there."""
    az = signed_in(emulator)
    az("acr", "create", "-g", GROUP, "-n", REGISTRY, "--sku", "Basic")
    az("acr", "import", "-n", REGISTRY, "--source", SOURCE, "-t", "nginx:v1")
    kubectl = deploy(emulator)
    az("aks", "update", "-g", GROUP, "-n", CLUSTER, "--attach-acr", REGISTRY)
    kubectl("rollout", "status", "deployment/nginx0-deployment", "--timeout=60s")


def by_az_and_kubectl_from_the_start(emulator):
    """The documented way, with a cluster that is made attached."""
    az = signed_in(emulator)
    az("acr", "create", "-g", GROUP, "-n", REGISTRY, "--sku", "Basic")
    az("aks", "create", "-g", GROUP, "-n", CLUSTER, "--attach-acr", REGISTRY, "--no-ssh-key", "-c", "1")
    az("acr", "import", "-n", REGISTRY, "--source", SOURCE, "-t", "nginx:v1")
    kubectl = deploy(emulator)
    kubectl("rollout", "status", "deployment/nginx0-deployment", "--timeout=60s")


def deploy(emulator):
    """Applies the manifest; what kubectl is called by."""
    tools = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]).parent / "control-plane"
    kubectl = Kubectl(emulator, Arm(emulator).kubeconfig(GROUP, CLUSTER), tools)
    manifest = (ROOT / "examples" / "acr-nginx.yaml").read_text().replace("<acr-name>", REGISTRY)
    kubectl("apply", "--server-side", "-f", "-", stdin=manifest)
    return kubectl
