"""Progress by callback and by iteration, and records in logging."""

import asyncio
import gc
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import awaiting, until_asked

import aks_acr
from aks_acr import Event


def wait_until(met, patience=5.0):
    pause = threading.Event()
    while not met() and patience > 0:
        pause.wait(0.02)
        patience -= 0.02
    assert met()


def test_a_callback_hears_every_event_in_the_callers_thread(client):
    heard = []
    client.import_image("myregistry", "nginx", on_progress=lambda event: heard.append((event, threading.get_ident())))
    assert [event.kind for event, _ in heard] == ["started", "finished"]
    assert {thread for _, thread in heard} == {threading.get_ident()}
    assert str(heard[0][0]).startswith("importing docker.io/library/nginx:latest")


def test_a_callback_of_a_coroutine_is_called_in_the_loops_thread_before_the_end(azure):
    async def main():
        heard = []
        async with awaiting(azure) as client:
            listen = lambda event: heard.append((event.kind, threading.get_ident()))  # noqa: E731
            await client.import_image("myregistry", "nginx", on_progress=listen)
            return list(heard)

    me = threading.get_ident()
    assert asyncio.run(main()) == [("started", me), ("finished", me)]


def test_what_a_callback_raises_is_reported_and_does_not_end_the_work(client, monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: reported.append(what.exc_type))
    client.attach("group/dev", "myregistry", on_progress=lambda event: 1 / 0)
    assert set(reported) == {ZeroDivisionError}


def test_a_callback_may_make_calls_itself(client):
    found = []
    client.attach("group/dev", "myregistry", on_progress=lambda event: found.append(client.registry("myregistry")))
    assert found[0].login_server == "myregistry.azurecr.io"


def test_a_run_is_iterated_and_then_gives_its_result(client):
    run = client.follow.attach("group/dev", "myregistry")
    assert isinstance(run, aks_acr.Run)
    under_way, done = set(), []
    for event in run:
        match event:
            case Event.Started(step):
                under_way.add(step)
            case Event.Finished(step):
                under_way.remove(step)
                done.append(step)
            case _:
                pytest.fail(str(event))
    assert not under_way and len(done) == 2 and done[-1].startswith("granting AcrPull to ")
    assert run.result().outcome.kind == "granted"
    assert list(run) == []
    assert run.result() == run.result()


def test_a_run_that_nobody_iterates_gives_its_result(client):
    assert client.follow.attach("group/dev", "myregistry").result().outcome.kind == "granted"


def test_a_run_gives_its_result_in_every_thread_that_waits_for_it(azure, client):
    azure.fault("/managedClusters/", delay_ms=300)
    run = client.follow.attach("group/dev", "myregistry")
    begun = threading.Barrier(6)

    def wait(what):
        begun.wait()
        return what(run)

    with ThreadPoolExecutor(6) as pool:
        results = [pool.submit(wait, aks_acr.Run.result) for _ in range(3)]
        events = [pool.submit(wait, list) for _ in range(3)]
    assert {result.result().outcome.kind for result in results} == {"granted"}
    assert all(isinstance(heard.result(), list) for heard in events)


def test_the_end_of_the_events_raises_what_ended_the_work(client):
    run = client.follow.import_image("myregistry", "absent:1")
    with pytest.raises(aks_acr.NotFoundError):
        list(run)
    with pytest.raises(aks_acr.NotFoundError):
        run.result()


def test_leaving_the_events_early_cancels_the_work(azure, client):
    azure.fault("/managedClusters/", delay_ms=300)
    run = client.follow.attach("group/dev", "myregistry")
    for _ in run:
        break
    with pytest.raises(aks_acr.CancelledError):
        run.result()
    assert azure.summary().writes == 0


def test_a_run_that_is_let_go_is_cancelled(azure, client):
    azure.fault("/managedClusters/", delay_ms=300)
    client.follow.attach("group/dev", "myregistry")
    gc.collect()
    threading.Event().wait(0.6)
    assert azure.summary().writes == 0


def test_a_run_can_be_cancelled(azure, client):
    azure.fault("/managedClusters/", delay_ms=5_000)
    run = client.follow.attach("group/dev", "myregistry")
    next(iter_ := iter(run))
    run.cancel()
    with pytest.raises(aks_acr.CancelledError):
        list(iter_)


def test_a_run_takes_no_callback(client):
    with pytest.raises(TypeError, match="iterate the run"):
        client.follow.attach("group/dev", "myregistry", on_progress=print)


def test_coroutines_follow_by_async_for(azure):
    async def main():
        async with awaiting(azure) as client:
            run = client.follow.import_image("myregistry", "nginx")
            assert isinstance(run, aks_acr.aio.Run)
            kinds = [event.kind async for event in run]
            assert kinds == ["started", "finished"]
            assert (await run).is_new and (await run).is_new
            run = client.follow.import_image("myregistry", "absent:1")
            with pytest.raises(aks_acr.NotFoundError):
                async for _ in run:
                    pass

    asyncio.run(main())


def test_leaving_async_for_early_cancels_the_work(azure):
    async def main():
        async with awaiting(azure) as client:
            azure.fault("/managedClusters/", delay_ms=300)
            run = client.follow.attach("group/dev", "myregistry")
            async for _ in run:
                break
            with pytest.raises(aks_acr.CancelledError):
                await run

    asyncio.run(main())
    assert azure.summary().writes == 0


def test_cancelling_who_awaits_a_run_cancels_the_work(azure):
    async def main():
        async with awaiting(azure) as client:
            azure.fault("/managedClusters/", delay_ms=300)
            mark = azure.mark()
            waiting = asyncio.ensure_future(client.follow.attach("group/dev", "myregistry"))
            await until_asked(azure, "/managedClusters/", mark)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # Longer than the answer takes, after which work that was not dropped would go on.
            await asyncio.sleep(0.5)

    asyncio.run(main())
    assert azure.summary().writes == 0


def test_records_go_to_loggers_named_after_the_part_that_speaks(client, caplog):
    with caplog.at_level(logging.DEBUG, logger="aks_acr"):
        client.registry("myregistry")
    wait_until(lambda: any(record.name == "aks_acr.http" for record in caplog.records))
    assert all(record.name.startswith("aks_acr") for record in caplog.records)
    assert any("status=200" in record.getMessage() for record in caplog.records)
    assert not any("Bearer" in record.getMessage() for record in caplog.records)


def test_levels_are_respected_as_soon_as_they_change(client, caplog):
    with caplog.at_level(logging.WARNING, logger="aks_acr"):
        client.registry("myregistry")
        assert [record for record in caplog.records if record.name.startswith("aks_acr")] == []
    with caplog.at_level(logging.DEBUG, logger="aks_acr.http"):
        client.registry("myregistry")
    wait_until(lambda: caplog.records)


def test_a_run_may_be_cancelled_from_another_thread_while_one_waits_for_it(azure, client):
    azure.fault("/managedClusters/", delay_ms=5_000)
    run = client.follow.identities("group/dev")
    timer = threading.Timer(0.1, run.cancel)
    timer.start()
    with pytest.raises(aks_acr.CancelledError):
        run.result()
    timer.join()
    run.cancel()


def test_an_asynchronous_run_that_was_cancelled_raises_ours_and_not_asyncios(azure):
    azure.fault("/managedClusters/", delay_ms=5_000)

    async def main():
        async with awaiting(azure) as client:
            run = client.follow.identities("group/dev")
            asyncio.get_running_loop().call_later(0.1, run.cancel)
            with pytest.raises(aks_acr.CancelledError):
                await run

    asyncio.run(main())
