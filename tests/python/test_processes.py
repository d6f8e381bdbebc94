"""Memory over many calls, and processes that fork and spawn."""

import gc
import logging
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import blocking

import aks_acr

CALLS = 10_000


def resident():
    """Memory in use, in MB."""
    pages = int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


class Stub:
    """A token that is good for long, so that the emulator hears of nothing."""

    def get_token(self, *scopes, **options):
        return self

    token = "token"
    expires_on = 4_000_000_000


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_ten_thousand_calls_leave_memory_flat(caplog):
    # pytest keeps what is logged as an error.
    caplog.set_level(logging.CRITICAL, logger="aks_acr")
    # Nothing listens there: a call ends with an error, which holds the most.
    cloud = aks_acr.Cloud.custom("https://localhost:1", ".azurecr.io")

    def call(client, times):
        for _ in range(times):
            with pytest.raises(aks_acr.AksAcrError):
                client.registry("myregistry", deadline=0)
            with pytest.raises(aks_acr.InvalidInputError):
                client.attach("group/dev", "?")
        gc.collect()

    with aks_acr.Client(Stub(), "00000000-0000-0000-0000-000000000000", cloud=cloud) as client:
        call(client, CALLS // 5)
        before = resident()
        call(client, CALLS)
        assert resident() - before < 3


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_results_events_and_clients_leave_memory_flat(azure):
    def call(times):
        for _ in range(times):
            with blocking(azure) as client:
                client.attach("group/dev", "myregistry", on_progress=str)
                list(client.follow.registry("myregistry"))
        gc.collect()

    call(60)
    before = resident()
    call(60)
    # The emulator's own log grows in the same process.
    assert resident() - before < 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_client_from_before_a_fork_says_so_and_a_new_one_works(azure, client):
    client.registry("myregistry")
    credential = Stub()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        told = b"nothing"
        try:
            try:
                client.registry("myregistry")
            except RuntimeError as error:
                told = str(error).encode()
            fresh = aks_acr.Client(credential, azure.subscription_id, **azure.client_options())
            try:
                fresh.registry("myregistry", deadline=5)
            except aks_acr.AksAcrError as error:
                # The emulator lives in the parent, and did not make this token.
                told += b"|" + error.kind.encode()
            del fresh
            client.close()
        finally:
            os.write(write, told)
            os._exit(0)
    os.close(write)
    told = b""
    while part := os.read(read, 1000):
        told += part
    os.waitpid(child, 0)
    first, second = told.decode().split("|")
    assert "fork" in first and "spawn" in first
    assert second == "unauthenticated"
    assert client.registry("myregistry")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_run_from_before_a_fork_says_so(azure, client):
    azure.fault("/managedClusters/", delay_ms=1_000)
    run = client.follow.attach("group/dev", "myregistry")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for wait in (run.result, iter(run).__next__):
                try:
                    wait()
                except RuntimeError as error:
                    os.write(write, str(error).encode() + b"|")
            run.cancel()
            del wait, run
            os.write(write, b"cancelled")
        finally:
            os._exit(0)
    os.close(write)
    patience = threading.Timer(10, os.kill, (child, signal.SIGKILL))
    patience.start()
    told = b""
    while part := os.read(read, 1000):
        told += part
    patience.cancel()
    os.waitpid(child, 0)
    first, second, last = told.decode().split("|")
    assert first == second and "run was made before the process forked" in first and last == "cancelled"
    assert run.result().outcome.kind == "granted"


def pod_names(subscription, options, secret):
    """What a spawned worker does."""
    client = aks_acr.Client(FromSecret(*secret), subscription, **options)
    return client.attach("group/dev", "myregistry")


class FromSecret:
    """A credential that can be sent to another process."""

    def __init__(self, *secret):
        self.secret = secret

    def get_token(self, *scopes, **options):
        from azure.identity import ClientSecretCredential

        tenant, client, secret, more = self.secret
        return ClientSecretCredential(tenant, client, secret, **more).get_token(*scopes)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_results_and_errors_come_back_from_workers(azure, method):
    secret = (azure.tenant_id, azure.client_id, azure.client_secret, azure.identity_options())
    with multiprocessing.get_context(method).Pool(1) as pool:
        attachment = pool.apply(pod_names, (azure.subscription_id, azure.client_options(), secret))
        assert attachment.outcome.kind == "granted"
        with pytest.raises(aks_acr.InvalidInputError) as caught:
            pool.apply(pod_names, ("no id", azure.client_options(), secret))
        assert caught.value.kind == "invalid_input"


def test_a_failure_is_not_printed_unless_logging_is_configured(azure):
    program = (
        "import aks_acr, json, logging, sys\n"
        "class Refusing:\n"
        "    def get_token(self, *scopes, **options): raise LookupError('no')\n"
        "if len(sys.argv) > 1: logging.basicConfig()\n"
        "client = aks_acr.Client(Refusing(), '00000000-0000-0000-0000-000000000000')\n"
        "try: client.registry('myregistry')\n"
        "except aks_acr.UnauthenticatedError: print('caught')\n"
    )

    def run(*args):
        return subprocess.run([sys.executable, "-c", program, *args], capture_output=True, text=True, timeout=20, check=False)

    assert (run().stdout, run().stderr) == ("caught\n", "")
    assert "operation=" in run("configured").stderr


def test_a_program_ends_with_work_under_way():
    program = (
        "import aks_acr, threading\n"
        "class Slow:\n"
        "    def get_token(self, *scopes, **options): threading.Event().wait(0.3); raise LookupError\n"
        "client = aks_acr.Client(Slow(), '00000000-0000-0000-0000-000000000000')\n"
        "run = client.follow.registry('myregistry')\n"
        "print('done')\n"
    )
    begun = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
    assert time.monotonic() - begun < 5


BUSY = """
import os, signal, sys, threading
import aks_acr

# A process that is started in the background may ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# An end that takes its time, as that of a real program, and a thread that soon looks whether it may go on.
heap = [[] for _ in range(1_000_000)]
sys.setswitchinterval(0.0001)
begun = threading.Event()

def busy(*given, **options):
    begun.set()
    while True:
        pass

def interrupt():
    begun.wait()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
"""

BUSY_CREDENTIAL = """
class Credential:
    get_token = busy

try:
    aks_acr.Client(Credential(), "00000000-0000-0000-0000-000000000000").registry("myregistry")
except KeyboardInterrupt:
    sys.exit(1)
"""

BUSY_COROUTINE = BUSY_CREDENTIAL.replace("get_token = busy", "async def get_token(self, *scopes): busy()")

BUSY_HOOK = """
from aks_acr_emulator import Emulator

with Emulator(scene={"clusters": [{"group": "group", "name": "dev"}], "registries": [{"group": "group", "name": "myregistry"}]}) as azure:
    client = aks_acr.Client(azure.credential(), azure.subscription_id, on_write=busy, **azure.client_options())
    try:
        client.attach("group/dev", "myregistry")
    except KeyboardInterrupt:
        sys.exit(1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is a signal here")
@pytest.mark.parametrize("busy", [BUSY_CREDENTIAL, BUSY_COROUTINE, BUSY_HOOK], ids=["credential", "coroutine", "hook"])
def test_a_program_that_is_interrupted_while_its_own_code_is_busy_ends_as_it_says(busy):
    program = [sys.executable, "-c", BUSY + busy]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_the_module_is_imported_in_no_time():
    # Processor time, and not the clock's: other work on the machine is not ours to measure.
    program = "import time; begun = time.process_time(); import aks_acr; print(time.process_time() - begun)"
    times = [float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(7)]
    assert min(times) < 0.03, times
