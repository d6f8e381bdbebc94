"""The control plane itself leaves nothing behind."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

import control_plane
from leftovers import killed_when, left, nothing_is_left, start

TOOLS = os.environ["AKS_ACR_PEER_TOOLS"]
PROGRAM = [sys.executable, control_plane.__file__, TOOLS]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_its_starter_is_killed(how, tmp_path):
    with start([*PROGRAM, "sleep", "100"], tmp_path, os.environ, stderr=subprocess.PIPE) as starter:
        assert "ready after" in starter.stderr.readline()
        assert len(left(tmp_path)) >= 5, "a folder and four processes"
        nothing_is_left(starter, how, tmp_path)


@pytest.mark.parametrize("moment", ["", "/ca.key", "/etcd.log", "/kube-apiserver.log"])
def test_nothing_is_left_when_its_starter_is_killed_before_it_is_ready(moment, tmp_path):
    starter = start([*PROGRAM, "sleep", "100"], tmp_path, os.environ, stderr=subprocess.DEVNULL)
    killed_when(starter, f"aks-acr-plane-*{moment}", tmp_path)


def test_a_port_of_another_program_is_named(tmp_path, monkeypatch):
    """`running` then starts it anew, with other ports."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ports = control_plane.free_ports(5)
    with socket.create_server(("127.0.0.1", ports[0])):
        monkeypatch.setattr(control_plane, "free_ports", lambda _: ports)
        with pytest.raises(control_plane.PortTaken, match="etcd ended with"):
            control_plane.ControlPlane(TOOLS)
    assert not left(tmp_path)


def test_a_program_gets_the_kubeconfigs(tmp_path):
    script = 'test -s "$ADMIN_KUBECONFIG" && test -s "$READER_KUBECONFIG" && exit 7'
    done = subprocess.run([*PROGRAM, "sh", "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
    assert done.returncode == 7 and not left(tmp_path)


def test_it_is_on_loopback_only(plane):
    """Each part listens on 127.0.0.1 alone."""
    inodes = set()
    for process in plane.parts.values():
        for entry in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                inodes.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                pass
    listening = []
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.append(fields[1].split(":")[0])
    assert len(listening) >= 5 and set(listening) == {"0100007F"}
    assert tempfile.gettempdir() in str(plane.folder)
