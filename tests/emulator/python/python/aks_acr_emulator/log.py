"""The log of requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Request:
    """A request and its result."""

    service: Literal["entra", "arm", "graph", "registry", "kubernetes", "unknown"]
    """The service that received it."""
    method: str
    """The method, in upper case."""
    host: str
    """The host under Azure's own name, without port."""
    path: str
    """The path as it was sent."""
    query: str
    """The query as it was sent, decoded, without secrets."""
    status: int | None
    """The status of the response; ``None`` if the connection was cut, the client gave up, or the request is still running."""
    caller: str | None
    """The name of the principal whose token was sent, if any."""
    started: int
    """The position of its start among all starts and ends."""
    ended: int | None
    """The position of its end in the same order; ``None`` if the client gave up or the request is still running."""
    sender: Literal["client", "node"]
    """Who sent it: the program under test, or a node of a cluster."""
    write: bool
    """Whether it is a write."""
    fault: str | None
    """The fault that hit it, in a word or two, if any."""

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} https://{self.host}{self.path}{query} {self.status or 'no answer'}"

    @classmethod
    def _of(cls, seen: Mapping[str, Any]) -> "Request":
        fields = dict(seen)
        return cls(sender=fields.pop("from"), **fields)


@dataclass(frozen=True)
class Summary:
    """A summary of requests. Token requests and requests of nodes appear only in their own counts."""

    count: int
    """How many requests there were."""
    depth: int
    """The longest chain of requests that each started after the previous one had ended."""
    writes: int
    """How many were writes."""
    tokens: int
    """How many requests went to Entra."""
