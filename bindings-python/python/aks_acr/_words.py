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


class ErrorKind(_Word):
    """What a caller can do about an error. Each has a class of exceptions of its own."""

    INVALID_INPUT = "invalid_input"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    RATE_LIMITED = "rate_limited"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    CANCELLED = "cancelled"
    UNAVAILABLE = "unavailable"
    OPERATION_FAILED = "operation_failed"
    PULL_FAILED = "pull_failed"
    UNSUPPORTED = "unsupported"
    UNEXPECTED = "unexpected"


class ExistingTag(_Word):
    """What happens to a target tag that exists."""

    KEEP = "keep"
    """It stays: an equal image is success, another is a conflict."""
    REPLACE = "replace"
    """It is moved to the imported image."""


class InheritedGrant(_Word):
    """What is done where a scope above the registry gives the role already."""

    SUFFICES = "suffices"
    """It is enough: nothing is written."""
    GRANT_DIRECTLY = "grant_directly"
    """A grant on the registry itself is made all the same."""


class OtherCondition(_Word):
    """What is done where the role is there with another condition."""

    KEEP = "keep"
    """It is left as it is, and the outcome says so."""
    REPLACE = "replace"
    """It is replaced by the one that was asked for, which may widen the grant."""


class Outlook(_Word):
    """Whether waiting for a pull can help."""

    FINAL = "final"
    """It stays until somebody changes something."""
    DEPENDS_ON_GRANT = "depends_on_grant"
    """A grant that is there may still become effective."""
    PASSING = "passing"
    """It may pass by itself."""


class PullRole(_Word):
    """A role that gives pull."""

    ACR_PULL = "AcrPull"
    REPOSITORY_READER = "Container Registry Repository Reader"
    """The one that registries with permissions on repositories honour."""


class RoleAssignmentMode(_Word):
    """On what a registry's permissions are."""

    LEGACY_REGISTRY_PERMISSIONS = "LegacyRegistryPermissions"
    """On the whole registry."""
    ABAC_REPOSITORY_PERMISSIONS = "AbacRepositoryPermissions"
    """On repositories: ``AcrPull`` has no effect here."""


class Sku(_Word):
    """A registry's service tier."""

    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"
