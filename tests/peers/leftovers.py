"""What a program that was killed has left in its temporary folder."""

import pathlib
import signal
import subprocess
import time


def left(folder):
    """Files below a folder, processes that run there, and mounts."""
    found = list(folder.iterdir())
    for entry in pathlib.Path("/proc").glob("[0-9]*/cwd"):
        try:
            if str(entry.readlink()).startswith(str(folder)):
                found.append(entry.parent)
        except OSError:
            pass
    mounts = pathlib.Path("/proc/self/mounts").read_text().splitlines()
    return found + [line for line in mounts if str(folder) in line]


def start(command, folder, environment, **streams):
    """Starts a program with a temporary folder of its own.

    It has a separate session: what is left must not depend on a terminal that kills the whole group. A shell without job control starts
    background programs, such as this suite, with SIGINT ignored, and a child would inherit that.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        env=environment | {"TMPDIR": str(folder)},
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        **streams,
    )


def nothing_is_left(starter, how, folder):
    """Ends the starter by this signal, and waits until its folder is empty."""
    starter.send_signal(how)
    try:
        starter.wait(30)
    finally:
        starter.kill()
    end = time.monotonic() + 30
    while left(folder):
        if time.monotonic() > end:
            raise TimeoutError(f"left after {how!r}: {left(folder)}")
        time.sleep(0.1)


def killed_when(starter, pattern, folder):
    """Kills the starter as soon as a file exists, which is before it is ready; nothing may be left."""
    try:
        while not list(folder.glob(pattern)):
            assert starter.poll() is None, f"it ended with {starter.returncode} before {pattern} existed"
            time.sleep(0.001)
        nothing_is_left(starter, signal.SIGKILL, folder)
    finally:
        starter.kill()
        starter.wait()
