"""Creates a cluster whose nodes can pull from the first minute: its kubelet identity is in an Entra group before it exists.

`python own_identity.py` on the emulator; on Azure, with a group and a registry that exist:
`python own_identity.py --azure SUBSCRIPTION RESOURCE_GROUP ENTRA_GROUP REGISTRY`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aks_acr_emulator import Emulator
from azure.identity import DefaultAzureCredential

from aks_acr import Client


def own_identity(client: Client, group: str, pullers: str, registry: str) -> None:
    # Needs read rights only, and writes nothing. Keep the plan: remove_kubelet_identity takes back what was created from it.
    plan = client.plan_kubelet_identity(group, "kubelet", entra_group=pullers, registries=[registry])
    print(f"plan\n{plan}")

    setup = client.apply_kubelet_identity(plan)
    print(f"setup\n{setup}")

    created = client.create_cluster(
        f"{group}/own",
        control_plane_identity=setup.control_plane.id,
        kubelet_identity=setup.kubelet.id,
    )
    print("cluster", created.cluster.id.rsplit("/", 1)[-1], "is", created.cluster.state)


def main() -> None:
    match sys.argv[1:]:
        case []:
            with on_emulator() as client:
                own_identity(client, "group", "acr-pullers", "myregistry")
        case ["--azure", subscription, group, pullers, registry]:
            with Client(DefaultAzureCredential(), subscription) as client:
                own_identity(client, group, pullers, registry)
        case _:
            sys.exit("expected no arguments, or --azure SUBSCRIPTION RESOURCE_GROUP ENTRA_GROUP REGISTRY")


@contextmanager
def on_emulator() -> Iterator[Client]:
    with Emulator(
        scene={
            "registries": [{"group": "group", "name": "myregistry"}],
            "entraGroups": [{"name": "acr-pullers"}],
            "owner": {"directory": True},
        }
    ) as azure:
        with Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            yield client


if __name__ == "__main__":
    main()
