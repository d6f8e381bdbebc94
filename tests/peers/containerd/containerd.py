"""A real containerd, and the names and addresses that a node of AKS sees.

All of it is below one temporary folder and ends with this process, however it ends. The mounts are in a namespace of their own and end
with it.
"""

import contextlib
import json
import pathlib
import socket
import struct
import subprocess
import threading
import time

from guard import Guarded, ended
from obstacle import mounts

# The address of Azure's name server and, on loopback, of every registry that answers.
NAME_SERVER, ANSWERS = "168.63.129.16", "127.0.0.1"
# Another one on loopback, where connections are neither accepted nor refused.
SILENT = "127.0.0.9"

# The first line is of the namespace that `unshare` made: nothing here is mounted outside.
START = """
mount --make-rprivate / && mount --bind resolv.conf /etc/resolv.conf && mount --bind hosts /etc/hosts || exit 97
exec "$@"
"""

# Version 2 is what all versions read. `opt` would make a folder outside.
CONFIG = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart", "io.containerd.internal.v1.tracing",
  "io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.blockfile",
]
[grpc]
address = "{folder}/c.sock"
[ttrpc]
address = "{folder}/t.sock"
[plugins."io.containerd.grpc.v1.cri"]
disable_apparmor = true
restrict_oom_score_adj = true
{settings}
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{folder}/certs.d"
{more}
"""
# Only what a pull needs.
PULLS = "disable_cgroup = true\ndisable_tcp_service = true"


def configuration(folder, settings, more=""):
    """The configuration of a containerd whose files are in a folder, with these settings for kubelet, and more tables."""
    return CONFIG.format(folder=folder, settings=settings, more=more)


def obstacle():
    """Why containerd cannot run here, or `None`."""
    with open("/proc/net/dev") as devices:
        if [line.split(":")[0].strip() for line in devices.readlines()[2:]] != ["lo"]:
            return "this kernel gives the suite no network of its own"
    return mounts()


class NameServer:
    """The hosts of `known` are at one address, those of `silent` at one that does not respond; no other host exists."""

    def __init__(self, known=(), silent=()):
        self.known, self.silent = known, silent
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((NAME_SERVER, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                query, sender = self.socket.recvfrom(4096)
                self.socket.sendto(self._answer(query), sender)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        question, (kind,) = query[12 : at + 5], struct.unpack(">H", query[at + 1 : at + 3])
        name = ".".join(labels)
        address = SILENT if name in self.silent else ANSWERS if name in self.known else None
        records = b""
        if address and kind == 1:
            records = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
        # Response, recursion available; 3: the name does not exist.
        flags = 0x8180 | (0 if address else 3)
        return query[:2] + struct.pack(">HHHHH", flags, 1, 1 if records else 0, 0, 0) + question + records

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def silence():
    """An address that does not respond: a socket whose queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((SILENT, 443))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect((SILENT, 443))
        yield


class Containerd:
    """A running containerd, and kubelet's client of it."""

    def __init__(self, tools, trusted):
        self.began = time.monotonic()
        self.programs = pathlib.Path(tools) / "bin"
        self.client = None
        self.guarded = Guarded("aks-acr-containerd-")
        self.folder = self.guarded.folder
        try:
            self._start({"HOME": str(self.folder), "TMPDIR": str(self.folder), "SSL_CERT_FILE": str(trusted)})
        except BaseException:
            self.stop()
            raise

    def _start(self, environment):
        (self.folder / "certs.d").mkdir()
        (self.folder / "config.toml").write_text(configuration(self.folder, PULLS))
        (self.folder / "hosts").write_text("127.0.0.1 localhost\n")
        (self.folder / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
        daemon = [self.programs / "containerd", "--config", self.folder / "config.toml"]
        process = self.guarded.start(["unshare", "--mount", "sh", "-c", START, "start", *daemon], "log", environment)
        end = time.monotonic() + 120
        while "containerd successfully booted" not in self.log():
            if ended(process) is not None:
                raise RuntimeError(f"containerd ended with {ended(process)}: {self.log()[-3000:]}")
            if time.monotonic() > end:
                raise TimeoutError(f"containerd is not ready after 120 s: {self.log()[-3000:]}")
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - self.began
        command = [self.programs / "pull", f"unix://{self.folder}/c.sock"]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.client = self.guarded.join(command, environment, text=True, **streams)

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def pull(self, image, credential=None):
        """`{"image": digest}`, or `{"error": text}` with the text that kubelet shows."""
        username, password = credential or ("", "")
        return self._order({"image": image, "username": username, "password": password})

    def lose(self, digest):
        """Removes the file of a blob from the store, which goes on knowing it."""
        (self.folder / "root/io.containerd.content.v1.content/blobs" / digest.replace(":", "/")).unlink()

    def remove(self, image):
        return self._order({"remove": image})

    def _order(self, order):
        self.client.stdin.write(json.dumps(order) + "\n")
        self.client.stdin.flush()
        line = self.client.stdout.readline()
        assert line, f"the client ended: {self.client.poll()}"
        return json.loads(line)

    def stop(self):
        """Kills containerd and removes the folder."""
        self.guarded.stop()
        if self.client:
            # An order may be left in the pipe.
            with contextlib.suppress(OSError):
                self.client.stdin.close()
            self.client.stdout.close()


@contextlib.contextmanager
def running(tools, trusted):
    runtime = Containerd(tools, trusted)
    try:
        yield runtime
    finally:
        runtime.stop()
