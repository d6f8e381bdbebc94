"""What tests begin with: registries, clusters and images, made by the SDK."""

from azure.mgmt.containerregistry import models as registry_models
from azure.mgmt.containerservice import models as cluster_models
from cloud import LOCATION


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


def kubelet_of(cluster):
    """The object id of the identity that a cluster's nodes pull with."""
    return cluster.properties.identity_profile["kubeletidentity"].object_id
