"""The scene that an emulator starts with, in the words of the program's seed file."""

from typing import Any, Literal, TypedDict


class Owner(TypedDict, total=False):
    """The caller that there always is, who owns the subscription."""

    secret: str
    """Its secret; made up where it is left out."""
    directory: bool
    """Whether it may use Microsoft Graph too. In Azure, owning a subscription brings no right to the directory."""


class _Named(TypedDict):
    name: str


class _Placed(_Named):
    group: str


class Group(_Named, total=False):
    """A resource group. Those of registries and clusters come to be by them."""

    location: str


class Registry(_Placed, total=False):
    """A registry."""

    subscription: str
    location: str
    sku: str
    loginServer: str
    abac: bool
    """Whether repositories and conditions are looked at."""
    properties: dict[str, Any]
    """In the words of Azure."""


class Node(_Named, total=False):
    """A node of a cluster."""

    os: str
    architecture: str


class Cluster(_Placed, total=False):
    """A cluster, by default with two nodes of linux/amd64."""

    subscription: str
    location: str
    version: str
    entra: bool
    azureRbac: bool
    localAccountsDisabled: bool
    servicePrincipal: bool
    userAssigned: bool
    adminGroups: list[str]
    nodes: list[Node]
    properties: dict[str, Any]
    """In the words of Azure."""


class Image(_Named, total=False):
    """An image, by the name that a pod has for it."""

    platforms: list[str]
    """By default ``linux/amd64`` and ``linux/arm64``."""


class User(_Named):
    """Somebody whom a registry outside of Azure lets pull."""

    password: str


class _Upstream(TypedDict):
    host: str


class Upstream(_Upstream, total=False):
    """A registry outside of Azure that does not let everybody pull, or answers in ways of its own."""

    users: list[User]
    """Who may pull; nobody named: everybody."""
    challenge: Literal["none", "token", "password", "both", "bothApart"]
    """How it asks to sign in: not at all, for a token, for a name and a password, or for either in one header or in two."""
    realm: str
    """Where it says that tokens come from."""
    digest: str
    """What it names as each manifest's digest; ``"none"`` for nothing."""
    movedTo: str
    """The host that it sends to for manifests."""


class Role(_Named, total=False):
    """A role definition of one's own."""

    actions: list[str]
    dataActions: list[str]
    notActions: list[str]
    notDataActions: list[str]
    assignableScopes: list[str]
    """Where it can be assigned, and exists; by default in every subscription. ``{subscription}`` stands for the id of the first one."""


class _Held(TypedDict):
    role: str


class Held(_Held, total=False):
    """A role that a caller has."""

    scope: str
    """``{subscription}`` stands for the id of the first one; without a scope, that is meant."""


class Caller(_Named, total=False):
    """Somebody who signs in."""

    secret: str
    roles: list[Held]
    groups: list[str]
    """Groups, by name, that come to be by it."""
    directory: bool
    """Whether it may use Microsoft Graph."""


class EntraGroup(_Named, total=False):
    """A group of the directory."""

    members: list[str]
    """Callers and other groups by their names, clusters (whose kubelet identity is meant) as ``"group/name"``, anybody by object id."""
    roles: list[Held]


class Scene(TypedDict, total=False):
    """What there is at the start. Everything may be left out, and nothing else may be said."""

    subscriptions: list[str]
    """More subscriptions than the one that there always is."""
    owner: Owner
    groups: list[Group]
    registries: list[Registry]
    clusters: list[Cluster]
    images: list[Image]
    upstreams: list[Upstream]
    roles: list[Role]
    callers: list[Caller]
    entraGroups: list[EntraGroup]
    """Groups of the directory, with members and with roles."""
    unregistered: list[str]
    """Resource providers that the first subscription has not registered, such as ``"Microsoft.ContainerRegistry"``."""
