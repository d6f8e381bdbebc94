"""The page of incidents: each breaks, is explained and is cured as the page says, by its own commands."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

from emulator import running
from walk import CLUSTER, GROUP, ROOT, signed_in

PAGE = (ROOT / "docs" / "incidents.md").read_text()
# The library reads the finding of one that its caller has to wait out for minutes: with `fail_fast` it does not.
INCIDENTS = [part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE) if "```yaml" in part]


def blocks(incident, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", incident, flags=re.MULTILINE | re.DOTALL)


class Shell:
    """A shell as the page's reader has it: signed in with az, and with kubectl."""

    def __init__(self, emulator, folder):
        self.az = signed_in(emulator)
        programs = folder / "bin"
        programs.mkdir()
        (programs / "az").write_text(f'#!/bin/sh\nexec "{sys.executable}" -s -m azure.cli "$@"\n')
        (programs / "az").chmod(0o755)
        kubectl = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]).parent / "control-plane" / "bin" / "kubectl"
        (programs / "kubectl").symlink_to(kubectl)
        path = f"{programs}:{os.environ['PATH']}"
        self.environment = self.az.environment | {"PATH": path, "KUBECONFIG": str(folder / "config")}
        self.folder = folder

    def run(self, commands, timeout=120):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder,
            timeout=timeout,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def failure(emulator):
    """What the library says of the rollout."""
    words = (emulator.origin, emulator.subscription, "rollout", f"{GROUP}/{CLUSTER}", "web")
    command = [os.environ["AKS_ACR_OPERATE_BIN"], *words]
    done = subprocess.run(command, env=emulator.client_environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_page_has_its_incidents():
    [count] = re.findall(r"^(\w+) reasons why pods", PAGE, flags=re.MULTILINE)
    assert (count, len(INCIDENTS)) == ("Eight", 8)


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.splitlines()[0])
def test_an_incident_is_as_the_page_says(incident, tmp_path):
    [scene], [broken, cure] = blocks(incident, "yaml"), blocks(incident, "sh")
    [text], [finding] = blocks(incident, "text"), re.findall(r"reports `([\w.]+)`", incident)
    (tmp_path / "scene.yaml").write_text(scene)
    with running("--seed", tmp_path / "scene.yaml") as emulator:
        shell = Shell(emulator, tmp_path)
        shell.run(f"az aks get-credentials -g {GROUP} -n {CLUSTER} --admin")
        shell.run(broken)
        end = time.monotonic() + 60
        while text.strip() not in (said := shell.run("kubectl get events -o jsonpath='{range .items[*]}{.message}{\"\\n\"}{end}'")):
            assert time.monotonic() < end, said
            time.sleep(0.2)
        found = failure(emulator)
        assert found["pull_failure"]["finding"]["id"] == finding, found
        # A node waits between its tries; nobody has to wait for it here.
        emulator.order("POST", "clock", {"speed": 30})
        shell.run(cure)
        shell.run("kubectl rollout status deployment/web --timeout=100s")
