"""Attaching and detaching, and who may; the state they leave."""

import pytest

from conftest import GROUP

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"


@pytest.fixture(scope="module")
def registry(az, group):
    return az("acr", "create", "-g", group, "-n", "registry", "--sku", "Basic")


@pytest.fixture(scope="module")
def dev(az, group):
    return az("aks", "create", "-g", group, "-n", "dev", "--no-ssh-key")


@pytest.fixture(autouse=True)
def detached(az, azure, registry):
    """Every test begins without a grant on the registry."""
    for one in grants(azure, registry):
        az("role", "assignment", "delete", "--ids", f"{one['scope']}/{ASSIGNMENTS}/{one['name']}")


def grants(azure, registry):
    return [one for one in azure.state()["roleAssignments"] if one["scope"].lower() == registry["id"].lower()]


def holders(azure, registry):
    return [(one["principalId"], one["roleDefinition"]) for one in grants(azure, registry)]


def puller(cluster):
    return (cluster["identityProfile"]["kubeletidentity"]["objectId"], ACR_PULL)


@pytest.mark.parametrize("by", ["name", "id"])
def test_attaching_gives_the_kubelet_the_right_to_pull(az, azure, dev, registry, by):
    updated = az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", registry[by])
    assert updated["provisioningState"] == "Succeeded"
    assert holders(azure, registry) == [puller(dev)]


@pytest.mark.parametrize("by", ["name", "id"])
def test_detaching_takes_it_away(az, azure, dev, registry, by):
    az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "registry")
    az("aks", "update", "-g", GROUP, "-n", "dev", "--detach-acr", registry[by])
    assert holders(azure, registry) == []


def test_attaching_twice_makes_one_grant(az, azure, dev, registry):
    az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "registry")
    first = grants(azure, registry)
    az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "registry")
    assert grants(azure, registry) == first


def test_detaching_what_is_not_attached_is_no_error(az, azure, dev, registry):
    az("aks", "update", "-g", GROUP, "-n", "dev", "--detach-acr", "registry")
    assert holders(azure, registry) == []


def test_detaching_leaves_what_others_hold(az, azure, dev, registry):
    other = az("identity", "create", "-g", GROUP, "-n", "other")
    who = ("--assignee-object-id", other["principalId"], "--assignee-principal-type", "ServicePrincipal")
    az("role", "assignment", "create", "--role", "AcrPull", "--scope", registry["id"], *who)
    az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "registry")
    az("aks", "update", "-g", GROUP, "-n", "dev", "--detach-acr", "registry")
    assert holders(azure, registry) == [(other["principalId"], ACR_PULL)]


def test_a_registry_that_is_not_there_is_not_attached(az, azure, dev, registry):
    said = az.refused("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "absent")
    assert "'absent'" in said and "could not be found" in said
    said = az.refused("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", registry["id"] + "x")
    assert "was not found" in said


def test_the_rest_of_the_cluster_outlives_the_whole_document_that_az_puts(az, dev, registry):
    before = az("aks", "show", "-g", GROUP, "-n", "dev")
    az("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "registry")
    after = az("aks", "show", "-g", GROUP, "-n", "dev")
    for moved in ("eTag", "resourceUid", "systemData"):
        before.pop(moved, None), after.pop(moved, None)
    for pool in before["agentPoolProfiles"] + after["agentPoolProfiles"]:
        pool.pop("eTag", None)
    assert after == before


def test_without_the_right_az_tries_ten_times_and_tells_a_guess(az, azure, contributor, dev, registry):
    before = azure.mark()
    done, slept = contributor.without_sleep("aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "registry")
    assert done.code != 0
    assert "Could not create a role assignment for ACR. Are you an Owner on this subscription?" in done.err
    assert "AuthorizationFailed" not in done.err
    sent = azure.requests(before)
    puts = [one for one in sent if one["method"] == "PUT"]
    assert [one["status"] for one in puts] == [403] * 10
    # The cluster and the registry once, then role definition and grant ten times over.
    assert len(sent) == 22
    # It sleeps after each try, the last one too: 110 seconds in all, which this test does not wait for.
    assert slept == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0]
    assert holders(azure, registry) == []


def test_the_true_reason_is_told_to_who_asks_for_more_words(azure, contributor, dev, registry):
    done, _ = contributor.without_sleep(
        "aks", "update", "-g", GROUP, "-n", "dev", "--attach-acr", "registry", "--verbose"
    )
    assert "does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/write'" in done.err


def test_an_owner_without_the_directory_is_asked_whether_they_are_one(azure, landlord, registry):
    before = azure.mark()
    attach = ("aks", "update", "-g", "seeded", "-n", "old", "--attach-acr", "registry")
    done, slept = landlord.without_sleep(*attach)
    assert done.code != 0
    assert "Are you an Owner on this subscription?" in done.err
    sent = azure.requests(before)
    assert {one["status"] for one in sent if one["service"] == "graph"} == {403}
    assert [one for one in sent if one["method"] == "PUT"] == []
    assert sum(slept) == 110
