"""The requests that az sends, in their order, as they were measured against another Azure.

The operation of a cluster is done when az first asks for it, so that each list is as short as it can be.
"""

import pytest

from cli import Az, shown
from conftest import GROUP, LOCATION

FIND = "GET {subscription}/resources?$filter=resourceType eq 'Microsoft.ContainerRegistry/registries' 200"
ROLE = "GET {registry}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'acrpull' 200"
GRANT = "PUT {registry}/providers/Microsoft.Authorization/roleAssignments/{guid}"
LISTED = "GET {registry}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope() 200"
TAKEN = "DELETE {registry}/providers/Microsoft.Authorization/roleAssignments/{guid} 200"
OPERATION = f"GET {{subscription}}/providers/Microsoft.ContainerService/locations/{LOCATION}/operations/{{guid}} 200"
READ = "GET {cluster} 200"
UPDATE = ["PUT {cluster} 200", OPERATION, READ]
REGISTRY = "GET {registry} 200"


@pytest.fixture(scope="module", params=["own cloud", "public cloud"])
def client(request, azure):
    """az both ways in; the lists are the same."""
    az = Az(azure, request.param.split()[0] + "-orders")
    if request.param == "own cloud":
        az.register_cloud()
    az.sign_in()
    return az


@pytest.fixture(scope="module")
def names(azure, client):
    """A group with a registry and a cluster in it, and what the lists call them."""
    group = client.config.name.removeprefix(".azure-")
    registry = group.replace("-", "")
    client("group", "create", "-n", group, "-l", LOCATION)
    client("acr", "create", "-g", group, "-n", registry, "--sku", "Basic")
    client("aks", "create", "-g", group, "-n", "dev", "--no-ssh-key")
    place = f"/subscriptions/{azure.subscription}/resourceGroups/{group}"
    return {
        "group": place,
        "registry": f"{place}/providers/Microsoft.ContainerRegistry/registries/{registry}",
        "cluster": f"{place}/providers/Microsoft.ContainerService/managedClusters/dev",
    }


def last(place):
    return place.rsplit("/", 1)[-1]


def update(client, names, *arguments):
    return client.requests("aks", "update", "-g", last(names["group"]), "-n", "dev", *arguments, names=names)


def test_attaching_by_name_takes_ten_requests_and_detaching_eight(client, names):
    name = last(names["registry"])
    again = [READ, FIND, ROLE, f"{GRANT} 409", *UPDATE, FIND, ROLE, f"{GRANT} 409"]
    assert update(client, names, "--attach-acr", name) == [
        READ, FIND, ROLE, f"{GRANT} 201", *UPDATE, FIND, ROLE, f"{GRANT} 409",
    ]  # fmt: skip
    assert update(client, names, "--attach-acr", name) == again
    assert update(client, names, "--detach-acr", name) == [READ, FIND, LISTED, ROLE, TAKEN, *UPDATE]
    # With nothing to take away the cluster is put all the same.
    assert update(client, names, "--detach-acr", name) == [READ, FIND, LISTED, ROLE, *UPDATE]


def test_attaching_by_id_takes_ten_requests_and_detaching_eight(client, names):
    place = names["registry"]
    assert update(client, names, "--attach-acr", place) == [
        READ, REGISTRY, ROLE, f"{GRANT} 201", *UPDATE, REGISTRY, ROLE, f"{GRANT} 409",
    ]  # fmt: skip
    assert len(update(client, names, "--detach-acr", place)) == 8


def test_a_principals_cluster_is_looked_up_in_the_directory(client, names, azure):
    # Its token is not counted: az keeps it.
    client("ad", "sp", "show", "--id", azure.client_id)
    old = names | {"cluster": f"/subscriptions/{azure.subscription}/resourceGroups/seeded"
                   "/providers/Microsoft.ContainerService/managedClusters/old"}  # fmt: skip
    change = ("aks", "update", "-g", "seeded", "-n", "old")
    name = last(names["registry"])
    application = client("aks", "show", "-g", "seeded", "-n", "old")["servicePrincipalProfile"]["clientId"]
    look = "GET /v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{guid}') 200"
    assert application != "msi"
    # The grant is made once, and the cluster is put all the same.
    assert client.requests(*change, "--attach-acr", name, names=old) == [
        READ, FIND, ROLE, look, f"{GRANT} 201", *UPDATE,
    ]  # fmt: skip
    assert client.requests(*change, "--detach-acr", name, names=old) == [
        READ, FIND, look, LISTED, ROLE, TAKEN, *UPDATE,
    ]  # fmt: skip


def test_creating_a_cluster_with_a_registry_takes_eight_requests(client, names):
    group, name = names["group"], last(names["registry"])
    made = names | {"cluster": names["cluster"].replace("/dev", "/fresh")}
    create = ("aks", "create", "-g", last(group), "-n", "fresh", "--attach-acr", name, "--generate-ssh-keys")
    assert client.requests(*create, names=made) == [
        "GET {cluster} 404",
        "GET {group} 200",
        "PUT {cluster} 201",
        OPERATION,
        READ,
        FIND,
        ROLE,
        f"{GRANT} 201",
    ]


def test_importing_takes_five_requests(client, names):
    name = last(names["registry"])
    done = ("acr", "import", "-n", name, "--source", "docker.io/library/nginx:latest")
    assert client.requests(*done, names=names) == [
        FIND,
        REGISTRY,
        "GET {subscription}/providers/Microsoft.ContainerRegistry/registries 200",
        "POST {registry}/importImage 202",
        f"GET {{subscription}}/providers/Microsoft.ContainerRegistry/locations/{LOCATION.upper()}"
        "/operationResults/registries-{guid} 200",
    ]


def test_credentials_take_one_request(client, names):
    read = ("aks", "get-credentials", "-g", last(names["group"]), "-n", "dev", "-f", "-")
    assert client.requests(*read, names=names) == ["POST {cluster}/listClusterUserCredential 200"]


def test_a_grant_takes_two_requests(client, names, azure):
    who = ("--assignee-object-id", azure.principal("reader")["objectId"])
    kind = ("--assignee-principal-type", "ServicePrincipal")
    grant = ("role", "assignment", "create", "--role", "acrpull", "--scope", names["registry"], *who, *kind)
    assert client.requests(*grant, names=names) == [ROLE, f"{GRANT} 201"]


def test_creating_a_registry_takes_four_requests_when_it_takes_time(client, names, azure):
    fresh = last(names["registry"]) + "fresh"
    made = names | {"registry": names["registry"] + "fresh"}
    create = ("acr", "create", "-g", last(names["group"]), "-n", fresh, "--sku", "Basic")
    # So short that it is over at the first poll, and yet the service answers before it is.
    azure.order("POST", "timing", {"registry": 0.001})
    sent = client.requests(*create, names=made)
    azure.order("POST", "timing", {})
    assert sent == [
        "GET {group} 200",
        "PUT {registry} 201",
        "GET {registry}/operationStatuses/registries-{guid} 200",
        "GET {registry} 200",
    ]


def test_creating_a_registry_takes_two_when_it_is_done_at_once(client, names):
    made = names | {"registry": names["registry"] + "done"}
    create = ("acr", "create", "-g", last(names["group"]), "-n", last(made["registry"]), "--sku", "Basic")
    assert client.requests(*create, names=made) == ["GET {group} 200", "PUT {registry} 200"]


def test_each_poll_more_is_one_request_more_and_half_a_minute(client, names, azure):
    name = last(names["registry"])
    running = {"status": "InProgress", "startTime": "2026-01-01T00:00:00Z", "name": "an-operation"}
    azure.order("POST", "fault", {"method": "GET", "part": "/operations/", "status": 200, "body": running, "times": 2})
    before = azure.mark()
    attach = ("aks", "update", "-g", last(names["group"]), "-n", "dev", "--attach-acr", name)
    done, slept = client.without_sleep(*attach)
    assert done.code == 0, done.err
    sent = shown(azure.requests(before), azure.subscription, names)
    assert sent == [
        READ, FIND, ROLE, f"{GRANT} 201", UPDATE[0], OPERATION, OPERATION, *UPDATE[1:], FIND, ROLE, f"{GRANT} 409",
    ]  # fmt: skip
    # The service names no time to wait, so that az waits as long as it always does.
    assert slept.count(30.0) == 2


def test_the_versions_are_those_that_az_sends(azure, client, names):
    sent = {}
    for one in azure.requests():
        if one["service"] == "arm":
            version = [part for part in one["query"].split("&") if part.startswith("api-version=")]
            sent.setdefault(kind(one["path"]), set()).update(part.split("=")[1] for part in version)
    assert sent["managedclusters"] == {"2026-06-01"}
    assert sent["registries"] == {"2026-09-01-preview"}
    assert sent["resources"] == sent["resourcegroups"] == {"2024-11-01"}
    assert sent["roledefinitions"] == {"2022-05-01-preview"}
    assert sent["roleassignments"] == {"2022-04-01"}
    assert sent["subscriptions"] == {"2022-12-01"}


def kind(path):
    """The kind of the resource that a path names: the last one in it."""
    known = {"managedclusters", "registries", "resources", "resourcegroups", "roledefinitions", "roleassignments"}
    words = [word for word in path.lower().split("/") if word in known | {"locations", "subscriptions"}]
    return words[-1] if words else path
