"""A real Kubernetes control plane beside a test: etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback.

As a command, for programs that are not in Python:

    control_plane.py TOOLS PROGRAM [ARGUMENT ...]

starts one, runs the program with ADMIN_KUBECONFIG, READER_KUBECONFIG and ETCD in its environment, and stops it again. TOOLS is a
folder that `control-plane/install` has filled.

Everything is in one temporary folder and ends with this process, however it ends. Only the standard library and openssl are needed.
"""

import base64
import contextlib
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

from guard import Guarded, ended

USERS = {
    "admin": "/O=system:masters/CN=admin",
    "reader": "/CN=reader",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
}

AUDIT = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: real
clusters:
- name: real
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: {name}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: real
  context: {{cluster: real, user: {name}}}
"""


class PortTaken(RuntimeError):
    """A part could not listen: another program took its port in the moment between the choice of the port and its use."""


class ControlPlane:
    """A running control plane.

    `kubeconfigs` has a file for `admin`, who may do everything, and for `reader`, who has no permission.
    """

    def __init__(self, tools):
        self.began = time.monotonic()
        self.programs = pathlib.Path(tools) / "bin"
        if not (self.programs / "kube-apiserver").exists():
            raise FileNotFoundError(f"no control plane in {tools}: run control-plane/install")
        self.parts, self.readers, self.kubeconfigs = {}, {}, {}
        self.guarded = Guarded("aks-acr-plane-")
        self.folder = self.guarded.folder
        try:
            self._issue()
            self._choose_ports()
            self._start()
        except BaseException:
            self.stop()
            raise

    # Certificates

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def _key(self, name):
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")

    def _sign(self, name, subject, extension):
        self._key(name)
        (self.folder / "extension").write_text(extension)
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", "request")
        authority = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extension")
        self._openssl("x509", "-req", "-in", "request", *authority, "-out", f"{name}.crt")

    def _issue(self):
        self._key("ca")
        self._openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=ca", "-days", "2", "-out", "ca.crt")
        self._key("sa")
        self._sign("server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth")
        for name, subject in USERS.items():
            self._sign(name, subject, "extendedKeyUsage=clientAuth")
        (self.folder / "audit.yaml").write_text(AUDIT)

    def _choose_ports(self):
        ports = free_ports(5)
        self.etcd = f"http://127.0.0.1:{ports[0]}"
        self.peer = f"http://127.0.0.1:{ports[1]}"
        self.port = ports[2]
        self.server = f"https://127.0.0.1:{self.port}"
        self.ports = {"kube-controller-manager": ports[3], "kube-scheduler": ports[4]}
        for name in USERS:
            self.kubeconfigs[name] = self._kubeconfig(name)

    def _kubeconfig(self, name):
        encoded = lambda file: base64.b64encode((self.folder / file).read_bytes()).decode()  # noqa: E731
        text = KUBECONFIG.format(
            server=self.server,
            name=name,
            authority=encoded("ca.crt"),
            certificate=encoded(f"{name}.crt"),
            key=encoded(f"{name}.key"),
        )
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(text)
        path.chmod(0o600)
        return path

    def user(self, name, subject):
        """The kubeconfig of one more user, with a certificate for this subject."""
        if name not in self.kubeconfigs:
            self._sign(name, subject, "extendedKeyUsage=clientAuth")
            self.kubeconfigs[name] = self._kubeconfig(name)
        return self.kubeconfigs[name]

    # Processes

    def _run(self, name, *arguments):
        own = {"TMPDIR": str(self.folder), "HOME": str(self.folder)}
        self.parts[name] = self.guarded.start([self.programs / name, *arguments], f"{name}.log", own)

    def _start(self):
        self._run(
            "etcd", "--data-dir", "etcd", "--unsafe-no-fsync", "--log-level", "warn",
            "--listen-client-urls", self.etcd, "--advertise-client-urls", self.etcd,
            "--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer,
            "--initial-cluster", f"default={self.peer}",
        )  # fmt: skip
        self.start_server()
        # The others end if they may not read their configuration yet.
        self.wait_until_ready(paths=("/readyz",))
        self.start_controllers()
        self.wait_until_ready()
        self.start_seconds = time.monotonic() - self.began

    def start_controllers(self):
        """Starts kube-controller-manager and kube-scheduler, anew if they run: otherwise they reconnect slowly after an outage."""
        common = ("--leader-elect=false", "--bind-address", "127.0.0.1", "--profiling=false")
        # Without the node lifecycle controller, nodes need no heartbeat.
        controllers = ("--controllers", "*,-node-lifecycle-controller")
        service_accounts = ("--use-service-account-credentials", "--service-account-private-key-file", "sa.key", "--root-ca-file", "ca.crt")
        for name, more in (("kube-controller-manager", controllers + service_accounts), ("kube-scheduler", ())):
            config = str(self.kubeconfigs[name])
            if name in self.parts:
                self.stop_part(name)
            access = ("--kubeconfig", config, "--authentication-kubeconfig", config, "--authorization-kubeconfig", config)
            self._run(name, *access, *common, *more, "--secure-port", str(self.ports[name]))

    def start_server(self):
        """Starts kube-apiserver, for the first time or after `stop_server`."""
        self._run(
            "kube-apiserver", "--etcd-servers", self.etcd, "--secure-port", str(self.port),
            "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
            # The only way for it to be on loopback alone.
            "--endpoint-reconciler-type", "none",
            "--tls-cert-file", "server.crt", "--tls-private-key-file", "server.key", "--client-ca-file", "ca.crt",
            "--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction", "--allow-privileged", "--profiling=false",
            "--service-account-key-file", "sa.key", "--service-account-signing-key-file", "sa.key",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-cluster-ip-range", "10.0.0.0/16",
            "--audit-policy-file", "audit.yaml", "--audit-log-path", "audit.log",
        )  # fmt: skip

    def stop_server(self):
        """Kills kube-apiserver."""
        self.stop_part("kube-apiserver")

    def stop_part(self, name):
        process = self.parts.pop(name)
        process.kill()
        process.wait(10)

    def wait_until_ready(self, timeout=240, paths=("/readyz", "/api/v1/namespaces/default/serviceaccounts/default")):
        """Waits until kube-apiserver is ready and namespaces get their service account."""
        end = time.monotonic() + timeout
        while True:
            for name, process in self.parts.items():
                if ended(process) is not None:
                    log = self.log(name)
                    kind = PortTaken if "address already in use" in log else RuntimeError
                    raise kind(f"{name} ended with {ended(process)}: {log[-2000:]}")
            with contextlib.suppress(OSError):
                if all(self.request("GET", path)[0] == 200 for path in paths):
                    return
            if time.monotonic() > end:
                raise TimeoutError(f"not ready: {self.log('kube-apiserver')[-2000:]}")
            time.sleep(0.1)

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def memory(self):
        """Resident memory of each part, in MiB."""
        sizes = {}
        for name, process in self.parts.items():
            lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
            sizes[name] = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024
        return sizes

    # Requests

    def request(self, method, path, body=None, headers=None, user="admin"):
        """Status, headers and body of the response of kube-apiserver."""
        if user not in self.readers:
            context = ssl.create_default_context(cafile=self.folder / "ca.crt")
            context.load_cert_chain(self.folder / f"{user}.crt", self.folder / f"{user}.key")
            handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            self.readers[user] = urllib.request.build_opener(*handlers)
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.server + path, data=data, method=method, headers=headers or {})
        return answer_of(self.readers[user], request)

    def version(self):
        """Major and minor version of Kubernetes, as numbers."""
        said = json.loads(self.request("GET", "/version")[2])
        return int(said["major"]), int(said["minor"])

    def compact(self):
        """Removes all old versions of all objects, as kube-apiserver does every five minutes."""
        post = lambda path, body: json.loads(self._etcd(path, body))  # noqa: E731
        revision = post("/v3/kv/range", {"key": base64.b64encode(b"x").decode()})["header"]["revision"]
        post("/v3/kv/compaction", {"revision": revision, "physical": True})

    def _etcd(self, path, body):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self.etcd + path, data=json.dumps(body).encode(), method="POST")
        with opener.open(request, timeout=30) as answer:
            return answer.read()

    def audit_mark(self):
        """The place in the audit log after the newest request."""
        return (self.folder / "audit.log").stat().st_size

    def audit(self, since=0):
        """The requests that kube-apiserver has answered since a mark."""
        # The log may lag behind the responses. Once this request is in it, those before it are.
        last = f"/version?{uuid.uuid4()}"
        self.request("GET", last)
        end = time.monotonic() + 60
        while True:
            with open(self.folder / "audit.log", encoding="utf-8") as log:
                log.seek(since)
                text = log.read()
            if last in text and text.endswith("\n"):
                return [entry for entry in map(json.loads, text.splitlines()) if entry["requestURI"] != last]
            if time.monotonic() > end:
                raise TimeoutError(f"not in the audit log: GET {last}, but: {text[-2000:]}")
            time.sleep(0.05)

    def stop(self):
        """Kills the parts and removes the folder."""
        self.guarded.stop()


def answer_of(opener, request):
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


def free_ports(count):
    """Ports that no program uses. They are reserved together, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def running(tools):
    """A control plane for the length of a block."""
    try:
        plane = ControlPlane(tools)
    except PortTaken:
        plane = ControlPlane(tools)
    try:
        yield plane
    finally:
        plane.stop()


def main(tools, *command):
    # A signal unwinds the block below, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with running(tools) as plane:
        print(f"ready after {plane.start_seconds:.1f} s: {plane.server}, MiB: {plane.memory()}", file=sys.stderr)
        kubeconfigs = {
            "ADMIN_KUBECONFIG": str(plane.kubeconfigs["admin"]),
            "READER_KUBECONFIG": str(plane.kubeconfigs["reader"]),
            "ETCD": plane.etcd,
        }
        return subprocess.run(command, env=os.environ | kubeconfigs).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
