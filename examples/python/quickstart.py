"""From an image in Docker Hub to running pods, and what happens without the grant: `python quickstart.py`, on the emulator.

It creates a registry and a cluster, imports nginx, and shows the pods fail to pull; then it attaches the registry and shows them run,
detaches it and shows the next pod fail.
"""

from pathlib import Path

from aks_acr_emulator import Emulator
from tqdm import tqdm

from aks_acr import Client, PullFailedError

MANIFEST = (Path(__file__).parents[1] / "acr-nginx.yaml").read_text(encoding="utf-8")
CLUSTER, REGISTRY, DEPLOYMENT = "group/dev", "myregistry", "nginx0-deployment"


def tell(client: Client, azure: Emulator) -> None:
    print("registry", client.create_registry("group", REGISTRY).registry.login_server)
    with tqdm(desc="cluster", bar_format="{desc}: {postfix}", leave=False) as bar:
        created = client.create_cluster(CLUSTER, node_count=1, on_progress=lambda event: bar.set_postfix_str(str(event)))
    print("cluster ", created.cluster.state, "with Kubernetes", created.cluster.kubernetes_version)

    print("import  ", client.import_image(REGISTRY, "nginx", target="nginx:v1").proof)
    print("deploy  ", *client.apply(CLUSTER, MANIFEST, registry=REGISTRY))
    wait_for_rollout(client)

    print("plan    ", client.plan_attach(CLUSTER, REGISTRY))
    print("attach  ", client.attach(CLUSTER, REGISTRY).outcome.kind)
    print("again   ", client.attach(CLUSTER, REGISTRY).outcome.kind)
    wait_for_rollout(client)

    print("detach  ", client.detach(CLUSTER, REGISTRY).outcome)
    # A node uses its cached credential for up to an hour; this advances the emulator's clock past that.
    azure.advance(61 * 60)
    # Without this a node would start the image that it has.
    fresh = MANIFEST.replace("- name: nginx", "- imagePullPolicy: Always\n          name: nginx")
    client.apply(CLUSTER, fresh, registry=REGISTRY)
    wait_for_rollout(client)
    print(client.pods(CLUSTER, labels="app=nginx0"))


def wait_for_rollout(client: Client) -> None:
    print("rollout", "waiting for the pods (a few seconds if they cannot pull)", flush=True)
    try:
        done = client.wait_for_rollout(CLUSTER, DEPLOYMENT)
        print("rollout", f"{done.ready}/{done.wanted} ready")
    except PullFailedError as error:
        # It ends at once where waiting does not help.
        print("rollout", error)


if __name__ == "__main__":
    images = [{"name": "docker.io/library/nginx:latest", "platforms": ["linux/amd64"]}]
    with Emulator(scene={"groups": [{"name": "group"}], "images": images}, clock=20) as azure:
        with Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            tell(client, azure)
