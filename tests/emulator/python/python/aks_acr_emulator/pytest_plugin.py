"""The fixtures that pytest finds by itself once this package is installed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from aks_acr_emulator.emulator import Emulator

MARKER = "azure_emulator"


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", f"{MARKER}(scene=None, **options): what the fixture {MARKER} starts with")


@pytest.fixture
def azure_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A fresh emulator for this test, with what the marker ``azure_emulator`` says: ``@pytest.mark.azure_emulator(
    scene={"registries": [...]}, timing="typical")``. The nearest marker counts."""
    marker = request.node.get_closest_marker(MARKER)
    with Emulator(*marker.args, **marker.kwargs) if marker else Emulator() as azure:
        yield azure


@pytest.fixture
def start_azure_emulator() -> Iterator[Callable[..., Emulator]]:
    """Starts emulators with the arguments of :class:`~aks_acr_emulator.Emulator`, as many as a test wants; they stop with
    the test."""
    with ExitStack() as stack:

        def start(*args: object, **options: object) -> Emulator:
            return stack.enter_context(Emulator(*args, **options))  # type: ignore[arg-type]

        yield start
