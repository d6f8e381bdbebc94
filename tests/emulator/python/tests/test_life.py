"""An emulator's start and end, and what shares a process with it."""

import asyncio
import gc
import os
import stat
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from aks_acr_emulator import Emulator
from wire import REGISTRIES, Wire


def test_clients_come_by_the_origin_and_by_a_hosts_own_name() -> None:
    with Emulator(scene={"registries": [{"group": "group", "name": "myregistry"}]}) as azure:
        wire = Wire(azure)
        path = f"/subscriptions/{azure.subscription_id}/{REGISTRIES}"
        assert wire.arm("GET", path)[1]["value"][0]["id"] == azure.registry_id("group", "myregistry")
        assert wire.host("GET", "myregistry.azurecr.io", "/v2/") == 401
        with pytest.raises(OSError):
            wire.host("GET", "example.com", "/")


def test_the_certificates_file_is_its_owners_and_goes_with_the_emulator() -> None:
    with Emulator() as azure:
        file = Path(azure.ca_file)
        assert file.read_text() == azure.ca
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert not file.parent.exists()


def test_what_it_has_seen_can_be_read_after_its_end() -> None:
    with Emulator() as azure:
        credential = azure.credential()
        credential.get_token(f"{azure.origin}/.default")
    azure.stop()
    assert [request.service for request in azure.requests()] == ["entra"]
    assert azure.state()["tenant"] == azure.tenant_id
    with pytest.raises(Exception, match="stopped"):
        credential.get_token(f"{azure.origin}/.default")


def test_it_starts_once_and_says_so_where_it_has_not_started() -> None:
    azure = Emulator()
    with pytest.raises(RuntimeError, match="not started"):
        _ = azure.origin
    azure.stop()
    with azure, pytest.raises(RuntimeError, match="already started"):
        azure.start()


def test_it_is_a_context_manager_for_coroutines() -> None:
    async def story() -> str:
        async with Emulator() as azure:
            await azure.async_credential().get_token(f"{azure.origin}/.default")
            return azure.ca_file

    assert not Path(asyncio.run(story())).exists()


def test_two_in_one_process_are_two_azures() -> None:
    with Emulator(callers=[{"name": "ci", "roles": [{"role": "Reader"}]}]) as one, Emulator() as other:
        assert Wire(one, "ci").groups() == 200
        assert other.requests() == []
        with pytest.raises(LookupError):
            other.credential("ci")
        # Neither takes the other's certificate or the other's tokens.
        stranger = Wire(one)
        stranger.azure = other
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            stranger.groups()
        stranger.trust = Wire(other).trust
        assert stranger.groups() == 401


def test_threads_start_and_use_emulators_at_once() -> None:
    seen: list[int] = []

    def story() -> None:
        with Emulator() as azure:
            seen.append(Wire(azure).groups())

    threads = [threading.Thread(target=story) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_starts_its_own_and_leaves_the_parents_alone() -> None:
    with Emulator() as azure:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for use in (azure.state, lambda: azure.credential().get_token(f"{azure.origin}/.default")):
                    try:
                        use()
                        code = 2
                    except Exception as fault:
                        assert "fork" in str(fault)
                azure.stop()
                with Emulator() as own:
                    code = 0 if Wire(own).groups() == 200 and code == 1 else 3
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert Path(azure.ca_file).exists()
        assert Wire(azure).groups() == 200


@pytest.mark.parametrize(
    "end", ["", "raise SystemExit(0)", "del azure", "import os; os.kill(os.getpid(), 2)"], ids=["end", "exit", "del", "int"]
)
def test_a_process_that_forgets_to_stop_it_ends_and_leaves_no_file(end: str) -> None:
    story = f"""
from aks_acr_emulator import Emulator
azure = Emulator().start()
print(azure.ca_file, flush=True)
{end}
"""
    done = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.strip().endswith("ca.pem")
    assert not Path(done.stdout.strip()).exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no /proc")
def test_200_starts_leave_memory_and_file_descriptors_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    def held() -> tuple[int, int, int]:
        # What other tests have left.
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        threads = len(os.listdir("/proc/self/task"))
        return len(os.listdir("/proc/self/fd")), threads, pages * os.sysconf("SC_PAGE_SIZE") >> 10

    times: list[float] = []

    def start(number: int) -> None:
        for _ in range(number):
            begun = time.perf_counter()
            azure = Emulator().start()
            times.append((time.perf_counter() - begun) * 1000)
            Wire(azure).groups()
            azure.stop()

    start(50)
    files, threads, before = held()
    start(200)
    files_after, threads_after, after = held()
    with capsys.disabled():
        shown = f"median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms"
        print(f"\n  start: {shown}; memory after 50 starts {before} KiB, after 250 {after} KiB")
    assert (files_after, threads_after) == (files, threads)
    # A world is some 100 KiB: 200 of them kept would be seen.
    assert after - before < 8 * 1024


def test_it_shows_no_secret() -> None:
    with Emulator(callers=[{"name": "ci", "secret": "hush-hush"}]) as azure:
        token = azure.credential("ci").get_token_info(f"{azure.origin}/.default")
        shown = repr(azure) + repr(azure.credential("ci")) + repr(token) + repr(azure.requests()) + repr(azure.state())
        for secret in ("hush-hush", azure.client_secret, token.token):
            assert secret not in shown
