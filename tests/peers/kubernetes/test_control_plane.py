"""The control plane itself leaves nothing behind."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import pytest

import control_plane

TOOLS = os.environ["AKS_ACR_PEER_TOOLS"]


def left(folder):
    return list(pathlib.Path(folder).glob("aks-acr-plane-*"))


def processes(folder):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cwd"):
        try:
            if str(entry.readlink()).startswith(str(folder)):
                found.append(entry.parent.name)
        except OSError:
            pass
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_its_starter_is_killed(how, tmp_path):
    program = pathlib.Path(control_plane.__file__)
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, str(program), TOOLS, "sleep", "100"]
    # A group of its own: what is left must not depend on a terminal that kills the whole group. A shell without job control starts
    # background programs, such as this suite, with SIGINT ignored, and a child would inherit that.
    starter = subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert "ready after" in starter.stderr.readline()
    assert left(tmp_path) and len(processes(tmp_path)) >= 4
    starter.send_signal(how)
    starter.wait(20)
    starter.stderr.close()
    end = time.monotonic() + 10
    while (left(tmp_path) or processes(tmp_path)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not left(tmp_path) and not processes(tmp_path)


def test_a_program_gets_the_kubeconfigs(tmp_path):
    program = pathlib.Path(control_plane.__file__)
    script = 'test -s "$ADMIN_KUBECONFIG" && test -s "$READER_KUBECONFIG" && exit 7'
    done = subprocess.run([sys.executable, str(program), TOOLS, "sh", "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
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
