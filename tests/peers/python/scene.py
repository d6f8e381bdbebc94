"""What tests begin with: registries, clusters and images, made by the SDK."""

import uuid

from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.containerregistry import models as registry_models
from azure.mgmt.containerservice import models as cluster_models
from cloud import ACR_PULL, LOCATION


def registry_of(sku="Basic", **properties):
    """The body of a registry."""
    return registry_models.Registry(
        location=LOCATION,
        sku=registry_models.Sku(name=sku),
        properties=registry_models.RegistryProperties(**properties),
    )


def create_registry(azure, group, name, **wanted):
    return azure.registries().begin_create(group, name, registry_of(**wanted)).result()


def cluster_of(**properties):
    """The body of a cluster with one pool of one node, as small as the service takes it."""
    pool = cluster_models.ManagedClusterAgentPoolProfile(name="nodepool1", mode="System", count=1)
    return cluster_models.ManagedCluster(
        location=LOCATION,
        identity=cluster_models.ManagedClusterIdentity(type="SystemAssigned"),
        properties=cluster_models.ManagedClusterProperties(
            dns_prefix="dev", agent_pool_profiles=[pool], **properties
        ),
    )


def create_cluster(azure, group, name, body=None):
    return azure.clusters().begin_create_or_update(group, name, body or cluster_of()).result()


def import_of(image, registry="docker.io", tags=(), mode="NoForce"):
    """The body of an import from another registry."""
    return registry_models.ImportImageParameters(
        source=registry_models.ImportSource(source_image=image, registry_uri=registry),
        target_tags=list(tags),
        mode=mode,
    )


def import_nginx(azure, group, registry):
    body = import_of("library/nginx:latest", tags=["nginx:v1"])
    azure.registries().begin_import_image(group, registry.name, body).result()


def assignment_of(azure, principal, role=ACR_PULL):
    """The body of an assignment."""
    return RoleAssignmentCreateParameters(
        role_definition_id=azure.definition(role), principal_id=principal, principal_type="ServicePrincipal"
    )


def grant_pull(azure, registry, cluster):
    """Attaches a cluster, as a program does that knows both."""
    kubelet = cluster.properties.identity_profile["kubeletidentity"].object_id
    body = assignment_of(azure, kubelet)
    return azure.authorization().role_assignments.create(registry.id, str(uuid.uuid4()), body)
