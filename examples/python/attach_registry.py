"""Gives a cluster access to a registry: reads the state, then writes at most once.

`python attach_registry.py` on the emulator; on Azure, with resources that exist:
`python attach_registry.py --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aks_acr_emulator import Emulator
from azure.identity import DefaultAzureCredential

from aks_acr import AttachOutcome, Client


def attach_registry(client: Client, cluster: str, registry: str) -> None:
    # Needs read rights only, and writes nothing.
    plan = client.plan_attach(cluster, registry)
    print("plan   ", plan)

    attachment = client.apply_attach(plan)
    print("attach ", f"{attachment.outcome.kind}: {attachment.role} for {attachment.principal_id}")
    for warning in attachment.warnings:
        print(warning)  # what keeps pods from pulling although the role is assigned

    # Everything can be run twice.
    again = client.attach(cluster, registry)
    match again.outcome:
        case AttachOutcome.Inherited(from_=scope):
            print("again  ", "inherited from", scope)
        case outcome:
            print("again  ", outcome.kind)


def main() -> None:
    match sys.argv[1:]:
        case []:
            with on_emulator() as client:
                attach_registry(client, "group/dev", "myregistry")
        case ["--azure", subscription, cluster, registry]:
            with Client(DefaultAzureCredential(), subscription) as client:
                attach_registry(client, cluster, registry)
        case _:
            sys.exit("expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER REGISTRY")


@contextmanager
def on_emulator() -> Iterator[Client]:
    cluster, registry = {"group": "group", "name": "dev"}, {"group": "group", "name": "myregistry"}
    with Emulator(scene={"clusters": [cluster], "registries": [registry]}) as azure:
        with Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            yield client


if __name__ == "__main__":
    main()
