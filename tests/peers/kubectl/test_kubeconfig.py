"""Kubeconfig files into which the library merged: kubectl reads each of them, and continues writing them."""

import json
import os
import pathlib
import subprocess

import pytest

from conftest import CLUSTER, GROUP

# How people and programs leave files, `{}` in the place of the entries of others.
FILES = {
    "absent": None,
    "empty": "",
    "comments": "# nothing yet\n",
    "head": "---\n# mine\n",
    "kubectl's own, empty": "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n",
    "flow": "apiVersion: v1\nkind: Config\nclusters: [] # none\ncontexts: [ ]\nusers: ~\ncurrent-context:\n",
    "others": """\
# Kept by hand.
kind: Config
apiVersion: v1
users:
  # the cloud of others
  - name: "other"   # odd
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: aws
        args: [eks, get-token]
        interactiveMode: Never
    # end of other
contexts:
- {name: other, context: {cluster: other, user: other}}
current-context: 'other' # for now
clusters:
-
  name: other
  cluster:
    server: https://other.example
""",
}
FILES["carriage returns"] = FILES["others"].replace("\n", "\r\n")
FILES["byte order mark"] = "\ufeff" + FILES["others"]
FILES["no end"] = FILES["others"].rstrip("\n")


class Merge:
    """The library's program, and the kubeconfigs that it takes from Azure."""

    def __init__(self, azure):
        self.azure = azure
        self.config = azure.emulator.home / ".kube" / "config"
        self.source = azure.emulator.folder / "from-azure"
        # The library merges no proxy that its caller did not name, and the emulator names one for clusters' hosts. kubectl gets it here.
        lines = azure.arm.kubeconfig(GROUP, CLUSTER).splitlines(keepends=True)
        self.source.write_text("".join(line for line in lines if "proxy-url" not in line))
        azure.kubectl.environment["HTTPS_PROXY"] = azure.emulator.proxy
        self.config.unlink()

    def __call__(self, *options):
        program = pathlib.Path(os.environ["AKS_ACR_MERGE_BIN"])
        command = [str(program), str(self.source), str(self.config), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.azure.emulator.home)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()


@pytest.fixture
def merge(azure):
    return Merge(azure)


@pytest.mark.parametrize("form", FILES)
def test_kubectl_reads_the_result_and_reaches_the_cluster(azure, kubectl, merge, form):
    if FILES[form] is not None:
        merge.config.write_bytes(FILES[form].encode())
    context, outcome = merge()
    assert outcome == "added"
    assert kubectl("config", "current-context").strip() == context
    told = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    names = lambda what: [entry["name"] for entry in told[what]]  # noqa: E731
    others = ["other"] if "other.example" in (FILES[form] or "") else []
    assert sorted(names("contexts")) == sorted([context, *others])
    assert sorted(names("clusters")) == sorted([CLUSTER, *others])
    if others:
        [user] = [entry["user"] for entry in told["users"] if entry["name"] == "other"]
        assert user["exec"]["args"] == ["eks", "get-token"]
    assert len(kubectl.rows("get", "nodes")) == 2


def test_what_kubectl_wrote_again_holds_the_same_for_the_library(kubectl, merge):
    merge.config.write_text(FILES["others"])
    context, _ = merge()
    kubectl("config", "use-context", "other")
    kubectl("config", "set-context", context, "--namespace=mine")
    assert merge() == [context, "unchanged"]
    assert kubectl("config", "view", "--minify", "-o", "jsonpath={..namespace}") == "mine"


def test_kubectl_and_the_library_take_the_same_lock(kubectl, merge):
    merge()
    lock = merge.config.with_name("config.lock")
    lock.touch()
    assert "config.lock" in kubectl.fails("config", "set-context", "another")
    lock.unlink()
    kubectl("config", "set-context", "another")
    assert not lock.exists()
