"""Lets a cluster pull from a private registry outside of Azure, by an image pull secret.

`python external_registry.py` on the emulator; on Azure, with the password in REGISTRY_PASSWORD: `--azure SUBSCRIPTION GROUP/CLUSTER IMAGE USER`.
"""

import os
import sys

from aks_acr_emulator import Emulator
from azure.identity import DefaultAzureCredential

from aks_acr import Client, PullFailedError


SCENE = {
    "clusters": [{"group": "group", "name": "dev"}],
    "upstreams": [{"host": "ghcr.io", "users": [{"name": "robot", "password": "word"}]}],
    "images": [{"name": "ghcr.io/team/app:v1", "platforms": ["linux/amd64"]}],
}
MANIFEST = """{apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME}, spec: {selector: {matchLabels: {app: NAME}},
  template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: app, image: IMAGE}]}}}}"""


def deploy(client: Client, cluster: str, name: str, image: str) -> None:
    client.apply(cluster, MANIFEST.replace("NAME", name).replace("IMAGE", f"'{image}'"))
    client.wait_for_rollout(cluster, name)


def run(client: Client, cluster: str, image: str, user: str, password: str) -> None:
    try:
        deploy(client, cluster, "without", image)
    except PullFailedError as error:
        print("without", error)

    # The plan contains no password. It warns about what would not work, such as a registry that does not serve the image.
    login = [{"registry": image.split("/")[0], "username": user, "password": password}]
    plan = client.plan_pull_secret(cluster, "outside", login, images=[image])
    print(f"plan\n{plan}")
    print("applied", client.apply_pull_secret(plan, login))

    # Kubernetes copies a service account's pull secrets into new pods only.
    deploy(client, cluster, "with", image)
    print("with    runs")


def main() -> None:
    match sys.argv[1:]:
        case []:
            with Emulator(scene=SCENE, clock=20) as azure, Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
                run(client, "group/dev", "ghcr.io/team/app:v1", "robot", "word")
        case ["--azure", subscription, cluster, image, user]:
            with Client(DefaultAzureCredential(), subscription) as client:
                run(client, cluster, image, user, os.environ["REGISTRY_PASSWORD"])
        case _:
            sys.exit("expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER IMAGE USER")


if __name__ == "__main__":
    main()
