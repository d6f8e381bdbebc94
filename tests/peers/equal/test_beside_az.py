"""What az says, what pods then do, and what `check` finds: situations in which az and the pods do not agree.

`docs/findings/az.md` is the table of them; with AKS_ACR_BLESS=1 it is written anew.
"""

import json
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass
from importlib.metadata import version

import pytest

from emulator import running
from walk import ROOT, Az, signed_in

from kube import Api

HERE = pathlib.Path(__file__).resolve().parent
PAGE = ROOT / "docs" / "findings" / "az.md"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SECRET = "changes-all-grants-nothing"
CONDITION = (
    "((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'})) OR "
    "(@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase 'team/web'))"
)


@dataclass
class Situation:
    """A situation: the last of the commands is the one that speaks for az."""

    name: str
    image: str
    commands: list
    code: int
    runs: bool
    finding: str  # What `check` names first; empty where it says `can_pull`.
    cluster: str = "dev"
    caller: str = "owner"
    deny: bool = False


def grant(role, assignee, scope, *more):
    who = ("--assignee-object-id", assignee, "--assignee-principal-type", "ServicePrincipal")
    return ("role", "assignment", "create", "--role", role, *who, "--scope", scope, *more, "--query", "principalType")


def attach(registry, cluster="dev"):
    return ("aks", "update", "-g", "group", "-n", cluster, "--attach-acr", registry, "--query", "provisioningState")


SITUATIONS = [
    Situation("attach to a registry with repository permissions", "attached.azurecr.io/team/app:v1",
        [attach("attached")], 0, False, "grant.role_not_honoured"),
    Situation("AcrPull on a registry with repository permissions", "granted.azurecr.io/team/app:v1",
        [grant("AcrPull", "{kubelet}", "{granted}")], 0, False, "grant.role_not_honoured"),
    Situation("a condition that names another repository", "narrowed.azurecr.io/team/app:v1",
        [grant("Container Registry Repository Reader", "{kubelet}", "{narrowed}", "--condition", CONDITION, "--condition-version", "2.0")],
        0, False, "grant.condition_excludes_repository"),
    Situation("the role for the control plane's identity", "plane.azurecr.io/team/app:v1",
        [grant("AcrPull", "{plane-identity}", "{plane}")], 0, False, "grant.to_wrong_identity"),
    Situation("the role at a scope below the registry", "below.azurecr.io/team/app:v1",
        [grant("AcrPull", "{kubelet}", "{below}/repositories/team")], 0, False, "grant.missing"),
    Situation("attach under a deny assignment", "stack0.azurecr.io/team/app:v1",
        [attach("stack0")], 0, False, "grant.denied", deny=True),
    Situation("import into a registry that is not attached", "empty0.azurecr.io/nginx:v1",
        [("acr", "import", "-n", "empty0", "--source", "docker.io/library/nginx:latest", "-t", "nginx:v1")],
        0, False, "grant.missing"),
    Situation("import of an image without the nodes' platform", "foreign.azurecr.io/team/app:v1",
        [attach("foreign", "arm"), ("acr", "import", "-n", "foreign", "--source", "ghcr.io/team/app:v1", "-t", "team/app:v1")],
        0, False, "image.platform_missing", cluster="arm"),
    Situation("an image whose reading is disabled", "locked.azurecr.io/team/app:v1",
        [attach("locked"), ("acr", "repository", "update", "-n", "locked", "--image", "team/app:v1", "--read-enabled", "false"),
         ("acr", "repository", "show", "-n", "locked", "--image", "team/app:v1", "--query", "name")],
        0, False, "image.read_disabled"),
    Situation("an image in quarantine", "scanned.azurecr.io/team/app:v1",
        [attach("scanned"), ("acr", "repository", "show-tags", "-n", "scanned", "--repository", "team/app", "-o", "tsv")],
        0, False, "image.quarantined"),
    Situation("an image that was deleted and can be restored", "binned.azurecr.io/team/app:v1",
        [attach("binned"), ("acr", "repository", "untag", "-n", "binned", "--image", "team/app:v1"),
         ("acr", "manifest", "list-deleted-tags", "-r", "binned", "-n", "team/app:v1", "--query", "[].tag", "-o", "tsv")],
        0, False, "image.soft_deleted"),
    Situation("a cache rule without credentials for a private upstream", "cached.azurecr.io/quay/app:v1",
        [attach("cached"), ("acr", "cache", "create", "-r", "cached", "-n", "quay", "-s", "quay.io/*", "-t", "quay/*",
                            "--query", "provisioningState")],
        0, False, "registry.cache_rule_upstream_denied"),
    Situation("public access enabled again, without a rule", "walled.azurecr.io/team/app:v1",
        [attach("walled"), ("acr", "update", "-n", "walled", "--public-network-enabled", "true", "--query", "publicNetworkAccess")],
        0, False, "network.outbound_ip_not_allowed"),
    Situation("a registry that admits the caller's address only", "health.azurecr.io/team/app:v1",
        [attach("health"), ("acr", "check-health", "-n", "health", "--ignore-errors", "--yes")],
        0, False, "network.outbound_ip_not_allowed"),
    Situation("attach by a Contributor where the role is inherited", "inherits.azurecr.io/team/app:v1",
        [attach("{inherits}")], 1, True, "", caller="contributor"),
    Situation("detach where the role is inherited", "detached.azurecr.io/team/app:v1",
        [("aks", "update", "-g", "group", "-n", "dev", "--detach-acr", "{detached}", "--query", "provisioningState")], 0, True, ""),
    Situation("check-health without Docker and helm on the caller's machine", "renamed.azurecr.io/team/app:v1",
        [attach("renamed"), ("acr", "check-health", "-n", "renamed", "--yes")], 1, True, ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def beside():
    with running("--seed", HERE / "beside.yaml") as emulator:
        emulator.order("POST", "clock", {"speed": 30})
        emulator.order("POST", "timing", {"preset": "none"})
        yield Beside(emulator)


class Beside:
    """az as two callers, the clusters' API servers, and the library, at one emulator."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.az = {"owner": signed_in(emulator), "contributor": Az(emulator, "contributor")}
        self.az["contributor"].register_cloud()
        self.az["contributor"].sign_in(emulator.principal("contributor")["clientId"], SECRET)
        owner = self.az["owner"]
        self.kube = {name: Api(owner, emulator, "group", name) for name in ("dev", "arm")}
        shown = owner("aks", "show", "-g", "group", "-n", "dev")
        self.names = {"kubelet": shown["identityProfile"]["kubeletidentity"]["objectId"],
                      "plane-identity": shown["identity"]["principalId"]}  # fmt: skip
        for registry in owner("acr", "list", "--query", "[].{name: name, id: id}"):
            self.names[registry["name"]] = registry["id"]
        # Both clusters' nodes pull from all registries of the group, as if long ago.
        scope = f"/subscriptions/{emulator.subscription}/resourceGroups/shared"
        owner(*self.words(grant("AcrPull", "{kubelet}", scope)))
        self.rows, self.pods = {}, 0

    def words(self, command):
        def word(text):
            return re.sub(r"\{([a-z0-9-]+)\}", lambda match: self.names.get(match[1], match[0]), text)

        return [word(text) for text in command]

    def deny(self, situation):
        registry = situation.image.split(".")[0]
        order = {"name": "stack", "actions": ["Microsoft.ContainerRegistry/registries/pull/read"], "butFor": ["owner"]}
        self.emulator.order("POST", "deny-assignment", order | {"scope": self.names[registry]})

    def check(self, situation):
        words = (self.emulator.origin, self.emulator.subscription, "check", f"group/{situation.cluster}", situation.image)
        done = subprocess.run(
            [os.environ["AKS_ACR_OPERATE_BIN"], *words], env=self.emulator.client_environment(AZURE_AUTHORITY_HOST=self.emulator.origin),
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)[0]


def last_words(done):
    """The result of az, or the last of what it complains of, without what differs from run to run."""
    lines = [line.split("\r")[-1].strip() for line in done.err.splitlines()]
    errors = [line for line in lines if "ERROR" in line and done.code]
    text = " ".join(done.out.split()) or (errors or [line for line in lines if line and "WARNING" not in line] or ["nothing"])[-1]
    text = GUID.sub("…", re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ", "", text))
    text = text[text.find("ERROR") :] if "ERROR" in text else text
    return text if len(text) <= 200 else text[:199] + "…"


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_az_and_the_pods_do_not_agree(beside, situation):
    az = beside.az[situation.caller]
    for command in situation.commands[:-1]:
        az(*beside.words(command))
    if situation.deny:
        beside.deny(situation)
    done, _ = az.without_sleep(*beside.words(situation.commands[-1]))
    assert (done.code == 0) == (situation.code == 0), done.out + done.err
    beside.pods += 1
    name = f"pod-{beside.pods}"
    beside.kube[situation.cluster].run_pod(name, situation.image)
    wanted = {"running"} if situation.runs else {"ErrImagePull", "ImagePullBackOff"}
    state = beside.kube[situation.cluster].waits_for(name, wanted)
    assert state in wanted, state
    report = beside.check(situation)
    assert (report.get("root_cause") or "") == situation.finding, report
    assert report["verdict"] == ("can_pull" if situation.runs else "cannot_pull"), report
    message = report["findings"][0]["message"] if situation.finding else ""
    command = "az " + " ".join(word if " " not in word else f'"{word}"' for word in situation.commands[-1])
    beside.rows[situation.name] = (situation, command, done.code, last_words(done), message)


HEAD = f"""# Beside az: what a command says, and what pods then do

In each of these situations the Azure CLI ends successfully and pods cannot pull, or it ends with an error and they can. The commands were run by the real az
({version("azure-cli")}), the pods by the emulator's nodes, and the findings are those of [`check`](../check.md) in the same place.

`az aks check-acr` is not in the table: its pod runs a program that is not part of the emulator. By its source (azure-cli {version("azure-cli")}, `acs/custom.py`) it starts
`mcr.microsoft.com/aks/canipull:v0.1.0` with `kubectl run` and prints what that writes, whatever it says.

[All findings](README.md)

<!-- made: AKS_ACR_BLESS=1 tests/peers/run --only test_beside_az.py equal -->

| situation | az | exit code | its last words | pods | `check` |
|---|---|---|---|---|---|
"""


def cell(text):
    return text.replace("|", "\\|")


def test_the_page_has_all_situations(beside):
    assert len(beside.rows) == len(SITUATIONS) >= 12
    page = HEAD
    for situation, command, code, words, message in beside.rows.values():
        pods = "run" if situation.runs else "do not run"
        found = f"[`{situation.finding}`]({situation.finding}.md): {message}" if situation.finding else "`can_pull`"
        row = (situation.name, f"`{cell(command)}`", code, f"`{cell(words)}`", pods, cell(GUID.sub("…", found)))
        page += "| " + " | ".join(map(str, row)) + " |\n"
    if os.environ.get("AKS_ACR_BLESS") == "1":
        PAGE.write_text(page)
    assert PAGE.read_text() == page
