"""Role assignments, identities and the members of groups, as az makes and reads them."""

import pytest

from conftest import GROUP, LOCATION

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"
REPOSITORY_READER = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
CONDITION = (
    "((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'}) AND "
    "!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/metadata/read'})) OR "
    "(@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase 'hello-world'))"
)


@pytest.fixture(scope="module")
def made(az, group):
    return az("acr", "create", "-g", group, "-n", "registry", "--sku", "Basic")


@pytest.fixture
def registry(az, azure, made):
    """The registry, without a grant on it."""
    for one in grants(azure, made):
        az("role", "assignment", "delete", "--ids", f"{one['scope']}/{ASSIGNMENTS}/{one['name']}")
    return made


@pytest.fixture(scope="module")
def identity(az, group):
    return az("identity", "create", "-g", group, "-n", "puller")


def holder(identity):
    return ("--assignee-object-id", identity["principalId"], "--assignee-principal-type", "ServicePrincipal")


def grants(azure, registry):
    return [one for one in azure.state()["roleAssignments"] if one["scope"].lower() == registry["id"].lower()]


def test_an_identity_is_made_once(az, azure, identity):
    assert identity["location"] == LOCATION
    assert identity["tenantId"] == azure.tenant
    assert len({identity["principalId"], identity["clientId"], azure.client_id}) == 3
    again = az("identity", "create", "-g", GROUP, "-n", "puller")
    assert (again["principalId"], again["clientId"]) == (identity["principalId"], identity["clientId"])
    assert az("identity", "show", "-g", GROUP, "-n", "puller")["id"] == identity["id"]
    assert [one["name"] for one in az("identity", "list", "-g", GROUP)] == ["puller"]


def test_a_deleted_identity_is_gone(az, group):
    az("identity", "create", "-g", group, "-n", "shortlived")
    az("identity", "delete", "-g", group, "-n", "shortlived")
    assert "ResourceNotFound" in az.refused("identity", "show", "-g", group, "-n", "shortlived")


def test_a_role_is_assigned_listed_and_taken_away(az, azure, registry, identity):
    where = ("--scope", registry["id"])
    made = az("role", "assignment", "create", "--role", "acrpull", *where, *holder(identity))
    assert made["principalId"] == identity["principalId"]
    assert made["scope"] == registry["id"]
    assert made["roleDefinitionId"].endswith(ACR_PULL)
    listed = az("role", "assignment", "list", *where)
    assert [(one["id"], one["roleDefinitionName"]) for one in listed] == [(made["id"], "AcrPull")]
    assert [one["name"] for one in grants(azure, registry)] == [made["name"]]
    # The same again is no error and makes nothing.
    again = az("role", "assignment", "create", "--role", "AcrPull", *where, *holder(identity))
    assert again["id"] == made["id"]
    mine = az("role", "assignment", "list", "--assignee-object-id", identity["principalId"], "--all")
    assert [one["id"] for one in mine] == [made["id"]]
    az("role", "assignment", "delete", "--role", "acrpull", *where, "--assignee-object-id", identity["principalId"])
    assert az("role", "assignment", "list", *where) == []
    assert grants(azure, registry) == []


def test_a_role_is_assigned_under_a_condition(az, registry, identity):
    where = ("--scope", registry["id"])
    more = ("--condition", CONDITION, "--description", "one repository")
    made = az("role", "assignment", "create", "--role", REPOSITORY_READER, *where, *holder(identity), *more)
    assert (made["condition"], made["conditionVersion"], made["description"]) == (CONDITION, "2.0", "one repository")
    az("role", "assignment", "delete", "--ids", made["id"])
    assert az("role", "assignment", "list", *where) == []


def test_assignments_above_are_listed_when_asked_for(az, azure, registry):
    listed = az("role", "assignment", "list", "--scope", registry["id"], "--include-inherited")
    scope = f"/subscriptions/{azure.subscription}"
    assert {(one["roleDefinitionName"], one["scope"]) for one in listed} == {
        (role, scope) for role in ("Owner", "Reader", "Contributor")
    }
    owner = next(one for one in listed if one["roleDefinitionName"] == "Owner")
    assert owner["principalName"] == azure.client_id or owner["principalName"] == "owner"


def test_an_unknown_role_or_principal_is_refused(az, registry, identity):
    where = ("--scope", registry["id"])
    said = az.refused("role", "assignment", "create", "--role", "no such role", *where, *holder(identity))
    assert "doesn't exist" in said
    nobody = ("--assignee-object-id", "00000000-1111-2222-3333-444444444444", "--assignee-principal-type", "User")
    assert "PrincipalNotFound" in az.refused("role", "assignment", "create", "--role", "acrpull", *where, *nobody)


def test_nothing_to_delete_is_an_error_of_az(az, registry, identity):
    who = ("--assignee-object-id", identity["principalId"])
    said = az.refused("role", "assignment", "delete", "--role", "acrpush", "--scope", registry["id"], *who)
    assert "No matched assignments were found to delete" in said


def test_assigning_wants_a_right(reader, registry, identity):
    said = reader.refused(
        "role", "assignment", "create", "--role", ACR_PULL, "--scope", registry["id"], *holder(identity)
    )
    assert "AuthorizationFailed" in said
    assert "Microsoft.Authorization/roleAssignments/write" in said


def test_an_assignee_is_found_in_the_directory(az, azure, registry, identity):
    made = az(
        "role", "assignment", "create", "--role", "acrpull", "--scope", registry["id"],
        "--assignee", identity["clientId"],
    )  # fmt: skip
    assert made["principalId"] == identity["principalId"]
    assert made["principalType"] == "ServicePrincipal"
    az("role", "assignment", "delete", "--ids", made["id"])


def test_a_member_is_added_to_a_group_once(az, identity):
    group = az("ad", "group", "create", "--display-name", "pullers", "--mail-nickname", "pullers")
    member = ("--group", group["id"], "--member-id", identity["principalId"])
    assert az("ad", "group", "member", "check", *member) == {"value": False}
    az("ad", "group", "member", "add", *member)
    assert az("ad", "group", "member", "check", *member) == {"value": True}
    assert [one["id"] for one in az("ad", "group", "member", "list", "--group", "pullers")] == [
        identity["principalId"]
    ]
    assert "already exist" in az.refused("ad", "group", "member", "add", *member)
    az("ad", "group", "member", "remove", *member)
    assert az("ad", "group", "member", "list", "--group", "pullers") == []


def test_the_directory_wants_rights_of_its_own(reader, identity):
    said = reader.refused("ad", "sp", "show", "--id", identity["clientId"])
    assert "Insufficient privileges" in said
