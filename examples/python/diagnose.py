"""Six workloads do not run, each for another reason: finds out why, and carries out the next step of each.

`python diagnose.py` on the emulator; on Azure: `python diagnose.py --azure SUBSCRIPTION GROUP/CLUSTER NAMESPACE`.
"""

import sys
from pathlib import Path

from aks_acr_emulator import Emulator
from azure.identity import DefaultAzureCredential

from aks_acr import Client

MANIFESTS = Path(__file__).parents[1] / "incident.yaml"


def diagnose(client: Client, cluster: str, namespace: str) -> None:
    explanation = client.explain(cluster, namespace=namespace)
    print(explanation, "\n")  # a line for each cause, with the next step
    for group in explanation.groups:
        step = group.report.findings[0].next_step
        if step.operation:
            print(getattr(client, step.operation)(**step.arguments))
        else:
            print("by hand:", step)


def main() -> None:
    match sys.argv[1:]:
        case []:
            incident()
        case ["--azure", subscription, cluster, namespace]:
            with Client(DefaultAzureCredential(), subscription) as client:
                diagnose(client, cluster, namespace)
        case _:
            sys.exit("expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER NAMESPACE")


def incident() -> None:
    names = [f"{workload}registry" for workload in ("web", "api", "job", "cart", "shop", "mail")]
    registries = [{"group": "group", "name": name, "abac": name == "apiregistry", "sku": "Premium"} for name in names]
    with Emulator(scene={"clusters": [{"group": "group", "name": "dev"}], "registries": registries}) as azure:
        for name in names:
            azure.push_image(f"{name}.azurecr.io/app:v1")
        with Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            control_plane = client.identities("group/dev").control_plane[0]
            kubelet = azure.kubelet_object_id("group", "dev")
            azure.grant("AcrPull", azure.registry_id("group", "apiregistry"), principal=kubelet)
            azure.grant("AcrPull", azure.registry_id("group", "jobregistry"), principal=control_plane)
            client.apply("group/dev", MANIFESTS.read_text(encoding="utf-8"))
            azure.advance(30)
            client.attach("group/dev", "mailregistry")
            diagnose(client, "group/dev", "default")
            azure.advance(400)
            diagnose(client, "group/dev", "default")


if __name__ == "__main__":
    main()
