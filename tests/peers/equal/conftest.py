"""What the suite's tests start from: an emulator with a cluster."""

import pytest

from emulator import running
from walk import prepare


@pytest.fixture
def azure():
    with running() as emulator:
        prepare(emulator)
        yield emulator
