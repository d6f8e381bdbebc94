"""The emulator, started and stopped by the test that uses it."""

import asyncio
import json
import weakref
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, TypedDict, cast

from aks_acr_emulator._emulator import Native
from aks_acr_emulator.credential import AsyncCredential, Credential
from aks_acr_emulator.log import Request, Summary
from aks_acr_emulator.orders import Orders
from aks_acr_emulator.scene import Caller, Scene


class CloudOptions(TypedDict):
    """A cloud of its own, as ``aks_acr.Client`` takes it."""

    resource_manager: str
    registry_suffix: str
    graph: str


class ClientOptions(TypedDict):
    """What ``aks_acr.Client`` has to be told, beside the credential and the subscription."""

    cloud: CloudOptions
    proxy: str
    ca: str


class Emulator(Orders):
    """An Azure of its own, behind TLS on loopback, that lives in this process until it is stopped.

    A context manager, for ``with`` and for ``async with``; or :meth:`start` and :meth:`stop`. After it has stopped, its log
    and its state can still be read.

        >>> with Emulator(scene={"registries": [{"group": "group", "name": "myregistry"}]}) as azure:
        ...     azure.state()["registries"][0]["loginServer"]
        'myregistry.azurecr.io'

    Args:
        scene: What there is at the start. Without it: a subscription, its owner, and images of Docker Hub and of
            Microsoft to import.
        timing: How long things take: ``"none"``, or ``"typical"`` for about what Azure takes.
        clock: How many times faster than real the clock runs that grants, operations and rollouts go by.
        latency_ms: What passes before any request is looked at, in milliseconds.
        callers: More callers than the scene has, in the scene's form.
    """

    def __init__(
        self,
        scene: Scene | Mapping[str, Any] | None = None,
        *,
        timing: Literal["none", "typical"] = "none",
        clock: int = 1,
        latency_ms: float | None = None,
        callers: Iterable[Caller | Mapping[str, Any]] = (),
    ) -> None:
        self._wanted = json.dumps(
            {"scene": scene, "timing": timing, "clock": clock, "latencyMs": latency_ms, "callers": list(callers)}
        )
        super().__init__()
        self._facts: dict[str, Any] = {}
        self._end: weakref.finalize[[], Emulator] | None = None

    def __repr__(self) -> str:
        return f"Emulator({self._facts.get('origin', 'not started')!r})"

    def start(self) -> "Emulator":
        """Starts it. When this returns, clients may come.

        Raises:
            ValueError: If the scene has a word that is not known, or names a role that is not there; the text names it.
            RuntimeError: If it was started before.
            OSError: If this machine is in the way.
        """
        if self._native is not None:
            raise RuntimeError("this emulator was started before; make another one")
        native = Native(self._wanted)
        self._facts = json.loads(native.facts())
        self._native = native
        # At the latest when the process ends, so that no file stays behind.
        self._end = weakref.finalize(self, native.stop)
        return self

    def stop(self) -> None:
        """Ends it, and removes the file of its certificate. The second time it does nothing."""
        if self._end is not None:
            self._end()

    def __enter__(self) -> "Emulator":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> "Emulator":
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _fact(self, name: str) -> Any:
        self._running()
        return self._facts[name]

    # Where it is, and who may come.

    @property
    def subscription_id(self) -> str:
        """The id of the first subscription."""
        return cast(str, self._fact("subscriptionId"))

    @property
    def tenant_id(self) -> str:
        """The id of the tenant."""
        return cast(str, self._fact("tenantId"))

    @property
    def origin(self) -> str:
        """Resource Manager, Entra and Graph in one: ``https://localhost:PORT``."""
        return cast(str, self._fact("origin"))

    @property
    def proxy(self) -> str:
        """The proxy behind which every emulated host answers under its own name: ``http://127.0.0.1:PORT``."""
        return cast(str, self._fact("proxy"))

    @property
    def ca(self) -> str:
        """The certificate that clients have to trust, as PEM text."""
        return cast(str, self._fact("ca"))

    @property
    def ca_file(self) -> str:
        """The path of a file with that certificate, which goes when the emulator stops."""
        return cast(str, self._fact("caFile"))

    @property
    def client_id(self) -> str:
        """The client id of the owner."""
        return cast(str, self._fact("clientId"))

    @property
    def client_secret(self) -> str:
        """The secret of the owner."""
        return cast(str, self._fact("clientSecret"))

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which other programs (az, kubectl, the SDKs) find the emulator, trust it, and sign in."""
        return dict(self._fact("environment"))

    def client_of(self, caller: str) -> tuple[str, str]:
        """Client id and secret of a caller, for a credential of another make.

        Raises:
            LookupError: If there is no such caller, or one that does not sign in.
        """
        return self._running().client_of(caller)

    def credential(self, caller: str = "owner") -> Credential:
        """The credential of a caller, for Azure's SDKs and for ``aks_acr.Client``.

        Raises:
            LookupError: If there is no such caller, or one that does not sign in.
        """
        self.client_of(caller)
        return Credential(self._running(), caller)

    def async_credential(self, caller: str = "owner") -> AsyncCredential:
        """The credential of a caller, for the SDKs' clients with coroutines and for ``aks_acr.aio.Client``.

        Raises:
            LookupError: If there is no such caller, or one that does not sign in.
        """
        self.client_of(caller)
        return AsyncCredential(self._running(), caller)

    def client_options(self) -> ClientOptions:
        """What ``aks_acr.Client`` has to be told: ``Client(azure.credential(), azure.subscription_id,
        **azure.client_options())``."""
        cloud = CloudOptions(
            resource_manager=self.origin, registry_suffix=".azurecr.io", graph="https://graph.microsoft.com"
        )
        return ClientOptions(cloud=cloud, proxy=self.proxy, ca=self.ca)

    def arm_options(self) -> dict[str, Any]:
        """What a client of azure-mgmt-* has to be told, of either kind: ``ContainerRegistryManagementClient(credential,
        azure.subscription_id, **azure.arm_options())``."""
        return {
            "base_url": self.origin,
            "credential_scopes": [f"{self.origin}/.default"],
            "connection_verify": self.ca_file,
        }

    def identity_options(self) -> dict[str, Any]:
        """What a credential of azure-identity has to be told: ``ClientSecretCredential(azure.tenant_id, azure.client_id,
        azure.client_secret, **azure.identity_options())``."""
        # Instance discovery would ask about an authority that nobody has heard of.
        return {"authority": self.origin, "disable_instance_discovery": True, "connection_verify": self.ca_file}

    # What it has seen, and how it ended.

    def mark(self) -> int:
        """The present end of the log."""
        return cast(int, self._look("mark", None)["mark"])

    def requests(self, since: int | None = None) -> list[Request]:
        """All requests in the order in which they started, or those since a mark."""
        return [Request._of(seen) for seen in self._look("requests", since)]

    def summary(self, since: int | None = None) -> Summary:
        """How many requests there were, how deep, how many writes; or those since a mark."""
        return Summary(**self._look("summary", since))

    def state(self) -> dict[str, Any]:
        """Everything there is, without secrets: principals, role assignments, registries with their tags, clusters with
        deployments and pods, in the form of the control endpoint."""
        return cast(dict[str, Any], self._look("state", None))

    def registry_id(self, group: str, name: str) -> str:
        """The resource id of a registry; of one that does not exist, the id that it would have in the first subscription."""
        return self._running().registry_id(group, name)

    def cluster_id(self, group: str, name: str) -> str:
        """The resource id of a cluster; of one that does not exist, the id that it would have in the first subscription."""
        return self._running().cluster_id(group, name)

    def kubelet_object_id(self, group: str, cluster: str) -> str:
        """The object id of the identity that a cluster's nodes pull with.

        Raises:
            LookupError: If there is none.
        """
        return self._known(self._running().kubelet_object_id(group, cluster), f"no kubelet identity of {group}/{cluster}")

    def object_id(self, caller: str) -> str:
        """The object id of a caller.

        Raises:
            LookupError: If there is no such caller.
        """
        return self._known(self._running().object_id(caller), f"no caller named {caller}")

    def digest(self, image: str) -> str | None:
        """The digest that a tag stands for, where there is one."""
        return self._running().digest(image)

    @staticmethod
    def _known(id: str, what: str) -> str:
        if not id:
            raise LookupError(f"there is {what}")
        return id
