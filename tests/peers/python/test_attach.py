"""azure-mgmt-authorization: what attaches a cluster's nodes to a registry, and what else is asked of role assignments."""

import uuid

import cloud
import pytest
import scene
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError


def attach(azure, group, cluster, registry):
    """Attaches as a program does that knows names only, with one credential and a client for each service."""
    credential = azure.credential()
    principal = scene.kubelet_of(azure.clusters(credential).get(group, cluster))
    scope = azure.registries(credential).get(group, registry).id
    assignments = azure.authorization(credential).role_assignments
    held = assignments.list_for_scope(scope, filter=f"principalId eq '{principal}'")
    pull = azure.definition(cloud.ACR_PULL)
    if any(one.role_definition_id.lower() == pull.lower() for one in held):
        return None
    return assignments.create(scope, str(uuid.uuid4()), azure.assignment_of(principal))


def test_attaching_takes_the_measured_requests(azure, group, cluster, registry):
    start = azure.emulator.mark()
    made = attach(azure, group, cluster.name, registry.name)
    kubelet = scene.kubelet_of(cluster)
    group_id = f"/subscriptions/{azure.subscription}/resourceGroups/{group}"
    assignments = f"{registry.id}/providers/Microsoft.Authorization/roleAssignments"
    assert azure.asked(start) == [
        f"GET /{azure.emulator.tenant}/v2.0/.well-known/openid-configuration -> 200",
        f"POST /{azure.emulator.tenant}/oauth2/v2.0/token -> 200",
        f"GET {group_id}/providers/Microsoft.ContainerService/managedClusters/{cluster.name} -> 200",
        f"GET {group_id}/providers/Microsoft.ContainerRegistry/registries/{registry.name} -> 200",
        f"GET {assignments}?$filter=principalId eq '{kubelet}' -> 200",
        f"PUT {assignments}/{made.name} -> 201",
    ]


def test_attaching_again_asks_and_changes_nothing(azure, group, cluster, registry):
    attach(azure, group, cluster.name, registry.name)
    start = azure.emulator.mark()
    assert attach(azure, group, cluster.name, registry.name) is None
    assert [line.split()[0] for line in azure.asked(start)] == ["GET", "POST", "GET", "GET", "GET"]


def test_an_assignment_says_what_was_asked_for(azure, cluster, registry):
    kubelet = scene.kubelet_of(cluster)
    made = azure.assign(registry.id, kubelet)
    assert made.principal_id == kubelet
    assert made.principal_type == "ServicePrincipal"
    assert made.scope == registry.id
    assert made.role_definition_id.endswith(cloud.ACR_PULL)
    read = azure.authorization().role_assignments.get(registry.id, made.name)
    # The creator is reported only when it is read.
    assert {name: value for name, value in read.as_dict().items() if name != "created_by"} == made.as_dict()
    assert read.created_by


def test_the_same_assignment_under_another_name_exists_already(azure, cluster, registry):
    kubelet = scene.kubelet_of(cluster)
    first = azure.assign(registry.id, kubelet)
    with pytest.raises(ResourceExistsError) as refused:
        azure.assign(registry.id, kubelet)
    assert refused.value.status_code == 409
    assert refused.value.error.code == "RoleAssignmentExists"
    found = azure.authorization().role_assignments.list_for_scope(registry.id, filter="atScope()")
    assert [one.name for one in found if one.principal_id == kubelet] == [first.name]


def test_an_unknown_principal_is_not_found(azure, registry):
    body = azure.assignment_of(str(uuid.uuid4()))
    # With a type, the service takes the caller's word for it that there is such a principal.
    body.principal_type = None
    with pytest.raises(HttpResponseError) as refused:
        azure.authorization().role_assignments.create(registry.id, str(uuid.uuid4()), body)
    assert (refused.value.status_code, refused.value.error.code) == (400, "PrincipalNotFound")


def test_filters_say_which_assignments_are_listed(azure, group, cluster, registry):
    kubelet = scene.kubelet_of(cluster)
    here = azure.assign(registry.id, kubelet)
    above = azure.assign(f"/subscriptions/{azure.subscription}/resourceGroups/{group}", kubelet, cloud.READER)
    assignments = azure.authorization().role_assignments

    def names(found):
        return sorted(one.name for one in found if one.principal_id == kubelet)

    both = sorted([here.name, above.name])
    assert names(assignments.list_for_scope(registry.id, filter=f"principalId eq '{kubelet}'")) == both
    assert names(assignments.list_for_scope(registry.id, filter=f"assignedTo('{kubelet}')")) == both
    assert names(assignments.list_for_scope(registry.id)) == both
    assert names(assignments.list_for_subscription(filter=f"principalId eq '{kubelet}'")) == both
    assert names(assignments.list_for_resource_group(group, filter="atScope()")) == [above.name]
    others = assignments.list_for_scope(registry.id, filter=f"principalId eq '{cluster.identity.principal_id}'")
    assert names(others) == []


def test_a_role_is_found_by_its_name_without_regard_to_case(azure, registry):
    definitions = azure.authorization().role_definitions
    found = list(definitions.list(registry.id, filter="roleName eq 'acrpull'"))
    assert [one.role_name for one in found] == ["AcrPull"]
    assert found[0].id.lower().endswith(cloud.ACR_PULL)
    actions = [action for permission in found[0].permissions for action in permission.actions]
    assert actions == ["Microsoft.ContainerRegistry/registries/pull/read"]
    assert list(definitions.list(registry.id, filter="roleName eq 'no such role'")) == []


def test_a_deleted_assignment_is_told_once_more_and_gone(azure, cluster, registry):
    made = azure.assign(registry.id, scene.kubelet_of(cluster))
    assignments = azure.authorization().role_assignments
    assert assignments.delete(registry.id, made.name).name == made.name
    # Nothing to delete is 204, which the client gives back as nothing.
    assert assignments.delete(registry.id, made.name) is None
    with pytest.raises(ResourceNotFoundError) as absent:
        assignments.get(registry.id, made.name)
    assert absent.value.error.code == "RoleAssignmentNotFound"
