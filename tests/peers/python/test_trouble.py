"""What the SDK for Python does when Azure refuses, makes it wait, or hands out lists piece by piece."""

import time
import uuid

import cloud
import pytest
import scene
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerregistry import ContainerRegistryManagementClient


def test_who_only_reads_is_told_what_right_is_missing(azure, cluster, registry):
    assignments = azure.authorization(azure.reader()).role_assignments
    # Reading is allowed: the reader's own role is among what comes down from the subscription.
    mine = f"principalId eq '{azure.emulator.principal('reader')['objectId']}'"
    found = list(assignments.list_for_scope(registry.id, filter=mine))
    assert [one.role_definition_id.rsplit("/", 1)[-1] for one in found] == [cloud.READER]
    body = azure.assignment_of(scene.kubelet_of(cluster))
    with pytest.raises(HttpResponseError) as refused:
        assignments.create(registry.id, str(uuid.uuid4()), body)
    assert (refused.value.status_code, refused.value.error.code) == (403, "AuthorizationFailed")
    message = refused.value.error.message
    assert "Microsoft.Authorization/roleAssignments/write" in message
    assert azure.emulator.principal("reader")["objectId"] in message
    assert registry.id.lower() in message.lower()


def test_who_only_reads_gets_no_credentials_of_an_administrator(azure, group, cluster):
    with pytest.raises(HttpResponseError) as refused:
        azure.clusters(azure.reader()).list_cluster_admin_credentials(group, cluster.name)
    assert (refused.value.status_code, refused.value.error.code) == (403, "AuthorizationFailed")
    assert "listClusterAdminCredential/action" in refused.value.error.message


def test_lists_are_followed_from_page_to_page(azure, group):
    for number in range(5):
        scene.create_registry(azure, group, f"registry{number}")
    azure.emulator.order("POST", "paging", {"size": 2, "emptyFirst": True})
    start = azure.emulator.mark()
    names = sorted(one.name for one in azure.registries().list_by_resource_group(group))
    assert names == [f"registry{number}" for number in range(5)]
    pages = [line for line in azure.asked(start) if "/registries -> 200" in line]
    assert len(pages) >= 3


def test_a_throttled_request_is_sent_again_when_azure_says(azure, group, registry):
    fault = {"method": "GET", "part": f"/registries/{registry.name}", "status": 429, "times": 1}
    azure.emulator.order("POST", "fault", fault | {"headers": {"retry-after": "1"}})
    start, begun = azure.emulator.mark(), time.monotonic()
    assert azure.registries().get(group, registry.name).name == registry.name
    assert time.monotonic() - begun >= 1
    assert [line.split()[-1] for line in azure.asked(start) if "/registries/" in line] == ["429", "200"]


def test_work_that_takes_time_is_polled_to_its_end(azure, group, registry):
    azure.emulator.order("POST", "timing", {"import": 1.5})
    start = azure.emulator.mark()
    body = scene.import_of("library/nginx:latest", tags=["nginx:v1"])
    # By default the SDK sleeps 30 seconds where Azure names no time.
    poller = azure.registries().begin_import_image(group, registry.name, body, polling_interval=1)
    assert azure.tags(registry, "nginx") == []
    poller.result()
    assert azure.tags(registry, "nginx") == ["v1"]
    answers = [line.split()[-1] for line in azure.asked(start) if line.startswith("GET /subscriptions/")]
    assert answers[0] == "202"
    assert answers[-1] == "200"


def test_a_cluster_in_the_making_has_no_nodes_yet(azure, group):
    azure.emulator.order("POST", "timing", {"clusterCreation": 3})
    clusters = azure.clusters()
    poller = clusters.begin_create_or_update(group, "dev", scene.cluster_of(), polling_interval=1)
    young = clusters.get(group, "dev").properties
    assert young.provisioning_state not in ("Succeeded", "Failed", "Canceled")
    assert not young.identity_profile
    made = poller.result()
    assert made.properties.provisioning_state == "Succeeded"
    assert scene.kubelet_of(made)


def test_a_cluster_that_somebody_changed_is_not_overwritten(azure, group, cluster):
    clusters = azure.clusters()
    read = clusters.get(group, cluster.name)
    clusters.begin_create_or_update(group, cluster.name, scene.cluster_of()).result()
    read.tags = {"team": "blue"}
    condition = {"etag": read.e_tag, "match_condition": MatchConditions.IfNotModified}
    with pytest.raises(HttpResponseError) as refused:
        clusters.begin_create_or_update(group, cluster.name, read, **condition).result()
    assert refused.value.status_code == 412
    assert not clusters.get(group, cluster.name).tags


def test_a_version_of_the_interface_that_never_was_is_refused(azure, group, registry):
    registries = azure.client(ContainerRegistryManagementClient, api_version="1999-01-01").registries
    with pytest.raises(HttpResponseError) as refused:
        registries.get(group, registry.name)
    assert refused.value.status_code == 400
    assert refused.value.error.code == "InvalidResourceType"
    assert "1999-01-01" in refused.value.error.message


def test_a_token_for_somebody_else_is_refused(azure, group):
    class Borrowed:
        def get_token(self, *_, **__):
            return azure.credential().get_token("https://graph.microsoft.com/.default")

    with pytest.raises(HttpResponseError) as refused:
        list(azure.registries(Borrowed()).list_by_resource_group(group))
    assert refused.value.status_code == 401
