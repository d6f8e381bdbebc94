"""The emulator as a program beside a test: started, controlled, read, stopped.

Only the standard library is needed, so that every suite can use it whatever its client brings along.
"""

import contextlib
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What of the surroundings a client may see. All else, proxies and credentials above all, is not passed on.
KEPT = ("PATH", "LANG", "TERM", "SYSTEMROOT")


def binary():
    """The program: the one that `AKS_ACR_EMULATOR_BIN` names, or what `cargo build` left."""
    named = os.environ.get("AKS_ACR_EMULATOR_BIN")
    path = pathlib.Path(named) if named else ROOT / "target" / "debug" / "aks-acr-emulator"
    if not path.is_file():
        raise FileNotFoundError(f"no emulator at {path}: cargo build -p aks-acr-emulator")
    return path


class Emulator:
    """One running emulator, with its own folder, which is deleted with it.

    `home` is a home folder for clients, in that folder.
    """

    def __init__(self, *arguments):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aks-acr-peer-"))
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o700)
        command = [binary(), "serve", "--format", "json", "--ca-file", self.folder / "ca.pem", *arguments]
        self.errors = open(self.folder / "errors.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={name: os.environ[name] for name in KEPT if name in os.environ} | {"TMPDIR": str(self.folder)},
        )
        try:
            self._hear()
        except BaseException:
            self.stop()
            raise

    def _hear(self):
        """Reads what it says; after the line `ready` it listens."""
        lines = []
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
            lines.append(line)
        else:
            self.errors.seek(0)
            raise RuntimeError(f"the emulator did not start: {self.errors.read()}")
        report = json.loads("".join(lines))
        self.origin = report["origin"]
        self.proxy = report["proxy"]
        self.ca_file = report["caFile"]
        self.tenant = report["tenant"]
        self.subscription = report["subscription"]
        self.client_id = report["clientId"]
        self.client_secret = report["clientSecret"]
        self.environment = report["environment"]
        self._token = report["controlToken"]
        self._trust = ssl.create_default_context(cafile=self.ca_file)

    def complaints(self):
        """What it has written to stderr."""
        self.errors.flush()
        return (self.folder / "errors.log").read_text(encoding="utf-8")

    def client_environment(self, **more):
        """The variables of a client: its own home, and what the emulator says that clients need."""
        own = {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "TMPDIR": str(self.folder),
            "KUBECONFIG": str(self.home / ".kube" / "config"),
        }
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | own | self.environment | {name: str(value) for name, value in more.items()}

    def order(self, method, path, body=None, lines=False):
        """Asks the control endpoint; the answer is what its JSON says, or each of its lines."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.origin}/_emulator/{path}", data=data, method=method)
        request.add_header("authorization", f"Bearer {self._token}")
        if data is not None:
            request.add_header("content-type", "application/json")
        # Not through a proxy that the surroundings may name.
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._trust)
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as refusal:
            raise RuntimeError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from None
        return [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)

    def mark(self):
        """The place in the log after the newest request."""
        return self.order("GET", "mark")["mark"]

    def requests(self, since=0):
        """The requests since a mark, as they came."""
        return self.order("GET", f"requests?since={since}", lines=True)

    def state(self):
        """All there is: registries with their tags, clusters, role assignments and the rest."""
        return self.order("GET", "state")

    def principal(self, name):
        """A principal by name, with its ids: `clientId` to sign in with, `objectId` for grants."""
        return next(one for one in self.state()["principals"] if one["name"] == name)

    def wait_for(self, met, patience=20):
        """Looks at the state until `met` says something true of it, and gives that back."""
        end = time.monotonic() + patience
        while True:
            found = met(self.state())
            if found or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def stop(self):
        """Ends it as a signal does, and removes its folder."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                # On a busy machine, a real node with many pods takes more than 10 seconds.
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.process.returncode


@contextlib.contextmanager
def running(*arguments):
    """An emulator for the length of a block. It has to end as well as it began."""
    emulator = Emulator(*arguments)
    try:
        yield emulator
    finally:
        code = emulator.stop()
    assert code == 0, f"the emulator ended with {code}"
