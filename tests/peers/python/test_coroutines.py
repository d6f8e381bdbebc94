"""The same story with coroutines: azure-identity, the management clients and the Kubernetes client, all `aio`."""

import asyncio
import contextlib
import uuid

import azure.identity.aio as identity
import cloud
import kubernetes.aio as kubernetes
import pytest
import scene
import yaml
from azure.core.exceptions import ResourceExistsError
from kubernetes.aio import client, watch
from workload import deployment, state_of


async def create(azure, registries, clusters, group):
    """A registry with an image, and a cluster beside it."""
    poller = await registries.registries.begin_create(group, "asyncregistry", scene.registry_of())
    registry = await poller.result()
    image = scene.import_of("library/nginx:latest", tags=["nginx:v1"])
    await (await registries.registries.begin_import_image(group, registry.name, image)).result()
    poller = await clusters.managed_clusters.begin_create_or_update(group, "dev", scene.cluster_of())
    return registry, await poller.result()


async def watch_until(api, wanted):
    """Waits for a pod whose container is in the state."""
    async with watch.Watch() as stream:
        pods = client.CoreV1Api(api).list_namespaced_pod
        async for event in stream.stream(pods, "default", timeout_seconds=20):
            if state_of(event["object"]) == wanted:
                return
    pytest.fail(f"no pod became {wanted}")


async def connect(stack, clusters, group, name):
    """A client of the cluster, from the kubeconfig of its user."""
    told = await clusters.managed_clusters.list_cluster_user_credentials(group, name)
    config = client.Configuration()
    kubeconfig = yaml.safe_load(bytes(told.kubeconfigs[0].value))
    await kubernetes.config.load_kube_config_from_dict(kubeconfig, client_configuration=config)
    return await stack.enter_async_context(client.ApiClient(config))


async def attach(azure, assignments, registry, cluster):
    """Grants the pull twice under two names, of which the second is refused."""
    body = azure.assignment_of(scene.kubelet_of(cluster))
    made = await assignments.create(registry.id, str(uuid.uuid4()), body)
    with pytest.raises(ResourceExistsError) as refused:
        await assignments.create(registry.id, str(uuid.uuid4()), body)
    assert refused.value.error.code == "RoleAssignmentExists"
    return made


async def tell(azure, group):
    async with contextlib.AsyncExitStack() as stack:
        credential = await stack.enter_async_context(azure.credential(identity))
        clients = [await stack.enter_async_context(one) for one in azure.aio(credential)]
        registries, clusters, authorization = clients
        registry, cluster = await create(azure, registries, clusters, group)
        assert registry.properties.provisioning_state == "Succeeded"
        assert cluster.properties.provisioning_state == "Succeeded"
        api = await connect(stack, clusters, group, cluster.name)
        body = deployment(f"{registry.properties.login_server}/nginx:v1")
        await client.AppsV1Api(api).create_namespaced_deployment("default", body)
        await watch_until(api, "ImagePullBackOff")
        assignments = authorization.role_assignments
        made = await attach(azure, assignments, registry, cluster)
        await watch_until(api, "Running")
        filtered = assignments.list_for_scope(registry.id, filter=f"principalId eq '{scene.kubelet_of(cluster)}'")
        assert [one.name async for one in filtered] == [made.name]
        await assignments.delete(registry.id, made.name)
        await (await clusters.managed_clusters.begin_delete(group, cluster.name)).result()
        await (await registries.registries.begin_delete(group, registry.name)).result()
        assert [one.name async for one in registries.registries.list()] == []
        assert [one.name async for one in clusters.managed_clusters.list()] == []


def test_coroutines_bring_an_image_into_a_cluster(azure, group):
    asyncio.run(tell(azure, group))


def test_sixteen_clusters_are_attached_side_by_side(azure, group, registry):
    async def attach_all():
        async with contextlib.AsyncExitStack() as stack:
            credential = await stack.enter_async_context(azure.credential(identity))
            clients = [await stack.enter_async_context(one) for one in azure.aio(credential)]
            _, clusters, authorization = clients

            async def one(number):
                poller = await clusters.managed_clusters.begin_create_or_update(
                    group, f"dev{number}", scene.cluster_of()
                )
                body = azure.assignment_of(scene.kubelet_of(await poller.result()))
                return await authorization.role_assignments.create(registry.id, str(uuid.uuid4()), body)

            return await asyncio.gather(*(one(number) for number in range(16)))

    made = asyncio.run(attach_all())
    assert len({assignment.principal_id for assignment in made}) == 16
    listed = azure.authorization().role_assignments.list_for_scope(registry.id, filter="atScope()")
    pulls = [one for one in listed if one.role_definition_id.endswith(cloud.ACR_PULL)]
    assert {one.name for one in pulls} == {assignment.name for assignment in made}
