"""azure-mgmt-resourcegraph: queries for the resources of all subscriptions."""

import pytest
import scene
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerregistry import models as registry_models
from azure.mgmt.resourcegraph import models

REGISTRIES = "resources | where type =~ 'Microsoft.ContainerRegistry/registries'"


def query(azure, text, credential=None, **options):
    wanted = models.QueryRequestOptions(result_format="objectArray", **options)
    return azure.graph(credential).resources(models.QueryRequest(query=text, options=wanted))


def test_a_query_finds_what_the_caller_can_read(azure, group, registry):
    text = f"{REGISTRIES} and name == 'teamregistry' | project id, name, properties.loginServer"
    for credential in (None, azure.reader()):
        found = query(azure, text, credential)
        assert (found.total_records, found.count, found.result_truncated) == (1, 1, "false")
        assert found.data == [
            {"id": registry.id, "name": "teamregistry", "properties_loginServer": "teamregistry.azurecr.io"}
        ]
    assert found.skip_token is None


def test_a_result_comes_in_pages_only_with_ids(azure, group):
    names = [f"teamregistry{number}" for number in range(3)]
    for name in names:
        scene.create_registry(azure, group, name)
    seen, token = [], None
    while True:
        page = query(azure, f"{REGISTRIES} | project id, name | order by id asc", top=1, skip_token=token)
        assert (page.total_records, page.count) == (3, 1)
        seen += [row["name"] for row in page.data]
        token = page.skip_token
        if token is None:
            break
    assert seen == names
    page = query(azure, f"{REGISTRIES} | project name", top=1)
    assert (page.skip_token, page.result_truncated) == (None, "true")


def test_a_query_that_is_not_understood_is_an_error(azure, group):
    with pytest.raises(HttpResponseError) as refused:
        query(azure, f"{REGISTRIES} | frobnicate name")
    assert refused.value.status_code == 400
    assert [detail.code for detail in refused.value.error.details] == ["InvalidQuery", "ParserFailure"]


def test_a_change_has_its_properties(azure, group, registry):
    change = registry_models.RegistryUpdateParameters(
        properties=registry_models.RegistryPropertiesUpdateParameters(admin_user_enabled=True)
    )
    azure.registries().begin_update(group, registry.name, change).result()
    text = (
        "resourcechanges | extend changeTime = todatetime(properties.changeAttributes.timestamp), "
        "targetResourceId = tostring(properties.targetResourceId), changeType = tostring(properties.changeType), "
        "adminUser = properties.changes['properties.adminUserEnabled'] "
        f"| where changeTime > ago(1d) and targetResourceId =~ '{registry.id}' "
        "| order by changeTime asc | project changeType, adminUser, properties.changeAttributes.operation"
    )
    found = query(azure, text, azure.reader())
    operation = "Microsoft.ContainerRegistry/registries/write"
    changed = {"previousValue": "False", "newValue": "True"}
    assert found.data == [
        {"changeType": "Create", "adminUser": None, "properties_changeAttributes_operation": operation},
        {"changeType": "Update", "adminUser": changed, "properties_changeAttributes_operation": operation},
    ]
