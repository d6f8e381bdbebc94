"""A real node: containerd, kubelet with a credential provider, the identity endpoint and the name server that nodes of AKS have.

The suite runs in namespaces of its own for processes, mounts and the network, so that names of bridges and addresses are its own,
and all of it ends with the first process, however that ends. What the kernel keeps then, a folder and control groups, bears one
name; the folder has a lock, and the next start removes the folders whose lock nobody holds.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from containerd import configuration

PREFIX = "aks-acr-node-"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
CLONE_NEWCGROUP = 0x02000000
# Options of mounts that say nothing of a hierarchy.
COMMON = ("rw", "nosuid", "nodev", "noexec", "relatime", "nsdelegate", "memory_recursiveprot", "xattr")
IDENTITY, NAME_SERVER = "169.254.169.254", "168.63.129.16"
ADDRESS, NAME = "10.224.0.4", "aks-nodepool1-12345678-vmss000000"
KEPT = ("PATH", "LANG", "TERM")

SANDBOX = 'sandbox_image = "{sandbox}"'
NETWORK = """\
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{programs}"
conf_dir = "{folder}/cni"
"""

BRIDGE = {
    "cniVersion": "1.0.0",
    "name": "pods",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/16"}]]},
        }
    ],
}


def obstacle(programs):
    """Why a node cannot run here, or `None`."""
    if os.getpid() != 1:
        return "it needs root, and namespaces of its own for processes, mounts and the network"
    if shutil.which("runc", path=f"{programs}{os.pathsep}{os.environ['PATH']}") is None:
        return "runc is not installed"
    return None


# What the kernel keeps


def hierarchies():
    """The hierarchies of control groups: where each is mounted, and with which kind and options."""
    found = {}
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            found[pathlib.Path(place)] = (kind, [one for one in options.split(",") if one not in COMMON])
    return found


def control_groups(name):
    """The groups with this name."""
    return [path / name for path in hierarchies() if (path / name).is_dir()]


def own_control_groups(name):
    """A group in each hierarchy, and a namespace that has nothing else: whatever a part makes is below."""
    known = hierarchies()
    for path in known:
        group = path / name
        group.mkdir()
        for file in ("cpuset.cpus", "cpuset.mems"):
            # New groups of the first version have none.
            if (path / file).exists():
                (group / file).write_text((path / file).read_text())
        (group / "cgroup.procs").write_text(str(os.getpid()))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWCGROUP) != 0:
        raise OSError(ctypes.get_errno(), "no namespace for control groups")
    # Over the mounts that there are: they come back when this one is removed.
    run("mount", "-t", "tmpfs", "tmpfs", str(CGROUPS))
    for path, (kind, options) in known.items():
        path.mkdir(exist_ok=True)
        chosen = ["-o", ",".join(options)] if options and kind == "cgroup" else []
        run("mount", "-t", kind, *chosen, "cgroup", str(path))


def leave_control_groups():
    """Back to where this process was."""
    run("umount", "--recursive", str(CGROUPS))
    for path in hierarchies():
        (path / "cgroup.procs").write_text(str(os.getpid()))


def remove_control_groups(name):
    for top in control_groups(name):
        # The kernel removes a group only once it is empty, and its files never.
        for folder, _, _ in os.walk(top, topdown=False):
            for _ in range(50):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
                if not os.path.isdir(folder):
                    break
                time.sleep(0.1)


def remove_left(parent):
    """Removes what runs before this one have left. Gives their names."""
    removed = []
    for folder in pathlib.Path(parent).glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder / "lock", os.O_RDWR)
        except FileNotFoundError:
            continue
        with contextlib.closing(os.fdopen(lock)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            remove_control_groups(folder.name)
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    return removed


class Ground:
    """What a node stands on: its folder, addresses, mounts and servers. One for the whole suite."""

    def __init__(self, names):
        parent = tempfile.gettempdir()
        remove_left(parent)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self.lock = open(self.folder / "lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        # Everything that a part writes by a temporary name is below.
        tempfile.tempdir = str(self.folder)
        self.azure = None
        self._addresses()
        self._mounts()
        self.names = names()
        self.identity = ThreadingHTTPServer((IDENTITY, 80), handler(self._token))
        threading.Thread(target=self.identity.serve_forever, daemon=True).start()

    def _addresses(self):
        for address in (NAME_SERVER, IDENTITY):
            run("ip", "address", "add", f"{address}/32", "dev", "lo")
        run("ip", "link", "add", "node0", "type", "bridge")
        run("ip", "address", "add", f"{ADDRESS}/16", "dev", "node0")
        run("ip", "link", "set", "node0", "up")
        # Nothing is behind it; kubelet takes the address of the interface that has it.
        run("ip", "route", "add", "default", "dev", "node0")

    def _mounts(self):
        (self.folder / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {NAME}\n")
        for file in ("resolv.conf", "hosts"):
            run("mount", "--bind", str(self.folder / file), f"/etc/{file}")
        # Where the parts write without being asked.
        for place in ("/run", "/var"):
            run("mount", "-t", "tmpfs", "tmpfs", place)
        for place in ("/var/lib", "/var/log", "/var/tmp"):
            os.mkdir(place)
        own_control_groups(self.folder.name)

    def _token(self, query, headers):
        """The identity endpoint: the token of an identity that the node has."""
        if headers.get("Metadata") != "true" or self.azure is None:
            return None
        return self.azure.identity_token(query["client_id"][0], query["resource"][0])

    def close(self):
        self.identity.shutdown()
        self.identity.server_close()
        self.names.close()
        tempfile.tempdir = None
        leave_control_groups()
        remove_control_groups(self.folder.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()


def handler(token):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            answer = token(query, self.headers)
            body = json.dumps({"access_token": answer} if answer else {"error": "invalid_request"}).encode()
            self.send_response(200 if answer else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


class Node:
    """containerd and kubelet, joined to a control plane.

    `short` are registries whose credential kubelet keeps for other than an hour: `{host: "20s"}`.
    """

    def __init__(self, ground, plane, tools, azure, sandbox, short=None):
        self.began = time.monotonic()
        self.ground, self.plane, self.sandbox, self.short = ground, plane, sandbox, short or {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="node-", dir=ground.folder))
        self.containerd = pathlib.Path(tools["containerd"]) / "bin"
        self.programs = pathlib.Path(tools["kubelet"]) / "bin"
        self.parts = {}
        ground.azure = azure
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment = kept | {
            "PATH": f"{self.programs}:{self.containerd}:{kept['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "SSL_CERT_FILE": str(azure.emulator.ca_file),
        }
        try:
            self._start(azure)
        except BaseException:
            self.stop()
            raise

    def _start(self, azure):
        for folder in ("certs.d", "cni", "provider", "logs", "plugins"):
            (self.folder / folder).mkdir()
        (self.folder / "cni" / "pods.conflist").write_text(json.dumps(BRIDGE))
        # The image that holds the namespaces of pods comes over plain HTTP.
        host = self.sandbox.split("/")[0]
        (self.folder / "certs.d" / host).mkdir()
        (self.folder / "certs.d" / host / "hosts.toml").write_text(f'server = "http://{host}"\n')
        network = NETWORK.format(programs=self.programs, folder=self.folder)
        config = configuration(self.folder, SANDBOX.format(sandbox=self.sandbox), network)
        (self.folder / "config.toml").write_text(config)
        self._run("containerd", [self.containerd / "containerd", "--config", self.folder / "config.toml"])
        self._wait(lambda: "containerd successfully booted" in self.log("containerd"), 60)
        self._configure(azure)
        self._wait(self._is_ready, 120)
        # The controller that removes it does not run.
        self.plane.request("PATCH", f"/api/v1/nodes/{NAME}", '{"spec":{"taints":null}}', {"Content-Type": "application/merge-patch+json"})
        self.start_seconds = time.monotonic() - self.began

    def _configure(self, azure):
        provider = pathlib.Path(__file__).parent / "acr-credential-provider"
        shutil.copy(provider, self.folder / "provider" / provider.name)
        write = lambda name, value: (self.folder / name).write_text(json.dumps(value))  # noqa: E731
        write("azure.json", {"tenantId": azure.emulator.tenant, "userAssignedIdentityID": azure.client_id})
        write("provider.json", credential_providers(provider.name, self.folder / "azure.json", self.short))
        write("kubelet.json", self._configuration())
        self._start_kubelet()

    def _start_kubelet(self):
        # What the Node authorizer lets a node do is all that kubelet may do.
        kubeconfig = self.plane.user("node", f"/O=system:nodes/CN=system:node:{NAME}")
        self._run(
            "kubelet",
            [
                self.programs / "kubelet", "--config", self.folder / "kubelet.json", "--kubeconfig", kubeconfig,
                "--root-dir", self.folder / "kubelet", "--cert-dir", self.folder / "pki", "--hostname-override", NAME, "--node-ip", ADDRESS,
                "--image-credential-provider-config", self.folder / "provider.json",
                "--image-credential-provider-bin-dir", self.folder / "provider",
            ],
        )  # fmt: skip

    def restart_kubelet(self):
        """Ends kubelet and starts it again, as an upgrade does: it forgets credentials. Containers keep running."""
        kubelet = self.parts.pop("kubelet")
        kubelet.kill()
        kubelet.wait(30)
        self._start_kubelet()

    def _configuration(self):
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{self.folder}/c.sock",
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failCgroupV1": False,
            "failSwapOn": False,
            "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "clusterDNS": ["10.0.0.10"],
            "clusterDomain": "cluster.local",
            "readOnlyPort": 0,
            "healthzPort": 0,
            "resolvConf": str(self.folder.parent / "resolv.conf"),
            "podLogsDir": str(self.folder / "logs"),
            "volumePluginDir": str(self.folder / "plugins"),
            # As AKS sets them.
            "serializeImagePulls": False,
            "eventRecordQPS": 0,
            # All pods of a test start at once.
            "registryPullQPS": 0,
        }

    def _run(self, name, command):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.parts[name] = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=self.environment, start_new_session=True,
            )  # fmt: skip

    def _wait(self, met, timeout):
        end = time.monotonic() + timeout
        while not met():
            for name, process in self.parts.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with {process.returncode}: {self.log(name)[-3000:]}")
            if time.monotonic() > end:
                raise TimeoutError("".join(f"{name}: {self.log(name)[-3000:]}\n" for name in self.parts))
            time.sleep(0.05)

    def _is_ready(self):
        status, _, body = self.plane.request("GET", f"/api/v1/nodes/{NAME}")
        conditions = json.loads(body)["status"].get("conditions", []) if status == 200 else []
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        """Kills the parts and the programs of all pods, and removes what they mounted."""
        self.ground.azure = None
        for process in reversed(self.parts.values()):
            process.kill()
            process.wait(30)
        kill_below(self.folder)
        for line in reversed(pathlib.Path("/proc/self/mounts").read_text().splitlines()):
            place = line.split()[1]
            if place.startswith((str(self.folder), "/run/netns/", "/var/run/netns/")):
                subprocess.run(["umount", "--lazy", place], capture_output=True)
        subprocess.run(["ip", "link", "delete", "cni0"], capture_output=True)
        shutil.rmtree("/var/lib/cni", ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def kill_below(folder):
    """Kills the shims that name a folder, and all their children."""
    parents, shims = {}, []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents.setdefault(int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
            if str(folder) in (entry / "cmdline").read_text():
                shims.append(int(entry.name))
    while shims:
        one = shims.pop()
        shims += parents.get(one, [])
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, 9)


def credential_providers(name, azure, short):
    clouds = ("io", "cn", "de", "us")
    images = [f"{pattern}azurecr.{cloud}" for cloud in clouds for pattern in ("*.", "*.*.geo.")]
    provider = {
        "name": name,
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": images,
        "defaultCacheDuration": "10m",
        "args": [str(azure), *(f"--keep={host}={duration}" for host, duration in short.items())],
    }
    return {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [provider]}
