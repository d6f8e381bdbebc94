"""Requests to the real API server, and kubectl with its kubeconfig."""

import contextlib
import json
import os
import pathlib
import subprocess
import time

# Set by servers, different in each run.
VOLATILE = ("uid", "resourceVersion", "creationTimestamp", "generation")


def until(read, met, timeout=60):
    """What `read` returns once `met` is true of it. An error shows the last one."""
    end = time.monotonic() + timeout
    while True:
        found = read()
        if met(found):
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"not as expected after {timeout} s: {found}")
        time.sleep(0.05)


def of_library(entry):
    """Whether an entry of the audit log is about a request of the library."""
    return entry.get("userAgent", "").startswith("aks-acr/")


@contextlib.contextmanager
def refused_once(plane):
    """In the block, the library has one request refused, and does not retry it."""
    mark = plane.audit_mark()
    yield
    codes = [(entry["verb"], entry["requestURI"], entry["responseStatus"]["code"]) for entry in plane.audit(mark) if of_library(entry)]
    refused = [entry for entry in codes if entry[2] >= 400]
    assert len(refused) == 1, refused


class Api:
    """The real API server, called as one user."""

    def __init__(self, plane, user="admin"):
        self.plane, self.user = plane, user

    def call(self, method, path, body=None, kind="application/json"):
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": kind}
        status, _, answer = self.plane.request(method, path, data, headers, self.user)
        return status, json.loads(answer)

    def get(self, path):
        status, object = self.call("GET", path)
        assert status == 200, object
        return object

    def create(self, path, body):
        status, object = self.call("POST", path, body)
        assert status == 201, object
        return object

    def patch(self, path, body):
        status, object = self.call("PATCH", path, body, "application/merge-patch+json")
        assert status == 200, object
        return object

    def delete(self, path):
        return self.call("DELETE", path)

    def wait_for(self, path, met):
        """The object once `met` is true of it; it may not exist before."""
        return until(lambda: self.call("GET", path), lambda found: found[0] == 200 and met(found[1]))[1]


class Kubectl:
    """kubectl as the administrator."""

    def __init__(self, plane, kubeconfig=None):
        self.program = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]) / "bin" / "kubectl"
        home = plane.folder / "home"
        home.mkdir(exist_ok=True)
        config = kubeconfig or plane.kubeconfigs["admin"]
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(config)}

    def run(self, *arguments, stdin=None):
        given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        command = [str(self.program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=self.environment, **given)

    def __call__(self, *arguments, stdin=None):
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fails(self, *arguments, stdin=None):
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stderr


def comparable(object):
    """An object without what differs in each run and without its status; its managers without their times."""
    object = json.loads(json.dumps(object))
    object.pop("status", None)
    metadata = object["metadata"]
    for field in VOLATILE:
        metadata.pop(field, None)
    # Controllers write as well.
    managers = [entry for entry in metadata.get("managedFields", []) if entry["operation"] == "Apply"]
    for entry in managers:
        entry.pop("time")
    metadata["managedFields"] = managers
    return object
