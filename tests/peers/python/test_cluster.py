"""azure-mgmt-containerservice and -msi: clusters, their credentials, and the identities that they may be given."""

import cloud
import pytest
import scene
import yaml
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.containerservice import models


def test_a_cluster_is_created_with_the_services_defaults(azure, group):
    made = scene.create_cluster(azure, group, "dev")
    own = made.properties
    assert own.provisioning_state == "Succeeded"
    assert own.node_resource_group == f"MC_{group}_dev_{cloud.LOCATION}"
    assert own.fqdn.endswith(f".hcp.{cloud.LOCATION}.azmk8s.io")
    assert own.service_principal_profile.client_id == "msi"
    assert own.enable_rbac is True
    assert made.identity.type == "SystemAssigned"
    assert made.identity.principal_id
    kubelet = own.identity_profile["kubeletidentity"]
    assert kubelet.object_id != made.identity.principal_id
    assert kubelet.resource_id.endswith("/userAssignedIdentities/dev-agentpool")
    pool = own.agent_pool_profiles[0]
    assert (pool.name, pool.count, pool.provisioning_state) == ("nodepool1", 1, "Succeeded")
    assert pool.vm_size


def test_a_cluster_reads_back_as_it_was_made(azure, group, cluster):
    assert azure.clusters().get(group, cluster.name).as_dict() == cluster.as_dict()


def test_clusters_are_listed_by_group_and_by_subscription(azure, group, cluster):
    azure.groups().create_or_update("other", {"location": cloud.LOCATION})
    scene.create_cluster(azure, "other", "far")
    assert [found.name for found in azure.clusters().list_by_resource_group(group)] == [cluster.name]
    assert sorted(found.name for found in azure.clusters().list()) == [cluster.name, "far"]


def test_a_second_put_keeps_the_identity_of_the_nodes(azure, group, cluster):
    read = azure.clusters().get(group, cluster.name)
    read.tags = {"team": "blue"}
    after = azure.clusters().begin_create_or_update(group, cluster.name, read).result()
    assert after.tags == {"team": "blue"}
    old, new = (one.properties.identity_profile["kubeletidentity"].object_id for one in (cluster, after))
    assert new == old


@pytest.mark.parametrize("kind", ["user", "admin"])
def test_credentials_are_a_kubeconfig_of_the_cluster(azure, group, cluster, kind):
    ask = getattr(azure.clusters(), f"list_cluster_{kind}_credentials")
    told = ask(group, cluster.name).kubeconfigs
    assert [config.name for config in told] == [{"user": "clusterUser", "admin": "clusterAdmin"}[kind]]
    config = yaml.safe_load(bytes(told[0].value))
    context = next(one["context"] for one in config["contexts"] if one["name"] == config["current-context"])
    there = next(one["cluster"] for one in config["clusters"] if one["name"] == context["cluster"])
    assert there["server"].startswith(f"https://{cluster.properties.fqdn}")
    assert there["certificate-authority-data"]


def test_a_command_runs_in_the_cluster(azure, group, cluster):
    request = models.RunCommandRequest(command="kubectl get nodes")
    done = azure.clusters().begin_run_command(group, cluster.name, request).result()
    assert done.properties.exit_code == 0
    assert "aks-nodepool1-" in done.properties.logs
    assert "Ready" in done.properties.logs


def test_a_deleted_cluster_is_not_found(azure, group, cluster):
    azure.clusters().begin_delete(group, cluster.name).result()
    with pytest.raises(ResourceNotFoundError) as absent:
        azure.clusters().get(group, cluster.name)
    assert absent.value.error.code == "ResourceNotFound"
    assert list(azure.clusters().list()) == []


def create_identity(azure, group, name):
    return azure.identities().create_or_update(group, name, {"location": cloud.LOCATION})


def test_an_identity_is_made_listed_and_deleted(azure, group):
    made = create_identity(azure, group, "kubelet")
    assert made.principal_id
    assert made.client_id
    assert made.principal_id != made.client_id
    assert made.tenant_id == azure.emulator.tenant
    again = create_identity(azure, group, "kubelet")
    assert again.principal_id == made.principal_id
    assert azure.identities().get(group, "kubelet").client_id == made.client_id
    assert [one.name for one in azure.identities().list_by_resource_group(group)] == ["kubelet"]
    assert [one.name for one in azure.identities().list_by_subscription()] == ["kubelet"]
    azure.identities().delete(group, "kubelet")
    with pytest.raises(ResourceNotFoundError):
        azure.identities().get(group, "kubelet")


def with_own_identities(control, kubelet):
    """The body of a cluster whose identities are brought along."""
    body = scene.cluster_of(
        identity_profile={
            "kubeletidentity": models.UserAssignedIdentity(
                resource_id=kubelet.id, client_id=kubelet.client_id, object_id=kubelet.principal_id
            )
        }
    )
    body.identity = models.ManagedClusterIdentity(
        type="UserAssigned",
        user_assigned_identities={control.id: models.ManagedServiceIdentityUserAssignedIdentitiesValue()},
    )
    return body


def test_a_cluster_takes_a_kubelet_identity_that_its_control_plane_may_assign(azure, group):
    control, kubelet = (create_identity(azure, group, name) for name in ("control", "kubelet"))
    body = with_own_identities(control, kubelet)
    with pytest.raises(HttpResponseError) as refused:
        scene.create_cluster(azure, group, "own", body)
    assert refused.value.error.code == "CustomKubeletIdentityMissingPermissionError"
    azure.assign(kubelet.id, control.principal_id, cloud.MANAGED_IDENTITY_OPERATOR)
    made = scene.create_cluster(azure, group, "own", body)
    assert made.properties.identity_profile["kubeletidentity"].object_id == kubelet.principal_id
