"""An emulated Azure with one cluster."""

import base64
import contextlib
import json
import re
import ssl
import subprocess
import urllib.request

from arm import Arm
from control_plane import answer_of

GROUP, CLUSTER = "group", "dev"


class Cloud:
    """An emulator, and the identity of its cluster's kubelet."""

    def __init__(self, emulator):
        self.emulator, self.proxy = emulator, emulator.proxy
        self.owner = Arm(emulator)
        self.trust = self.owner.trust
        state = emulator.state()
        self.kubelet = next(one for one in state["principals"] if one["objectId"] == state["clusters"][0]["kubelet"])

    def operate(self, program, *words):
        """An operation of the library; its result."""
        command = [program, self.emulator.origin, self.emulator.subscription, *words]
        done = subprocess.run(command, env=self.emulator.client_environment(), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def server(azure):
    """The Kubernetes of the cluster, as its administrator."""
    text = azure.owner.kubeconfig(GROUP, CLUSTER)
    field = lambda name: re.search(rf"^\s*{name}: (\S+)$", text, re.MULTILINE).group(1)  # noqa: E731
    authority = base64.b64decode(field("certificate-authority-data")).decode()
    trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=authority))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"https": azure.proxy}), trust)
    return caller(lambda *request: answer_of(opener, request_to(field("server"), field("token"), *request)))


def request_to(server, token, method, path, data, headers):
    return urllib.request.Request(server + path, data, headers | {"authorization": f"Bearer {token}"}, method=method)


def caller(send):
    """Calls a Kubernetes; every call has to succeed."""

    def call(method, path, body=None, kind="application/json"):
        data = None if body is None else json.dumps(body).encode()
        status, _, answer = send(method, path, data, {"content-type": kind})
        assert status < 300, answer
        return json.loads(answer)

    return call


@contextlib.contextmanager
def cloud(running, scene, folder, *arguments):
    """An emulator with this scene."""
    path = folder / "scene.json"
    path.write_text(json.dumps(scene))
    with running("--seed", path, *arguments) as emulator:
        yield Cloud(emulator)
