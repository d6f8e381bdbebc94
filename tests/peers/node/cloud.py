"""An emulated Azure with one cluster."""

import base64
import contextlib
import http.client
import json
import os
import re
import ssl
import subprocess
import threading
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

    def check(self, images):
        """The reports of the library's `check`, whose caller may read images of registries in the mode ABAC, too."""
        reader = {"role": "Container Registry Repository Reader", "caller": "owner", "scope": self.owner.subscription}
        self.emulator.order("POST", "grant", reader)
        return self.operate(os.environ["AKS_ACR_OPERATE_BIN"], "check", f"{GROUP}/{CLUSTER}", *images)


def server(azure):
    """The Kubernetes of the cluster, as its administrator."""
    text = azure.owner.kubeconfig(GROUP, CLUSTER)
    field = lambda name: re.search(rf"^\s*{name}: (\S+)$", text, re.MULTILINE).group(1)  # noqa: E731
    authority = base64.b64decode(field("certificate-authority-data")).decode()
    trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=authority))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"https": azure.proxy}), trust)
    return Server(opener, field("server"), field("token"))


class Server:
    """Calls a Kubernetes; every call has to succeed."""

    def __init__(self, opener, address, token):
        self.opener, self.address, self.token = opener, address, token

    def _request(self, method, path, data=None, kind="application/json"):
        headers = {"content-type": kind, "authorization": f"Bearer {self.token}"}
        return urllib.request.Request(self.address + path, data, headers, method=method)

    def __call__(self, method, path, body=None, kind="application/json"):
        data = None if body is None else json.dumps(body).encode()
        status, _, answer = answer_of(self.opener, self._request(method, path, data, kind))
        assert status < 300, answer
        return json.loads(answer)

    def watch(self, path, seen):
        """Calls `seen` with each object of a collection whenever it is made or changed, in a thread that ends with the server. The emulated clock may be turned by hours."""
        answer = self.opener.open(self._request("GET", f"{path}?watch=true&timeoutSeconds=86400"), timeout=3600)

        def read():
            with contextlib.suppress(OSError, http.client.HTTPException):
                for line in answer:
                    change = json.loads(line)
                    assert change["type"] in ("ADDED", "MODIFIED", "DELETED"), change
                    if change["type"] != "DELETED":
                        seen(change["object"])

        threading.Thread(target=read, daemon=True).start()


@contextlib.contextmanager
def cloud(running, scene, folder, *arguments):
    """An emulator with this scene."""
    path = folder / "scene.json"
    path.write_text(json.dumps(scene))
    with running("--seed", path, *arguments) as emulator:
        yield Cloud(emulator)
