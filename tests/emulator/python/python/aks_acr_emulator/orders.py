"""What a test can change while an emulator runs."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, cast

from aks_acr_emulator._emulator import Native

Seconds = float | timedelta


class Orders:
    """The orders of the control endpoint. The base class of :class:`~aks_acr_emulator.Emulator`."""

    def __init__(self) -> None:
        self._native: Native | None = None

    def _running(self) -> Native:
        if self._native is None:
            raise RuntimeError("this emulator is not started")
        return self._native

    def _look(self, name: str, since: int | None) -> Any:
        return json.loads(self._running().look(name, since or 0))

    def _order(self, name: str, order: dict[str, Any], **more: Any) -> dict[str, Any]:
        order |= {key: value for key, value in more.items() if value is not None}
        return cast(dict[str, Any], json.loads(self._running().order(name, json.dumps(order))))

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
        page: bool = False,
        content_type: str | None = None,
        truncated: bool = False,
        silent: bool = False,
        silent_after_ms: int | None = None,
        slow_ms: int | None = None,
        expired_token: bool = False,
        repeated_page: bool = False,
    ) -> None:
        """Adds a fault for requests whose URL contains this part. Several faults hit in the order in which they were added.

        Args:
            part: A part of the URL, such as ``"/roleAssignments/"``.
            method: The HTTP method; any by default.
            status: The status of the response.
            headers: Headers of the response, such as ``{"retry-after": "2"}``.
            body: The body of the response, instead of the default one.
            times: How many times; once by default.
            after_effect: Whether the request takes effect first.
            reset: Whether the connection is reset instead of a response.
            delay_ms: The delay of the response.
            page: Whether a proxy's HTML page is the response, with the status.
            content_type: The content type of the response, whatever its body is.
            truncated: Whether the connection ends in the middle of the response's body.
            silent: Whether no response ever comes, while the connection stays open.
            silent_after_ms: After how long the response's body stalls, while the connection stays open; a body with a length stalls
                halfway.
            slow_ms: How long the second half of the response's body takes.
            expired_token: Whether the request's token expires before the request, or after its effect.
            repeated_page: Whether a page of a list links to itself as the next one.

        Raises:
            ValueError: If the fault is invalid.
        """
        order = {"part": part, "method": method, "headers": dict(headers or {}), "afterEffect": after_effect}
        order |= {"reset": reset, "silent": silent, "delayMs": delay_ms, "page": page, "truncated": truncated}
        order |= {"expiredToken": expired_token, "repeatedPage": repeated_page}
        more = {"contentType": content_type, "slowMs": slow_ms, "silentAfterMs": silent_after_ms}
        self._order("fault", order, status=status, body=body, times=times, **more)

    def storm(self, share: float, *, seed: int = 0) -> None:
        """Makes a share of all requests fail at random: the same faults for the same seed.

        Args:
            share: From 0 (ends the storm) to 1.
            seed: The seed of the random choices.

        Raises:
            ValueError: If the share is not from 0 to 1.
        """
        self._order("storm", {"share": share, "seed": seed})

    def throttle(self, as_azure: bool = True) -> None:
        """Turns Azure's published request limits of Resource Manager and registries on or off.

        Args:
            as_azure: Whether they are on.
        """
        self._order("throttle", {"asAzure": as_azure})

    def timing(
        self,
        preset: Literal["none", "typical"] = "none",
        *,
        latency: Seconds | None = None,
        propagation: Seconds | None = None,
        deletion: Seconds | None = None,
        listing: Seconds | None = None,
        membership: Seconds | None = None,
        principal: Seconds | None = None,
        import_: Seconds | None = None,
        registry: Seconds | None = None,
        registry_name: Seconds | None = None,
        registry_logs: Seconds | None = None,
        registry_deletion: Seconds | None = None,
        cluster: Seconds | None = None,
        cluster_creation: Seconds | None = None,
        cluster_deletion: Seconds | None = None,
        kubelet_identity: Seconds | None = None,
        registration: Seconds | None = None,
        command: Seconds | None = None,
        node_credentials: Seconds | None = None,
        node_tokens: Seconds | None = None,
        token: Seconds | None = None,
    ) -> None:
        """Sets how long operations take from now on, in seconds; other values are the preset's.

        Args:
            preset: ``"none"``: no time; ``"typical"``: about as long as in Azure.
            latency: The latency of each request.
            propagation: From a role assignment's creation until it has an effect.
            deletion: From a role assignment's deletion until it has no effect.
            listing: How long lists of role assignments lag behind writes.
            membership: From adding a group member until new tokens contain the group.
            principal: How long a new principal is unknown to Microsoft Graph, and to role assignments without
                ``principalType``.
            import_: An import.
            registry: The creation of a registry.
            registry_name: From a registry's creation date until nodes resolve its host name.
            registry_logs: From a request to a registry until its resource logs show it.
            registry_deletion: The deletion of a registry.
            cluster: An update of a cluster.
            cluster_creation: The creation of a cluster.
            cluster_deletion: The deletion of a cluster.
            kubelet_identity: From the start of a cluster's creation until it shows its kubelet identity; at the end of the
                creation if that is sooner.
            registration: The registration of a resource provider.
            command: A command that runs in a cluster.
            node_credentials: How long a node keeps using the credential that a registry issued.
            node_tokens: How long a node uses the same token of its identity, with the groups that it was issued with.
            token: The average lifetime of Entra tokens; those of managed identities live for a day.

        Raises:
            LookupError: If the preset does not exist.
            ValueError: If a time is negative or longer than ten years.
        """
        times = {
            "latency": latency,
            "propagation": propagation,
            "deletion": deletion,
            "listing": listing,
            "membership": membership,
            "principal": principal,
            "import": import_,
            "registry": registry,
            "registryName": registry_name,
            "registryLogs": registry_logs,
            "registryDeletion": registry_deletion,
            "cluster": cluster,
            "clusterCreation": cluster_creation,
            "clusterDeletion": cluster_deletion,
            "kubeletIdentity": kubelet_identity,
            "registration": registration,
            "command": command,
            "nodeCredentials": node_credentials,
            "nodeTokens": node_tokens,
            "token": token,
        }
        self._order("timing", {"preset": preset}, **{name: _seconds(time) for name, time in times.items()})

    def advance(self, seconds: Seconds) -> None:
        """Turns the clock forward. What is due by then happens immediately.

        Raises:
            ValueError: If the time is negative or longer than ten years.
        """
        self._order("advance", {"seconds": _seconds(seconds)})

    def clock(self, times: int) -> None:
        """Makes the clock run this many times faster than real time. Latency and the delays of faults do not change.

        Raises:
            ValueError: If it is not from 1 to 100000.
        """
        self._order("clock", {"speed": times})

    def paging(self, size: int | None = None, *, empty_first: bool | None = None) -> None:
        """Splits lists into pages of this size, or makes each start with an empty page that links to the next."""
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
        """Grants a role (by name or GUID) to a caller by name, or to a principal by object ID, as if long
        ago. A cluster's kubelet identity can be named as ``"group/cluster"``. Returns the name of the assignment.

        Raises:
            LookupError: If the role or caller does not exist.
            ValueError: If neither or both are given, or the condition is not supported.
        """
        order = {"role": role, "scope": scope}
        done = self._order("grant", order, caller=caller, principal=principal, condition=condition)
        return cast(str, done["name"])

    def revoke(self, name: str) -> None:
        """Removes a role assignment by name, with immediate effect.

        Raises:
            LookupError: If it does not exist.
        """
        self._order("revoke", {"name": name})

    def add_member(self, group: str, member: str) -> str:
        """Adds a member to an Entra group and creates the group if needed. A member is a caller or another group by name, a cluster's
        kubelet identity as ``"group/cluster"``, or any principal by object ID. Returns the group's object ID.

        Raises:
            LookupError: If the member does not exist.
        """
        return cast(str, self._order("add-member", {"group": group, "member": member})["group"])

    def remove_member(self, group: str, member: str) -> None:
        """Removes a member from an Entra group.

        Raises:
            LookupError: If they are not a member.
        """
        self._order("remove-member", {"group": group, "member": member})

    def federate(self, issuer: str, subject: str, *, caller: str = "owner") -> None:
        """Lets a caller sign in with assertions of this issuer for this subject, as with a federated credential.

        Raises:
            LookupError: If the caller does not exist.
        """
        self._order("federate", {"caller": caller, "issuer": issuer, "subject": subject})

    def federated_token(self, issuer: str, subject: str, *, life: Seconds = 3600) -> str:
        """An assertion that this issuer signs for this subject: a cluster for a service account, GitHub for a workflow. The
        emulator signs for every issuer.

        Raises:
            ValueError: If the lifetime is negative or longer than ten years.
        """
        order = {"issuer": issuer, "subject": subject, "seconds": _seconds(life)}
        return cast(str, self._order("federated-token", order)["token"])

    def policy(self, name: str, resource_type: str, scope: str) -> None:
        """Assigns a policy with the effect ``deny`` to a scope: no resource of this type can be created or changed there, such as
        ``"Microsoft.ContainerRegistry/registries"``."""
        self._order("policy", {"name": name, "resourceType": resource_type, "scope": scope})

    def capacity(
        self,
        region: str,
        *,
        cores: Mapping[str, int] | None = None,
        without_sizes: Sequence[str] = (),
        zones: bool = True,
        full: bool = False,
    ) -> None:
        """Limits what a region has for nodes: cores by family (such as ``"standardDSv5Family"``), VM sizes, zones, room for clusters."""
        order = {"region": region, "cores": dict(cores or {}), "withoutSizes": list(without_sizes), "zones": zones, "full": full}
        self._order("capacity", order)

    def subnet(self, group: str, network: str, name: str, prefix: str) -> None:
        """Adds a subnet with this range of addresses, in a virtual network that is created with it."""
        self._order("subnet", {"group": group, "network": network, "name": name, "prefix": prefix})

    def deny_assignment(self, name: str, actions: Sequence[str], scope: str, *, but_for: Sequence[str] = ()) -> None:
        """Denies actions, such as ``"*/delete"``, at a scope for everyone except these callers, whatever their roles.

        Raises:
            LookupError: If the caller does not exist.
        """
        order = {"name": name, "actions": list(actions), "scope": scope, "butFor": list(but_for)}
        self._order("deny-assignment", order)

    def sign_in(self, caller: str, *, blocked: bool) -> None:
        """Makes conditional access refuse tokens to a caller, or issue them again. Issued tokens stay valid until they expire.

        Raises:
            LookupError: If the caller does not exist.
        """
        self._order("sign-in", {"caller": caller, "blocked": blocked})

    def push_image(self, name: str, platforms: Sequence[str] = ("linux/amd64", "linux/arm64")) -> str:
        """Adds an image for these platforms, or moves its tag to a new one. Returns the digest."""
        return cast(str, self._order("image", {"name": name, "platforms": list(platforms)})["digest"])

    def delete_image(self, name: str) -> None:
        """Removes a tag.

        Raises:
            LookupError: If it does not exist.
        """
        self._order("delete-image", {"name": name})

    def node(
        self,
        group: str,
        cluster: str,
        name: str,
        *,
        os: Literal["linux", "windows"] = "linux",
        architecture: Literal["amd64", "arm64"] = "amd64",
    ) -> None:
        """Adds a node to a cluster.

        Raises:
            LookupError: If the cluster does not exist.
            ValueError: For another operating system or architecture.
        """
        order = {"group": group, "cluster": cluster, "name": name, "os": os, "architecture": architecture}
        self._order("node", order)

    def egress(self, group: str, cluster: str, host: str, *, allowed: bool) -> None:
        """Makes a firewall drop what a cluster's nodes send to the public address of a host, or let it through again.

        A host may begin with `*.`, as in `*.blob.core.windows.net`, which serves layers.

        Raises:
            LookupError: If the cluster does not exist.
        """
        self._order("egress", {"group": group, "cluster": cluster, "host": host, "allowed": allowed})

    def inspection(self, group: str, cluster: str, host: str, *, inspected: bool) -> None:
        """Makes a firewall inspect TLS from a cluster's nodes to the public address of a host, or let it through as it is.

        Nodes do not trust the firewall's certificates. A host may begin with `*.`, as in `*.azurecr.io`.

        Raises:
            LookupError: If the cluster does not exist.
        """
        self._order("inspection", {"group": group, "cluster": cluster, "host": host, "inspected": inspected})

    def lose_content(self, group: str, cluster: str, node: str, image: str) -> None:
        """Makes the store of a node lose the manifest of an image, as after a power failure. Each pull of it fails there until the node
        is created anew.

        Raises:
            LookupError: If the node or the image does not exist.
        """
        self._order("lose-content", {"group": group, "cluster": cluster, "node": node, "image": image})

    def key(self, group: str, registry: str, *, accessible: bool) -> None:
        """Takes a registry's customer-managed key away, or gives it back.

        Raises:
            LookupError: If the registry does not exist.
        """
        self._order("key", {"group": group, "registry": registry, "accessible": accessible})

    def load(self, group: str, registry: str, principal: str, reads_per_minute: int, time: Seconds) -> None:
        """Lets others with an identity use its limit at a registry, for some time. Azure's limits are enforced from then on. The identity is
        an object ID, or a cluster's kubelet identity as ``"group/cluster"``.

        Raises:
            LookupError: If the registry does not exist.
        """
        order = {"group": group, "registry": registry, "principal": principal}
        self._order("load", {**order, "readsPerMinute": reads_per_minute, "seconds": _seconds(time)})

    def disk(self, group: str, cluster: str, pool: str, bytes: int) -> None:
        """Leaves so much room on the disks of a pool's nodes.

        Raises:
            LookupError: If the cluster has no such pool.
        """
        self._order("disk", {"group": group, "cluster": cluster, "pool": pool, "bytes": bytes})


def _seconds(time: Seconds | None) -> float | None:
    return time.total_seconds() if isinstance(time, timedelta) else time
