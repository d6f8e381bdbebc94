"""What the suite's tests start from: an emulator that is looked at again after each, and raw connections to it."""

import json
import re
import socket
import ssl

import pytest

from arm import Arm
from emulator import running
from kubeconfig import field

GROUP, CLUSTER, REGISTRY = "group", "dev", "targetregistry"
PATIENCE = 30


class Target:
    """An emulator with one of each, and what speaks to it without manners."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.arm = Arm(emulator)
        self.arm.group(GROUP)
        self.registry = self.arm.registry(GROUP, REGISTRY)
        self.arm.import_image(GROUP, REGISTRY, "docker.io/library/nginx:latest", "nginx:v1")
        self.cluster = self.arm.cluster(GROUP, CLUSTER)
        kubeconfig = self.arm.kubeconfig(GROUP, CLUSTER)
        self.cluster_token = field(kubeconfig, "token")
        self.cluster_host = re.search(r"https://([^:]+):443", kubeconfig).group(1)
        self.registry_host = f"{REGISTRY}.azurecr.io"
        self.port = int(emulator.origin.rsplit(":", 1)[1])
        self.proxy_port = int(emulator.proxy.rsplit(":", 1)[1])

    def plain(self, port=None):
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=PATIENCE)

    def open(self, host="localhost"):
        """A TLS connection to a host: the server itself, or an emulated one through the proxy."""
        raw = self.plain(self.port if host == "localhost" else self.proxy_port)
        if host != "localhost":
            raw.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            answer = raw.recv(4096)
            assert b" 200 " in answer, answer
        return self.arm.trust.wrap_socket(raw, server_hostname=host)

    def raw(self, data, host="localhost"):
        """Sends bytes and gives what comes back; a connection that is cut gives nothing."""
        with self.open(host) as stream:
            try:
                stream.sendall(data)
            except OSError:
                pass  # an answer may have come before all was sent
            return received(stream)

    def ask(self, method, path, host="localhost", body=b"", **headers):
        """A request that is well-formed, except for what it is given. The answer: status and body."""
        lines = {"host": host if host != "localhost" else f"localhost:{self.port}", "connection": "close"}
        if body or method in ("PUT", "POST", "PATCH"):
            lines["content-length"] = str(len(body))
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        answer = self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body, host)
        head, _, rest = answer.partition(b"\r\n\r\n")
        return status(head), rest

    def arm_ask(self, method, path, body=b"", **headers):
        own = {"authorization": f"Bearer {self.arm.token()}", "content_type": "application/json"}
        return self.ask(method, path, body=body, **own | headers)

    def cluster_ask(self, method, path, body=b"", **headers):
        own = {"authorization": f"Bearer {self.cluster_token}", "content_type": "application/json"}
        return self.ask(method, path, self.cluster_host, body, **own | headers)

    def lasting(self):
        """What must not have changed. The clock continues by itself."""
        state = self.emulator.state()
        state.pop("now")
        return json.dumps(state, sort_keys=True)


def received(stream):
    data = b""
    try:
        while part := stream.recv(65536):
            data += part
            # An answer has begun; a connection that is kept open afterwards is not waited for.
            stream.settimeout(0.5)
    except OSError:
        pass  # cut: what came before counts
    return data


def status(head):
    found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    return int(found.group(1)) if found else None


def is_refusal(code):
    """The client's fault, and said so; or the connection was cut."""
    return code is None or 400 <= code < 500


@pytest.fixture(scope="session")
def one_target():
    with running() as emulator:
        yield Target(emulator)


@pytest.fixture
def target(one_target):
    """The target, which has to be as it was and to answer afterwards."""
    before = one_target.lasting()
    yield one_target
    assert one_target.emulator.process.poll() is None
    assert one_target.lasting() == before
    body, _ = one_target.arm.call("GET", one_target.registry["id"], "2025-11-01")
    assert body["name"] == REGISTRY


def tls_without_trust():
    """For certificates that are not looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
