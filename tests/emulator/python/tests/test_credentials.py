"""Credentials: the emulator's own, and real ones of azure-identity."""

import asyncio
import pathlib

import azure.identity
import azure.identity.aio
import pytest
from aks_acr_emulator import Emulator, TokenError
from azure.core.exceptions import ClientAuthenticationError
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient as AioClient

MARKED = pytest.mark.azure_emulator({"registries": [{"group": "group", "name": "myregistry"}]})
ARM = "https://management.azure.com/.default"


def test_every_token_is_asked_for_anew_and_is_in_the_log(azure_emulator: Emulator) -> None:
    credential = azure_emulator.credential()
    token, info = credential.get_token(ARM, claims="{}", tenant_id="x", enable_cae=True), credential.get_token_info(ARM)
    assert token == (token.token, token.expires_on)
    assert (info.token_type, info.refresh_on) == ("Bearer", None)
    assert abs(info.expires_on - token.expires_on) <= 1
    assert [(one.service, one.caller) for one in azure_emulator.requests()] == [("entra", "owner")] * 2


def test_a_coroutine_gets_a_token_while_others_go_on(azure_emulator: Emulator) -> None:
    async def story() -> list[str]:
        done: list[str] = []

        async def token() -> None:
            async with azure_emulator.async_credential() as credential:
                await credential.get_token(ARM)
                await credential.get_token_info(ARM)
            done.append("token")

        async def other() -> None:
            while azure_emulator.mark() == 0:
                await asyncio.sleep(0)
            done.append("other")

        azure_emulator.fault("/oauth2/", delay_ms=100)
        await asyncio.gather(token(), other())
        return done

    assert asyncio.run(story()) == ["other", "token"]


def test_what_entra_refuses_is_told_in_its_words(azure_emulator: Emulator) -> None:
    with pytest.raises(TokenError, match="AADSTS500011"):
        azure_emulator.credential().get_token("https://nowhere.example/.default")
    azure_emulator.fault("/oauth2/", status=503)
    with pytest.raises(TokenError, match="503"):
        asyncio.run(azure_emulator.async_credential().get_token(ARM))
    with pytest.raises(ValueError):
        azure_emulator.credential().get_token()


@MARKED
def test_the_sdk_takes_the_emulators_credential(azure_emulator: Emulator) -> None:
    azure = azure_emulator
    client = ContainerRegistryManagementClient(azure.credential(), azure.subscription_id, **azure.arm_options())
    assert [registry.name for registry in client.registries.list()] == ["myregistry"]


@MARKED
def test_the_sdk_for_coroutines_takes_both(azure_emulator: Emulator) -> None:
    azure_, names = azure_emulator, []

    async def story() -> None:
        own = azure_.async_credential()
        real = azure.identity.aio.ClientSecretCredential(
            azure_.tenant_id, azure_.client_id, azure_.client_secret, **azure_.identity_options()
        )
        for credential in (own, real):
            async with credential, AioClient(credential, azure_.subscription_id, **azure_.arm_options()) as client:
                names.extend([registry.name async for registry in client.registries.list()])

    asyncio.run(story())
    assert names == ["myregistry"] * 2


@MARKED
def test_a_chain_of_real_credentials_signs_in(azure_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    azure_ = azure_emulator
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    credential = azure.identity.ChainedTokenCredential(
        azure.identity.EnvironmentCredential(),
        azure.identity.ClientSecretCredential(
            azure_.tenant_id, azure_.client_id, azure_.client_secret, **azure_.identity_options()
        ),
    )
    client = ContainerRegistryManagementClient(credential, azure_.subscription_id, **azure_.arm_options())
    assert client.registries.get("group", "myregistry").name == "myregistry"


def test_a_wrong_secret_is_refused_by_the_real_credential(azure_emulator: Emulator) -> None:
    azure_ = azure_emulator
    credential = azure.identity.ClientSecretCredential(
        azure_.tenant_id, azure_.client_id, "wrong", **azure_.identity_options()
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        credential.get_token(ARM)


@MARKED
def test_real_credentials_sign_in_by_an_assertion(azure_emulator: Emulator, tmp_path: pathlib.Path) -> None:
    azure_, options = azure_emulator, azure_emulator.identity_options()
    issuer, subject = "https://issuer.example", "system:serviceaccount:default:app"
    file = tmp_path / "token"
    file.write_text(azure_.federated_token(issuer, subject, life=600), encoding="utf-8")
    with pytest.raises(ClientAuthenticationError, match="AADSTS700211"):
        identity = azure.identity.ClientAssertionCredential(azure_.tenant_id, azure_.client_id, file.read_text, **options)
        identity.get_token(ARM)
    azure_.federate(issuer, subject)
    for credential in (
        azure.identity.ClientAssertionCredential(azure_.tenant_id, azure_.client_id, file.read_text, **options),
        azure.identity.WorkloadIdentityCredential(
            tenant_id=azure_.tenant_id, client_id=azure_.client_id, token_file_path=str(file), **options
        ),
    ):
        client = ContainerRegistryManagementClient(credential, azure_.subscription_id, **azure_.arm_options())
        assert client.registries.get("group", "myregistry").name == "myregistry"
    with pytest.raises(LookupError, match="nobody"):
        azure_.federate(issuer, subject, caller="nobody")
