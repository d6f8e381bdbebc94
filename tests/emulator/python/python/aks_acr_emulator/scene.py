"""The scene that an emulator starts with, in the form of the program's scene file."""

from typing import Any, Literal, TypedDict


class Owner(TypedDict, total=False):
    """The first caller, Owner of the subscription."""

    secret: str
    """Its secret; generated if left out."""
    directory: bool
    """Whether it may also use Microsoft Graph. In Azure, the Owner of a subscription has no rights in the directory."""


class _Named(TypedDict):
    name: str


class _Placed(_Named):
    group: str


class Group(_Named, total=False):
    """A resource group. The groups of registries and clusters are created with them."""

    location: str


class _CacheRule(_Named):
    source: str
    target: str


class CacheRule(_CacheRule, total=False):
    """A rule that makes a registry fetch images of a ``source``, such as ``docker.io/library/*``, for its ``target``, such as ``hub/*``."""

    credentialSet: str
    credentialError: str
    """Why Azure cannot sign in with the credential set."""


class Registry(_Placed, total=False):
    """A registry."""

    subscription: str
    location: str
    sku: Literal["Basic", "Standard", "Premium"]
    """By default ``"Basic"``."""
    loginServer: str
    abac: bool
    """Whether repository permissions and conditions are enforced."""
    tags: dict[str, str]
    properties: dict[str, Any]
    """Azure's own properties."""
    replicas: list[str]
    """The regions of its replicas, besides its own region. Nodes pull from a replica then."""
    replicasLag: float
    """How many seconds after a push or an import the replicas have the image; 0 by default."""
    logsWorkspace: str
    """The Log Analytics workspace, in the group of the registry, to which its resource logs are sent."""
    cacheRules: list[CacheRule]


class Node(_Named, total=False):
    """A node of a cluster."""

    os: Literal["linux", "windows"]
    architecture: Literal["amd64", "arm64"]


class ServiceAccountPulls(TypedDict, total=False):
    """How nodes pull as the service accounts of pods."""

    default: str
    """The name of the identity of service accounts that name none."""


class Cluster(_Placed, total=False):
    """A cluster, by default with two nodes of linux/amd64."""

    subscription: str
    location: str
    version: str
    containerd: str
    """The version of containerd on the nodes, by default ``2.0.14``. The messages of failed pulls depend on it. Write it as ``2.0`` or ``2.0.14``."""
    registryPullQPS: int
    """How many pulls a second each kubelet starts. By default, and for 0, there is no limit; with ``registryBurst`` only, 5."""
    registryBurst: int
    """How many pulls each kubelet starts at once. With ``registryPullQPS`` only, 10."""
    entra: bool
    azureRbac: bool
    localAccountsDisabled: bool
    servicePrincipal: bool
    secretEnds: str
    """When the secret of its service principal expires, such as ``2026-01-01T00:00:00Z``."""
    userAssigned: bool
    withoutKubeletIdentity: bool
    """Its nodes pull without signing in."""
    outdatedNodes: bool
    """Its nodes pull as a former kubelet identity."""
    detachedIdentity: bool
    """Its scale sets lack the kubelet identity."""
    nodeImage: str
    """The image of its Linux nodes, such as ``AKSUbuntu-2204gen2containerd-202501.12.0``."""
    state: Literal[
        "Succeeded", "Failed", "Creating", "Updating", "Deleting", "Upgrading", "Stopping", "Starting", "Canceled"
    ]
    """Its provisioning state; by default ``"Succeeded"``."""
    serviceAccountPulls: ServiceAccountPulls
    """Its nodes pull as the service accounts of pods."""
    bootstrapRefused: str
    """The registry, as ``"group/name"``, that refused the programs of its nodes: the cluster is network isolated, and has failed."""
    adminGroups: list[str]
    nodes: list[Node]
    tags: dict[str, str]
    properties: dict[str, Any]
    """Azure's own properties."""


class Image(_Named, total=False):
    """An image, by the name that a pod uses."""

    platforms: list[str]
    """By default ``linux/amd64`` and ``linux/arm64``."""
    artifact: Literal["schema1", "chart"]
    """What it is instead of an image that nodes can run: a manifest of Docker's first schema, or a Helm chart."""
    deleted: bool
    """Whether it is deleted again. A registry with soft delete keeps it."""
    readEnabled: bool


class _Referrer(TypedDict):
    subject: str
    artifactType: str


class Referrer(_Referrer):
    """A manifest that refers to an image, its ``subject``, such as a signature."""


class _PrivateEndpoint(TypedDict):
    registry: str
    cluster: str


class PrivateEndpoint(_PrivateEndpoint, total=False):
    """A private endpoint of a ``registry`` in the network of a ``cluster``, both as ``"group/name"``, with a private DNS zone in the registry's group."""

    pending: bool
    """Whether it is not approved yet."""
    unlinked: bool
    """Whether the zone is not linked to the cluster's network, so that nodes resolve the registry's public address. All
    registries of one group share the zone: a linked endpoint of another one links it."""
    linkedZone: str
    """A resource group with another zone of that name, which has the same records and is linked to the cluster's network instead, as the zone of a hub is."""
    missingRecords: list[str]
    """Records that the zone lacks, such as ``myregistry``."""


class User(_Named):
    """A user who may pull from a registry outside Azure."""

    password: str


class _Upstream(TypedDict):
    host: str


class Upstream(_Upstream, total=False):
    """A registry outside Azure that restricts pulls or answers in its own way."""

    users: list[User]
    """Who may pull; everyone if it is empty."""
    challenge: Literal["none", "token", "password", "both", "bothApart"]
    """How it asks for sign-in: not at all, with a token, with a username and password, or with either, in one header or in two."""
    realm: str
    """The token endpoint that it names."""
    digest: str
    """The digest that it reports for each manifest; ``"none"`` reports no digest."""
    movedTo: str
    """The host that it redirects manifest requests to."""
    withoutReferrers: bool
    """Whether it has no referrers API."""
    throttlesAnonymous: bool
    """Whether it throttles registries that fetch images from it without credentials."""


class Role(_Named, total=False):
    """A custom role definition."""

    actions: list[str]
    dataActions: list[str]
    notActions: list[str]
    notDataActions: list[str]
    assignableScopes: list[str]
    """The scopes at which it can be assigned; by default every subscription. ``{subscription}`` is the ID of the first one."""


class _Held(TypedDict):
    role: str


class Held(_Held, total=False):
    """A role that a caller has."""

    scope: str
    """``{subscription}`` is the ID of the first subscription, which is also the default scope."""


class Caller(_Named, total=False):
    """A service principal that signs in."""

    secret: str
    roles: list[Held]
    groups: list[str]
    """Its Entra groups, by name; missing ones are created."""
    directory: bool
    """Whether it may use Microsoft Graph."""
    permissions: list[str]
    """Single permissions in Microsoft Graph, such as ``GroupMember.ReadWrite.All``."""


class EntraGroup(_Named, total=False):
    """An Entra group."""

    owners: list[str]
    """Callers by name, who can add and remove its members without a permission."""

    members: list[str]
    """Callers and other groups by name, a cluster's kubelet identity as ``"group/name"``, or any principal by object ID."""
    roles: list[Held]


class ForeignSubscription(TypedDict):
    """A subscription of another tenant, which refuses the tokens of all callers."""

    id: str
    tenant: str


class Scene(TypedDict, total=False):
    """The state at the start. Every key is optional; unknown keys are rejected."""

    subscriptions: list[str]
    """Subscriptions in addition to the first one."""
    foreignSubscriptions: list[ForeignSubscription]
    owner: Owner
    groups: list[Group]
    registries: list[Registry]
    clusters: list[Cluster]
    privateEndpoints: list[PrivateEndpoint]
    images: list[Image]
    referrers: list[Referrer]
    upstreams: list[Upstream]
    roles: list[Role]
    callers: list[Caller]
    entraGroups: list[EntraGroup]
    """Entra groups, with members and roles."""
    unregistered: list[str]
    """Resource providers that the first subscription has not registered, such as ``"Microsoft.ContainerRegistry"``."""
