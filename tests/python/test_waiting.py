"""Waiting: Ctrl-C, cancellation, other threads, running loops, closed clients."""

import asyncio
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import awaiting, blocking, is_asked, until_asked, wait_until_asked

import aks_acr

LONG = 5_000
SOON = 0.1


def test_ctrl_c_ends_a_blocking_call_within_a_tenth_of_a_second(azure, client):
    client.registry("myregistry")
    azure.fault("/managedClusters/", delay_ms=LONG)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    rung = []

    def ring(number, frame):
        rung.append(time.monotonic())
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, ring)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.attach("group/dev", "myregistry")
    assert rung[0] - (begun + 0.2) < SOON
    assert time.monotonic() - rung[0] < SOON


def test_ctrl_c_in_a_callback_ends_the_call(client):
    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.attach("group/dev", "myregistry", on_progress=interrupt)


def test_other_threads_run_while_a_call_blocks(azure, client):
    azure.fault("/managedClusters/", delay_ms=500)
    ticks = []
    done = threading.Event()

    def tick():
        while not done.wait(0.005):
            ticks.append(1)

    thread = threading.Thread(target=tick)
    thread.start()
    client.identities("group/dev")
    done.set()
    thread.join()
    assert len(ticks) > 40


def test_one_client_serves_many_threads(azure, client):
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: client.registry("myregistry"), range(64)))
    assert len(found) == 64 and len(set(found)) == 1
    assert azure.summary().tokens == 1


def test_cancelling_a_task_drops_the_work(azure):
    azure.fault("/managedClusters/", delay_ms=300)

    async def main():
        async with awaiting(azure) as client:
            mark = azure.mark()
            task = asyncio.create_task(client.attach("group/dev", "myregistry"))
            await until_asked(azure, "/managedClusters/", mark)
            task.cancel()
            begun = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - begun < SOON
            # Longer than the answer takes, after which work that was not dropped would go on.
            await asyncio.sleep(0.5)

    asyncio.run(main())
    assert azure.summary().writes == 0


def test_a_timeout_of_asyncio_holds(azure):
    azure.fault("/managedClusters/", delay_ms=LONG)

    async def main():
        async with awaiting(azure) as client:
            await asyncio.wait_for(client.identities("group/dev"), 0.2)

    begun = time.monotonic()
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(main())
    assert time.monotonic() - begun < 2


def test_the_loop_turns_while_a_call_is_awaited(azure):
    azure.fault("/managedClusters/", delay_ms=300)

    async def main():
        async with awaiting(azure) as client:
            task = asyncio.create_task(client.identities("group/dev"))
            turns = 0
            while not task.done():
                await asyncio.sleep(0.005)
                turns += 1
            return turns

    assert asyncio.run(main()) > 20


def test_a_blocking_call_in_a_running_loop_says_what_to_use(client):
    async def main():
        client.registry("myregistry")

    with pytest.raises(RuntimeError, match=r"aks_acr\.aio\.Client"):
        asyncio.run(main())


def test_a_blocking_call_in_a_thread_of_a_loop_works(client):
    async def main():
        return await asyncio.to_thread(client.registry, "myregistry")

    assert asyncio.run(main()).login_server == "myregistry.azurecr.io"


def test_an_awaiting_client_serves_several_loops(azure):
    client = awaiting(azure)
    for _ in range(2):
        assert asyncio.run(client.registry("myregistry"))


def test_coroutines_are_real_and_lazy(azure):
    async def main():
        client = awaiting(azure)
        mark = azure.mark()
        call = client.identities("group/dev")
        assert asyncio.iscoroutine(call)
        # Another call is made from its beginning to its end meanwhile.
        assert await client.registry("myregistry")
        assert not is_asked(azure, "/managedClusters/", mark)
        assert await asyncio.create_task(call)

    asyncio.run(main())


def test_closing_cancels_what_is_under_way(azure):
    azure.fault("/managedClusters/", delay_ms=LONG)
    client = blocking(azure)
    with ThreadPoolExecutor(1) as pool:
        mark = azure.mark()
        call = pool.submit(client.identities, "group/dev")
        wait_until_asked(azure, "/managedClusters/", mark)
        client.close()
        begun = time.monotonic()
        with pytest.raises(aks_acr.CancelledError):
            call.result()
        assert time.monotonic() - begun < SOON


def test_a_closed_client_says_so(azure):
    with blocking(azure) as client:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        client.registry("myregistry")
    client.close()


def test_a_deadline_of_nothing_has_passed_and_an_infinite_one_is_none(azure, client):
    mark = azure.mark()
    with pytest.raises(aks_acr.DeadlineExceededError):
        client.identities("group/dev", deadline=0)
    assert azure.requests(since=mark) == []
    assert client.identities("group/dev", deadline=float("inf")).kubelet
    with pytest.raises(ValueError):
        client.identities("group/dev", deadline=-1)
