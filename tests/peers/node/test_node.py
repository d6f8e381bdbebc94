"""Real nodes: two emulators run at once, nothing of a killed one is left, and what is missing is named before anything starts."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from arm import CLUSTER_VERSION
from cloud import CLUSTER, GROUP, Cloud
from conftest import ready
from emulator import KEPT, Emulator, binary
from leftovers import left

PREFIX = "aks-acr-control-plane-"
NODES = [{"name": "aks-nodepool1-12345678-vmss000000"}, {"name": "aks-windows-12345678-vmss000000", "os": "windows"}]
SCENE = {"clusters": [{"group": GROUP, "name": CLUSTER, "nodes": NODES}]}
GROUPS = pathlib.Path("/sys/fs/cgroup")


@pytest.fixture
def folder(monkeypatch):
    """A temporary folder, with a short name: a socket's path has at most 107 characters."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="n"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start(programs, tmp_path):
    scene = tmp_path / "scene.json"
    scene.write_text(json.dumps(SCENE))
    started = []

    def start():
        started.append(Emulator("--kubernetes", programs, "--node", "--seed", scene))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def names(emulator):
    """The folders of its control plane and nodes, after which control groups are named."""
    return {path.name for path in emulator.folder.glob(f"{PREFIX}*")}


def groups(names):
    """The control groups of these names. Other tests have theirs at the same time."""
    return {path.name for name in names for path in (*GROUPS.glob(f"*/{name}"), *GROUPS.glob(name))}


def guards(folder):
    """The guards of folders below this one."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_text().split("\0")
        except OSError:
            continue
        if "guard" in words and any(PREFIX in word and word.startswith(f"{folder}/") for word in words):
            found.append(int(entry.parent.name))
    return found


def devices():
    """The devices, addresses and routes of the network that the suite is in."""
    show = lambda *words: subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout  # noqa: E731
    return show("-brief", "address"), show("route")


def kill(emulator):
    emulator.process.send_signal(signal.SIGKILL)
    emulator.process.wait(30)


def test_two_run_at_once_and_nothing_is_left_of_killed_ones(start, folder):
    before, mounts = devices(), pathlib.Path("/proc/self/mounts").read_text()
    emulators = [start(), start()]
    for one in emulators:
        ready(Cloud(one), 2)
    assert [len(groups(names(one))) for one in emulators] == [1, 1], "each node has control groups of its own"
    assert devices() == before and pathlib.Path("/proc/self/mounts").read_text() == mounts, "the machine's own are as they were"
    made = [names(one) for one in emulators]
    for one in emulators:
        kill(one)
    for one, folders in zip(emulators, made):
        wait_until_nothing_is_left_of(one, folders)


def wait_until_nothing_is_left_of(emulator, folders):
    """Guards remove what a killed emulator leaves, which had these folders."""
    end, own = time.monotonic() + 30, (emulator.folder / "home", emulator.folder / "ca.pem", emulator.folder / "errors.log")
    assert folders
    # A control group goes after the folder, once its last process has ended.
    while found := [*(one for one in left(emulator.folder) if one not in own), *groups(folders)]:
        assert time.monotonic() < end, found
        time.sleep(0.1)


@pytest.mark.parametrize("moment", ["agent.log", "var/log/containerd.log"])
def test_nothing_is_left_of_one_that_is_killed_while_a_node_starts(moment, start, folder):
    emulator = start()
    while not list(emulator.folder.glob(f"{PREFIX}*/{moment}")):
        assert emulator.process.poll() is None
        time.sleep(0.001)
    # A starting one may be making a folder at this moment.
    emulator.process.send_signal(signal.SIGSTOP)
    made = names(emulator)
    kill(emulator)
    wait_until_nothing_is_left_of(emulator, made)


def test_the_next_start_removes_what_is_left_of_one_that_was_killed_with_its_guards(start, folder, programs):
    first = start()
    ready(Cloud(first), 2)
    known = guards(first.folder)
    assert len(known) == 2, "of the control plane, and of the node"
    for guard in known:
        os.kill(guard, signal.SIGKILL)
    kill(first)
    made = names(first)
    assert groups(made) and len(left(first.folder)) > 8, "etcd, three parts of Kubernetes, containerd, kubelet"
    # The next start has the same temporary folder.
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    command = [binary(), "serve", "--kubernetes", programs, "--node", "--ca-file", first.folder / "ca.pem"]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([str(word) for word in command], env=kept | {"TMPDIR": str(first.folder)}, **streams) as second:
        while "ready" not in second.stdout.readline():
            assert second.poll() is None, second.stderr.read()
        made |= names(first)
        second.terminate()
        second.wait(30)
    wait_until_nothing_is_left_of(first, made)


def test_nodes_come_and_go_with_their_pools(start):
    emulator = start()
    azure = Cloud(emulator)
    call = ready(azure, 2)
    nodes = lambda: {one["metadata"]["name"]: one for one in call("GET", "/api/v1/nodes")["items"]}  # noqa: E731
    real, emulated = (nodes()[one["name"]] for one in NODES)
    assert real["status"]["nodeInfo"]["osImage"] != emulated["status"]["nodeInfo"]["osImage"]
    assert real["metadata"]["labels"]["agentpool"] == real["metadata"]["labels"]["kubernetes.azure.com/agentpool"] == "nodepool1"

    # Another machine is another node.
    emulator.order("POST", "node", {"group": GROUP, "cluster": CLUSTER, "name": "aks-nodepool1-12345678-vmss000001"})
    ready(azure, 3)
    addresses = {one["status"]["addresses"][0]["address"] for one in nodes().values()}
    assert len(nodes()) == 3 and len(addresses) >= 2

    # They end with their cluster.
    made = names(emulator)
    assert groups(made)
    azure.owner.call("DELETE", azure.owner.cluster_id(GROUP, CLUSTER), CLUSTER_VERSION)
    end = time.monotonic() + 60
    while groups(made):
        assert time.monotonic() < end, groups(made)
        time.sleep(0.1)


def refused(*words, **changes):
    """What it says when it does not start."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ} | changes
    command = [str(word) for word in (binary(), "serve", *words)]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    return done.stderr


def test_what_is_missing_is_named_before_anything_starts(programs, folder, tmp_path):
    own = {"TMPDIR": str(folder)}
    assert "--kubernetes" in refused("--node", **own)
    some = tmp_path / "some"
    shutil.copytree(programs, some, symlinks=True)
    (some / "bin" / "containerd").unlink()
    said = refused("--kubernetes", some, "--node", **own)
    assert "bin/containerd does not exist" in said and "build-kubernetes --node" in said
    (some / "bin" / "containerd").symlink_to(programs / "bin" / "containerd")
    (some / "bin" / "agent").unlink()
    (some / "bin" / "agent").write_text("#!/bin/sh\necho 'agent: cannot mount an overlay: no such device' >&2\nexit 1\n")
    (some / "bin" / "agent").chmod(0o755)
    said = refused("--kubernetes", some, "--node", **own)
    assert "a node cannot run on this machine: cannot mount an overlay: no such device" in said
    if (some / "bin" / "runc").exists():
        (some / "bin" / "runc").unlink()
    said = refused("--kubernetes", some, "--node", **own, PATH="/nonexistent")
    assert "is not installed" in said and "install the package" in said
    nobody = shutil.which("setpriv")
    if nobody:
        command = [nobody, "--reuid=65534", "--clear-groups", str(binary()), "serve", "--kubernetes", str(programs), "--node"]
        done = subprocess.run(command, env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "--node needs root" in done.stderr, done.stderr
    assert left(folder) == []
