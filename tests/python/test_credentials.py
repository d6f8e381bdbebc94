"""Credentials of every form, the real ones of azure-identity among them."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import aiohttp
import azure.identity.aio
import pytest
from aks_acr_emulator import Emulator
from azure import identity
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
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


TOKEN = "/oauth2/v2.0/token"


def refusal(code):
    return {"error": "invalid_grant", "error_description": f"AADSTS{code}: no.", "error_codes": [code]}


def failing(make):
    """The error of a call whose credential is made so, in a blocking client."""
    with Emulator(scene=SCENE) as azure, blocking(azure, make(azure)) as client:
        with pytest.raises(aks_acr.AksAcrError) as caught:
            client.identities("group/dev")
    return caught.value


def failing_in_a_loop(make):
    """The same of a coroutine's credential. It keeps a session that only its own loop can close."""

    async def main():
        with Emulator(scene=SCENE) as azure:
            async with make(azure) as credential, awaiting(azure, credential) as client:
                with pytest.raises(aks_acr.AksAcrError) as caught:
                    await client.identities("group/dev")
        return caught.value

    return asyncio.run(main())


def raising(error):
    class Raising:
        def get_token(self, *scopes, **options):
            raise error

    return lambda azure: Raising()


@pytest.mark.parametrize("module", [identity, azure.identity.aio], ids=["plain", "coroutine"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 503, "body": {"error": "temporarily_unavailable"}}, aks_acr.UnavailableError),
        ({"status": 502, "page": True}, aks_acr.UnavailableError),
        ({"status": 200, "page": True}, aks_acr.UnavailableError),
        ({"reset": True}, aks_acr.UnavailableError),
        ({"status": 429, "body": {"error": "temporarily_throttled"}}, aks_acr.RateLimitedError),
        ({"status": 401, "body": refusal(7000215)}, aks_acr.UnauthenticatedError),
        ({"status": 400, "body": refusal(53003)}, aks_acr.UnauthenticatedError),
    ],
    ids=["503", "page", "network's sign-in page", "reset", "429", "secret", "conditional access"],
)
def test_what_azure_identity_raises_has_the_kind_of_its_cause(module, fault, kind):
    def make(azure):
        azure.fault(TOKEN, times=100, **fault)
        return secret(module, azure, retry_total=0)

    error = failing(make) if module is identity else failing_in_a_loop(make)
    assert type(error) is kind and error.is_transient == (kind is not aks_acr.UnauthenticatedError), error
    assert isinstance(error.__cause__, AzureError)
    assert error.refusal == ("conditional_access" if "53003" in str(fault) else None)


def test_azure_identity_without_a_network_is_not_taken_for_a_refusal():
    def make(azure):
        options = azure.identity_options() | {"authority": "https://127.0.0.1:1"}
        return identity.ClientSecretCredential(azure.tenant_id, azure.client_id, "x", retry_total=0, **options)

    error = failing(make)
    assert isinstance(error, aks_acr.UnavailableError) and error.is_transient, error


def response(status, headers):
    """The parts of azure-core's exceptions that are read."""
    return SimpleNamespace(status_code=status, reason="", headers=headers)


def timed_out():
    try:
        try:
            raise TimeoutError
        except TimeoutError:
            raise LookupError("the vault did not answer")
    except LookupError as error:
        return error


@pytest.mark.parametrize(
    ("error", "kind", "is_transient"),
    [
        (ServiceRequestError("x"), aks_acr.UnavailableError, True),
        (ServiceResponseTimeoutError("x"), aks_acr.UnavailableError, True),
        (HttpResponseError("x", response=response(500, {})), aks_acr.UnavailableError, True),
        (HttpResponseError("x", response=response(403, {"Content-Type": "text/html"})), aks_acr.UnavailableError, False),
        (HttpResponseError("x", response=response(403, {})), aks_acr.UnauthenticatedError, False),
        (ServiceRequestError("[SSL: CERTIFICATE_VERIFY_FAILED]"), aks_acr.UnavailableError, False),
        (identity.CredentialUnavailableError("nobody is signed in"), aks_acr.UnauthenticatedError, False),
        (ConnectionRefusedError(), aks_acr.UnavailableError, True),
        (socket.gaierror(-3, "no name"), aks_acr.UnavailableError, True),
        (aiohttp.ClientPayloadError(), aks_acr.UnavailableError, True),
        (timed_out(), aks_acr.UnavailableError, True),
        (FileNotFoundError("token"), aks_acr.UnauthenticatedError, False),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value) or type(value).__name__,
)
def test_what_another_credential_raises_has_the_kind_of_its_cause(error, kind, is_transient):
    raised = failing(raising(error))
    assert (type(raised), raised.is_transient) == (kind, is_transient), raised
    assert raised.__cause__ is error


def test_the_wait_that_a_credentials_response_asks_for_is_kept():
    error = HttpResponseError("slowly", response=response(429, {"Retry-After": "300"}))
    raised = failing(raising(error))
    assert isinstance(raised, aks_acr.RateLimitedError) and raised.__cause__ is error
    assert (raised.retry_after, raised.status) == (timedelta(seconds=300), 429)


def test_an_exception_that_cannot_be_read_is_the_cause_all_the_same():
    class Hostile(Exception):
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __str__(self):
            raise RuntimeError("no text")

    error = Hostile()
    error.__cause__ = error
    raised = failing(raising(error))
    assert isinstance(raised, aks_acr.UnauthenticatedError) and raised.__cause__ is error


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
