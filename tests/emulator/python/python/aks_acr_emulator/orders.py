"""What a test tells an emulator while it runs."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, cast

from aks_acr_emulator._emulator import Native

Seconds = float | timedelta


class Orders:
    """The orders, as the control endpoint has them. The class of an :class:`~aks_acr_emulator.Emulator`."""

    def __init__(self) -> None:
        self._native: Native | None = None

    def _running(self) -> Native:
        if self._native is None:
            raise RuntimeError("this emulator was not started")
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
            page: Whether a proxy's page in HTML comes instead of an answer, with the status.
            content_type: What the answer says that it is, whatever it holds.
            truncated: Whether the connection ends in the middle of the answer's body.
            silent: Whether no answer ever comes, and the connection stays open.
            silent_after_ms: After how long nothing more of the answer's body comes, while the connection stays open; a body with a
                length stops halfway.
            slow_ms: How long the second half of the answer's body takes.
            expired_token: Whether the token that the request brings expires before it, or after its effect.
            repeated_page: Whether a page of a list names itself as the next one.

        Raises:
            ValueError: If this is no fault.
        """
        order = {"part": part, "method": method, "headers": dict(headers or {}), "afterEffect": after_effect}
        order |= {"reset": reset, "silent": silent, "delayMs": delay_ms, "page": page, "truncated": truncated}
        order |= {"expiredToken": expired_token, "repeatedPage": repeated_page}
        more = {"contentType": content_type, "slowMs": slow_ms, "silentAfterMs": silent_after_ms}
        self._order("fault", order, status=status, body=body, times=times, **more)

    def storm(self, share: float, *, seed: int = 0) -> None:
        """Lets a share of all requests meet faults by chance, the same ones for the same seed.

        Args:
            share: From 0, which ends the storm, to 1.
            seed: What chance follows from.

        Raises:
            ValueError: If this is no share.
        """
        self._order("storm", {"share": share, "seed": seed})

    def throttle(self, as_azure: bool = True) -> None:
        """Lets the numbers that Azure publishes be limits of requests to Resource Manager and to registries, or no more.

        Args:
            as_azure: Whether they are limits.
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
        cluster: Seconds | None = None,
        cluster_creation: Seconds | None = None,
        cluster_deletion: Seconds | None = None,
        kubelet_identity: Seconds | None = None,
        registration: Seconds | None = None,
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
            listing: How long lists of role assignments lag behind what is written.
            membership: From the moment somebody is put into a group until new tokens say so.
            principal: How long a principal just made is unknown to role assignments without ``principalType``.
            import_: An import.
            registry: The creation of a registry.
            cluster: An update of a cluster.
            cluster_creation: The creation of a cluster.
            cluster_deletion: The deletion of a cluster.
            kubelet_identity: From the beginning of a cluster's creation until it shows the identity that its nodes pull with; at the
                end, if that is sooner.
            registration: The registration of a resource provider.
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
            "listing": listing,
            "membership": membership,
            "principal": principal,
            "import": import_,
            "registry": registry,
            "cluster": cluster,
            "clusterCreation": cluster_creation,
            "clusterDeletion": cluster_deletion,
            "kubeletIdentity": kubelet_identity,
            "registration": registration,
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

    def add_member(self, group: str, member: str) -> str:
        """Puts somebody into a group of the directory, which comes to be by it: a caller or another group by name, a cluster's kubelet
        identity as ``"group/cluster"``, or anybody by object id. The answer is the group's object id.

        Raises:
            LookupError: If there is nobody of that name.
        """
        return cast(str, self._order("add-member", {"group": group, "member": member})["group"])

    def remove_member(self, group: str, member: str) -> None:
        """Takes somebody out of a group of the directory.

        Raises:
            LookupError: If they are not in it.
        """
        self._order("remove-member", {"group": group, "member": member})

    def federate(self, issuer: str, subject: str, *, caller: str = "owner") -> None:
        """Lets a caller sign in with assertions of this issuer for this subject, as a federated credential does.

        Raises:
            LookupError: If there is no such caller.
        """
        self._order("federate", {"caller": caller, "issuer": issuer, "subject": subject})

    def federated_token(self, issuer: str, subject: str, *, life: Seconds = 3600) -> str:
        """An assertion as this issuer makes it for this subject: a cluster for a service account, GitHub for a workflow. The
        emulator is every issuer itself.

        Raises:
            ValueError: If the life is negative or longer than ten years.
        """
        order = {"issuer": issuer, "subject": subject, "seconds": _seconds(life)}
        return cast(str, self._order("federated-token", order)["token"])

    def policy(self, name: str, resource_type: str, scope: str) -> None:
        """Assigns a policy with the effect ``deny`` to a scope: no resource of this type is made or changed there, such as
        ``"Microsoft.ContainerRegistry/registries"``."""
        self._order("policy", {"name": name, "resourceType": resource_type, "scope": scope})

    def deny_assignment(self, name: str, actions: Sequence[str], scope: str, *, but_for: Sequence[str] = ()) -> None:
        """Denies actions, such as ``"*/delete"``, at a scope to everybody but these callers, whatever their roles.

        Raises:
            LookupError: If there is no such caller.
        """
        order = {"name": name, "actions": list(actions), "scope": scope, "butFor": list(but_for)}
        self._order("deny-assignment", order)

    def sign_in(self, caller: str, *, blocked: bool) -> None:
        """Lets conditional access give a caller no tokens, or give them again. Tokens that were given are good until they end.

        Raises:
            LookupError: If there is no such caller.
        """
        self._order("sign-in", {"caller": caller, "blocked": blocked})

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


def _seconds(time: Seconds | None) -> float | None:
    return time.total_seconds() if isinstance(time, timedelta) else time
