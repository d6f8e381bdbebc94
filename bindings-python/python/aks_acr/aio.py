"""The same client for coroutines."""

from __future__ import annotations

from ._face import given
from ._native import AsyncRun as Run, Calls
from ._operations import Awaitable, FollowedAsync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._native import _Hook, _SomeCloud, _SomeCredential

__all__ = ["Client", "Follow", "Run"]


class Client(Awaitable):
    """Joins registries and clusters of one Azure subscription, as one caller; every operation is a coroutine.

    Cancelling the task that awaits a call stops the work, not what Azure has begun. A credential whose methods are coroutines is
    awaited in the loop of the call: as all of azure-identity's, it belongs to one loop. One client may be used in any number of loops.

    Every operation takes ``deadline``, how long the whole call may take, in seconds or as a ``timedelta``. With 0 it has passed at
    once and no request is sent; ``float("inf")`` is none; what is negative raises ``InvalidInputError``. It is per call: a plan and its
    application have two. ``on_progress`` is a plain function, called in the loop of the call by ``call_soon_threadsafe``; what it
    raises goes to the loop's exception handler, and the work goes on.

    Args:
        credential: Any credential of azure-identity, plain or of ``azure.identity.aio``, or another object with ``get_token_info``
            or ``get_token``. Without one, the default chain: a service principal of the environment (by secret or certificate), GitHub
            Actions, workload identity, Azure Pipelines, managed identity, az, azd; the first that is set up.
        subscription_id: The subscription in which names are looked up.
        cloud: ``public`` (the default), ``china``, ``us_government``, ``bleu``, or a :class:`aks_acr.Cloud`.
        proxy: Address of a proxy for all connections. Without one, ``HTTPS_PROXY`` and ``ALL_PROXY`` say; with either, ``NO_PROXY`` and
            this machine itself are reached directly. The default chain of credentials uses it; a credential that is given sends its
            requests in its own way.
        ca: Certificates to trust beside the system's, as PEM text, for the same connections. ``REQUESTS_CA_BUNDLE`` is not read.
        read_only: Whether nothing may be changed: a request that would is not sent, and its call raises ``ForbiddenError``. It is about
            Azure and Kubernetes: a kubeconfig may be had, an administrator's too, and merged into a file, and a missing pair of SSH
            keys is made before the cluster is refused.
        on_write: Is shown each :class:`aks_acr.Write` before it is sent. Where it raises, or returns ``False`` or an awaitable, it is not
            sent, and the call raises ``ForbiddenError``. It is called in a daemon thread, never in the loop's, and must answer at once: the
            work waits for it.
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
        """Every operation as a run whose events are iterated by ``async for``."""

    @property
    def subscription_id(self) -> str:
        """The subscription in which names are looked up."""
        return self._calls.subscription_id

    async def close(self) -> None:
        """Cancels the calls that are under way, and lets go of connections and credential."""
        self._calls.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.close()

    def __repr__(self) -> str:
        return f"<aks_acr.aio.Client subscription_id={self._calls.subscription_id!r} cloud={self._calls.cloud!r}>"


class Follow(FollowedAsync):
    """Every operation of a client as a run: iterate it by ``async for`` for its events, then await it for its result.

    The end of the events raises what ended the work, if it failed. Leaving them early cancels the work.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
