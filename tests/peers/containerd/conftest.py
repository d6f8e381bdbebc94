"""The network of the suite: a name server at the address of Azure's, and loopback. The version of containerd."""

import os
import re
import subprocess
import time

import pytest

from containerd import NAME_SERVER, NameServer, obstacle

began = time.monotonic()


@pytest.fixture(scope="session")
def names():
    why = obstacle()
    if why:
        pytest.skip(f"containerd cannot run here: {why}")
    subprocess.run(["ip", "address", "add", f"{NAME_SERVER}/32", "dev", "lo"], check=True)
    server = NameServer()
    yield server
    server.close()
    subprocess.run(["ip", "address", "del", f"{NAME_SERVER}/32", "dev", "lo"], check=True)


@pytest.fixture(scope="session")
def version():
    """Major and minor version of containerd."""
    program = os.path.join(os.environ["AKS_ACR_PEER_TOOLS"], "bin", "containerd")
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r" v(\d+\.\d+)\.", said)[1]


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"suite {time.monotonic() - began:.0f} s")
