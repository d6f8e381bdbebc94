"""The same client for coroutines."""

from __future__ import annotations

from ._face import awaitable, followed_async, given
from ._native import AsyncRun as Run, Calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._native import _Hook, _SomeCloud, _SomeCredential

__all__ = ["Client", "Follow", "Run"]


class Client:
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

    identities = awaitable(Calls.identities)
    """Finds a cluster's identities, the one that pulls images among them."""
    attach = awaitable(Calls.attach)
    """Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, and never the cluster."""
    plan_attach = awaitable(Calls.plan_attach)
    """Says what ``attach`` would do, and writes nothing."""
    apply_attach = awaitable(Calls.apply_attach)
    """Does what a plan says, after another look."""
    detach = awaitable(Calls.detach)
    """Takes back what lets a cluster's nodes pull from a registry. What still gives access is in the answer."""
    plan_detach = awaitable(Calls.plan_detach)
    """Says what ``detach`` would remove, and writes nothing."""
    apply_detach = awaitable(Calls.apply_detach)
    """Removes what a plan says, after another look."""
    attachments_of_cluster = awaitable(Calls.attachments_of_cluster)
    """Which registries a cluster's nodes can pull from, and by which grants."""
    attachments_of_registry = awaitable(Calls.attachments_of_registry)
    """Who can pull from a registry, and by which grants."""
    registry = awaitable(Calls.registry)
    """Finds a registry by name, login server or resource id. ``None`` if there is none."""
    create_registry = awaitable(Calls.create_registry)
    """Makes a registry, unless there is one of that name in the group."""
    create_cluster = awaitable(Calls.create_cluster)
    """Makes a cluster whose nodes can pull from registries, unless there is one of that name in the group."""
    import_image = awaitable(Calls.import_image)
    """Copies an image into a registry: Azure does it, and what arrived is compared with the source."""
    import_images = awaitable(Calls.import_images)
    """Copies many images into a registry. Each has a result of its own: an import, or the exception that kept it."""
    start_import = awaitable(Calls.start_import)
    """Begins an import and does not wait for it: the handle can be stored, and looked at later."""
    poll_import = awaitable(Calls.poll_import)
    """How far an import is, by one look."""
    kubeconfig = awaitable(Calls.kubeconfig)
    """A cluster's kubeconfig, as a value: no file is written."""
    merge_kubeconfig = awaitable(Calls.merge_kubeconfig)
    """Puts a cluster's entries into a kubeconfig file, of which every other byte stays."""
    apply = awaitable(Calls.apply)
    """Makes a cluster's objects what manifests say, by server-side apply."""
    wait_for_rollout = awaitable(Calls.wait_for_rollout)
    """Waits until every replica of a deployment runs. A cause that does not pass ends it at once, and is told."""
    pods = awaitable(Calls.pods)
    """The pods of a namespace, as values and as the table that kubectl prints."""

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


class Follow:
    """Every operation of a client as a run: iterate it by ``async for`` for its events, then await it for its result.

    The end of the events raises what ended the work, if it failed. Leaving them early cancels the work.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    identities = followed_async(Calls.identities)
    attach = followed_async(Calls.attach)
    plan_attach = followed_async(Calls.plan_attach)
    apply_attach = followed_async(Calls.apply_attach)
    detach = followed_async(Calls.detach)
    plan_detach = followed_async(Calls.plan_detach)
    apply_detach = followed_async(Calls.apply_detach)
    attachments_of_cluster = followed_async(Calls.attachments_of_cluster)
    attachments_of_registry = followed_async(Calls.attachments_of_registry)
    registry = followed_async(Calls.registry)
    create_registry = followed_async(Calls.create_registry)
    create_cluster = followed_async(Calls.create_cluster)
    import_image = followed_async(Calls.import_image)
    import_images = followed_async(Calls.import_images)
    start_import = followed_async(Calls.start_import)
    poll_import = followed_async(Calls.poll_import)
    kubeconfig = followed_async(Calls.kubeconfig)
    merge_kubeconfig = followed_async(Calls.merge_kubeconfig)
    apply = followed_async(Calls.apply)
    wait_for_rollout = followed_async(Calls.wait_for_rollout)
    pods = followed_async(Calls.pods)
