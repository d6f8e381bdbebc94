"""Tests your own program against the emulator: no account, no network, a separate emulated Azure.

`python emulate.py`, or `pytest emulate.py`. This example has no `--azure`: it is about tests.
"""

import asyncio

import pytest
from aks_acr_emulator import Emulator

import aks_acr
import aks_acr.aio


async def attach_all(client: aks_acr.aio.Client, clusters: list[str], registry: str) -> dict[str, str]:
    """The program: attaches many clusters at once."""
    attached = await asyncio.gather(*(client.attach(cluster, registry) for cluster in clusters))
    return {cluster: one.outcome.kind for cluster, one in zip(clusters, attached, strict=True)}


def scene(clusters: int) -> Emulator:
    return Emulator(
        scene={
            "clusters": [{"group": "group", "name": f"dev{number}"} for number in range(clusters)],
            "registries": [{"group": "group", "name": "myregistry"}],
            "callers": [{"name": "reader", "secret": "hush", "roles": [{"role": "Reader"}]}],
        }
    )


async def run(azure: Emulator, caller: str) -> dict[str, str]:
    credential = azure.async_credential(caller)
    async with aks_acr.aio.Client(credential, azure.subscription_id, **azure.client_options()) as client:
        return await attach_all(client, ["group/dev0", "group/dev1"], "myregistry")


def test_all_clusters_are_attached_at_once() -> None:
    with scene(clusters=2) as azure:
        assert asyncio.run(run(azure, "owner")) == {"group/dev0": "granted", "group/dev1": "granted"}
        assert (azure.summary().writes, azure.summary().tokens) == (2, 1)
        print(azure.summary())


def test_a_missing_permission_is_reported() -> None:
    with scene(clusters=2) as azure, pytest.raises(aks_acr.ForbiddenError) as refused:
        asyncio.run(run(azure, "reader"))
    assert refused.value.missing_action == "Microsoft.Authorization/roleAssignments/write"
    print(refused.value.missing_action, "is in", refused.value.smallest_role)


if __name__ == "__main__":
    test_all_clusters_are_attached_at_once()
    test_a_missing_permission_is_reported()
