"""The log of requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Request:
    """One request and what became of it."""

    service: Literal["entra", "arm", "graph", "registry", "kubernetes", "unknown"]
    """The service it was for."""
    method: str
    """The method, in capitals."""
    host: str
    """The host under Azure's own name, without port."""
    path: str
    """The path as it was sent."""
    query: str
    """The query as it was sent, decoded, without what is a secret."""
    status: int | None
    """The status of the answer; ``None`` when none came: cut off, given up, or still under way."""
    caller: str | None
    """The name of the principal whose token came along, where one did."""
    started: int
    """The place of its start in the order of all starts and ends."""
    ended: int | None
    """The place of its end in the same order; ``None`` when it was given up or is still under way."""
    sender: Literal["client", "node"]
    """Who sent it: the program under test, or a node of a cluster."""
    write: bool
    """Whether it asks for a change."""
    fault: str | None
    """The fault that it met, in a word or two, where it met one."""

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} https://{self.host}{self.path}{query} {self.status or 'no answer'}"

    @classmethod
    def _of(cls, seen: Mapping[str, Any]) -> "Request":
        fields = dict(seen)
        return cls(sender=fields.pop("from"), **fields)


@dataclass(frozen=True)
class Summary:
    """What a number of requests come to. Tokens and what nodes sent are left out of all but their own counts."""

    count: int
    """How many requests there were."""
    depth: int
    """The longest chain in which each started after the one before had ended."""
    writes: int
    """How many asked for a change."""
    tokens: int
    """How many requests went to Entra."""
