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


def test_the_default_chain_takes_a_workloads_identity(azure, monkeypatch, tmp_path):
    issuer, subject, file = "https://issuer.example", "system:serviceaccount:default:app", tmp_path / "token"
    azure.federate(issuer, subject)
    file.write_text(azure.federated_token(issuer, subject), encoding="utf-8")
    monkeypatch.setenv("AZURE_TENANT_ID", azure.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", azure.client_id)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))
    options = azure.client_options()
    # The authority of a custom cloud goes before the environment's.
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.invalid")
    options["cloud"] = {**options["cloud"], "authority": azure.origin}
    with aks_acr.Client(None, azure.subscription_id, **options) as client:
        assert client.attach("group/dev", "myregistry").outcome.kind == "granted"
