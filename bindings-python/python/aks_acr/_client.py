"""The blocking client."""

from __future__ import annotations

from ._face import blocking, followed, given
from ._native import Calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._native import _Hook, _SomeCloud, _SomeCredential


class Client:
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

    identities = blocking(Calls.identities)
    """Finds a cluster's identities, the one that pulls images among them."""
    attach = blocking(Calls.attach)
    """Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, and never the cluster."""
    plan_attach = blocking(Calls.plan_attach)
    """Says what ``attach`` would do, and writes nothing."""
    apply_attach = blocking(Calls.apply_attach)
    """Does what a plan says, after another look."""
    detach = blocking(Calls.detach)
    """Takes back what lets a cluster's nodes pull from a registry. What still gives access is in the answer."""
    plan_detach = blocking(Calls.plan_detach)
    """Says what ``detach`` would remove, and writes nothing."""
    apply_detach = blocking(Calls.apply_detach)
    """Removes what a plan says, after another look."""
    attachments_of_cluster = blocking(Calls.attachments_of_cluster)
    """Which registries a cluster's nodes can pull from, and by which grants."""
    attachments_of_registry = blocking(Calls.attachments_of_registry)
    """Who can pull from a registry, and by which grants."""
    registry = blocking(Calls.registry)
    """Finds a registry by name, login server or resource id. ``None`` if there is none."""
    create_registry = blocking(Calls.create_registry)
    """Makes a registry, unless there is one of that name in the group."""
    create_cluster = blocking(Calls.create_cluster)
    """Makes a cluster whose nodes can pull from registries, unless there is one of that name in the group."""
    import_image = blocking(Calls.import_image)
    """Copies an image into a registry: Azure does it, and what arrived is compared with the source."""
    import_images = blocking(Calls.import_images)
    """Copies many images into a registry. Each has a result of its own: an import, or the exception that kept it."""
    start_import = blocking(Calls.start_import)
    """Begins an import and does not wait for it: the handle can be stored, and looked at later."""
    poll_import = blocking(Calls.poll_import)
    """How far an import is, by one look."""
    kubeconfig = blocking(Calls.kubeconfig)
    """A cluster's kubeconfig, as a value: no file is written."""
    merge_kubeconfig = blocking(Calls.merge_kubeconfig)
    """Puts a cluster's entries into a kubeconfig file, of which every other byte stays."""
    apply = blocking(Calls.apply)
    """Makes a cluster's objects what manifests say, by server-side apply."""
    wait_for_rollout = blocking(Calls.wait_for_rollout)
    """Waits until every replica of a deployment runs. A cause that does not pass ends it at once, and is told."""
    pods = blocking(Calls.pods)
    """The pods of a namespace, as values and as the table that kubectl prints."""

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


class Follow:
    """Every operation of a client as a run: iterate it for its events, then ask for its ``result()``.

    The end of the events raises what ended the work, if it failed. Leaving them early cancels the work. A run may be cancelled, iterated
    and waited for in different threads; each event is given once.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    identities = followed(Calls.identities)
    attach = followed(Calls.attach)
    plan_attach = followed(Calls.plan_attach)
    apply_attach = followed(Calls.apply_attach)
    detach = followed(Calls.detach)
    plan_detach = followed(Calls.plan_detach)
    apply_detach = followed(Calls.apply_detach)
    attachments_of_cluster = followed(Calls.attachments_of_cluster)
    attachments_of_registry = followed(Calls.attachments_of_registry)
    registry = followed(Calls.registry)
    create_registry = followed(Calls.create_registry)
    create_cluster = followed(Calls.create_cluster)
    import_image = followed(Calls.import_image)
    import_images = followed(Calls.import_images)
    start_import = followed(Calls.start_import)
    poll_import = followed(Calls.poll_import)
    kubeconfig = followed(Calls.kubeconfig)
    merge_kubeconfig = followed(Calls.merge_kubeconfig)
    apply = followed(Calls.apply)
    wait_for_rollout = followed(Calls.wait_for_rollout)
    pods = followed(Calls.pods)
