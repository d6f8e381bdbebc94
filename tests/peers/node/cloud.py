"""An emulated Azure whose cluster the real node belongs to."""

import base64
import contextlib
import json
import re
import ssl
import subprocess
import urllib.parse
import urllib.request

from arm import Arm, send
from control_plane import answer_of

GROUP, CLUSTER = "group", "dev"
ISSUER, SUBJECT = "https://node.example", "node"


class Cloud:
    """An emulator, and the identity of its cluster's kubelet."""

    def __init__(self, emulator):
        self.emulator, self.proxy = emulator, emulator.proxy
        self.owner = Arm(emulator)
        self.trust = self.owner.trust
        state = emulator.state()
        self.kubelet = next(one for one in state["principals"] if one["objectId"] == state["clusters"][0]["kubelet"])
        self.client_id = self.kubelet["clientId"]
        emulator.order("POST", "federate", {"caller": self.kubelet["name"], "issuer": ISSUER, "subject": SUBJECT})

    def identity_token(self, client_id, resource):
        """A token of an identity of the node, as the endpoint on a machine of Azure gives it."""
        if client_id.lower() != self.client_id.lower():
            return None
        assertion = self.emulator.order("POST", "federated-token", {"issuer": ISSUER, "subject": SUBJECT})["token"]
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            "scope": f"{resource}/.default",
        }
        path = f"/{self.emulator.tenant}/oauth2/v2.0/token"
        _, _, text = send(self.emulator.origin, self.trust, "POST", path, data=urllib.parse.urlencode(form).encode())
        return json.loads(text)["access_token"]

    def hosts(self):
        """The hosts that exist."""
        state = self.emulator.state()
        return [f"{one['name']}.azurecr.io" for one in state["registries"]] + list(state["upstreams"])

    def operate(self, program, *words):
        """An operation of the library; its result."""
        command = [program, self.emulator.origin, self.emulator.subscription, *words]
        done = subprocess.run(command, env=self.emulator.client_environment(), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def server(azure):
    """The Kubernetes of the emulated cluster, as its administrator."""
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
def cloud(running, scene, folder, port):
    """An emulator with this scene."""
    path = folder / "scene.json"
    path.write_text(json.dumps(scene))
    with running("--listen", f"127.0.0.1:{port}", "--seed", path) as emulator:
        yield Cloud(emulator)
