"""The causes of `tests/vectors/pull_causes.json`: what kubelet shows with a real containerd, and what the emulated node shows.

The file has the text of each version of containerd, so that the emulated node is held to them by `cargo test`, too. With
AKS_ACR_BLESS=1 the texts of this version are written anew.
"""

import json
import os
import pathlib

import pytest

from azure import emulated
from containerd import SILENT, running, silence

PATH = pathlib.Path(__file__).parents[2] / "vectors" / "pull_causes.json"
CAUSES = json.loads(PATH.read_text())
# All that is made equal.
SAME = (
    # A firewall names the address of a client for the real containerd, and that of a node for the emulated one.
    ("client with IP '203.0.113.7'", "client with IP '198.51.100.20'"),
    # A host that does not respond is on loopback for the real one.
    (f"dial tcp {SILENT}:443", "dial tcp 203.0.113.40:443"),
    # Go has two errors for a connection that takes too long, and it is chance which one comes first; one of them has a code.
    ("rpc error: code = DeadlineExceeded desc = ", ""),
)
BLESS = os.environ.get("AKS_ACR_BLESS") == "1"
TOOLS = os.environ["AKS_ACR_PEER_TOOLS"]


def trusted(cause, azure, folder):
    """The authorities that the real containerd trusts. Behind a firewall that inspects TLS, the one that it meets is not among them."""
    if not cause.get("inspected"):
        return azure.emulator.ca_file
    none = folder / "none.pem"
    none.write_text("")
    return none


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause["cause"].replace(" ", "_"))
def test_the_emulated_node_says_what_kubelet_says(cause, version, names, tmp_path):
    with emulated(cause, version, tmp_path) as azure:
        names.known = azure.hosts()
        names.silent = names.known[:1] if cause.get("silent") else ()
        with silence(), running(TOOLS, trusted(cause, azure, tmp_path)) as runtime:
            real = runtime.pull(cause["image"], azure.credential)
            if cause.get("lost"):
                runtime.lose(azure.lose())
                real = runtime.pull(cause["image"], azure.credential)
            real = {kind: text.replace(str(runtime.folder / "root"), "/var/lib/containerd") for kind, text in real.items()}
        if "image" in real:
            real = {"image": "pulled"}
        mine = azure.pull()
    for theirs, same in SAME:
        real = {kind: text.replace(theirs, same) for kind, text in real.items()}
    text = real.get("error")
    if BLESS:
        cause["texts"] = dict(sorted((cause["texts"] | {version: text}).items()))
        PATH.write_text(json.dumps(CAUSES, indent=1) + "\n")
    assert cause["texts"].get(version, "missing") == text
    assert mine == real, f"\nreal     {real}\nemulated {mine}"
