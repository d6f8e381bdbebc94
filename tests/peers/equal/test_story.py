"""Whichever program does a step of the documented story, the end is the same, except for what the table names."""

import base64
import json
import os
import pathlib
import shlex
import stat
import subprocess
import time

import pytest
import yaml

from arm import CLUSTER_VERSION
from emulator import running
from story import CERTAIN, EVERYWHERE, ROWS
from test_same_end import differences, ordered, pattern
from walk import GROUP, REGISTRY, ROOT, Arm, Az, Kubectl

HERE = pathlib.Path(__file__).resolve().parent
FAR = "2b2b2b2b-2b2b-4b2b-8b2b-2b2b2b2b2b2b"
OTHERS = """\
# This file belongs to several people.
apiVersion: v1
kind: Config
preferences: {}
clusters:
- name: theirs # not ours
  cluster: {server: "https://theirs.example", insecure-skip-tls-verify: true}
users:
- name: somebody
  user: {token: theirs}
contexts:
- name: theirs
  context: {cluster: theirs, user: somebody}
current-context: theirs
"""


class Names(dict):
    """What the commands name: files, and what there is in an emulator by now."""

    def __init__(self, side):
        super().__init__(side.files)
        self.side = side

    def __missing__(self, name):
        group = f"/subscriptions/{self.side.emulator.subscription}/resourceGroups/{GROUP}/providers"
        ids = {
            "kubelet_id": f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/kubelet",
            "control_id": f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/kubelet-control-plane",
            "registry_id": f"{group}/Microsoft.ContainerRegistry/registries/{REGISTRY}",
        }
        if name in ids:
            return ids[name]
        if name == "pullers":
            return json.loads(self.side.az.run("ad", "group", "show", "-g", "acr-pullers").out)["id"]
        if name == "plain_principal":
            return next(one["kubelet"] for one in self.side.emulator.state()["clusters"] if one["name"] == "plain")
        identity = {"kubelet_principal": "kubelet_id", "control_principal": "control_id"}[name]
        return self.side.arm.call("GET", ids[identity], "2024-11-30")[0]["properties"]["principalId"]


class Side:
    """An emulator in which one of the two works, and what it had there before."""

    def __init__(self, emulator):
        self.emulator = emulator
        # Programs keep tokens by this machine's clock, which is not put forward.
        emulator.order("POST", "timing", {"token": 24 * 3600})
        self.arm = Arm(emulator)
        self.arm.cluster(GROUP, "plain")
        emulator.order("POST", "clock", {"speed": 20})
        far = f"/subscriptions/{FAR}/resourceGroups/shared/providers/Microsoft.ContainerRegistry/registries/farregistry"
        self.config = emulator.folder / "config"
        self.config.write_text(OTHERS)
        self.config.chmod(0o600)
        self.files = {"far": far, "config": self.config}
        text = (ROOT / "examples" / "acr-nginx.yaml").read_text().replace("<acr-name>", REGISTRY)
        always = text.replace("- name: nginx\n", "- imagePullPolicy: Always\n          name: nginx\n")
        for name, text in (("manifest", text), ("always", always)):
            self.files[name] = emulator.folder / f"{name}.yaml"
            self.files[name].write_text(text)

    def words(self, command):
        return [word.format_map(Names(self)) for word in shlex.split(command)]

    def kubernetes(self, path):
        """An object of the cluster, as its administrator sees it."""
        tools = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]).parent / "control-plane"
        return json.loads(Kubectl(self.emulator, self.arm.kubeconfig(GROUP, "plain"), tools)("get", "--raw", path))

    def library(self, command):
        """An operation of the library: what it gave, or its error."""
        emulator = self.emulator
        program = os.environ.get("AKS_ACR_OPERATE_BIN") or ROOT / "target" / "debug" / "examples" / "operate"
        done = subprocess.run(
            [str(program), emulator.origin, emulator.subscription, *self.words(command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            cwd=emulator.home,
            env=emulator.client_environment(AZURE_AUTHORITY_HOST=emulator.origin),
        )
        assert done.returncode in (0, 1) and done.stdout, done.stderr
        output = json.loads(done.stdout)
        assert "unknown" not in output and "unreadable" not in output, output
        return output

    def key(self):
        """The private key in the home folder, and who may read it."""
        path = self.emulator.home / ".ssh" / "id_rsa"
        return path.read_text(), stat.S_IMODE(path.stat().st_mode)

    def end(self, row):
        """The state, and the clusters as Azure shows them; grants by what they grant, since their order is that of their names."""
        rollout = any(word.startswith("rollout:") for word in row.compared)
        # After a failed pull nodes ask again when their back-off ends: up to five minutes, of which twenty pass in one here.
        if rollout:
            self.emulator.wait_for(rolled_out, patience=60)
        state = ordered(self.emulator.state())
        state["managedClusters"] = [
            self.arm.call("GET", self.arm.cluster_id(GROUP, cluster["name"]), CLUSTER_VERSION)[0]
            for cluster in state["clusters"]
        ]
        state["principals"].sort(key=lambda one: one["objectId"])
        state["roleAssignments"].sort(key=lambda one: (one["scope"].lower(), one["principalId"], one["roleDefinition"]))
        return state


def rolled_out(state):
    """The state, when the deployment has its pods, no others, and they are available."""
    [cluster] = [one for one in state["clusters"] if one["deployments"]]
    [deployment] = cluster["deployments"]
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counts = [status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return state if counts == [wanted] * 3 and len(cluster["pods"]) == wanted else None


class Theirs(Side):
    """az and kubectl."""

    def __init__(self, emulator):
        super().__init__(emulator)
        self.az = Az(emulator, "story")
        self.az.register_cloud()
        self.az.sign_in()
        tools = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]).parent / "control-plane"
        self.kubectl = Kubectl(emulator, OTHERS, tools)
        # It works with what az has written.
        self.kubectl.environment["KUBECONFIG"] = str(self.config)

    def __call__(self, command):
        program, *words = self.words(command)
        if program == "kubectl":
            output = self.kubectl(*words)
            # Who looks too early looks again.
            end = time.monotonic() + 20
            while words[0] == "describe" and "Failed to pull" not in output and time.monotonic() < end:
                time.sleep(0.2)
                output = self.kubectl(*words)
            return output
        done = self.az.run(*words)
        assert done.code == 0, f"{command}: {done.err}"
        return done.out


def pull_secret(side):
    """A secret by its type and its entries, and who uses it."""
    [secret] = [one for one in side.kubernetes("/api/v1/namespaces/default/secrets")["items"] if one["metadata"]["name"] == "ghcr"]
    entries = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    account = side.kubernetes("/api/v1/namespaces/default/serviceaccounts/default")
    return secret["type"], {host: (one["username"], one["password"]) for host, one in entries.items()}, account.get("imagePullSecrets")


class Outcome:
    """What a row left behind: what the programs said, the states, the keys, the files."""

    def __init__(self, row, theirs, ours):
        self.theirs = [theirs(command) for command in row.theirs]
        self.ours = [ours.library(command) for command in row.ours]
        self.states = theirs.end(row), ours.end(row)
        self.keys = [side.key() if (side.emulator.home / ".ssh").exists() else None for side in (theirs, ours)]
        self.configs = [side.config.read_text() for side in (theirs, ours)]
        self.secrets = [pull_secret(side) for side in (theirs, ours)] if row.number == 16 else None
        # The library, where kubectl was.
        self.beside = theirs.library("pods group/plain app=nginx0") if row.number == 9 else None


@pytest.fixture(scope="module")
def outcomes():
    """The whole story, run twice: by row."""
    scene = ("--seed", HERE / "scene.yaml")
    with running(*scene) as one, running(*scene) as other:
        theirs, ours = Theirs(one), Side(other)
        found = {}
        for row in ROWS:
            if row.number == 10:
                # Nodes and services go on honouring what is gone for a while.
                for side in (theirs, ours):
                    side.emulator.order("POST", "advance", {"seconds": 4 * 3600})
            if row.number == 19:
                # Where az grants, another tool has granted on the other side, too: the library finds it.
                arguments = ours.words("{registry_id} {plain_principal}")
                ours.arm.assign(arguments[0], "AcrPull", arguments[1])
            found[row.number] = Outcome(row, theirs, ours)
        yield found


def compares(what):
    """The rows that compare it."""
    rows = [row for row in ROWS if any(word.split(":")[0] == what for word in row.compared)]
    return pytest.mark.parametrize("row", rows, ids=lambda row: f"row {row.number}")


def test_every_row_of_the_story_is_there_once():
    assert sorted(row.number for row in ROWS) == list(range(1, 20))
    assert all(row.theirs and row.compared and (row.ours or row.compared[0].startswith("plan:")) for row in ROWS)


def test_the_documented_story_has_no_other_rows():
    shared = os.environ.get("AKS_ACR_SHARED")
    if not shared:
        pytest.skip("AKS_ACR_SHARED names no folder")
    text = "".join((pathlib.Path(shared) / "reference" / name).read_text() for name in ("story.md", "story-2.md"))
    documented = [int(line.split("|")[1]) for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert documented == sorted(row.number for row in ROWS)


def unnamed(one, other, more=()):
    """What differs and is not named."""
    named = [pattern(place) for place in (*EVERYWHERE, *more)]
    return [found for found in differences(one, other) if not any(place.fullmatch(found[0]) for place in named)]


def test_no_step_of_the_library_fails_but_the_pull_of_row_10(outcomes):
    failed = {number: one.ours for number, one in outcomes.items() if any("kind" in said and "text" in said for said in one.ours if isinstance(said, dict))}
    assert set(failed) == {10}, failed


@compares("state")
def test_the_two_states_are_equal(outcomes, row):
    assert unnamed(*outcomes[row.number].states, row.differs) == []


def test_what_the_table_promises_does_differ(outcomes):
    places = [place for row in ROWS for place, _, _ in differences(*outcomes[row.number].states)]
    assert [row for row in CERTAIN if not any(map(pattern(row).fullmatch, places))] == []


GRANTS = {
    2: {("dev", REGISTRY)},
    3: {("dev", REGISTRY), ("far", "farregistry")},
    4: {("dev", REGISTRY), ("far", "farregistry"), ("plain", REGISTRY)},
    5: {("dev", REGISTRY), ("far", "farregistry")},
}


@compares("grants")
def test_the_same_clusters_may_pull_from_the_same_registries(outcomes, row):
    for state in outcomes[row.number].states:
        names = {cluster["kubelet"]: cluster["name"] for cluster in state["clusters"]}
        ours = [one for one in state["roleAssignments"] if one["principalId"] in names]
        held = [(names[one["principalId"]], one["scope"].rsplit("/", 1)[-1]) for one in ours]
        assert sorted(held) == sorted(GRANTS[row.number])


@compares("key")
def test_the_ssh_key_is_made_once_and_for_its_owner(outcomes, row):
    for one, first in zip(outcomes[row.number].keys, outcomes[2].keys):
        text, mode = one
        assert text.startswith("-----BEGIN ") and mode == 0o600
        assert text == first[0]


@compares("image")
def test_the_tag_has_the_sources_digest(outcomes, row):
    for state in outcomes[row.number].states:
        [registry] = [one for one in state["registries"] if one["name"] == REGISTRY]
        assert registry["images"]["nginx"]["v1"] == state["upstreams"]["registry-1.docker.io"]["library/nginx"]["latest"]


@compares("file")
def test_the_kubeconfigs_have_the_same_entries(outcomes, row):
    one, other = (yaml.safe_load(text) for text in outcomes[row.number].configs)
    before = yaml.safe_load(OTHERS)
    assert one["current-context"] == other["current-context"] == "plain"
    for kind, inner in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        entries = [{entry["name"]: entry[inner] for entry in config[kind]} for config in (one, other)]
        assert entries[0].keys() == entries[1].keys()
        for name in entries[0]:
            # Keys and authorities are each emulator's own; that they are there is what can be compared.
            assert entries[0][name].keys() == entries[1][name].keys(), name
        for entry in before[kind]:
            assert entries[0][entry["name"]] == entries[1][entry["name"]] == entry[inner]
    assert one["contexts"] == other["contexts"]


def test_only_the_library_keeps_the_comments_of_others(outcomes):
    theirs, ours = outcomes[7].configs
    assert "several people" not in theirs and "not ours" not in theirs
    for line in OTHERS.splitlines():
        assert line in ours.splitlines() or line.startswith("current-context")


@compares("objects")
def test_the_deployment_is_the_same(outcomes, row):
    # How far the pods are is a matter of when it was looked at.
    assert unnamed(*outcomes[row.number].states, ("clusters.*.pods", "clusters.*.deployments.*.status")) == []


def table(text):
    """The cells of what kubectl printed, without the age."""
    return [line.split()[:-1] for line in text.splitlines()]


@compares("table")
def test_the_table_of_pods_is_kubectls(outcomes, row):
    outcome = outcomes[row.number]
    theirs, beside, ours = table(outcome.theirs[-1]), outcome.beside["rows"], outcome.ours[-1]["rows"]
    assert theirs == [cells[:4] for cells in beside]
    assert [cells[1:] for cells in theirs[1:]] == [cells[1:4] for cells in ours[1:]] == [["1/1", "Running", "0"]] * 2


@compares("cause")
def test_the_same_cause_is_found(outcomes, row):
    described, failed = outcomes[row.number].theirs[-1], outcomes[row.number].ours[-1]
    failure = failed["pull_failure"]
    assert failed["kind"] == "pull_failed"
    assert failure["image"] == f"{REGISTRY}.azurecr.io/nginx:v1" and failure["finding"]["id"] == "grant.missing"
    assert f'Failed to pull image "{failure["image"]}"' in described and "401 Unauthorized" in described
    # What kubectl reads says no more; which grant is missing, and whose, the library adds.
    assert dict(failed["context"])["missing grant"].startswith("AcrPull for kubelet identity")


@compares("secret")
def test_the_pull_secrets_are_the_same(outcomes, row):
    one, other = outcomes[row.number].secrets
    assert one == other


@compares("identities")
def test_the_summaries_name_the_same_identities(outcomes, row):
    profile, identity = (json.loads(text) for text in outcomes[row.number].theirs)
    ours, nodes = outcomes[row.number].ours
    kubelet = profile["kubeletidentity"]
    assert (ours["kubelet"]["object_id"], ours["kubelet"]["client_id"]) == (kubelet["objectId"], kubelet["clientId"])
    assert ours["control_plane"] == [one["principalId"] for one in identity["userAssignedIdentities"].values()]
    assert [pool["client_ids"] for pool in nodes["pools"]] == [[kubelet["clientId"]]], nodes
    assert {pool["state"] for pool in nodes["pools"]} == {"current"}


@compares("trouble")
def test_the_library_says_why_where_kubectl_says_what(outcomes, row):
    described, events = outcomes[row.number].theirs
    explained, proof = outcomes[row.number].ours
    text = "failed to fetch anonymous token: unexpected status"
    assert text in described and text in events
    [group] = explained["groups"]
    assert text in group["failure"]["message"]
    assert group["report"]["root_cause"] == "grant.missing"
    step = group["report"]["findings"][0]["next_step"]
    assert (step["operation"], step["arguments"]["cluster"].rsplit("/", 1)[-1]) == ("attach", "plain")
    # Since row 16 new pods have a pull secret, too, which is for another registry. The step that helps is the same.
    proven = proof["pools"][0]["report"]["findings"][0]["next_step"]
    assert (proof["outcome"], proven["operation"], proven["arguments"]) == ("failed", "attach", step["arguments"])


@compares("tools")
def test_what_another_tool_has_granted_is_seen(outcomes, row):
    attached, attachments = outcomes[row.number].ours
    assert attached["outcome"]["kind"] == "already_granted", attached
    assert [one["registry"].rsplit("/", 1)[-1] for one in attachments["grants"]] == [REGISTRY], attachments


@compares("rollout")
def test_the_pods_run_again(outcomes, row):
    for state in outcomes[row.number].states:
        assert rolled_out(state), [(cluster["pods"], cluster["deployments"]) for cluster in state["clusters"]]
        [pods] = [cluster["pods"] for cluster in state["clusters"] if cluster["pods"]]
        assert [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]
