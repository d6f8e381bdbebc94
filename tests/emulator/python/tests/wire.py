"""Requests to an emulator with nothing but the standard library: by its origin, or by a host's own name through the proxy."""

import base64
import http.client
import json
import ssl
import tempfile
import urllib.parse
from typing import Any

from aks_acr_emulator import Emulator

REGISTRIES = "providers/Microsoft.ContainerRegistry/registries"


class Wire:
    """A caller of an emulator, with their token."""

    def __init__(self, azure: Emulator, caller: str = "owner") -> None:
        self.azure = azure
        self.trust = ssl.create_default_context(cadata=azure.ca)
        self.token = azure.credential(caller).get_token(f"{azure.origin}/.default").token

    def arm(self, method: str, path: str, body: Any = None, version: str = "2025-11-01") -> tuple[int, Any]:
        """A request to Resource Manager at the origin."""
        port = urllib.parse.urlsplit(self.azure.origin).port
        connection = http.client.HTTPSConnection("localhost", port, context=self.trust, timeout=10)
        return send(connection, method, f"{path}?api-version={version}", body, self.token)

    def host(self, method: str, host: str, path: str) -> int:
        """The status of a request to any emulated host through the proxy."""
        return send(self.tunnel(host, self.trust), method, path, None, None)[0]

    def tunnel(self, host: str, trust: ssl.SSLContext) -> http.client.HTTPSConnection:
        """A connection to a host by its own name."""
        proxy = urllib.parse.urlsplit(self.azure.proxy)
        connection = http.client.HTTPSConnection(str(proxy.hostname), proxy.port, context=trust, timeout=10)
        connection.set_tunnel(host, 443)
        return connection

    def groups(self) -> int:
        """The status of a request that anyone with the role Reader may send."""
        return self.arm("GET", f"/subscriptions/{self.azure.subscription_id}/resourcegroups", version="2022-09-01")[0]


class Kubernetes:
    """A cluster's API server, with what its administrator's kubeconfig says."""

    def __init__(self, wire: Wire, group: str, name: str) -> None:
        self.wire = wire
        path = f"{wire.azure.cluster_id(group, name)}/listClusterAdminCredential"
        file = wire.arm("POST", path, version="2026-05-01")[1]["kubeconfigs"][0]["value"]
        words = dict(line.strip().split(": ", 1) for line in base64.b64decode(file).decode().splitlines() if ": " in line)
        self.server = str(urllib.parse.urlsplit(words["server"].strip("'\"")).hostname)
        self.trust = ssl.create_default_context(cadata=wire.azure.ca)
        with tempfile.NamedTemporaryFile() as both:
            for name in ("client-certificate-data", "client-key-data"):
                both.write(base64.b64decode(words[name].strip("'\"")))
            both.flush()
            self.trust.load_cert_chain(both.name)
        self.token = words.get("token", "").strip("'\"") or None

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A request to the API server."""
        return send(self.wire.tunnel(self.server, self.trust), method, path, body, self.token)


def send(
    connection: http.client.HTTPSConnection, method: str, path: str, body: Any, token: str | None
) -> tuple[int, Any]:
    """Sends one request and closes the connection."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else text.decode()
    finally:
        connection.close()
