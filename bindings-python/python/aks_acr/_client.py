"""The blocking client."""

from __future__ import annotations

from ._face import given
from ._native import Calls
from ._operations import Blocking, Followed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._native import _Hook, _SomeCloud, _SomeCredential


class Client(Blocking):
    """Joins registries and clusters of one Azure subscription, as one caller.

    A blocking call lets other threads run, and Ctrl-C stops it. Where coroutines run, use :class:`aks_acr.aio.Client`. One client may be
    used from any number of threads at the same time. To stop a call from another thread, make it by ``follow`` and call its
    ``cancel()``: ``result()`` then raises :class:`aks_acr.CancelledError`.

    Every operation takes ``deadline``, how long the whole call may take, in seconds or as a ``timedelta``. With 0 it has passed at
    once and no request is sent; ``float("inf")`` is none; what is negative raises ``InvalidInputError``. It is per call: a plan and its
    application have two. ``on_progress`` is called in the thread that made the call. What it raises is reported to
    ``sys.unraisablehook`` and the work goes on; ``KeyboardInterrupt`` and the like end the call.

    Args:
        credential: Any credential of azure-identity, or another object with ``get_token_info`` or ``get_token``; its methods may
            be coroutines. Without one, the default chain: a service principal of the environment (by secret or certificate), GitHub
            Actions, workload identity, Azure Pipelines, managed identity, az, azd; the first that is set up.
        subscription_id: The subscription in which names are looked up.
        cloud: ``public`` (the default), ``china``, ``us_government``, ``bleu``, or a :class:`Cloud`.
        proxy: Address of a proxy for all connections. Without one, ``HTTPS_PROXY`` and ``ALL_PROXY`` say; with either, ``NO_PROXY`` and
            this machine itself are reached directly. The default chain of credentials uses it; a credential that is given sends its
            requests in its own way.
        ca: Certificates to trust beside the system's, as PEM text, for the same connections. ``REQUESTS_CA_BUNDLE`` is not read.
        read_only: Whether nothing may be changed: a request that would is not sent, and its call raises ``ForbiddenError``. It is about
            Azure and Kubernetes: a kubeconfig may be had, an administrator's too, and merged into a file, and a missing pair of SSH
            keys is made before the cluster is refused.
        on_write: Is shown each :class:`aks_acr.Write` before it is sent. Where it raises, or returns ``False`` or an awaitable, it is not
            sent, and the call raises ``ForbiddenError``. It is called in a daemon thread, several at a time if several calls are
            made, and must answer at once: the work waits for it.
    """

    def __init__(
        self,
        credential: _SomeCredential | None,
        subscription_id: str,
        *,
        cloud: _SomeCloud | None = None,
        proxy: str | None = None,
        ca: str | None = None,
        read_only: bool = False,
        on_write: _Hook | None = None,
    ) -> None:
        self._calls = given(
            Calls, credential, subscription_id, cloud=cloud, proxy=proxy, ca=ca, read_only=read_only, on_write=on_write
        )
        self.follow = Follow(self._calls)
        """Every operation as a run whose events are iterated."""

    @property
    def subscription_id(self) -> str:
        """The subscription in which names are looked up."""
        return self._calls.subscription_id

    def close(self) -> None:
        """Cancels the calls that are under way, and lets go of connections and credential."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aks_acr.Client subscription_id={self._calls.subscription_id!r} cloud={self._calls.cloud!r}>"


class Follow(Followed):
    """Every operation of a client as a run: iterate it for its events, then ask for its ``result()``.

    The end of the events raises what ended the work, if it failed. Leaving them early cancels the work. A run may be cancelled, iterated
    and waited for in different threads; each event is given once.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
