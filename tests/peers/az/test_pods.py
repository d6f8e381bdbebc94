"""What an attach by az is for: whether pods come to run. The clock of the emulator runs fast."""

import pytest

import kube
from conftest import GROUP

FAILING = ("ErrImagePull", "ImagePullBackOff")


@pytest.fixture(scope="module")
def api(az, azure, group):
    azure.order("POST", "clock", {"speed": 60})
    az("aks", "create", "-g", group, "-n", "dev", "--no-ssh-key", "-c", "1")
    return kube.Api(az, azure, group, "dev")


def registry(az, name, *mode):
    made = az("acr", "create", "-g", GROUP, "-n", name, "--sku", "Basic", *mode)
    az("acr", "import", "-n", name, "--source", "docker.io/library/nginx:latest", "-t", "web:1")
    return made


def test_a_pod_runs_once_az_has_attached_its_registry(az, api):
    registry(az, "plain")
    api.run_pod("plain", "plain.azurecr.io/web:1")
    assert api.waits_for("plain", ["ImagePullBackOff"]) == "ImagePullBackOff"
    az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "plain")
    assert api.waits_for("plain", ["running"], 120) == "running"


def test_attaching_a_guarded_registry_succeeds_and_no_pod_runs(az, azure, api):
    guarded = registry(az, "guarded", "--role-assignment-mode", "rbac-abac")
    az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "guarded")
    grants = az("role", "assignment", "list", "--scope", guarded["id"])
    assert [one["roleDefinitionName"] for one in grants] == ["AcrPull"]
    api.run_pod("guarded", "guarded.azurecr.io/web:1")
    assert api.waits_for("guarded", [*FAILING, "running"]) in FAILING
    who = ("--assignee-object-id", grants[0]["principalId"], "--assignee-principal-type", "ServicePrincipal")
    role = "Container Registry Repository Reader"
    az("role", "assignment", "create", "--role", role, "--scope", guarded["id"], *who)
    assert api.waits_for("guarded", ["running"], 120) == "running"
