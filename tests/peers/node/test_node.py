"""Two nodes run at once, and nothing of a killed one is left when the next one has started."""

import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import node

WHOLE = pathlib.Path(__file__).with_name("whole.py")
# As in `run`.
OWN = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def processes(folder):
    """Programs that work below a folder."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if str((entry / "cwd").readlink()).startswith(str(folder)):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            pass
    return found


def test_two_run_at_once_and_nothing_is_left_of_killed_ones(ground, tools, monkeypatch):
    # A socket's path has at most 104 characters.
    parent = pathlib.Path(tempfile.mkdtemp(prefix="n"))
    monkeypatch.setenv("TMPDIR", str(parent))
    command = [*OWN, sys.executable, str(WHOLE), *(str(tools[name]) for name in ("control-plane", "containerd", "kubelet"))]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) for _ in range(2)]
    try:
        for one in started:
            assert one.stdout.readline() == "ready\n"
        folders = list(parent.glob(f"{node.PREFIX}*"))
        assert len(folders) == 2 and all(node.control_groups(folder.name) for folder in folders)
        assert len(processes(parent)) >= 12, "etcd, three parts of Kubernetes, containerd and kubelet, twice"
        assert node.remove_left(parent) == [], "both run"
    finally:
        for one in started:
            one.send_signal(signal.SIGKILL)
            one.wait(30)
            one.stdout.close()
    end = time.monotonic() + 30
    while processes(parent) and time.monotonic() < end:
        time.sleep(0.1)
    assert processes(parent) == []
    mounts = pathlib.Path("/proc/self/mounts").read_text()
    assert not any(str(folder) in mounts for folder in folders)
    # What a kernel keeps, the next start removes.
    assert sorted(node.remove_left(parent)) == sorted(folder.name for folder in folders)
    assert not any(node.control_groups(folder.name) or folder.exists() for folder in folders)
