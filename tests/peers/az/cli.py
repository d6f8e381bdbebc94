"""az as a program: how it is called, what it said, and which requests it sent."""

import json
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version

QUICK = pathlib.Path(__file__).resolve().parent / "quick"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class Outcome:
    """What one call of az came to."""

    code: int
    out: str
    err: str

    @property
    def value(self):
        """The JSON that was printed, or nothing where nothing was."""
        return json.loads(self.out) if self.out.strip() else None


class Az:
    """az with its own configuration against one emulator.

    Called, it gives back what az printed as JSON, and fails when az does.
    """

    def __init__(self, emulator, name):
        self.emulator = emulator
        self.config = emulator.home / f".azure-{name}"
        self.config.mkdir(mode=0o700)
        own = version("azure-cli")
        # With it the first command does not ask the Internet for the newest version.
        known = {name: {"local": own} for name in ("azure-cli", "core")} | {"telemetry": {"local": "1.1.0"}}
        check = {"versions": known, "update_time": "2099-01-01 00:00:00.000000"}
        (self.config / "versionCheck.json").write_text(json.dumps(check))
        self.environment = emulator.client_environment(
            AZURE_CONFIG_DIR=self.config,
            AZURE_EXTENSION_DIR=self.config / "extensions",
            AZURE_CORE_OUTPUT="json",
        )

    def run(self, *arguments, **environment):
        """Calls az, whatever comes of it."""
        done = subprocess.run(
            [sys.executable, "-s", "-m", "azure.cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.emulator.home,
            env=self.environment | environment,
            timeout=240,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    def __call__(self, *arguments):
        done = self.run(*arguments)
        assert done.code == 0, f"az {' '.join(map(str, arguments))}: {done.err}"
        return done.value

    def refused(self, *arguments):
        """What az complains of, where it has to fail."""
        done = self.run(*arguments)
        assert done.code != 0, f"az {' '.join(map(str, arguments))} did not fail: {done.out}"
        return done.err

    def without_sleep(self, *arguments):
        """Calls az without waiting when it sleeps; the second answer is how long each of its sleeps would have been.

        az is the unchanged one. Python's own hook for a site (`quick/sitecustomize.py`) puts another `time.sleep` in
        place before az starts.
        """
        slept = self.emulator.folder / "slept"
        slept.unlink(missing_ok=True)
        hook = {"PYTHONPATH": str(QUICK), "PYTHONDONTWRITEBYTECODE": "1", "AKS_ACR_PEER_SLEPT": str(slept)}
        done = self.run(*arguments, **hook)
        return done, [float(line) for line in slept.read_text().split()] if slept.exists() else []

    def register_cloud(self):
        """Makes the emulator its own cloud, and that cloud the active one."""
        endpoint = ("--endpoint-resource-manager", self.emulator.origin)
        self("cloud", "register", "-n", "emulator", *endpoint, "--suffix-acr-login-server-endpoint", ".azurecr.io")
        self("cloud", "set", "-n", "emulator")

    def sign_in(self, client=None, secret=None):
        """Signs in as a service principal, the Owner if none is named."""
        who = ("-u", client or self.emulator.client_id, "-p", secret or self.emulator.client_secret)
        return self("login", "--service-principal", *who, "--tenant", self.emulator.tenant)

    def requests(self, *arguments, names=None):
        """The requests that a call sends, one line each.

        `names` maps short names to ids that are written so in the lines, in braces.
        """
        before = self.emulator.mark()
        done = self.run(*arguments)
        assert done.code == 0, done.err
        return shown(self.emulator.requests(before), self.emulator.subscription, names or {})


def shown(requests, subscription, names):
    """Requests of clients as lines such as `GET {cluster} 200`."""
    return [line(one, subscription, names) for one in requests if one["from"] == "client"]


def line(request, subscription, names):
    """Method, path, query without the api-version and signatures, status."""
    query = [part for part in request["query"].split("&") if part.startswith("$")]
    text = request["path"] + ("?" + "&".join(query) if query else "")
    places = sorted(names.items(), key=lambda pair: len(pair[1]), reverse=True)
    for name, place in [*places, ("subscription", f"/subscriptions/{subscription}")]:
        # A function, since a name is no pattern; case does not matter in ids.
        text = re.sub(re.escape(place) + r"(?=[/?]|$)", lambda _, name=name: "{" + name + "}", text, flags=re.I)
    return f"{request['method']} {GUID.sub('{guid}', text)} {request['status']}"
