"""A real Kubernetes control plane beside a test: etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback.

As a command, for programs that are not in Python:

    control_plane.py TOOLS PROGRAM [ARGUMENT ...]

starts one, runs the program with ADMIN_KUBECONFIG, READER_KUBECONFIG and ETCD in its environment, and stops it again. TOOLS is a
folder that `control-plane/install` has filled.

Everything is in one temporary folder. A guard, a process of its own, waits until this one ends, however it ends, and then kills
the parts and removes the folder. Only the standard library and openssl are needed.
"""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

# What of the environment the parts may see.
KEPT = ("PATH", "LANG", "TERM")

# Reads the process group of the parts, then waits for the end of its input.
GUARD = 'read -r group || exit 0; cat >/dev/null; kill -s KILL -- "-$group" 2>/dev/null; sleep 0.1; rm -rf -- "$1"'

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


class ControlPlane:
    """A running control plane.

    `kubeconfigs` has a file for `admin`, who may do everything, and for `reader`, who has no permission.
    """

    def __init__(self, tools):
        self.began = time.monotonic()
        self.programs = pathlib.Path(tools) / "bin"
        if not (self.programs / "kube-apiserver").exists():
            raise FileNotFoundError(f"no control plane in {tools}: run control-plane/install")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aks-acr-plane-"))
        self.parts, self.group, self.readers = {}, 0, {}
        self.guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=self._environment(),
        )
        try:
            self._issue()
            self._start()
        except BaseException:
            self.stop()
            raise

    def _environment(self):
        return {name: os.environ[name] for name in KEPT if name in os.environ}

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
        ports = free_ports(5)
        self.etcd = f"http://127.0.0.1:{ports[0]}"
        self.peer = f"http://127.0.0.1:{ports[1]}"
        self.port = ports[2]
        self.server = f"https://127.0.0.1:{self.port}"
        self.ports = {"kube-controller-manager": ports[3], "kube-scheduler": ports[4]}
        users = {
            "admin": "/O=system:masters/CN=admin",
            "reader": "/CN=reader",
            "kube-controller-manager": "/CN=system:kube-controller-manager",
            "kube-scheduler": "/CN=system:kube-scheduler",
        }
        self.kubeconfigs = {}
        for name, subject in users.items():
            self._sign(name, subject, "extendedKeyUsage=clientAuth")
            self.kubeconfigs[name] = self._kubeconfig(name)
        (self.folder / "audit.yaml").write_text(AUDIT)

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

    # Processes

    def _run(self, name, *arguments):
        log = open(self.folder / f"{name}.log", "ab")
        group = self.group
        process = subprocess.Popen(
            [str(self.programs / name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            env=self._environment() | {"TMPDIR": str(self.folder), "HOME": str(self.folder)},
            preexec_fn=lambda: os.setpgid(0, group),  # noqa: PLW1509
        )
        log.close()
        self.parts[name] = process
        return process

    def _start(self):
        etcd = self._run(
            "etcd", "--data-dir", "etcd", "--unsafe-no-fsync", "--log-level", "warn",
            "--listen-client-urls", self.etcd, "--advertise-client-urls", self.etcd,
            "--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer,
            "--initial-cluster", f"default={self.peer}",
        )  # fmt: skip
        self.group = etcd.pid
        self.guard.stdin.write(f"{self.group}\n".encode())
        self.guard.stdin.flush()
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
            "--authorization-mode", "Node,RBAC", "--allow-privileged", "--profiling=false",
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

    def wait_until_ready(self, timeout=90, paths=("/readyz", "/api/v1/namespaces/default/serviceaccounts/default")):
        """Waits until kube-apiserver is ready and namespaces get their service account."""
        end = time.monotonic() + timeout
        while True:
            with contextlib.suppress(OSError):
                if all(self.request("GET", path)[0] == 200 for path in paths):
                    return
            for name, process in self.parts.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with {process.returncode}: {self.log(name)[-2000:]}")
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

    def audit(self):
        """The requests that kube-apiserver has answered."""
        return [json.loads(line) for line in (self.folder / "audit.log").read_text().splitlines()]

    def stop(self):
        """Kills the parts and removes the folder."""
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, signal.SIGKILL)
        for process in self.parts.values():
            process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(BrokenPipeError):
            self.guard.stdin.close()
        self.guard.wait(10)


def answer_of(opener, request):
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


def free_ports(count):
    """Ports that nobody uses. They are reserved together, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def running(tools):
    """A control plane for the length of a block."""
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
