"""What the suite's tests start from: an emulator for each file, and az signed in to it."""

import pathlib

import pytest

from cli import Az
from emulator import running

SCENE = pathlib.Path(__file__).resolve().parent / "scene.yaml"
SECRETS = {
    "reader": "reads-all-changes-nothing",
    "contributor": "changes-all-grants-nothing",
    "landlord": "owns-all-finds-nobody",
}
LOCATION = "westeurope"
GROUP = "group"


@pytest.fixture(scope="module")
def azure():
    """An emulator of the file's own."""
    with running("--seed", SCENE) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def az(azure):
    """az, signed in as the Owner to its own cloud, as `az cloud register` makes one."""
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


@pytest.fixture(scope="module")
def reader(azure, az):
    """az of a caller that may read everything in the subscription and change nothing."""
    return signed_in(azure, "reader")


@pytest.fixture(scope="module")
def contributor(azure, az):
    """az of a caller that may change everything in the subscription except role assignments."""
    return signed_in(azure, "contributor")


@pytest.fixture(scope="module")
def landlord(azure, az):
    """az of a second Owner, who may not use the directory."""
    return signed_in(azure, "landlord")


def signed_in(azure, name):
    az = Az(azure, name)
    az.register_cloud()
    az.sign_in(azure.principal(name)["clientId"], SECRETS[name])
    return az
