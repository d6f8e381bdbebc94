#!/usr/bin/env python3
"""Why a suite cannot run on this machine: what the kernel refuses.

    tests/peers/obstacle.py network       to give a suite a network with loopback only
    tests/peers/obstacle.py containerd    that, and the mounts of containerd
    tests/peers/obstacle.py node          what a node needs: root, namespaces, control groups, devices of the network

It prints the reason and ends with 1, or prints nothing and ends with 0.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# As in `run`.
ALONE = ("unshare", "--user", "--map-root-user", "--net")
# What a suite of containerd mounts, and what containerd itself mounts for an image, with the option that user namespaces need.
MOUNTS = """
mount --make-rprivate / && mkdir lower upper work merged && touch hosts && mount --bind hosts /etc/hosts || exit
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr merged
"""
# As in `run`, for a suite that needs root.
OWN = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
# What a node makes: a bridge for pods, a pair of devices for each, files of its own below `/run`.
DEVICES = """
ip link set lo up && ip link add bridge0 type bridge && ip link add one0 type veth peer name other0 && mount -t tmpfs tmpfs /run
"""
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def refusal(command, folder=None):
    """What a command says as it fails, or `None`."""
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        return f"{command[0]} is not installed"
    if done.returncode == 0:
        return None
    said = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
    return f"{' '.join(command[:4])}: {said}"


def network():
    return refusal([*ALONE, "sh", "-c", "ip link set lo up"])


def mounts(before=()):
    """Why the mounts fail, after a command that makes other namespaces."""
    with tempfile.TemporaryDirectory() as folder:
        return refusal([*before, "unshare", "--mount", "sh", "-c", MOUNTS], folder)


def containerd():
    return network() or mounts(ALONE)


def node():
    if os.geteuid() != 0:
        return "it needs root"
    return runc() or control_groups() or refusal([*OWN, "sh", "-c", DEVICES]) or mounts(OWN)


def runc():
    """Why `kubelet/install` cannot get runc, or `None`."""
    if shutil.which("runc"):
        return None
    why = refusal(["apt-get", "download", "--print-uris", "--quiet=2", "runc"])
    return why and f"runc is not installed, and its package cannot be downloaded: {why}"


def control_groups():
    """Why no group can be made, or `None`."""
    if (CGROUPS / "cgroup.controllers").exists():
        return "the control groups are of version 2, with which it has not been tried; name the suite to try it"
    hierarchies = list(CGROUPS.glob("*/cgroup.procs"))
    if not hierarchies:
        return f"no control groups are mounted below {CGROUPS}"
    for hierarchy in hierarchies:
        group = hierarchy.parent / f"aks-acr-obstacle-{os.getpid()}"
        try:
            group.mkdir()
            group.rmdir()
        except OSError as refused:
            return f"no control group can be made: {refused}"
    return None


if __name__ == "__main__":
    kinds = {"network": network, "containerd": containerd, "node": node}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    reason = kinds[sys.argv[1]]()
    print(reason or "", end="")
    sys.exit(1 if reason else 0)
