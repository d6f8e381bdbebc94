"""Words: enums whose members are text, and that may be given as text."""

import enum


class _Word(str, enum.Enum):
    def __str__(self) -> str:
        return str.__str__(self)


class Access(_Word):
    """As whom a cluster is entered."""

    USER = "user"
    """As a user: on a cluster with Entra as oneself, elsewhere with the certificate of its user account."""
    ADMIN = "admin"
    """With the certificate of the cluster's administrator, past Entra."""


class ImportSide(_Word):
    """On which side of an import the fault lies."""

    SOURCE = "source"
    """Where the image is."""
    TARGET = "target"
    """Where it is to be."""


class ClusterTier(_Word):
    """A cluster's tier: what its control plane is good for, and what it costs."""

    FREE = "Free"
    """No promise of its control plane being there."""
    STANDARD = "Standard"
    """With one."""
    PREMIUM = "Premium"
    """The same with long-term support."""


class DetachOutcome(_Word):
    """What detach found or did."""

    REMOVED = "removed"
    """One grant or more was removed."""
    NOTHING_TO_REMOVE = "nothing_to_remove"
    """There was none to remove: nothing was written. The cluster may be able to pull all the same."""


class DomainNameLabelScope(_Word):
    """How far the label reaches that Azure puts behind a registry's name in its login server.

    Who in that reach makes a registry of this name again gets the same login server, and nobody else does.
    """

    TENANT_REUSE = "TenantReuse"
    """The tenant."""
    SUBSCRIPTION_REUSE = "SubscriptionReuse"
    """The subscription."""
    RESOURCE_GROUP_REUSE = "ResourceGroupReuse"
    """The resource group."""
    NO_REUSE = "NoReuse"
    """Nobody: each creation gets another."""


class ErrorKind(_Word):
    """What a caller can do about an error. Each has a class of exceptions of its own."""

    INVALID_INPUT = "invalid_input"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    NOT_REGISTERED = "not_registered"
    UNAUTHENTICATED = "unauthenticated"
    RATE_LIMITED = "rate_limited"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    CANCELLED = "cancelled"
    UNAVAILABLE = "unavailable"
    OPERATION_FAILED = "operation_failed"
    PULL_FAILED = "pull_failed"
    UNSUPPORTED = "unsupported"
    UNEXPECTED = "unexpected"


class OnExistingEntry(_Word):
    """What happens to entries of a file that have the names of new ones and say something else."""

    KEEP = "keep"
    """They stay: equal ones are success, others are a conflict."""
    REPLACE = "replace"
    """The new ones take their place."""


class OnExistingTag(_Word):
    """What happens to a target tag that exists."""

    KEEP = "keep"
    """It stays: an equal image is success, another is a conflict. Where the source cannot be looked at, as with a password, and is
    not named by its digest, any image under the tag is another."""
    REPLACE = "replace"
    """It is moved to the imported image."""


class GroupMembership(_Word):
    """Whether it is known who pulls by a group's grant."""

    NONE = "none"
    """The principal is not a group."""
    CHECKED = "checked"
    """It is a group, and the clusters that were looked at were compared with its members."""
    UNCHECKED = "unchecked"
    """It is a group, and its members were not read: `query_graph` reads them, with `GroupMember.Read.All` in Microsoft Graph."""


class OnInheritedGrant(_Word):
    """What is done where a scope above the registry, or an Entra group that the identity is a member of, gives pull already."""

    SUFFICES = "suffices"
    """It is enough: nothing is written."""
    GRANT_DIRECTLY = "grant_directly"
    """A grant on the registry itself is made all the same."""


class MergeOutcome(_Word):
    """What a merge did to the entries of a kubeconfig file."""

    ADDED = "added"
    """At least one was not there, and none was replaced."""
    REPLACED = "replaced"
    """At least one took the place of another."""
    UNCHANGED = "unchanged"
    """All were there."""


class Operation(_Word):
    """An operation of a client, by its name."""

    IDENTITIES = "identities"
    ATTACH = "attach"
    PLAN_ATTACH = "plan_attach"
    APPLY_ATTACH = "apply_attach"
    DETACH = "detach"
    PLAN_DETACH = "plan_detach"
    APPLY_DETACH = "apply_detach"
    ATTACHMENTS_OF_CLUSTER = "attachments_of_cluster"
    ATTACHMENTS_OF_REGISTRY = "attachments_of_registry"
    REGISTRY = "registry"
    CREATE_REGISTRY = "create_registry"
    CREATE_CLUSTER = "create_cluster"
    IMPORT_IMAGE = "import_image"
    IMPORT_IMAGES = "import_images"
    START_IMPORT = "start_import"
    POLL_IMPORT = "poll_import"
    KUBECONFIG = "kubeconfig"
    MERGE_KUBECONFIG = "merge_kubeconfig"
    APPLY = "apply"
    WAIT_FOR_ROLLOUT = "wait_for_rollout"
    PODS = "pods"


class OnConditionMismatch(_Word):
    """What is done where the role is there with another condition."""

    KEEP = "keep"
    """It is left as it is, and the outcome says so."""
    REPLACE = "replace"
    """It is replaced by the one that was asked for, which may widen the grant."""


class PullRetry(_Word):
    """Whether waiting for a pull can help."""

    NEVER = "never"
    """It stays until somebody changes something."""
    AFTER_GRANT = "after_grant"
    """A grant that is there may still become effective."""
    TRANSIENT = "transient"
    """It may pass by itself."""


class PrincipalState(_Word):
    """Whether a principal still exists."""

    EXISTS = "exists"
    """It is the kubelet identity of a cluster that exists, or the directory knows it."""
    GONE = "gone"
    """The directory does not know it: Azure keeps its assignments, and nobody can use them."""
    UNKNOWN = "unknown"
    """Not known."""


class PullRole(_Word):
    """A role that gives pull."""

    ACR_PULL = "AcrPull"
    REPOSITORY_READER = "Container Registry Repository Reader"
    """The one that registries with permissions on repositories honour."""


class RefusalKind(_Word):
    """Who or what refused. Each is lifted in another way, by another person."""

    MISSING_RIGHT = "missing_right"
    """No role of the caller has the action: see ``missing_action``."""
    POLICY = "policy"
    """A policy denies what was asked for: see ``policies``. More rights do not help."""
    LOCK = "lock"
    """A lock is on the resource or above it; who may manage locks removes it."""
    DENY_ASSIGNMENT = "deny_assignment"
    """A deny assignment, such as that of a deployment stack, goes before all roles."""
    CONSTRAINED_DELEGATION = "constrained_delegation"
    """The caller may grant roles, but not this role to this principal."""
    CONDITIONAL_ACCESS = "conditional_access"
    """Conditional access of Entra wants something of the caller that a program cannot give, or wants it anew."""
    READ_ONLY_CLIENT = "read_only_client"
    """The client was made read-only: nothing was sent."""
    WRITE_HOOK = "write_hook"
    """The hook that sees each write said no: nothing was sent."""


class RightScope(_Word):
    """Where a right is needed. It is needed there only."""

    CLUSTER = "cluster"
    """The cluster."""
    REGISTRY = "registry"
    """The registry. To read one that is given by its name or login server, its subscription."""
    RESOURCE_GROUP = "resource_group"
    """The resource group that something is made in."""
    SUBSCRIPTION = "subscription"
    """Each subscription that is looked in."""


class RoleAssignmentMode(_Word):
    """Whether a registry's permissions are given on the whole of it or on its repositories."""

    LEGACY_REGISTRY_PERMISSIONS = "LegacyRegistryPermissions"
    """On the whole registry."""
    ABAC_REPOSITORY_PERMISSIONS = "AbacRepositoryPermissions"
    """On repositories: ``AcrPull`` has no effect here."""


class Sku(_Word):
    """A registry's service tier."""

    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"


class WriteService(_Word):
    """Who would be asked to change something."""

    AZURE = "azure"
    """Azure Resource Manager."""
    KUBERNETES = "kubernetes"
    """The API of a cluster."""
