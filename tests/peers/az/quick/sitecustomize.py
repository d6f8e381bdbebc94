"""Lets a Python program sleep without waiting, and notes for how long it wanted to."""

import os
import threading
import time

_sleep = time.sleep
_note = threading.Lock()


def _noted(seconds):
    with _note, open(os.environ["AKS_ACR_PEER_SLEPT"], "a", encoding="ascii") as notes:
        notes.write(f"{seconds}\n")
    # Not nothing at all: some loop may wait for another thread.
    _sleep(0.001)


if "AKS_ACR_PEER_SLEPT" in os.environ:
    time.sleep = _noted
