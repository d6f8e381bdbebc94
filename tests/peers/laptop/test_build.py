"""`build-kubernetes`: what it needs is checked before it builds, and what is interrupted leaves nothing.

A whole build takes minutes. It runs in no suite; the suites' own programs are built from the same sources by `control-plane/install`.
"""

import hashlib
import os
import signal
import subprocess

import pytest

from emulator import KEPT, ROOT, binary
from leftovers import nothing_is_left, start

SOURCES = ROOT / "tests" / "emulator" / "control-plane"
FAKE = """\
#!/bin/sh
case $1 in
    env) echo {version} ;;
    *) {build} ;;
esac
"""


@pytest.fixture
def go(tmp_path):
    """Puts another Go in place of the machine's; the environment with it."""

    def put(version, build):
        folder = tmp_path / "go"
        folder.mkdir(exist_ok=True)
        (folder / "go").write_text(FAKE.format(version=version, build=build))
        (folder / "go").chmod(0o755)
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path)}

    return put


def build(folder, environment, *options):
    """Exit code and output."""
    command = [str(binary()), "build-kubernetes", *options, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def test_a_missing_or_old_go_is_named(go, tmp_path):
    environment = go("go1.20.1", "exit 1")
    code, said = build(tmp_path / "made", environment)
    assert code == 1 and "built with Go 1.24.0 or newer, and this machine has 1.20.1" in said
    environment["PATH"] = "/nonexistent"
    code, said = build(tmp_path / "made", environment)
    assert code == 1 and "cannot run go" in said and "https://go.dev/dl" in said
    assert not (tmp_path / "made").exists()


def test_a_missing_network_is_named(go, tmp_path):
    said = "go: k8s.io/kubernetes: Get https://proxy.golang.org: dial tcp: lookup proxy.golang.org: no such host"
    code, said = build(tmp_path / "made", go("go1.26.0", f"echo '{said}'; exit 1"))
    assert code == 1 and "check the network" in said and "proxy.golang.org" in said
    assert list((tmp_path / "made").iterdir()) == []


def test_a_go_that_fails_has_built_nothing(go, tmp_path):
    code, said = build(tmp_path / "made", go("go1.26.0", "mkdir -p bin; echo half > bin/control-plane; echo 'link: broken'; exit 3"))
    assert code == 1 and "go could not build Kubernetes (exit code 3)" in said and "link: broken" in said
    assert list((tmp_path / "made").iterdir()) == []
    code, said = build(tmp_path / "made", go("go1.26.0", "exit 0"))
    assert code == 1 and "it wrote no program" in said
    code, said = build(tmp_path / "other", go("go1.26.0; echo 'broken settings' >&2; exit 3", "exit 1"))
    assert code == 1 and "go env failed (exit status: 3): broken settings" in said
    assert not (tmp_path / "other").exists()


def test_programs_of_others_are_not_replaced(go, tmp_path):
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    code, said = build(tmp_path / "usr", go("go1.26.0", "exit 1"))
    assert code == 1 and "holds other programs" in said
    assert (tmp_path / "usr" / "bin").is_dir()


def test_a_second_build_is_immediate_and_other_sources_are_built_anew(go, tmp_path):
    environment = go("go1.26.0", 'mkdir -p bin; echo program > bin/control-plane; echo "$@" > bin/arguments')
    code, said = build(tmp_path / "made", environment)
    assert code == 0 and "built Kubernetes v1.33.3" in said
    assert [entry.name for entry in (tmp_path / "made").iterdir()] == ["bin"]
    names = {"control-plane", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"}
    assert names < {entry.name for entry in (tmp_path / "made" / "bin").iterdir()}
    assert "gitVersion=v1.33.3" in (tmp_path / "made" / "bin" / "arguments").read_text()
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        text = (SOURCES / "1.33" / name).read_bytes()
        digest.update(f"{name} {len(text)}\n".encode() + text)
    assert (tmp_path / "made" / "bin" / "built-from").read_text() == digest.hexdigest()

    code, said = build(tmp_path / "made", go("go1.26.0", "exit 1"))
    assert code == 0 and "has Kubernetes v1.33.3 already" in said
    (tmp_path / "made" / "bin" / "built-from").write_text("other sources")
    assert build(tmp_path / "made", go("go1.26.0", "exit 1"))[0] == 1


# A Go that knows the tools of the modules of a node, and writes each program where it is to be.
NODE = """\
case "$1 $2 ${PWD##*/}" in
    "list tool cni") echo example/main/bridge example/main/host-local example/main/loopback ;;
    "list tool containerd") echo example/v2/cmd/containerd example/v2/cmd/containerd-shim-runc-v2 ;;
    "list -m containerd") echo v2.4.2 ;;
    *)
        echo "${PWD##*/} $*" >>CALLS
        while [ "$1" != -o ]; do shift; done
        case $2 in */) echo program >"$2${3##*/}" ;; *) echo program >"$2" ;; esac ;;
    esac
"""


def test_what_a_node_runs_is_built_beside_a_control_plane(go, tmp_path):
    code, said = build(tmp_path / "made", go("go1.26.0", "exit 1"), "--node")
    assert code == 1 and "what a node of Kubernetes v1.33.3 runs is built with Go 1.26.6 or newer, and this machine has 1.26.0" in said
    environment = go("go1.26.6", NODE.replace("CALLS", str(tmp_path / "calls")))
    for name, text in (("apt-get", "exit 100"), ("runc", "exit 1")):
        (tmp_path / "go" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "go" / name).chmod(0o755)
    (tmp_path / "go" / "runc").rename(tmp_path / "runc")
    code, said = build(tmp_path / "made", environment, "--node")
    assert code == 1 and "runc is not installed, and its package cannot be downloaded" in said and "install the package runc" in said
    assert list((tmp_path / "made").iterdir()) == []

    (tmp_path / "runc").rename(tmp_path / "go" / "runc")
    assert build(tmp_path / "made", environment)[0] == 0
    assert not (tmp_path / "made" / "bin" / "kubelet").exists()
    (tmp_path / "calls").unlink()
    code, said = build(tmp_path / "made", environment, "--node")
    assert code == 0 and "built Kubernetes v1.33.3 and what a node runs" in said, said
    parts = {"agent", "program", "kubelet", "bridge", "host-local", "loopback", "containerd", "containerd-shim-runc-v2"}
    assert parts | {"kube-apiserver"} < {entry.name for entry in (tmp_path / "made" / "bin").iterdir()}
    calls = (tmp_path / "calls").read_text().splitlines()
    assert not any("bin/control-plane" in call for call in calls), "it was built before"
    assert any(call.startswith("kubelet") and "gitVersion=v1.33.3" in call for call in calls)
    assert any(call.startswith("containerd") and "-X example/v2/version.Version=v2.4.2" in call for call in calls)

    code, said = build(tmp_path / "made", go("go1.26.6", "exit 1"), "--node")
    assert code == 0 and "has Kubernetes v1.33.3 and what a node runs already" in said
    assert "has Kubernetes v1.33.3 already" in build(tmp_path / "made", environment)[1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_build_that_is_interrupted(how, go, tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    environment = go("go1.26.0", "echo started; exec sleep 100")
    with start([binary(), "build-kubernetes", folder], tmp_path, environment, stderr=subprocess.DEVNULL) as starter:
        while not list(folder.glob("*/go.log")):
            assert starter.poll() is None
        nothing_is_left(starter, how, folder)
