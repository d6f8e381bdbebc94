"""The same client for coroutines."""

from __future__ import annotations

from ._face import Connected
from ._native import AsyncRun as Run
from ._operations import Awaitable, FollowedAsync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Client", "Follow", "Run"]


class Client(Awaitable, Connected):
    """Attaches registries to clusters in one Azure subscription, with one credential; every operation is a coroutine.

    Cancelling the task that awaits a call stops the call, not an operation that Azure has started. A credential whose
    methods are coroutines is awaited in the call's event loop: like every async credential from azure-identity, it belongs to one
    loop. One client may be used in any number of loops.

    Every operation takes ``deadline``, as in :class:`aks_acr.Client`. ``on_progress`` is a plain function, called in the
    call's event loop through ``call_soon_threadsafe``; an exception in it goes to the loop's exception handler, and the call
    continues.

    Args:
        credential: Any credential from azure-identity, whether from ``azure.identity`` or ``azure.identity.aio``, or another object with
            ``get_token_info`` or ``get_token``. ``None``: the default chain, as in :class:`aks_acr.Client`.
        subscription_id, cloud, proxy, ca, read_only: As in :class:`aks_acr.Client`.
        on_write: As in :class:`aks_acr.Client`; it is never called in the loop's thread.
    """

    @property
    def follow(self) -> Follow:
        """Every operation as a run whose events are iterated with ``async for``."""
        return Follow(self._calls)

    async def close(self) -> None:
        """Cancels running calls, and releases its connections and the credential."""
        self._calls.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.close()


class Follow(FollowedAsync):
    """Every operation of a client as a run: iterate it with ``async for`` for its events, then await it for its result.

    After the last event, iteration raises the error if the call failed. Leaving the iteration early cancels the call.
    """
