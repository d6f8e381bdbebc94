"""Nothing is left of an emulator that is killed, and two run at once."""

import pathlib
import signal
import subprocess

import pytest

from conftest import CLUSTER, GROUP, TOOLS, Laptop
from emulator import KEPT, binary
from leftovers import killed_when, left, nothing_is_left, start

PREFIX = "aks-acr-control-plane-"


@pytest.fixture
def starter(scene, tmp_path):
    """Starts an emulator with this temporary folder."""
    import os

    own = {name: os.environ[name] for name in KEPT if name in os.environ}
    number = iter(range(9))

    def started(folder, **streams):
        ca_file = tmp_path / f"ca{next(number)}.pem"
        command = [binary(), "serve", "--kubernetes", TOOLS, "--seed", scene, "--ca-file", ca_file]
        return start(command, folder, own, **streams)

    return started


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("moment", ["", "/ca.crt", "/etcd.log", "/kube-apiserver.log", "/kube-scheduler.log"])
def test_nothing_is_left_of_one_that_is_killed_while_it_starts(moment, starter, folder):
    killed_when(starter(folder, stdout=subprocess.DEVNULL), f"{PREFIX}*{moment}", folder)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_one_that_is_ended(how, starter, folder):
    with starter(folder, stdout=subprocess.PIPE) as emulator:
        while "ready" not in emulator.stdout.readline():
            pass
        nothing_is_left(emulator, how, folder)


def guards(folder):
    """The guards of control planes in a folder."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_text().split("\0")
        except OSError:
            continue
        if "guard" in words and any(word.startswith(f"{folder}/{PREFIX}") for word in words):
            found.append(int(entry.parent.name))
    return found


def test_the_next_start_removes_what_is_left_of_one_that_was_killed_with_its_guard(starter, folder):
    import os

    def waits_for(emulator):
        # The log of a program is there before the program, and a process before it is the guard.
        while len(left(folder)) < 3 or not guards(folder):
            assert emulator.poll() is None

    with starter(folder, stdout=subprocess.DEVNULL) as first:
        waits_for(first)
        [guard] = guards(folder)
        # The guard first: one that outlives the emulator by a moment begins to remove what is left. Stopping it is no way: the kernel continues
        # a stopped process whose group has lost its parent.
        os.kill(guard, signal.SIGKILL)
        first.kill()
    [remains] = folder.iterdir()
    assert len(left(folder)) >= 3, "the folder, etcd, kube-apiserver"
    with starter(folder, stdout=subprocess.PIPE) as second:
        while "ready" not in second.stdout.readline():
            pass
        assert not remains.exists()
        [owned] = folder.iterdir()
        assert {str(entry.readlink()) for entry in left(folder) if entry.name == "cwd"} <= {str(owned)}
        nothing_is_left(second, signal.SIGTERM, folder)


def test_two_run_at_once(laptop, start):
    with start() as emulator:
        other = Laptop(emulator)
        other.kubectl("create", "namespace", "only-there")
        assert "only-there" in other.kubectl("get", "namespaces")
        assert "only-there" not in laptop.kubectl("get", "namespaces")
        names = {one["clusters"][0]["fqdn"] for one in (emulator.state(), laptop.emulator.state())}
        assert len(names) == 1, f"both have a cluster {GROUP}/{CLUSTER}"
