"""The emulator, started and stopped by the test that uses it."""

import asyncio
import json
import weakref
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, TypedDict, cast

from aks_acr_emulator._emulator import Native
from aks_acr_emulator.credential import AsyncCredential, Credential
from aks_acr_emulator.log import Request, Summary
from aks_acr_emulator.scene import Caller, Scene

Seconds = float | timedelta


class CloudOptions(TypedDict):
    """A cloud of its own, as ``aks_acr.Client`` takes it."""

    resource_manager: str
    registry_suffix: str


class ClientOptions(TypedDict):
    """What ``aks_acr.Client`` has to be told, beside the credential and the subscription."""

    cloud: CloudOptions
    proxy: str
    ca: str


class Emulator:
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
        clock: How many times faster than real the clock runs that grants, operations and roll-outs go by.
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
        self._native: Native | None = None
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

    def _running(self) -> Native:
        if self._native is None:
            raise RuntimeError("this emulator was not started")
        return self._native

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
        cloud = CloudOptions(resource_manager=self.origin, registry_suffix=".azurecr.io")
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

    # What is to come.

    def fault(
        self,
        part: str,
        *,
        method: str = "*",
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: int | None = None,
        after_effect: bool = False,
        reset: bool = False,
        delay_ms: int = 0,
    ) -> None:
        """Lets requests whose address has this part meet trouble; several faults are met in the order in which they came.

        Args:
            part: A part of the address, such as ``"/roleAssignments/"``.
            method: The method, or any.
            status: The status of the answer.
            headers: Headers of the answer, such as ``{"retry-after": "2"}``.
            body: The body of the answer, where it is not to be the usual one.
            times: How often; once where it is left out.
            after_effect: Whether what was asked for is done before.
            reset: Whether the connection is cut instead of an answer.
            delay_ms: How long the answer takes.

        Raises:
            ValueError: If this is no fault.
        """
        order = {"part": part, "method": method, "headers": dict(headers or {}), "afterEffect": after_effect}
        order |= {"reset": reset, "delayMs": delay_ms}
        self._order("fault", order, status=status, body=body, times=times)

    def timing(
        self,
        preset: Literal["none", "typical"] = "none",
        *,
        latency: Seconds | None = None,
        propagation: Seconds | None = None,
        deletion: Seconds | None = None,
        principal: Seconds | None = None,
        import_: Seconds | None = None,
        registry: Seconds | None = None,
        cluster: Seconds | None = None,
        cluster_creation: Seconds | None = None,
        cluster_deletion: Seconds | None = None,
        command: Seconds | None = None,
        node_credentials: Seconds | None = None,
        token: Seconds | None = None,
    ) -> None:
        """Sets how long things take from now on, in seconds; what is not named is the preset's.

        Args:
            preset: ``"none"``: everything at once; ``"typical"``: about what Azure takes.
            latency: What passes before any request is looked at.
            propagation: From a role assignment's creation until it has an effect.
            deletion: From a role assignment's deletion until it has lost its effect.
            principal: How long a principal just made is unknown to role assignments without ``principalType``.
            import_: An import.
            registry: The creation of a registry.
            cluster: An update of a cluster.
            cluster_creation: The creation of a cluster.
            cluster_deletion: The deletion of a cluster.
            command: A command run inside a cluster.
            node_credentials: How long a node goes on using the credential that a registry gave it.
            token: How long a token of Entra is good for.

        Raises:
            LookupError: If there is no such preset.
            ValueError: If a time is negative or longer than ten years.
        """
        times = {
            "latency": latency,
            "propagation": propagation,
            "deletion": deletion,
            "principal": principal,
            "import": import_,
            "registry": registry,
            "cluster": cluster,
            "clusterCreation": cluster_creation,
            "clusterDeletion": cluster_deletion,
            "command": command,
            "nodeCredentials": node_credentials,
            "token": token,
        }
        self._order("timing", {"preset": preset}, **{name: _seconds(time) for name, time in times.items()})

    def advance(self, seconds: Seconds) -> None:
        """Puts the clock forward: what was to happen until then happens at once.

        Raises:
            ValueError: If the time is negative or longer than ten years.
        """
        self._order("advance", {"seconds": _seconds(seconds)})

    def clock(self, times: int) -> None:
        """Lets the clock run so many times faster than real. Latency and the delays of faults stay what they are.

        Raises:
            ValueError: If it is not from 1 to 100000.
        """
        self._order("clock", {"speed": times})

    def paging(self, size: int | None = None, *, empty_first: bool | None = None) -> None:
        """Cuts lists into pages of this size, or lets each begin with a page that has no items but a link to the next."""
        self._order("paging", {}, size=size, emptyFirst=empty_first)

    def grant(
        self,
        role: str,
        scope: str,
        *,
        caller: str | None = None,
        principal: str | None = None,
        condition: str | None = None,
    ) -> str:
        """Grants a role (by name or GUID) to a caller by name, or to a principal by object id, as if it had been so for
        long. The answer is the name of the assignment.

        Raises:
            LookupError: If there is no such role, or no such caller.
            ValueError: If neither or both are named, or the condition is not understood.
        """
        order = {"role": role, "scope": scope}
        done = self._order("grant", order, caller=caller, principal=principal, condition=condition)
        return cast(str, done["name"])

    def revoke(self, name: str) -> None:
        """Takes a role assignment away by its name, at once.

        Raises:
            LookupError: If there is none.
        """
        self._order("revoke", {"name": name})

    def push_image(self, name: str, platforms: Sequence[str] = ("linux/amd64", "linux/arm64")) -> str:
        """Adds an image, or moves a tag to a new one made for these platforms. The answer is its digest."""
        return cast(str, self._order("image", {"name": name, "platforms": list(platforms)})["digest"])

    def delete_image(self, name: str) -> None:
        """Removes a tag.

        Raises:
            LookupError: If there is none.
        """
        self._order("delete-image", {"name": name})

    def node(self, group: str, cluster: str, name: str, *, os: str = "linux", architecture: str = "amd64") -> None:
        """Lets a node join a cluster.

        Raises:
            LookupError: If there is no such cluster.
        """
        order = {"group": group, "cluster": cluster, "name": name, "os": os, "architecture": architecture}
        self._order("node", order)

    def _look(self, name: str, since: int | None) -> Any:
        return json.loads(self._running().look(name, since or 0))

    def _order(self, name: str, order: dict[str, Any], **more: Any) -> dict[str, Any]:
        order |= {key: value for key, value in more.items() if value is not None}
        return cast(dict[str, Any], json.loads(self._running().order(name, json.dumps(order))))

    @staticmethod
    def _known(id: str, what: str) -> str:
        if not id:
            raise LookupError(f"there is {what}")
        return id


def _seconds(time: Seconds | None) -> float | None:
    return time.total_seconds() if isinstance(time, timedelta) else time
