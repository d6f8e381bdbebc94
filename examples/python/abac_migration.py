"""Moves a registry to repository permissions so that no principal loses access, and back.

`python abac_migration.py` on the emulator; on Azure, where it changes the registry:
`python abac_migration.py --azure SUBSCRIPTION REGISTRY`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aks_acr_emulator import Emulator
from azure.identity import DefaultAzureCredential

from aks_acr import Client, RoleAssignmentMode


def migrate(client: Client, registry: str, propagation_time: float | None = None) -> None:
    # Needs read rights only, and writes nothing. Keep the plan: it also undoes the change.
    plan = client.plan_mode_change(registry, RoleAssignmentMode.ABAC_REPOSITORY_PERMISSIONS)
    print(f"plan\n{plan}")
    if plan.lost:
        return  # To be decided by a person: allow_wider may keep it, accept_loss gives it up.

    change = client.apply_mode_change(plan, propagation_time=propagation_time)
    print(f"changed\n{change}")

    back = client.apply_mode_change(plan, reverse=True, propagation_time=propagation_time)
    print(f"and back\n{back}")


def main() -> None:
    match sys.argv[1:]:
        case []:
            with on_emulator() as client:
                migrate(client, "myregistry", propagation_time=0)  # On the emulator, a role is effective at once.
        case ["--azure", subscription, registry]:
            with Client(DefaultAzureCredential(), subscription) as client:
                migrate(client, registry)
        case _:
            sys.exit("expected no arguments, or --azure SUBSCRIPTION REGISTRY")


@contextmanager
def on_emulator() -> Iterator[Client]:
    scene = {
        "clusters": [{"group": "group", "name": "dev"}],
        "registries": [{"group": "group", "name": "myregistry"}],
    }
    with Emulator(scene=scene) as azure:
        with Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            client.attach("group/dev", "myregistry")
            yield client


if __name__ == "__main__":
    main()
