"""The blocking client."""

from __future__ import annotations

from ._face import Connected
from ._operations import Blocking, Followed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Client(Blocking, Connected):
    """Attaches registries to clusters in one Azure subscription, with one credential.

    A blocking call lets other threads run, and Ctrl-C stops it. In asyncio code, use :class:`aks_acr.aio.Client`. One
    client may be used from any number of threads at the same time. To stop a call from another thread, make it with
    ``follow`` and call its ``cancel()``: ``result()`` then raises :class:`aks_acr.CancelledError`.

    Every operation takes ``deadline``, how long the whole call may take, in seconds or as a ``timedelta``. 0 sends no
    request; ``float("inf")`` means no deadline; a negative value raises ``InvalidInputError``. ``on_progress`` is
    called in the thread that made the call. An exception in it is reported to ``sys.unraisablehook`` and the call
    continues; ``KeyboardInterrupt`` and the like end the call.

    Args:
        credential: Any credential from azure-identity, or another object with ``get_token_info`` or ``get_token``; its
            methods may be coroutines. ``None``: the default chain, which uses the first of these that is configured: service principal in
            the environment (secret or certificate), GitHub Actions, workload identity, Azure Pipelines,
            managed identity, az, azd.
        subscription_id: The subscription in which names are looked up.
        cloud: ``public`` (the default), ``china``, ``us_government``, ``bleu``, or a :class:`Cloud`.
        proxy: Address of a proxy for all connections. By default ``HTTPS_PROXY`` or ``ALL_PROXY``; hosts in
            ``NO_PROXY`` and this machine are always reached directly. A credential that you pass does not use it.
        ca: Certificates to trust in addition to the system's, as PEM text, for the same connections.
            ``REQUESTS_CA_BUNDLE`` is not read.
        read_only: Whether the client refuses to change anything: a write is not sent, and its call raises
            ``ForbiddenError``. This covers Azure and Kubernetes only: a kubeconfig can still be read, even an
            administrator's, and merged into a file. No SSH key is generated.
        on_write: Called with each :class:`aks_acr.Write` before it is sent. If it raises, or returns ``False`` or an
            awaitable, the write is not sent, and the call raises ``ForbiddenError``. It is called in a daemon thread,
            concurrently if several calls are running, and must return quickly: the call waits for it.
    """

    @property
    def follow(self) -> Follow:
        """Every operation as a run whose events are iterated."""
        return Follow(self._calls)

    def close(self) -> None:
        """Cancels running calls, and releases its connections and the credential."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Follow(Followed):
    """Every operation of a client as a run: iterate it for its events, then call ``result()``.

    After the last event, iteration raises the error if the call failed. Leaving the iteration early cancels the call. A
    run may be cancelled, iterated and waited for in different threads; each event is delivered only once.
    """
