"""Clusters: created, looked at, listed, deleted; commands run in them."""

import stat

import pytest

from conftest import GROUP, LOCATION


@pytest.fixture(scope="module")
def registry(az, group):
    return az("acr", "create", "-g", group, "-n", "registry", "--sku", "Basic")


@pytest.fixture(scope="module")
def dev(az, group, registry):
    """A cluster with the registry attached by name."""
    return az("aks", "create", "-g", group, "-n", "dev", "--attach-acr", "registry", "--generate-ssh-keys")


def assigned(az, scope):
    listed = az("role", "assignment", "list", "--scope", scope)
    return {(one["principalId"], one["roleDefinitionName"]) for one in listed}


def kubelet(cluster):
    return cluster["identityProfile"]["kubeletidentity"]


def test_a_cluster_has_what_the_service_chose(dev, azure):
    assert dev["provisioningState"] == "Succeeded"
    assert dev["location"] == LOCATION
    assert dev["identity"]["type"] == "SystemAssigned"
    assert dev["servicePrincipalProfile"]["clientId"] == "msi"
    assert dev["nodeResourceGroup"] == f"MC_{GROUP}_dev_{LOCATION}"
    assert dev["kubernetesVersion"]
    assert dev["fqdn"].endswith(f".{LOCATION}.azmk8s.io")
    pool = dev["agentPoolProfiles"][0]
    assert (pool["name"], pool["mode"], pool["count"], pool["osType"]) == ("nodepool1", "System", 3, "Linux")
    assert pool["vmSize"]
    assert kubelet(dev)["resourceId"].endswith("/userAssignedIdentities/dev-agentpool")
    assert len({kubelet(dev)["objectId"], kubelet(dev)["clientId"], dev["identity"]["principalId"]}) == 3


def test_the_keys_that_az_made_are_in_the_home_of_the_test(dev, azure):
    private = azure.home / ".ssh" / "id_rsa"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    public = (azure.home / ".ssh" / "id_rsa.pub").read_text().strip()
    assert dev["linuxProfile"]["ssh"]["publicKeys"][0]["keyData"].split()[:2] == public.split()[:2]


def test_creating_with_a_registrys_name_lets_the_kubelet_pull(az, dev, registry):
    assert assigned(az, registry["id"]) >= {(kubelet(dev)["objectId"], "AcrPull")}


def test_creating_with_a_registrys_id_lets_the_kubelet_pull(az, group):
    other = az("acr", "create", "-g", group, "-n", "byid1", "--sku", "Basic")
    made = az("aks", "create", "-g", group, "-n", "byid", "--attach-acr", other["id"], "--no-ssh-key", "-c", "1")
    assert made["agentPoolProfiles"][0]["count"] == 1
    assert made["linuxProfile"] is None
    assert assigned(az, other["id"]) == {(kubelet(made)["objectId"], "AcrPull")}


def test_a_cluster_pulls_with_an_identity_of_ones_own(az, group):
    other = az("acr", "create", "-g", group, "-n", "ownone", "--sku", "Basic")
    pulls = az("identity", "create", "-g", group, "-n", "pulls")
    rules = az("identity", "create", "-g", group, "-n", "rules")
    own = ("--assign-identity", rules["id"], "--assign-kubelet-identity", pulls["id"])
    made = az(
        "aks", "create", "-g", group, "-n", "own", *own, "--attach-acr", "ownone", "--no-ssh-key", "--yes"
    )  # fmt: skip
    assert made["identity"]["type"] == "UserAssigned"
    (ruling,) = made["identity"]["userAssignedIdentities"].items()
    assert (ruling[0].lower(), ruling[1]["principalId"]) == (rules["id"].lower(), rules["principalId"])
    assert kubelet(made)["objectId"] == pulls["principalId"]
    assert kubelet(made)["clientId"] == pulls["clientId"]
    assert kubelet(made)["resourceId"].lower() == pulls["id"].lower()
    # az itself lets the one identity use the other.
    assert assigned(az, pulls["id"]) == {(rules["principalId"], "Managed Identity Operator")}
    assert assigned(az, other["id"]) == {(pulls["principalId"], "AcrPull")}


def test_a_cluster_is_shown_as_it_was_made(az, dev):
    shown = az("aks", "show", "-g", GROUP, "-n", "dev")
    assert {name: shown[name] for name in ("id", "fqdn", "identity", "identityProfile")} == {
        name: dev[name] for name in ("id", "fqdn", "identity", "identityProfile")
    }


def test_clusters_are_listed(az, dev):
    for listed in (az("aks", "list"), az("aks", "list", "-g", GROUP)):
        assert dev["id"] in [one["id"] for one in listed]
    assert [one["name"] for one in az("aks", "nodepool", "list", "-g", GROUP, "--cluster-name", "dev")] == [
        "nodepool1"
    ]


def test_a_name_that_is_there_is_refused_by_az(az, dev):
    said = az.refused("aks", "create", "-g", GROUP, "-n", "dev", "--no-ssh-key")
    assert "already exists" in said


def test_an_absent_cluster_or_group_is_not_found(az, group):
    assert "ResourceNotFound" in az.refused("aks", "show", "-g", group, "-n", "absent")
    assert "ResourceGroupNotFound" in az.refused("aks", "show", "-g", "nogroup", "-n", "absent")
    said = az.refused("aks", "create", "-g", "nogroup", "-n", "absent", "--no-ssh-key")
    assert "ResourceGroupNotFound" in said


def test_a_command_runs_in_the_cluster(az, dev):
    done = az("aks", "command", "invoke", "-g", GROUP, "-n", "dev", "-c", "kubectl get nodes", "-o", "json")
    assert (done["exitCode"], done["provisioningState"]) == (0, "Succeeded")
    header, *nodes = done["logs"].splitlines()
    assert header.split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [node.split()[1] for node in nodes] == ["Ready"] * 3
    assert {node.split()[0].split("-")[1] for node in nodes} == {"nodepool1"}


def test_a_command_that_fails_is_no_failure_of_az(az, dev):
    run = ("aks", "command", "invoke", "-g", GROUP, "-n", "dev", "-c", "kubectl get pod absent")
    done = az(*run, "-o", "json")
    assert done["exitCode"] == 1
    assert 'pods "absent" not found' in done["logs"]
    # People see the exit code of the command, scripts the one of az.
    told = az.run(*run)
    assert told.code == 0
    assert "exitcode=1" in told.out


def test_running_commands_wants_a_right(reader, dev):
    said = reader.refused("aks", "command", "invoke", "-g", GROUP, "-n", "dev", "-c", "kubectl get nodes")
    assert "Microsoft.ContainerService/managedClusters/runcommand/action" in said


def test_a_deleted_cluster_is_gone(az, group):
    az("aks", "create", "-g", group, "-n", "brief", "--no-ssh-key")
    az("aks", "delete", "-g", group, "-n", "brief", "--yes")
    assert "brief" not in [one["name"] for one in az("aks", "list")]
