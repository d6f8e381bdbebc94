"""What a type checker has to make of the package. Nothing here is run."""

from typing import assert_type

from aks_acr_emulator import ClientOptions, Emulator, Request, Scene, Summary
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.identity import ClientSecretCredential
from azure.mgmt.containerregistry import ContainerRegistryManagementClient

scene: Scene = {"registries": [{"group": "group", "name": "myregistry", "abac": True}]}
azure = Emulator(scene, timing="typical", clock=60, latency_ms=5, node=False, callers=[{"name": "ci"}])
assert_type(azure.start(), Emulator)
assert_type(azure.requests(since=azure.mark()), list[Request])
assert_type(azure.summary(), Summary)
assert_type(azure.client_options(), ClientOptions)

token: TokenCredential = azure.credential()
info: SupportsTokenInfo = azure.credential()
async_token: AsyncTokenCredential = azure.async_credential()
async_info: AsyncSupportsTokenInfo = azure.async_credential()
ContainerRegistryManagementClient(azure.credential(), azure.subscription_id, **azure.arm_options())
ClientSecretCredential(azure.tenant_id, *azure.client_of("ci"), **azure.identity_options())

wrong: Scene = {"registrys": []}  # type: ignore[typeddict-unknown-key]
Emulator(timing="slow")  # type: ignore[arg-type]
azure.timing("typical", propagatoin=3)  # type: ignore[call-arg]
