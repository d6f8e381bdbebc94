"""Credentials of every form, the real ones of azure-identity among them."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import azure.identity.aio
import pytest
from aks_acr_emulator import Emulator
from azure import identity
from azure.core.exceptions import ClientAuthenticationError
from conftest import SCENE, awaiting, blocking

import aks_acr


class OnlyGetToken:
    """A credential in azure-core's older form."""

    def __init__(self, azure):
        self.credential = azure.credential()

    def get_token(self, *scopes, **options):
        return self.credential.get_token(*scopes)


class OnlyGetTokenAsync(OnlyGetToken):
    async def get_token(self, *scopes, **options):
        await asyncio.sleep(0)
        return self.credential.get_token(*scopes)


class Broken:
    def get_token(self, *scopes, **options):
        raise LookupError("the vault is closed")


class BrokenAsync:
    async def get_token_info(self, *scopes, **options):
        raise LookupError("the vault is closed")


class NoToken:
    def get_token(self, *scopes, **options):
        return None


KINDS = {
    "get_token_info": lambda azure: azure.credential(),
    "get_token_info, coroutine": lambda azure: azure.async_credential(),
    "get_token": OnlyGetToken,
    "get_token, coroutine": OnlyGetTokenAsync,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_blocking_client_takes_any_credential(azure, kind):
    with blocking(azure, KINDS[kind](azure)) as client:
        client.attach("group/dev", "myregistry")
        # A second audience, and so a second token.
        client.import_image("myregistry", "nginx", target="nginx:v1")


@pytest.mark.parametrize("kind", KINDS)
def test_an_awaiting_client_takes_any_credential(azure, kind):
    async def main():
        async with awaiting(azure, KINDS[kind](azure)) as client:
            await client.attach("group/dev", "myregistry")
            await client.pods("group/dev")

    asyncio.run(main())


def secret(module, azure, **more):
    return module.ClientSecretCredential(
        azure.tenant_id, azure.client_id, azure.client_secret, **azure.identity_options(), **more
    )


def chained(module, azure):
    return module.ChainedTokenCredential(module.EnvironmentCredential(), secret(module, azure))


@pytest.mark.parametrize("make", [secret, chained])
def test_credentials_of_azure_identity_work_in_a_blocking_client(azure, make):
    with make(identity, azure) as credential, blocking(azure, credential) as client:
        assert client.attach("group/dev", "myregistry").outcome.kind == "granted"


@pytest.mark.parametrize("make", [secret, chained])
def test_coroutine_credentials_of_azure_identity_work_in_both_clients(azure, make):
    async def main():
        async with make(identity.aio, azure) as credential, awaiting(azure, credential) as client:
            assert (await client.attach("group/dev", "myregistry")).outcome.kind == "granted"
            # The second audience's token comes over the same session.
            assert (await client.import_image("myregistry", "nginx")).is_new

    asyncio.run(main())
    with blocking(azure, make(identity.aio, azure)) as client:
        assert client.attach("group/dev", "myregistry").outcome.kind == "already_granted"
        assert not client.import_image("myregistry", "nginx").is_new


def asserting(module, azure, file):
    return module.ClientAssertionCredential(
        azure.tenant_id, azure.client_id, lambda: file.read_text(encoding="utf-8"), **azure.identity_options()
    )


def workload(module, azure, file):
    return module.WorkloadIdentityCredential(
        tenant_id=azure.tenant_id, client_id=azure.client_id, token_file_path=str(file), **azure.identity_options()
    )


@pytest.mark.parametrize("make", [asserting, workload])
def test_an_assertion_of_a_trusted_issuer_signs_in(azure, tmp_path, make):
    issuer, subject, file = "https://issuer.example", "system:serviceaccount:default:app", tmp_path / "token"
    file.write_text(azure.federated_token(issuer, subject), encoding="utf-8")
    with make(identity, azure, file) as credential, blocking(azure, credential) as client:
        with pytest.raises(aks_acr.UnauthenticatedError, match="AADSTS700211") as caught:
            client.attach("group/dev", "myregistry")
        assert isinstance(caught.value.__cause__, ClientAuthenticationError)
        azure.federate(issuer, subject)
        assert client.attach("group/dev", "myregistry").outcome.kind == "granted"

    async def main():
        async with make(identity.aio, azure, file) as credential, awaiting(azure, credential) as client:
            return await client.attach("group/dev", "myregistry")

    assert asyncio.run(main()).outcome.kind == "already_granted"


def test_an_assertion_that_is_over_signs_nobody_in(azure, tmp_path):
    issuer, subject, file = "https://issuer.example", "run", tmp_path / "token"
    azure.federate(issuer, subject)
    file.write_text(azure.federated_token(issuer, subject, life=60), encoding="utf-8")
    azure.advance(120)
    with blocking(azure, asserting(identity, azure, file)) as client:
        with pytest.raises(aks_acr.UnauthenticatedError, match="AADSTS700024"):
            client.registry("myregistry")


@pytest.mark.parametrize("credential", [Broken(), BrokenAsync()], ids=["plain", "coroutine"])
def test_what_a_credential_raises_is_the_cause(azure, credential):
    with blocking(azure, credential) as client, pytest.raises(aks_acr.UnauthenticatedError) as caught:
        client.attach("group/dev", "myregistry")
    assert isinstance(caught.value.__cause__, LookupError) and "vault is closed" in str(caught.value.__cause__)

    async def main():
        async with awaiting(azure, credential) as client:
            await client.attach("group/dev", "myregistry")

    with pytest.raises(aks_acr.UnauthenticatedError) as caught:
        asyncio.run(main())
    assert isinstance(caught.value.__cause__, LookupError)


def test_what_is_no_token_is_an_error(azure):
    with blocking(azure, NoToken()) as client, pytest.raises(aks_acr.UnauthenticatedError) as caught:
        client.attach("group/dev", "myregistry")
    assert isinstance(caught.value.__cause__, AttributeError)


class Ends:
    """A token whose end is as given."""

    token = "token"

    def __init__(self, expires_on):
        self.expires_on = expires_on

    def get_token(self, *scopes, **options):
        return self


@pytest.mark.parametrize(
    "end", [time.time() * 1000, 1e300, 10**400, float("inf"), float("nan"), -5, None, "5"], ids=lambda end: str(end)[:9]
)
def test_a_token_whose_end_is_none_is_an_error_that_names_it(azure, end):
    with blocking(azure, Ends(end)) as client, pytest.raises(aks_acr.UnauthenticatedError) as caught:
        client.registry("myregistry")
    assert isinstance(caught.value.__cause__, (TypeError, ValueError)) and "expires_on" in str(caught.value.__cause__)


def test_threads_that_wait_for_a_coroutines_token_take_turns(azure):
    under_way = []

    class Slow:
        async def get_token(self, *scopes, **options):
            under_way.append(asyncio.get_running_loop())
            await asyncio.sleep(0.1)
            assert len(under_way) == 1
            under_way.clear()
            raise LookupError("the vault is closed")

    with blocking(azure, Slow()) as client, ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(client.registry, "myregistry") for _ in range(4)]
        for call in calls:
            assert isinstance(call.exception(timeout=20).__cause__, LookupError)


def test_sixty_four_calls_at_once_share_one_token():
    async def main(azure):
        async with awaiting(azure) as client:
            mark = azure.mark()
            await asyncio.gather(*(client.registry("myregistry") for _ in range(64)))
            return azure.summary(since=mark)

    with Emulator(scene=SCENE) as azure:
        azure.timing(latency=0.02)
        begun = time.monotonic()
        summary = asyncio.run(main(azure))
        assert (summary.count, summary.tokens) == (64, 1)
        assert time.monotonic() - begun < 10
