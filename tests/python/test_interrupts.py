"""Calls that are cancelled, and what ends more than a call: Ctrl-C and the like pass through, and nothing is left behind."""

import asyncio
import gc
import logging
import time
import warnings

import pytest
from conftest import awaiting, blocking

import aks_acr

INTERRUPTS = [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit]


class Waits:
    """A credential whose token never comes, and that says what became of the wait."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.ended = None

    async def get_token(self, *scopes, **options):
        self.begun.set()
        try:
            await asyncio.sleep(60)
        except BaseException as error:
            self.ended = type(error)
            await asyncio.sleep(0)
            self.ended = (type(error), "cleaned up")
            raise


def quietly(main, caplog):
    """Runs a coroutine. Neither asyncio nor Python may complain, for example about an exception that was never retrieved."""
    # What other tests left behind, such as an HTTP session of azure-identity, complains when it is collected: not in here.
    gc.collect()
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="asyncio"), warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        result = asyncio.run(main)
        gc.collect()
    assert [str(one.message) for one in complaints] == []
    assert [one.getMessage() for one in caplog.records if one.name == "asyncio" and one.levelno >= logging.WARNING] == []
    return result


def test_a_cancelled_call_cancels_the_credentials_coroutine(azure, caplog):
    async def main():
        credential = Waits()
        async with awaiting(azure, credential) as client:
            call = asyncio.create_task(client.attach("group/dev", "myregistry"))
            await credential.begun.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            # It has ended before the call does.
            assert credential.ended == (asyncio.CancelledError, "cleaned up")
            assert asyncio.all_tasks() == {asyncio.current_task()}

    quietly(main(), caplog)


@pytest.mark.parametrize("end", ["deadline", "close", "run"])
def test_whatever_ends_a_call_ends_the_credentials_coroutine(azure, caplog, end):
    async def main():
        credential = Waits()
        client = awaiting(azure, credential)
        if end == "run":
            call = client.follow.attach("group/dev", "myregistry")
            await credential.begun.wait()
            call.cancel()
            with pytest.raises(aks_acr.CancelledError):
                await call
        elif end == "close":
            call = asyncio.create_task(client.attach("group/dev", "myregistry"))
            await credential.begun.wait()
            await client.close()
            with pytest.raises(aks_acr.CancelledError):
                await call
        else:
            with pytest.raises(aks_acr.DeadlineExceededError):
                await client.attach("group/dev", "myregistry", deadline=0.2)
        until = time.monotonic() + 5
        while credential.ended is None or len(asyncio.all_tasks()) > 1:
            assert time.monotonic() < until, credential.ended
            await asyncio.sleep(0.01)
        assert credential.ended[0] is asyncio.CancelledError

    quietly(main(), caplog)


def test_a_blocking_call_ends_a_coroutine_credential_too(azure):
    ended = []

    class Slow:
        async def get_token(self, *scopes, **options):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.append(True)
                raise

    with blocking(azure, Slow()) as client:
        with pytest.raises(aks_acr.DeadlineExceededError):
            client.attach("group/dev", "myregistry", deadline=0.2)
        until = time.monotonic() + 5
        while not ended:
            assert time.monotonic() < until
            time.sleep(0.01)
        # The turn is free for the next one.
        with pytest.raises(aks_acr.DeadlineExceededError):
            client.attach("group/dev", "myregistry", deadline=0.2)


def test_a_cancelled_call_leaves_others_their_token(azure, caplog):
    class Slow:
        def __init__(self):
            self.begun = asyncio.Event()
            self.credential = azure.async_credential()

        async def get_token_info(self, *scopes, **options):
            self.begun.set()
            await asyncio.sleep(0.2)
            return await self.credential.get_token_info(*scopes)

    async def main():
        credential = Slow()
        async with awaiting(azure, credential) as client:
            first = asyncio.create_task(client.registry("myregistry"))
            await credential.begun.wait()
            second = asyncio.create_task(client.registry("myregistry"))
            await asyncio.sleep(0.05)
            first.cancel()
            assert (await second).login_server == "myregistry.azurecr.io"
            with pytest.raises(asyncio.CancelledError):
                await first

    quietly(main(), caplog)


def raising(error):
    class Plain:
        def get_token(self, *scopes, **options):
            raise error

    class Coroutine:
        async def get_token(self, *scopes, **options):
            raise error

    return {"plain": Plain(), "coroutine": Coroutine()}


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_an_interrupt_of_a_credential_passes_through(azure, interrupt, kind):
    error = interrupt("stop")
    begun = time.monotonic()
    with blocking(azure, raising(error)[kind]) as client, pytest.raises(interrupt) as caught:
        client.attach("group/dev", "myregistry")
    assert caught.value is error
    with blocking(azure, raising(error)[kind]) as client, pytest.raises(interrupt) as caught:
        client.import_images("myregistry", ["nginx", "hello-world"])
    assert caught.value is error
    # It is not tried again.
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_an_interrupt_of_a_credential_passes_through_a_coroutine(azure, interrupt, kind):
    error = interrupt("stop")

    async def main():
        async with awaiting(azure, raising(error)[kind]) as client:
            try:
                await client.attach("group/dev", "myregistry")
            except BaseException as raised:
                return raised

    raised = asyncio.run(main())
    # asyncio makes a cancellation anew where it is raised.
    assert raised is error or (interrupt is asyncio.CancelledError and isinstance(raised, interrupt)), repr(raised)


@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_an_interrupt_of_a_hook_passes_through_and_nothing_is_written(azure, interrupt):
    error = interrupt("stop")

    def hook(write):
        raise error

    mark = azure.mark()
    options = azure.client_options() | {"on_write": hook}
    with aks_acr.Client(azure.credential(), azure.subscription_id, **options) as client:
        with pytest.raises(interrupt) as caught:
            client.attach("group/dev", "myregistry")
    assert caught.value is error

    async def main():
        async with aks_acr.aio.Client(azure.async_credential(), azure.subscription_id, **options) as client:
            try:
                await client.attach("group/dev", "myregistry")
            except BaseException as raised:
                return raised

    assert isinstance(asyncio.run(main()), interrupt)
    assert azure.summary(since=mark).writes == 0


@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_an_interrupt_of_a_listener_passes_through(azure, client, interrupt):
    error = interrupt("stop")

    def listener(event):
        raise error

    with pytest.raises(interrupt) as caught:
        client.attach("group/dev", "myregistry", on_progress=listener)
    assert caught.value is error

    async def main():
        async with awaiting(azure) as client:
            try:
                await client.attach("group/dev", "myregistry", on_progress=listener)
            except BaseException as raised:
                return raised

    assert isinstance(asyncio.run(main()), interrupt)


def test_an_ordinary_exception_of_a_credential_is_still_a_cause(azure):
    with blocking(azure, raising(LookupError("closed"))["plain"]) as client:
        with pytest.raises(aks_acr.UnauthenticatedError) as caught:
            client.registry("myregistry")
    assert isinstance(caught.value.__cause__, LookupError)
