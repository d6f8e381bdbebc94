"""What the suite's tests start from: registries, an image made on the spot, and the tools crane and regctl."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile
from urllib.parse import urlencode

import pytest

from arm import Arm, send
from emulator import running

GROUP = "group"
# The user name that stands for a token.
TOKEN = "00000000-0000-0000-0000-000000000000"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Client:
    """crane and regctl with a home, and so with logins, of their own."""

    def __init__(self, emulator, name):
        self.tools = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]) / "bin"
        self.home = emulator.folder / name
        self.home.mkdir()
        told = {"HOME": self.home, "DOCKER_CONFIG": self.home / ".docker", "XDG_RUNTIME_DIR": self.home}
        self.environment = emulator.client_environment(**told)

    def run(self, tool, *arguments, stdin=None):
        """Runs a tool, however it ends: exit code, output, errors."""
        done = subprocess.run(
            [str(self.tools / tool), *[str(one) for one in arguments]],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=60,
            env=self.environment,
            cwd=self.home,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def does(self, tool, *arguments, stdin=None):
        code, out, errors = self.run(tool, *arguments, stdin=stdin)
        assert code == 0, f"{tool} {' '.join(map(str, arguments))}: {code}\n{out}\n{errors}"
        return out.strip()

    def crane(self, *arguments):
        return self.does("crane", *arguments)

    def regctl(self, *arguments, stdin=None):
        return self.does("regctl", *arguments, stdin=stdin)

    def fails(self, *arguments):
        """What crane complains of; it has to fail."""
        code, out, errors = self.run("crane", *arguments)
        assert code != 0, f"crane {' '.join(map(str, arguments))} did not fail\n{out}"
        return errors

    def sign_in(self, host, user, password):
        """Both tools read the same file."""
        self.crane("auth", "login", host, "-u", user, "-p", password)


class Azure:
    """An emulator with two registries, one of each mode, and callers without a role."""

    CALLERS = ("puller", "pusher")

    def __init__(self, emulator):
        self.emulator = emulator
        self.owner = Arm(emulator)
        self.owner.group(GROUP)
        self.legacy = self.owner.registry(GROUP, "legacyregistry", adminUserEnabled=True)
        self.abac = self.owner.registry(GROUP, "abacregistry", roleAssignmentMode="AbacRepositoryPermissions")
        self.host = self.legacy["properties"]["loginServer"]
        self.abac_host = self.abac["properties"]["loginServer"]
        self._clients = 0

    def principal(self, name):
        return next(one for one in self.emulator.state()["principals"] if one["name"] == name)

    def images(self, registry):
        """Digest by tag by repository, as the emulator holds it."""
        found = next(one for one in self.emulator.state()["registries"] if one["id"].lower() == registry["id"].lower())
        return found["images"]

    def client(self):
        """Tools of a caller that has not signed in."""
        self._clients += 1
        return Client(self.emulator, f"client{self._clients}")

    def admin(self):
        """Tools signed in as the admin user of the registry in the legacy mode."""
        client = self.client()
        client.sign_in(self.host, *self.owner.admin(GROUP, "legacyregistry"))
        return client

    def caller(self, name, *hosts):
        """Tools signed in as a caller, with what a registry gives for a token of Entra."""
        arm = Arm(self.emulator, self.principal(name)["clientId"], "hush")
        client = self.client()
        for host in hosts:
            client.sign_in(host, TOKEN, self.refresh_token(arm, host))
        return client

    def refresh_token(self, arm, host):
        """`/oauth2/exchange`, as `az acr login --expose-token` asks for it."""
        form = {
            "grant_type": "access_token",
            "service": host,
            "tenant": self.emulator.tenant,
            "access_token": arm.token(),
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        data = urlencode(form).encode()
        _, _, text = send(f"https://{host}", arm.trust, "POST", "/oauth2/exchange", headers, data, self.emulator.proxy)
        return json.loads(text)["refresh_token"]


@pytest.fixture
def azure():
    with running(*[f"--caller={name}:hush:" for name in Azure.CALLERS]) as emulator:
        yield Azure(emulator)


@pytest.fixture
def admin(azure):
    return azure.admin()


class Image:
    """A small image on disk, in the form that `docker save` gives it."""

    def __init__(self, folder, words):
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tar:
            member = tarfile.TarInfo("words")
            member.size = len(words)
            tar.addfile(member, io.BytesIO(words))
        self.words = words
        self.layer = layer.getvalue()
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/words"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(self.layer)]},
        }
        self.config = json.dumps(config).encode()
        name = hashlib.sha256(self.config).hexdigest() + ".json"
        manifest = [{"Config": name, "RepoTags": ["made:here"], "Layers": ["layer.tar"]}]
        self.path = folder / f"image-{sha256(words)[7:15]}.tar"
        with tarfile.open(self.path, "w") as tar:
            parts = ((name, self.config), ("layer.tar", self.layer), ("manifest.json", json.dumps(manifest).encode()))
            for part, data in parts:
                member = tarfile.TarInfo(part)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def image(tmp_path):
    return Image(tmp_path, b"small words\n")


@pytest.fixture
def other_image(tmp_path):
    return Image(tmp_path, b"other words\n")


def unpacked(layer):
    """A layer as it was before it was compressed."""
    return gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer
