"""No credential: core's default chain, which reads the environment."""

import asyncio

import aks_acr


def test_without_a_credential_the_environment_is_asked(azure, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", azure.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", azure.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", azure.client_secret)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.origin)
    with aks_acr.Client(None, azure.subscription_id, **azure.client_options()) as client:
        assert client.attach("group/dev", "myregistry").outcome.kind == "granted"

    async def main():
        async with aks_acr.aio.Client(None, azure.subscription_id, **azure.client_options()) as client:
            return await client.attach("group/dev", "myregistry")

    assert asyncio.run(main()).outcome.kind == "already_granted"
