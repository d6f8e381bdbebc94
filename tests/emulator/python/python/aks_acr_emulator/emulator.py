"""The emulator, started and stopped by the test that uses it."""

import asyncio
import json
import os
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
    """A custom cloud for ``aks_acr.Client``."""

    resource_manager: str
    registry_suffix: str
    graph: str


class ClientOptions(TypedDict):
    """The options of ``aks_acr.Client``, in addition to the credential and the subscription."""

    cloud: CloudOptions
    proxy: str
    ca: str


class Emulator(Orders):
    """An emulated Azure behind TLS on loopback, in this process, until it is stopped.

    Use it with ``with`` or ``async with``, or call :meth:`start` and :meth:`stop`. Its log and its state can still be read
    after it has stopped.

        >>> with Emulator(scene={"registries": [{"group": "group", "name": "myregistry"}]}) as azure:
        ...     azure.state()["registries"][0]["loginServer"]
        'myregistry.azurecr.io'

    Args:
        scene: The state at the start. By default a subscription, its owner, and images of Docker Hub (nginx, hello-world)
            and Microsoft to import. A scene replaces all defaults: only the images it lists exist.
        timing: How long operations take: ``"none"``, or ``"typical"`` for about as long as in Azure.
        clock: How many times faster than real time the clock of grants, operations and rollouts runs. It does not
            shorten the clients' own waits.
        latency_ms: The latency of each request, in milliseconds.
        callers: Callers in addition to the scene's, in the same form.
        kubernetes: The folder of a control plane that ``aks-acr-emulator build-kubernetes`` has built, on Linux: each
            cluster has a real API server, controllers and scheduler, and only its nodes are emulated. The clock is real then.
        node: Whether nodes are real, too: kubelet, containerd and runc, built by ``build-kubernetes --node``. They pull with their
            cluster's identity. Needs ``kubernetes``, and root.
    """

    def __init__(
        self,
        scene: Scene | Mapping[str, Any] | None = None,
        *,
        timing: Literal["none", "typical"] = "none",
        clock: int = 1,
        latency_ms: float | None = None,
        callers: Iterable[Caller | Mapping[str, Any]] = (),
        kubernetes: str | os.PathLike[str] | None = None,
        node: bool = False,
    ) -> None:
        self._wanted = json.dumps(
            {
                "scene": scene,
                "timing": timing,
                "clock": clock,
                "latencyMs": latency_ms,
                "callers": list(callers),
                "kubernetes": None if kubernetes is None else os.fspath(kubernetes),
                "node": node,
            }
        )
        super().__init__()
        self._facts: dict[str, Any] = {}
        self._end: weakref.finalize[[], Emulator] | None = None

    def __repr__(self) -> str:
        return f"Emulator({self._facts.get('origin', 'not started')!r})"

    def start(self) -> "Emulator":
        """Starts it. It accepts clients once this returns.

        Raises:
            ValueError: If the scene has an unknown key, word or role; the text names it.
            RuntimeError: If it was already started.
            OSError: If this machine fails, for example without a free port.
        """
        if self._native is not None:
            raise RuntimeError("this emulator was already started; create another one")
        native = Native(self._wanted)
        self._facts = json.loads(native.facts())
        self._native = native
        # At the latest when the process ends, so that the certificate's file is removed.
        self._end = weakref.finalize(self, native.stop)
        return self

    def stop(self) -> None:
        """Stops it and removes its certificate file. A second call does nothing."""
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

    # Its addresses and callers.

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
        """The URL of a proxy that reaches every emulated host under its own name: ``http://127.0.0.1:PORT``."""
        return cast(str, self._fact("proxy"))

    @property
    def ca(self) -> str:
        """The certificate that clients must trust, as PEM text."""
        return cast(str, self._fact("ca"))

    @property
    def ca_file(self) -> str:
        """The path of a file with that certificate, removed when the emulator stops."""
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
        """The environment variables with which other programs (az, kubectl, the SDKs) find the emulator, trust it and sign in."""
        return dict(self._fact("environment"))

    def client_of(self, caller: str) -> tuple[str, str]:
        """Client ID and secret of a caller, for another credential type.

        Raises:
            LookupError: If the caller does not exist or cannot sign in.
        """
        return self._running().client_of(caller)

    def credential(self, caller: str = "owner") -> Credential:
        """The credential of a caller, for Azure's SDKs and for ``aks_acr.Client``.

        Raises:
            LookupError: If the caller does not exist or cannot sign in.
        """
        self.client_of(caller)
        return Credential(self._running(), caller)

    def async_credential(self, caller: str = "owner") -> AsyncCredential:
        """The credential of a caller, for the SDKs' clients with coroutines and for ``aks_acr.aio.Client``.

        Raises:
            LookupError: If the caller does not exist or cannot sign in.
        """
        self.client_of(caller)
        return AsyncCredential(self._running(), caller)

    def client_options(self) -> ClientOptions:
        """The options of ``aks_acr.Client``: ``Client(azure.credential(), azure.subscription_id,
        **azure.client_options())``."""
        cloud = CloudOptions(
            resource_manager=self.origin, registry_suffix=".azurecr.io", graph="https://graph.microsoft.com"
        )
        return ClientOptions(cloud=cloud, proxy=self.proxy, ca=self.ca)

    def arm_options(self) -> dict[str, Any]:
        """The options of a client of azure-mgmt-*, blocking or not: ``ContainerRegistryManagementClient(credential,
        azure.subscription_id, **azure.arm_options())``."""
        return {
            "base_url": self.origin,
            "credential_scopes": [f"{self.origin}/.default"],
            "connection_verify": self.ca_file,
        }

    def identity_options(self) -> dict[str, Any]:
        """The options of a credential of azure-identity: ``ClientSecretCredential(azure.tenant_id, azure.client_id,
        azure.client_secret, **azure.identity_options())``."""
        # Instance discovery would send a request about an authority that is unknown to Azure.
        return {"authority": self.origin, "disable_instance_discovery": True, "connection_verify": self.ca_file}

    # Its log and its state.

    def mark(self) -> int:
        """The current end of the log."""
        return cast(int, self._look("mark", None)["mark"])

    def requests(self, since: int | None = None) -> list[Request]:
        """All requests in the order in which they started, or those since a mark."""
        return [Request._of(seen) for seen in self._look("requests", since)]

    def summary(self, since: int | None = None) -> Summary:
        """The number, depth and writes of all requests, or of those since a mark."""
        return Summary(**self._look("summary", since))

    def state(self) -> dict[str, Any]:
        """The whole state, without secrets: principals, role assignments, registries with their tags, clusters with
        deployments and pods, in the form of the control endpoint."""
        return cast(dict[str, Any], self._look("state", None))

    def registry_id(self, group: str, name: str) -> str:
        """The resource id of a registry. If it does not exist: the ID that it would have in the first subscription."""
        return self._running().registry_id(group, name)

    def cluster_id(self, group: str, name: str) -> str:
        """The resource id of a cluster. If it does not exist: the ID that it would have in the first subscription."""
        return self._running().cluster_id(group, name)

    def kubelet_object_id(self, group: str, cluster: str) -> str:
        """The object ID of a cluster's kubelet identity.

        Raises:
            LookupError: If it does not exist.
        """
        return self._known(self._running().kubelet_object_id(group, cluster), f"no kubelet identity of {group}/{cluster}")

    def object_id(self, caller: str) -> str:
        """The object id of a caller.

        Raises:
            LookupError: If the caller does not exist.
        """
        return self._known(self._running().object_id(caller), f"no caller named {caller}")

    def digest(self, image: str) -> str | None:
        """The digest of a tag, if it exists."""
        return self._running().digest(image)

    @staticmethod
    def _known(id: str, what: str) -> str:
        if not id:
            raise LookupError(f"there is {what}")
        return id
