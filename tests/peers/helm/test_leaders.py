"""Controllers with leader election, of which one works at a time: client-go's example."""

import queue
import threading
import time

import pytest


class Candidate:
    """One of those who want the lease."""

    def __init__(self, cluster, name):
        config = cluster.emulator.home / ".kube" / "config"
        lease = ("-lease-lock-name", "controller", "-lease-lock-namespace", "default", "-id", name)
        self.process = cluster.start("leader-election", "-kubeconfig", config, *lease)
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()

    def says(self, words, timeout=20):
        """Waits for a line with these words."""
        heard, end = [], time.monotonic() + timeout
        while not heard or words not in heard[-1]:
            try:
                heard.append(self.lines.get(timeout=max(end - time.monotonic(), 0)))
            except queue.Empty:
                raise AssertionError(f"no '{words}' in:\n{''.join(heard)}") from None

    def end(self):
        """Ends it in good order: it releases the lease."""
        self.process.terminate()
        self.process.wait(timeout=20)


def holder(cluster):
    return cluster.kubectl.json("get", "lease", "controller")["spec"]["holderIdentity"]


# It writes protobuf, which the emulated API server does not read: docs/limits.md.
@pytest.mark.parametrize("cluster", ["real"], indirect=True)
def test_another_takes_over_when_the_leader_ends(cluster):
    first = Candidate(cluster, "one")
    try:
        first.says("Controller loop...")
        assert holder(cluster) == "one"
        second = Candidate(cluster, "two")
        try:
            second.says("new leader elected: one")
            first.end()
            second.says("Controller loop...")
            lease = cluster.kubectl.json("get", "lease", "controller")["spec"]
            assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("two", 1)
        finally:
            second.end()
    finally:
        first.end()
