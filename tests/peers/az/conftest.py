"""What the suite's tests start from: an emulator for each file, and az signed in to it."""

import pytest

from cli import Az
from emulator import running

LOCATION = "westeurope"
GROUP = "group"


@pytest.fixture(scope="module")
def azure():
    """An emulator of the file's own."""
    with running() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def az(azure):
    """az, signed in as the Owner to a cloud of its own, as `az cloud register` makes one."""
    az = Az(azure, "owner")
    az.register_cloud()
    az.sign_in()
    return az


@pytest.fixture(scope="module")
def public_az(azure):
    """az, signed in as the Owner to the public cloud, whose hosts answer through the proxy."""
    az = Az(azure, "public")
    az.sign_in()
    return az


@pytest.fixture(scope="module")
def group(az):
    """A resource group that az made."""
    az("group", "create", "-n", GROUP, "-l", LOCATION)
    return GROUP
