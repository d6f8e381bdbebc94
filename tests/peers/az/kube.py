"""A cluster's API, asked with the standard library alone by what az wrote into a kubeconfig."""

import base64
import json
import ssl
import time
import urllib.request

import yaml


class Api:
    """The API of one cluster, with its administrator's credential."""

    def __init__(self, az, azure, group, name):
        done = az.run("aks", "get-credentials", "-g", group, "-n", name, "-f", "-", "--admin")
        assert done.code == 0, done.err
        config = yaml.safe_load(done.out)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=authority))
        proxy = urllib.request.ProxyHandler({"https": azure.proxy})
        self._opener = urllib.request.build_opener(proxy, trust)
        self._server, self._token = cluster["server"], user["token"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data=data, method=method)
        request.add_header("authorization", f"Bearer {self._token}")
        request.add_header("content-type", "application/json")
        with self._opener.open(request, timeout=30) as answer:
            return json.load(answer)

    def get(self, path):
        return self.ask("GET", path)

    def run_pod(self, name, image):
        container = {"name": "main", "image": image}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}
        self.ask("POST", "/api/v1/namespaces/default/pods", pod)

    def waits_for(self, name, states, patience=30):
        """What a pod's container came to: `running`, or why it waits; the first of `states`, or else the last seen."""
        end = time.monotonic() + patience
        while True:
            status = self.get(f"/api/v1/namespaces/default/pods/{name}")["status"]
            (container,) = status.get("containerStatuses") or [{"state": {}}]
            state = container["state"].get("waiting", {}).get("reason") or next(iter(container["state"]), None)
            if state in states or time.monotonic() > end:
                return state
            time.sleep(0.1)
