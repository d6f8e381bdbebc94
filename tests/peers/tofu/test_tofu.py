"""OpenTofu with Azure's provider azapi: what it creates in the emulated Azure stays as it is described, and is the library's, too."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from emulator import running

HERE = pathlib.Path(__file__).parent
TOOLS = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]) / "bin"
CLUSTER, REGISTRY = "made/tofu", "tofuregistry"
# The provider that was built, and no other.
SETTINGS = 'provider_installation {{\n  dev_overrides {{ "Azure/azapi" = "{}" }}\n  direct {{}}\n}}\n'
# What `plan` ends with.
NONE, CHANGES = 0, 2


class Tofu:
    """A configuration, its state, and the emulator that it is of."""

    def __init__(self, emulator, folder):
        self.emulator, self.folder = emulator, folder
        shutil.copy(HERE / "main.tf", folder)
        (folder / "settings").write_text(SETTINGS.format(TOOLS))
        self.environment = emulator.client_environment(
            TF_CLI_CONFIG_FILE=folder / "settings",
            TF_VAR_origin=emulator.origin,
            TF_VAR_subscription=emulator.subscription,
            ARM_CLIENT_ID=emulator.client_id,
            ARM_CLIENT_SECRET=emulator.client_secret,
            ARM_TENANT_ID=emulator.tenant,
            CHECKPOINT_DISABLE=1,
            TF_IN_AUTOMATION=1,
        )

    def run(self, *words, team="one", nodes=1):
        """Exit code and output."""
        variables = {"TF_VAR_team": team, "TF_VAR_nodes": str(nodes)}
        command = [TOOLS / "tofu", *words, "-no-color"]
        done = subprocess.run(command, cwd=self.folder, env=self.environment | variables, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def apply(self, counts, **variables):
        code, said = self.run("apply", "-auto-approve", **variables)
        assert code == 0 and f"Apply complete! Resources: {counts}." in said, said

    def plan(self, **variables):
        code, said = self.run("plan", "-detailed-exitcode", **variables)
        assert code in (NONE, CHANGES), said
        return code, said

    def operate(self, *words):
        command = [os.environ["AKS_ACR_OPERATE_BIN"], self.emulator.origin, self.emulator.subscription, *words]
        done = subprocess.run(command, env=self.emulator.client_environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def tofu(tmp_path):
    with running() as emulator:
        yield Tofu(emulator, tmp_path)


def test_a_configuration_is_applied_changed_and_destroyed_and_the_library_agrees(tofu):
    tofu.apply("5 added, 0 changed, 0 destroyed")
    assert json.loads(tofu.run("output", "-json")[1])["server"]["value"] == f"{REGISTRY}.azurecr.io"
    assert tofu.plan()[0] == NONE

    # The same role assignment, by the same name.
    assert tofu.operate("attach", CLUSTER, REGISTRY)["outcome"] == {"kind": "already_granted"}
    assert tofu.plan()[0] == NONE
    assert tofu.operate("detach", CLUSTER, REGISTRY)["outcome"] == "removed"
    code, said = tofu.plan()
    assert code == CHANGES and "azapi_resource.grant will be created" in said and "Plan: 1 to add, 0 to change, 0 to destroy" in said
    assert tofu.operate("attach", CLUSTER, REGISTRY)["outcome"] == {"kind": "granted"}
    # Its refresh takes the library's assignment for the one that it made.
    assert tofu.plan()[0] == NONE

    code, said = tofu.plan(team="two", nodes=2)
    assert code == CHANGES and "azapi_resource.cluster will be updated in-place" in said
    code, said = tofu.run("apply", "-auto-approve", team="two", nodes=2)
    assert code == 0 and "Apply complete!" in said, said
    assert tofu.plan(team="two", nodes=2)[0] == NONE

    code, said = tofu.run("destroy", "-auto-approve", team="two", nodes=2)
    assert code == 0 and "Destroy complete! Resources: 5 destroyed." in said, said
    state = tofu.emulator.state()
    assert not state["clusters"] and not state["registries"]
