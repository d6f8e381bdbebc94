"""Applies a manifest with an image from the registry, waits until it runs, and reports why if it does not.

`python deploy.py` on the emulator; on Azure, with an image `nginx:v1` there: `--azure SUBSCRIPTION GROUP/CLUSTER REGISTRY`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aks_acr_emulator import Emulator
from azure.identity import DefaultAzureCredential
from tqdm import tqdm

from aks_acr import Client, Event, PullFailedError

MANIFESTS = Path(__file__).parents[1] / "acr-nginx.yaml"


def deploy(client: Client, cluster: str, registry: str) -> None:
    print("apply  ", *client.apply(cluster, MANIFESTS.read_text(encoding="utf-8"), registry=registry))
    try:
        client.wait_for_rollout(cluster, "nginx0-deployment")
    except PullFailedError as error:
        # It ends at once where waiting does not help.
        print("failed ", error)
        client.attach(cluster, registry)
        with tqdm(desc="pods", leave=False) as bar:
            for event in client.follow.wait_for_rollout(cluster, "nginx0-deployment"):
                if isinstance(event, Event.Rollout):
                    bar.total = event.wanted
                    bar.update(event.ready - bar.n)
    print(client.pods(cluster, labels="app=nginx0"))


def main() -> None:
    match sys.argv[1:]:
        case []:
            with on_emulator() as client:
                deploy(client, "group/dev", "myregistry")
        case ["--azure", subscription, cluster, registry]:
            with Client(DefaultAzureCredential(), subscription) as client:
                deploy(client, cluster, registry)
        case _:
            sys.exit("expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY")


@contextmanager
def on_emulator() -> Iterator[Client]:
    cluster, registry = {"group": "group", "name": "dev"}, {"group": "group", "name": "myregistry"}
    with Emulator(scene={"clusters": [cluster], "registries": [registry]}) as azure:
        azure.push_image("myregistry.azurecr.io/nginx:v1")
        azure.clock(20)
        with Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            yield client


if __name__ == "__main__":
    main()
