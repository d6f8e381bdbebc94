"""One emulated Azure for a cause, whose registries the real containerd and the emulated nodes pull from."""

import base64
import contextlib
import json
import time
from urllib.parse import urlencode

from arm import Arm, send
from emulator import running
from kubeconfig import sender

GROUP, CLUSTER = "group", "dev"
# The user name that stands for a token.
TOKEN = "00000000-0000-0000-0000-000000000000"
DEFAULT = "/api/v1/namespaces/default"


class Azure:
    def __init__(self, emulator, cause):
        self.emulator, self.cause = emulator, cause
        self.owner = Arm(emulator)
        self.credential = self._credential(cause.get("credential", {}))
        # Only now: faults are for the pulls, for all of them.
        if cause.get("inspected"):
            emulator.order("POST", "inspection", {"group": GROUP, "cluster": CLUSTER, "host": "*.azurecr.io", "inspected": True})
        for fault in cause.get("faults", []):
            emulator.order("POST", "fault", fault | {"times": 1000})

    def _credential(self, given):
        if "user" in given:
            return tuple(given["user"])
        if "admin" in given:
            return self.owner.admin(GROUP, given["admin"])
        if "adminWithWrongPassword" in given:
            return given["adminWithWrongPassword"], "wrong"
        if "caller" in given:
            return TOKEN, self._refresh_token(given["caller"])
        return None

    def _refresh_token(self, caller):
        """What a registry gives for a token of Entra."""
        arm = Arm(self.emulator, self.emulator.principal(caller)["clientId"], "hush")
        host = self.cause["image"].split("/")[0]
        form = {"grant_type": "access_token", "service": host, "tenant": self.emulator.tenant, "access_token": arm.token()}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        _, _, text = send(f"https://{host}", arm.trust, "POST", "/oauth2/exchange", headers, urlencode(form).encode(), self.emulator.proxy)
        return json.loads(text)["refresh_token"]

    def hosts(self):
        """The hosts that exist: those of the scene, and Docker's own."""
        scene = self.cause["scene"]
        names = [f"{one['name']}.azurecr.io" for one in scene.get("registries", [])]
        return names + [one["host"] for one in scene.get("upstreams", [])] + ["registry-1.docker.io", "auth.docker.io", "mcr.microsoft.com"]

    # The emulated nodes

    def lose(self):
        """Makes the store of the emulated node lose the manifest of the image. Its digest."""
        image = self.cause["image"]
        self.emulator.order("POST", "lose-content", {"group": GROUP, "cluster": CLUSTER, "node": "node-0", "image": image})
        repository, tag = image.split("/", 1)[1].rsplit(":", 1)
        [registry] = self.emulator.state()["registries"]
        return registry["images"][repository][tag]

    def _server(self):
        send = sender(self.owner.kubeconfig(GROUP, CLUSTER), self.emulator.proxy)

        def call(method, path, body=None):
            data = None if body is None else json.dumps(body).encode()
            status, _, answer = send(method, path, data, {"content-type": "application/json"})
            assert status < 300, answer
            return json.loads(answer)

        return call

    def pull(self):
        """What a pod on an emulated node comes to: `{"image": "pulled"}`, or `{"error": text}` with kubelet's text."""
        call, image = self._server(), self.cause["image"]
        spec = {"containers": [{"name": "c", "image": image, "imagePullPolicy": "Always"}]}
        if self.credential:
            user, password = self.credential
            auths = {"auths": {image.split("/")[0].replace("docker.io", "https://index.docker.io/v1/"): {"username": user, "password": password}}}
            data = {".dockerconfigjson": base64.b64encode(json.dumps(auths).encode()).decode()}
            secret = {"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
            call("POST", f"{DEFAULT}/secrets", secret)
            spec["imagePullSecrets"] = [{"name": "pull"}]
        call("POST", f"{DEFAULT}/pods", {"metadata": {"name": "p"}, "spec": spec})
        prefix = f'Failed to pull image "{image}": '
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.emulator.order("POST", "advance", {"seconds": 1})
            for event in call("GET", f"{DEFAULT}/events")["items"]:
                if event["reason"] == "Failed" and event["message"].startswith(prefix):
                    return {"error": event["message"].removeprefix(prefix)}
                if event["reason"] == "Pulled":
                    return {"image": "pulled"}
            time.sleep(0.01)
        raise TimeoutError(call("GET", f"{DEFAULT}/pods/p"))


@contextlib.contextmanager
def emulated(cause, containerd, folder):
    """The scene of a cause, with a cluster whose node has this version of containerd."""
    cluster = {"group": GROUP, "name": CLUSTER, "containerd": containerd, "withoutKubeletIdentity": True, "nodes": [{"name": "node-0"}]}
    scene = cause["scene"] | {"clusters": [cluster]}
    path = folder / "scene.json"
    path.write_text(json.dumps(scene))
    with running("--listen", "127.0.0.1:443", "--seed", path) as emulator:
        yield Azure(emulator, cause)
