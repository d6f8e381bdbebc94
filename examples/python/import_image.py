"""Imports an image from Docker Hub into a registry and shows the progress. Azure copies it.

`python import_image.py` on the emulator; on Azure, into a registry that exists:
`python import_image.py --azure SUBSCRIPTION REGISTRY`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aks_acr_emulator import Emulator
from azure.identity import DefaultAzureCredential
from tqdm import tqdm

from aks_acr import Client


def import_image(client: Client, registry: str) -> None:
    run = client.follow.import_image(registry, "nginx", target="nginx:v1")
    with tqdm(bar_format="{desc} {elapsed}", leave=False) as bar:
        for event in run:
            bar.set_description_str(str(event))

    done = run.result()
    print(done.target, "copied:" if done.is_new else "was there:", done.proof)


def main() -> None:
    match sys.argv[1:]:
        case []:
            with on_emulator() as client:
                import_image(client, "myregistry")
        case ["--azure", subscription, registry]:
            with Client(DefaultAzureCredential(), subscription) as client:
                import_image(client, registry)
        case _:
            sys.exit("expected no arguments, or --azure SUBSCRIPTION REGISTRY")


@contextmanager
def on_emulator() -> Iterator[Client]:
    registry, image = {"group": "group", "name": "myregistry"}, {"name": "docker.io/library/nginx:latest"}
    with Emulator(scene={"registries": [registry], "images": [image]}) as azure:
        azure.timing(import_=3)
        with Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            yield client


if __name__ == "__main__":
    main()
