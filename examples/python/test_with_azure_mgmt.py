"""A test of code that uses azure-mgmt-* and azure-identity, without an account and without aks-acr.

    pip install aks-acr-emulator pytest azure-identity azure-mgmt-containerregistry azure-mgmt-authorization
    pytest test_with_azure_mgmt.py
"""

import uuid

import pytest
from aks_acr_emulator import Emulator
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"


# The code under test: it takes its clients, and does not know where they lead.
def pull_for(clients: "Clients", registry: str, principal: str) -> str:
    scope = str(clients.registries.registries.get("group", registry).id)
    role = f"/subscriptions/{clients.subscription}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
    body = {"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}}
    return str(clients.roles.role_assignments.create(scope, str(uuid.uuid4()), body).name)


class Clients:
    def __init__(self, azure: Emulator, caller: str = "owner") -> None:
        credential = ClientSecretCredential(azure.tenant_id, *azure.client_of(caller), **azure.identity_options())
        self.subscription = azure.subscription_id
        self.registries = ContainerRegistryManagementClient(credential, azure.subscription_id, **azure.arm_options())
        self.roles = AuthorizationManagementClient(credential, azure.subscription_id, **azure.arm_options())


pytestmark = pytest.mark.azure_emulator(
    scene={
        "registries": [{"group": "group", "name": "myregistry"}],
        "clusters": [{"group": "group", "name": "dev"}],
        "callers": [{"name": "reader", "roles": [{"role": "Reader"}]}],
    }
)


def test_the_nodes_may_pull(azure_emulator: Emulator) -> None:
    kubelet = azure_emulator.kubelet_object_id("group", "dev")
    made = pull_for(Clients(azure_emulator), "myregistry", kubelet)
    assert made in [one["name"] for one in azure_emulator.state()["roleAssignments"]]


def test_a_reader_may_not_grant(azure_emulator: Emulator) -> None:
    with pytest.raises(HttpResponseError) as refused:
        pull_for(Clients(azure_emulator, "reader"), "myregistry", azure_emulator.object_id("reader"))
    assert refused.value.error is not None and refused.value.error.code == "AuthorizationFailed"
    assert azure_emulator.requests()[-1].caller == "reader"
