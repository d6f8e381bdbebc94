"""The Kubernetes client for Python, with the credentials that the SDK for Azure gets."""

import contextlib
import time

import kubernetes
import pytest
import scene
import yaml
from kubernetes import client, dynamic, watch
from workload import deployment, state_of

PATIENCE = 20
# An image that any caller may pull.
PUBLIC = "mcr.microsoft.com/azuredocs/aks-helloworld:v1"


@contextlib.contextmanager
def api_of(azure, group, cluster):
    """A client of the cluster, from the kubeconfig of its user."""
    told = azure.clusters().list_cluster_user_credentials(group, cluster.name).kubeconfigs[0]
    config = client.Configuration()
    kubernetes.config.load_kube_config_from_dict(yaml.safe_load(bytes(told.value)), client_configuration=config)
    with client.ApiClient(config) as api:
        yield api


@pytest.fixture
def api(azure, group, cluster):
    with api_of(azure, group, cluster) as connected:
        yield connected


def watch_until(api, wanted, version=None):
    """Watches the pods until one's container is in the state; gives back the states in their order, and the version."""
    seen = []
    pods = client.CoreV1Api(api)
    stream = watch.Watch()
    options = {"resource_version": version} if version else {}
    for event in stream.stream(pods.list_namespaced_pod, "default", timeout_seconds=PATIENCE, **options):
        state = state_of(event["object"])
        if state and (not seen or seen[-1] != state):
            seen.append(state)
        if state == wanted:
            stream.stop()
    assert seen and seen[-1] == wanted, seen
    return seen


def eventually(look):
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + PATIENCE
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def test_a_pod_runs_once_the_sdk_has_granted_the_pull(azure, group, cluster, registry, api):
    scene.import_nginx(azure, group, registry)
    image = f"{registry.properties.login_server}/nginx:v1"
    apps = client.AppsV1Api(api)
    made = apps.create_namespaced_deployment("default", deployment(image))
    assert made.metadata.uid
    assert made.spec.template.spec.containers[0].image == image
    watch_until(api, "ImagePullBackOff")
    assert not apps.read_namespaced_deployment("web", "default").status.available_replicas
    azure.assign(registry.id, scene.kubelet_of(cluster))
    assert watch_until(api, "Running")[-1] == "Running"
    assert eventually(lambda: apps.read_namespaced_deployment("web", "default").status.available_replicas) == 1


def test_why_a_pull_failed_is_told_by_an_event(azure, group, cluster, registry, api):
    scene.import_nginx(azure, group, registry)
    image = f"{registry.properties.login_server}/nginx:v1"
    client.AppsV1Api(api).create_namespaced_deployment("default", deployment(image))

    def failures():
        events = client.CoreV1Api(api).list_namespaced_event("default").items
        return [event for event in events if event.reason == "Failed" and image in (event.message or "")]

    event = eventually(failures)[0]
    assert event.type == "Warning"
    assert event.involved_object.kind == "Pod"
    assert "401" in event.message or "403" in event.message


def test_an_image_without_grant_from_a_public_registry_runs(api):
    client.AppsV1Api(api).create_namespaced_deployment("default", deployment(PUBLIC, replicas=2))
    watch_until(api, "Running")

    def running():
        pods = client.CoreV1Api(api).list_namespaced_pod("default", label_selector="app=web").items
        return len(pods) == 2 and all(pod.status.phase == "Running" for pod in pods)

    assert eventually(running)


def test_server_side_apply_owns_fields_and_guards_them(api):
    deployments = dynamic.DynamicClient(api).resources.get(api_version="apps/v1", kind="Deployment")

    def apply(manager, replicas, **more):
        return deployments.server_side_apply(
            body=deployment(PUBLIC, replicas), namespace="default", field_manager=manager, **more
        )

    first = apply("blue", 1)
    assert first.metadata.managedFields[0].manager == "blue"
    assert first.metadata.managedFields[0].operation == "Apply"
    again = apply("blue", 1)
    assert again.metadata.generation == first.metadata.generation
    with pytest.raises(dynamic.exceptions.ConflictError) as conflict:
        apply("green", 3)
    assert ".spec.replicas" in conflict.value.summary()
    forced = apply("green", 3, force_conflicts=True)
    assert forced.spec.replicas == 3
    assert {entry.manager for entry in forced.metadata.managedFields if entry.operation == "Apply"} == {"blue", "green"}


def test_patches_of_both_kinds_change_what_they_name(api):
    apps = client.AppsV1Api(api)
    apps.create_namespaced_deployment("default", deployment(PUBLIC))
    # The client sends a strategic merge for a dictionary and a JSON patch for a list.
    body = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": PUBLIC}]}}}}
    merged = apps.patch_namespaced_deployment("web", "default", body)
    assert sorted(one.name for one in merged.spec.template.spec.containers) == ["side", "web"]
    replaced = apps.patch_namespaced_deployment(
        "web", "default", [{"op": "replace", "path": "/spec/replicas", "value": 2}]
    )
    assert replaced.spec.replicas == 2


def test_scaling_and_deleting_takes_the_pods_along(api):
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    apps.create_namespaced_deployment("default", deployment(PUBLIC))

    def pods():
        return len(core.list_namespaced_pod("default").items)

    assert eventually(lambda: pods() == 1)
    apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 3}})
    assert eventually(lambda: pods() == 3)
    apps.delete_namespaced_deployment("web", "default")
    assert eventually(lambda: pods() == 0)
    with pytest.raises(client.ApiException) as absent:
        apps.read_namespaced_deployment("web", "default")
    assert absent.value.status == 404


def test_a_second_creation_is_a_conflict(api):
    apps = client.AppsV1Api(api)
    apps.create_namespaced_deployment("default", deployment(PUBLIC))
    with pytest.raises(client.ApiException) as refused:
        apps.create_namespaced_deployment("default", deployment(PUBLIC))
    assert refused.value.status == 409
    assert '"reason":"AlreadyExists"' in refused.value.body.replace(" ", "")


def test_a_container_that_runs_has_logs(api):
    client.AppsV1Api(api).create_namespaced_deployment("default", deployment(PUBLIC))
    watch_until(api, "Running")
    core = client.CoreV1Api(api)
    pod = core.list_namespaced_pod("default").items[0]
    digest = pod.status.container_statuses[0].image_id.rpartition("@")[2]
    # The emulator runs no program: what is written says what was started.
    assert digest.startswith("sha256:")
    assert digest in core.read_namespaced_pod_log(pod.metadata.name, "default")
    with pytest.raises(client.ApiException) as refused:
        core.read_namespaced_pod_log(pod.metadata.name, "default", container="absent")
    assert refused.value.status == 400


def test_nodes_and_the_server_say_the_clusters_version(azure, group, cluster, api):
    nodes = client.CoreV1Api(api).list_node().items
    assert len(nodes) == 1
    version = client.VersionApi(api).get_code().git_version
    assert version == f"v{cluster.properties.current_kubernetes_version}"
    assert nodes[0].status.node_info.kubelet_version == version
