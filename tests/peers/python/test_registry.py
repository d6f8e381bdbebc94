"""azure-mgmt-containerregistry: registries from their making to their end, and what is imported into them."""

import cloud
import pytest
import scene
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.containerregistry import models


def test_a_registry_is_created_and_read_back(azure, group):
    made = scene.create_registry(azure, group, "teamregistry", sku="Premium")
    assert made.properties.provisioning_state == "Succeeded"
    assert made.properties.login_server == "teamregistry.azurecr.io"
    assert made.location == cloud.LOCATION
    assert made.sku.name == "Premium"
    read = azure.registries().get(group, "teamregistry")
    assert read.as_dict() == made.as_dict()
    assert read.id.lower() == (
        f"/subscriptions/{azure.subscription}/resourcegroups/{group}"
        "/providers/microsoft.containerregistry/registries/teamregistry"
    )


def test_a_taken_name_is_not_free(azure, group):
    def ask():
        request = models.RegistryNameCheckRequest(name="teamregistry", type="Microsoft.ContainerRegistry/registries")
        return azure.registries().check_name_availability(request)

    assert ask().name_available is True
    scene.create_registry(azure, group, "teamregistry")
    answer = ask()
    assert (answer.name_available, answer.reason) == (False, "AlreadyExists")


def test_registries_are_listed_by_group_and_by_subscription(azure, group):
    azure.groups().create_or_update("other", {"location": cloud.LOCATION})
    for where, name in [(group, "first1"), (group, "second2"), ("other", "third3")]:
        scene.create_registry(azure, where, name)
    names = sorted(found.name for found in azure.registries().list_by_resource_group(group))
    assert names == ["first1", "second2"]
    assert sorted(found.name for found in azure.registries().list()) == ["first1", "second2", "third3"]


def test_an_update_changes_what_it_names_and_nothing_else(azure, group):
    before = scene.create_registry(azure, group, "teamregistry")
    change = models.RegistryUpdateParameters(
        tags={"team": "blue"}, properties=models.RegistryPropertiesUpdateParameters(admin_user_enabled=True)
    )
    after = azure.registries().begin_update(group, "teamregistry", change).result()
    assert after.tags == {"team": "blue"}
    assert after.properties.admin_user_enabled is True
    assert (after.sku.name, after.properties.login_server) == (before.sku.name, before.properties.login_server)


def test_the_mode_of_role_assignments_is_kept(azure, group):
    made = scene.create_registry(azure, group, "abacregistry", role_assignment_mode="AbacRepositoryPermissions")
    assert made.properties.role_assignment_mode == "AbacRepositoryPermissions"


def test_an_import_brings_the_image_under_its_new_tag(azure, group, registry):
    scene.import_nginx(azure, group, registry)
    assert azure.tags(registry, "nginx") == ["v1"]


def test_an_import_into_a_taken_tag_is_a_conflict_unless_forced(azure, group, registry):
    scene.import_nginx(azure, group, registry)
    body = scene.import_of("library/hello-world:latest", tags=["nginx:v1"])
    with pytest.raises(HttpResponseError) as refused:
        azure.registries().begin_import_image(group, registry.name, body).result()
    assert refused.value.status_code == 409
    before = azure.digest(registry, "nginx", "v1")
    body.mode = "Force"
    azure.registries().begin_import_image(group, registry.name, body).result()
    assert azure.digest(registry, "nginx", "v1") != before


def test_an_import_of_an_absent_image_fails(azure, group, registry):
    body = scene.import_of("library/absent:latest", tags=["absent:v1"])
    with pytest.raises(HttpResponseError) as refused:
        azure.registries().begin_import_image(group, registry.name, body).result()
    assert refused.value.status_code == 400
    assert "library/absent" in refused.value.error.message
    assert azure.tags(registry, "absent") == []


def test_an_import_from_a_registry_by_its_id_needs_no_credentials(azure, group, registry):
    scene.import_nginx(azure, group, registry)
    target = scene.create_registry(azure, group, "targetregistry")
    body = models.ImportImageParameters(
        source=models.ImportSource(source_image="nginx:v1", resource_id=registry.id), target_tags=["copy:v2"]
    )
    azure.registries().begin_import_image(group, target.name, body).result()
    assert azure.digest(target, "copy", "v2") == azure.digest(registry, "nginx", "v1")


def test_the_admin_user_has_passwords_once_it_is_enabled(azure, group, registry):
    with pytest.raises(HttpResponseError) as refused:
        azure.registries().list_credentials(group, registry.name)
    assert refused.value.error.code == "UnAuthorizedForCredentialOperations"
    change = models.RegistryUpdateParameters(
        properties=models.RegistryPropertiesUpdateParameters(admin_user_enabled=True)
    )
    azure.registries().begin_update(group, registry.name, change).result()
    told = azure.registries().list_credentials(group, registry.name)
    assert told.username == registry.name
    assert [word.name for word in told.passwords] == ["password", "password2"]
    assert len({word.value for word in told.passwords}) == 2


def test_a_deleted_registry_is_not_found(azure, group, registry):
    azure.registries().begin_delete(group, registry.name).result()
    with pytest.raises(ResourceNotFoundError) as absent:
        azure.registries().get(group, registry.name)
    assert absent.value.error.code == "ResourceNotFound"
    assert list(azure.registries().list_by_resource_group(group)) == []


def test_a_registry_in_an_absent_group_is_refused(azure):
    with pytest.raises(ResourceNotFoundError) as absent:
        scene.create_registry(azure, "nowhere", "teamregistry")
    assert absent.value.error.code == "ResourceGroupNotFound"
