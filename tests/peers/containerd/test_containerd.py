"""containerd leaves nothing behind, and a real image is pulled and unpacked."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from azure import emulated
from containerd import running
from leftovers import killed_when, left, nothing_is_left, start
from test_texts import CAUSES, TOOLS

START = """
import signal, sys, time, containerd
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with containerd.running(sys.argv[1], sys.argv[2]):
    print("ready", flush=True)
    time.sleep(100)
"""
PROGRAM = [sys.executable, "-c", START, TOOLS, "/dev/null"]
# Python looks for modules here.
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(pathlib.Path(__file__).parent), os.environ["PYTHONPATH"]])}
CAUSE = next(cause for cause in CAUSES if cause["cause"] == "nothing, an index")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_its_starter_is_killed(how, names, tmp_path):
    with start(PROGRAM, tmp_path, ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as starter:
        assert starter.stdout.readline() == "ready\n"
        assert len(left(tmp_path)) >= 3, "a folder and two processes"
        nothing_is_left(starter, how, tmp_path)


@pytest.mark.parametrize("moment", ["", "/certs.d", "/log", "/c.sock"])
def test_nothing_is_left_when_its_starter_is_killed_before_it_is_ready(moment, names, tmp_path):
    starter = start(PROGRAM, tmp_path, ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    killed_when(starter, f"aks-acr-containerd-*{moment}", tmp_path)


def test_an_image_is_unpacked_and_pulled_again_without_its_layers(names, version, tmp_path):
    with emulated(CAUSE, version, tmp_path) as azure:
        names.known = azure.hosts()
        with running(TOOLS, azure.emulator.ca_file) as runtime:
            first = azure.emulator.mark()
            pulled = runtime.pull(CAUSE["image"], azure.credential)
            again = azure.emulator.mark()
            assert runtime.pull(CAUSE["image"], azure.credential) == pulled
            paths = [[one["path"] for one in azure.emulator.requests(mark)] for mark in (first, again)]
    blobs = [[path for path in listed if "/blobs/" in path] for listed in paths]
    assert pulled["image"].startswith("sha256:") and len(blobs[0]) == 2 and not blobs[1], paths
