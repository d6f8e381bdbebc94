from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from types import GenericAlias
from typing import (
    Any,
    Generic,
    Literal,
    Protocol,
    SupportsIndex,
    TypeAlias,
    TypedDict,
    TypeVar,
    final,
    overload,
    type_check_only,
)

from typing_extensions import NotRequired, Self, disjoint_base

from ._words import (
    Access,
    ImportSide,
    ClusterTier,
    DetachOutcome,
    DomainNameLabelScope,
    ErrorKind,
    OnExistingEntry,
    OnExistingTag,
    GroupMembership,
    OnInheritedGrant,
    MergeOutcome,
    Operation,
    OnConditionMismatch,
    PullRetry,
    PrincipalState,
    PullRole,
    RefusalKind,
    RightScope,
    RoleAssignmentMode,
    Sku,
    WriteService,
)

VERSION: str

_T = TypeVar("_T")

@type_check_only
class Token(Protocol):
    """A token with its end, in seconds since 1970."""

    @property
    def token(self) -> str: ...
    @property
    def expires_on(self) -> float: ...

@type_check_only
class GetsToken(Protocol):
    """A credential, as azure-core has them; its method may be a coroutine.

    An exception that it raises is the `__cause__` of the call's error. A lost connection, a timeout, HTTP 408 or 5xx is an
    `UnavailableError`, and HTTP 429 a `RateLimitedError` with the `retry_after` of the response; both are transient. Any other, such as a
    refusal by Entra, is an `UnauthenticatedError`, where conditional access caused it with that as its `refusal`.
    """

    def get_token(self, *scopes: str) -> Token | Awaitable[Token]: ...

@type_check_only
class GetsTokenInfo(Protocol):
    """A credential in azure-core's newer form; its method may be a coroutine. For what it raises see `GetsToken`."""

    def get_token_info(self, *scopes: str) -> Token | Awaitable[Token]: ...

@type_check_only
class CustomCloud(TypedDict):
    """What `Cloud.custom` takes."""

    resource_manager: str
    registry_suffix: str

# A key that may be left out would refuse every other TypedDict that has the two above.
@type_check_only
class CustomCloudWithAuthority(CustomCloud):
    """The same with where tokens come from, for the default chain of credentials."""

    authority: str

@type_check_only
class CustomCloudWithGraph(CustomCloud):
    """The same with where Microsoft Graph is, for `query_graph`."""

    graph: str

@type_check_only
class CustomCloudWithAuthorityAndGraph(CustomCloudWithAuthority):
    """The same with both."""

    graph: str

@type_check_only
class ImportItem(TypedDict):
    """An image of a list, with the options of its import."""

    source: str
    target: NotRequired[str | None]
    additional_tags: NotRequired[Sequence[str]]
    untagged_repositories: NotRequired[Sequence[str]]
    on_existing_tag: NotRequired[_OnExistingTag]
    source_registry: NotRequired[str | None]
    username: NotRequired[str | None]
    password: NotRequired[str | None]
    deadline: NotRequired[_Seconds | None]

# A word as its enum or as text.
_Access: TypeAlias = Access | Literal["user", "admin"]
_ClusterTier: TypeAlias = ClusterTier | Literal["Free", "Standard", "Premium"]
_DetachOutcome: TypeAlias = DetachOutcome | Literal["removed", "nothing_to_remove"]
_DomainLabel: TypeAlias = DomainNameLabelScope | Literal["TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "NoReuse"]
_OnExistingEntry: TypeAlias = OnExistingEntry | Literal["keep", "replace"]
_OnExistingTag: TypeAlias = OnExistingTag | Literal["keep", "replace"]
_GroupMembership: TypeAlias = GroupMembership | Literal["none", "checked", "unchecked"]
_OnInheritedGrant: TypeAlias = OnInheritedGrant | Literal["suffices", "grant_directly"]
_MergeOutcome: TypeAlias = MergeOutcome | Literal["added", "replaced", "unchanged"]
_Operation: TypeAlias = (
    Operation
    | Literal[
        "identities",
        "attach",
        "plan_attach",
        "apply_attach",
        "detach",
        "plan_detach",
        "apply_detach",
        "attachments_of_cluster",
        "attachments_of_registry",
        "registry",
        "create_registry",
        "create_cluster",
        "import_image",
        "import_images",
        "start_import",
        "poll_import",
        "kubeconfig",
        "merge_kubeconfig",
        "apply",
        "wait_for_rollout",
        "pods",
    ]
)
_OnConditionMismatch: TypeAlias = OnConditionMismatch | Literal["keep", "replace"]
_PrincipalState: TypeAlias = PrincipalState | Literal["exists", "gone", "unknown"]
_PullRole: TypeAlias = PullRole | Literal["AcrPull", "Container Registry Repository Reader"]
_RightScope: TypeAlias = RightScope | Literal["cluster", "registry", "resource_group", "subscription"]
_RoleAssignmentMode: TypeAlias = RoleAssignmentMode | Literal["LegacyRegistryPermissions", "AbacRepositoryPermissions"]
_Sku: TypeAlias = Sku | Literal["Basic", "Standard", "Premium"]
_WriteService: TypeAlias = WriteService | Literal["azure", "kubernetes"]
# What is one of several forms, for an exhaustive `match`.
_AttachOutcome: TypeAlias = (
    AttachOutcome.Granted
    | AttachOutcome.AlreadyGranted
    | AttachOutcome.Inherited
    | AttachOutcome.ThroughGroup
    | AttachOutcome.ConditionDiffers
)
_PlannedAction: TypeAlias = PlannedAction.Grant | PlannedAction.Replace | PlannedAction.Nothing
_GrantReach: TypeAlias = GrantReach.Direct | GrantReach.Inherited
_ImportProof: TypeAlias = ImportProof.SourceMatched | ImportProof.TargetOnly | ImportProof.Unproven
_StartedImport: TypeAlias = StartedImport.AlreadyThere | StartedImport.Started
_ImportStatus: TypeAlias = ImportStatus.Running | ImportStatus.Succeeded
_PullCause: TypeAlias = (
    PullCause.Unauthorized
    | PullCause.NoCredentials
    | PullCause.Firewall
    | PullCause.NotFound
    | PullCause.NoMatchingPlatform
    | PullCause.PrivateAddressTimeout
    | PullCause.PublicAddressTimeout
    | PullCause.NoSuchHost
    | PullCause.Throttled
    | PullCause.UntrustedCertificate
    | PullCause.InvalidName
    | PullCause.NeverPulled
    | PullCause.Unknown
)
_Event: TypeAlias = (
    Event.Started
    | Event.Polling
    | Event.ImportingTag
    | Event.Retrying
    | Event.Rollout
    | Event.Finished
    | Event.ItemEnded
)
_SomeCredential: TypeAlias = GetsToken | GetsTokenInfo
_SomeCloud: TypeAlias = (
    Cloud
    | str
    | CustomCloud
    | CustomCloudWithAuthority
    | CustomCloudWithGraph
    | CustomCloudWithAuthorityAndGraph
)
_Seconds: TypeAlias = float | timedelta
_Listener: TypeAlias = Callable[[_Event], object]
_Hook: TypeAlias = Callable[[Write], object]

def shut_down() -> None:
    """Ends the work that is under way, before the interpreter does."""

def load(class_name: str, json: str) -> Any:
    """Makes a value of a class again from its JSON form; for pickle."""

def words() -> dict[str, list[str]]:
    """The words of every enum, as core has them: those of Python are held against them."""

def required_rights(operations: Iterable[_Operation]) -> list[RequiredRight]:
    """The rights that these operations need, each once. What is required by one of them is required."""

def custom_role_json(name: str, rights: Iterable[RequiredRight], assignable_scopes: Sequence[str]) -> str:
    """A custom role that has exactly these rights, as `az role definition create --role-definition @file` reads it. Those that are not
    required are in it too: leave out of `rights` what you do not want.
    """

@type_check_only
class Result:
    """What all results have: they do not change, and can be compared, hashed and pickled. `str()` is one readable line, or a table."""

    def __str__(self) -> str: ...
    # Of those with fields: `copy.replace` of Python 3.13 calls it.
    def __replace__(self, /, **changes: Any) -> Self: ...

    def to_json(self) -> str:
        """Its JSON form, the same in every language."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads its JSON form."""

@final
class Answer:
    """Takes one answer. Where it is let go without one, nobody will answer any more."""

    def token(self, text: str, expires_on: float) -> None:
        """A token, and its end in seconds since 1970."""

    def stop_by(self, stop: Callable[[], object]) -> bool:
        """Says what is to be called if nobody waits for the answer any more. That is so already where it gives `True`."""

    def raised(self, error: BaseException) -> None:
        """An exception."""

    def allowed(self) -> None:
        """The write may be sent."""

    def refused(self, why: str) -> None:
        """The write may not be sent."""

@final
class Ending:
    """Ends a coroutine's call from the loop's thread."""

    def raised(self, error: BaseException) -> None:
        """Ends the call, which raises this."""

@final
class Call(Generic[_T]):
    """A call that has not begun."""

    def wait(self) -> _T:
        """Makes the call and waits for its end. Other threads run meanwhile; Ctrl-C stops it."""

    def start(self) -> Awaitable[_T]:
        """Makes the call for the coroutine that awaits what this gives."""

    def run(self) -> Run[_T]:
        """Makes the call, to be followed from outside any loop."""

    def async_run(self) -> AsyncRun[_T]:
        """Makes the call, to be followed by coroutines of the running loop."""

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class Run(Generic[_T]):
    """A call under way: iterate it for its events, then ask for its result.

    It works in the client's threads from the moment it is made, and may be used from any thread. When nobody holds it or its
    events any more, it is cancelled.
    """

    def __iter__(self) -> RunEvents: ...
    def result(self) -> _T:
        """Waits for the end, and gives the result. Events that nobody iterated are left out. Asked again, it gives the same.

        Raises:
            CancelledError: If the run was cancelled; it is `aks_acr.CancelledError`, not that of asyncio.
            AksAcrError: What the call would have raised.
        """

    def cancel(self) -> None:
        """Stops the work. What Azure has begun goes on. It may be called from any thread, also while another waits in `result()` or
        for the next event, and more than once.
        """

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class RunEvents:
    """The events of a run."""

    def __iter__(self) -> RunEvents: ...
    def __next__(self) -> _Event: ...

@final
class AsyncRun(Generic[_T]):
    """A call under way: iterate it by `async for` for its events, then await it for its result, more than once if need be.

    It belongs to the loop in which it was made. When nobody holds it or its events any more, it is cancelled.
    """

    def __aiter__(self) -> AsyncRunEvents: ...
    def __await__(self) -> Generator[Any, None, _T]: ...
    def cancel(self) -> None:
        """Stops the work. What Azure has begun goes on. Who awaits it gets an `aks_acr.CancelledError`; a task that is cancelled while
        it awaits gets an `asyncio.CancelledError` as everywhere, and the work is stopped too. It may be called from any thread.
        """

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class AsyncRunEvents:
    """The events of an asynchronous run."""

    def __aiter__(self) -> AsyncRunEvents: ...
    def __anext__(self) -> Awaitable[_Event]: ...

@final
class Cloud:
    """One of Azure's clouds."""

    @staticmethod
    def custom(
        resource_manager: str, registry_suffix: str, *, authority: str | None = None, graph: str | None = None
    ) -> Cloud:
        """Another cloud, or an emulator of one: the address of its Resource Manager, such as `https://localhost:8443`, and the ending
        of its login servers, such as `.azurecr.io`.

        `authority` is where tokens come from, for the default chain of credentials; without it, `AZURE_AUTHORITY_HOST` or else the
        Resource Manager's own address. `graph` is where Microsoft Graph is, such as `https://graph.microsoft.com`, for
        `query_graph`.
        """

@final
class Kubeconfig:
    """A kubeconfig that Azure made for a cluster. It holds keys: only `text` shows them."""

    __match_args__ = ("server", "context")
    def __new__(cls, text: str) -> Kubeconfig: ...
    @property
    def server(self) -> str:
        """Address of the Kubernetes API."""

    @property
    def context(self) -> str:
        """Name of the current context."""

    @property
    def text(self) -> str:
        """The whole text. It is a secret."""

@final
class Attachment(Result):
    """The state "this cluster can pull from this registry, by that grant".

    Assigned is not yet effective: Azure takes from seconds to minutes until a registry honours a new grant.
    """

    __match_args__ = (
        "outcome",
        "role",
        "principal_id",
        "registry",
        "assignment_id",
        "condition",
        "correlation_id",
        "unchecked_groups",
    )
    def __new__(
        cls,
        *,
        outcome: _AttachOutcome,
        role: _PullRole,
        principal_id: str,
        registry: str,
        assignment_id: str | None,
        condition: str | None,
        correlation_id: str | None,
        unchecked_groups: Sequence[str],
    ) -> Attachment: ...
    @property
    def outcome(self) -> _AttachOutcome:
        """What was found or done."""

    @property
    def role(self) -> PullRole:
        """The role that gives pull."""

    @property
    def principal_id(self) -> str:
        """Object id of the identity that has it."""

    @property
    def registry(self) -> str:
        """Resource id of the registry."""

    @property
    def assignment_id(self) -> str | None:
        """Id of the role assignment. `None` where one exists that the caller may not read."""

    @property
    def condition(self) -> str | None:
        """What narrows the grant, if anything does."""

    @property
    def correlation_id(self) -> str | None:
        """By this Azure's activity log knows the write. `None` where nothing was written."""

    @property
    def unchecked_groups(self) -> tuple[str, ...]:
        """Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a
        member. Usually empty.
        """

@disjoint_base
class AttachOutcome(Result):
    """What attach found or did."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class Granted(AttachOutcome):
        """The grant was made."""

        __match_args__ = ()
        def __new__(cls) -> AttachOutcome.Granted: ...
        @property
        def kind(self) -> Literal["granted"]: ...

    @final
    class AlreadyGranted(AttachOutcome):
        """The same grant was there: nothing was written."""

        __match_args__ = ()
        def __new__(cls) -> AttachOutcome.AlreadyGranted: ...
        @property
        def kind(self) -> Literal["already_granted"]: ...

    @final
    class Inherited(AttachOutcome):
        """A scope above the registry gives the role: nothing was written."""

        __match_args__ = ("from_",)
        def __new__(cls, from_: str) -> AttachOutcome.Inherited: ...
        @property
        def kind(self) -> Literal["inherited"]: ...
        @property
        def from_(self) -> str: ...

    @final
    class ThroughGroup(AttachOutcome):
        """The identity is a member of an Entra group that has a role which gives pull: nothing was written. A membership that was
        just made takes long to have an effect; ask for a direct grant to be independent of that.
        """

        __match_args__ = ("group", "from_")
        def __new__(cls, group: str, from_: str) -> AttachOutcome.ThroughGroup: ...
        @property
        def kind(self) -> Literal["through_group"]: ...
        @property
        def group(self) -> str: ...
        @property
        def from_(self) -> str: ...

    @final
    class ConditionDiffers(AttachOutcome):
        """The role is there with another condition, which was left as it is: nothing was written."""

        __match_args__ = ("existing",)
        def __new__(cls, existing: str | None) -> AttachOutcome.ConditionDiffers: ...
        @property
        def kind(self) -> Literal["condition_differs"]: ...
        @property
        def existing(self) -> str | None: ...

@final
class AttachPlan(Result):
    """What attach would do. Making one needs read rights only; applying it looks again. `str()` is lines for a reader."""

    __match_args__ = (
        "version",
        "expires",
        "cluster",
        "registry",
        "role",
        "principal_id",
        "condition",
        "action",
        "is_principal_named",
        "on_inherited_grant",
        "on_condition_mismatch",
        "unchecked_groups",
    )
    def __new__(
        cls,
        *,
        version: int,
        expires: datetime,
        cluster: ClusterRef,
        registry: str,
        role: _PullRole,
        principal_id: str,
        condition: str | None,
        action: _PlannedAction,
        is_principal_named: bool,
        on_inherited_grant: _OnInheritedGrant,
        on_condition_mismatch: _OnConditionMismatch,
        unchecked_groups: Sequence[str],
    ) -> AttachPlan: ...
    @property
    def version(self) -> int:
        """The version of the form in which the plan is written."""

    @property
    def expires(self) -> datetime:
        """After this, by the clock of Azure, it is refused."""

    @property
    def cluster(self) -> ClusterRef:
        """The cluster."""

    @property
    def registry(self) -> str:
        """Resource id of the registry."""

    @property
    def role(self) -> PullRole:
        """The role that gives pull there."""

    @property
    def principal_id(self) -> str:
        """Object id of the identity that would have it."""

    @property
    def condition(self) -> str | None:
        """What would narrow it."""

    @property
    def action(self) -> _PlannedAction:
        """What would be done."""

    @property
    def is_principal_named(self) -> bool:
        """Whether the options named who gets the grant."""

    @property
    def on_inherited_grant(self) -> OnInheritedGrant:
        """What the options said of a scope above, or a group, that gives pull already."""

    @property
    def on_condition_mismatch(self) -> OnConditionMismatch:
        """What the options said of the role with another condition."""

    @property
    def unchecked_groups(self) -> tuple[str, ...]:
        """Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a
        member. Usually empty.
        """

@disjoint_base
class PlannedAction(Result):
    """What a plan does."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class Grant(PlannedAction):
        """Makes the grant."""

        __match_args__ = ()
        def __new__(cls) -> PlannedAction.Grant: ...
        @property
        def kind(self) -> Literal["grant"]: ...

    @final
    class Replace(PlannedAction):
        """Gives the grant that is there another condition."""

        __match_args__ = ("assignment_id",)
        def __new__(cls, assignment_id: str) -> PlannedAction.Replace: ...
        @property
        def kind(self) -> Literal["replace"]: ...
        @property
        def assignment_id(self) -> str: ...

    @final
    class Nothing(PlannedAction):
        """Writes nothing, since this is so already."""

        __match_args__ = ("outcome",)
        def __new__(cls, outcome: _AttachOutcome) -> PlannedAction.Nothing: ...
        @property
        def kind(self) -> Literal["nothing"]: ...
        @property
        def outcome(self) -> _AttachOutcome: ...

@final
class Detachment(Result):
    """What was removed, and what still lets the cluster pull.

    Removed is not yet without effect: Azure takes from seconds to minutes, a node may hold a token of the registry for hours, and
    an image that is on a node already starts without a pull.
    """

    __match_args__ = ("outcome", "principal_id", "registry", "removed", "remaining")
    def __new__(
        cls,
        *,
        outcome: _DetachOutcome,
        principal_id: str,
        registry: str,
        removed: Iterable[RemovedGrant],
        remaining: Iterable[PullGrant],
    ) -> Detachment: ...
    @property
    def outcome(self) -> DetachOutcome:
        """What was found or done."""

    @property
    def principal_id(self) -> str:
        """Object id of the identity whose grants were meant."""

    @property
    def registry(self) -> str:
        """Resource id of the registry."""

    @property
    def removed(self) -> tuple[RemovedGrant, ...]:
        """What was removed."""

    @property
    def remaining(self) -> tuple[PullGrant, ...]:
        """What still gives this principal pull: grants from above, of other roles, of Entra groups that it is in, or
        of others where only ours were to go.
        """

@final
class RemovedGrant(Result):
    """A grant that was removed."""

    __match_args__ = ("assignment_id", "role", "condition", "correlation_id")
    def __new__(
        cls,
        *,
        assignment_id: str,
        role: _PullRole,
        condition: str | None,
        correlation_id: str | None,
    ) -> RemovedGrant: ...
    @property
    def assignment_id(self) -> str:
        """Id of the role assignment that is gone."""

    @property
    def role(self) -> PullRole:
        """Its role."""

    @property
    def condition(self) -> str | None:
        """What narrowed it, if anything did."""

    @property
    def correlation_id(self) -> str | None:
        """By this Azure's activity log knows the write."""

@final
class DetachPlan(Result):
    """What detach would do. Making one needs read rights only; applying it looks again: what is gone by then is no hindrance, but if
    more would be removed than it says, nothing is. `str()` is lines for a reader.
    """

    __match_args__ = (
        "version",
        "expires",
        "cluster",
        "registry",
        "principal_id",
        "remove",
        "remaining",
        "is_principal_named",
        "only_created_by_aks_acr",
    )
    def __new__(
        cls,
        *,
        version: int,
        expires: datetime,
        cluster: ClusterRef,
        registry: str,
        principal_id: str,
        remove: Iterable[RoleAssignment],
        remaining: Iterable[PullGrant],
        is_principal_named: bool,
        only_created_by_aks_acr: bool,
    ) -> DetachPlan: ...
    @property
    def version(self) -> int:
        """The version of the form in which the plan is written."""

    @property
    def expires(self) -> datetime:
        """After this, by the clock of Azure, it is refused."""

    @property
    def cluster(self) -> ClusterRef:
        """The cluster."""

    @property
    def registry(self) -> str:
        """Resource id of the registry."""

    @property
    def principal_id(self) -> str:
        """Object id of the identity whose grants are meant."""

    @property
    def remove(self) -> tuple[RoleAssignment, ...]:
        """What would be removed. Empty: nothing would be written."""

    @property
    def remaining(self) -> tuple[PullGrant, ...]:
        """What would still give this principal pull, the grants of Entra groups that it is a member of among it."""

    @property
    def is_principal_named(self) -> bool:
        """Whether the options named whose grants are meant."""

    @property
    def only_created_by_aks_acr(self) -> bool:
        """Whether only what this library made is meant."""

@final
class RoleAssignment(Result):
    """A role assignment as Azure has it."""

    __match_args__ = ("id", "scope", "principal_id", "principal_type", "role_definition_id", "condition", "description")
    def __new__(
        cls,
        *,
        id: str,
        scope: str,
        principal_id: str,
        principal_type: str | None,
        role_definition_id: str,
        condition: str | None,
        description: str | None,
    ) -> RoleAssignment: ...
    @property
    def id(self) -> str:
        """Its resource id."""

    @property
    def scope(self) -> str:
        """Where it holds."""

    @property
    def principal_id(self) -> str:
        """To whom."""

    @property
    def principal_type(self) -> str | None:
        """Azure's word for what the principal is: `ServicePrincipal` (a managed identity too), `Group`, `User`."""

    @property
    def role_definition_id(self) -> str:
        """The role definition's id, the part that is the same in every subscription."""

    @property
    def condition(self) -> str | None:
        """What narrows it, if anything does."""

    @property
    def description(self) -> str | None:
        """What its maker wrote about it."""

@final
class ClusterAttachments(Result):
    """What a cluster's nodes can pull from."""

    __match_args__ = ("cluster", "principal_id", "grants", "subscriptions")
    def __new__(
        cls,
        *,
        cluster: str,
        principal_id: str,
        grants: Iterable[PullGrant],
        subscriptions: Iterable[str],
    ) -> ClusterAttachments: ...
    @property
    def cluster(self) -> str:
        """Resource id of the cluster."""

    @property
    def principal_id(self) -> str:
        """Object id of the identity that pulls for it."""

    @property
    def grants(self) -> tuple[PullGrant, ...]:
        """The grants, one or more for a registry: those on the registry itself first."""

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The subscriptions that were looked in. A registry elsewhere may be attached too."""

@final
class RegistryAttachments(Result):
    """Who can pull from a registry."""

    __match_args__ = ("registry", "grants", "subscriptions")
    def __new__(
        cls,
        *,
        registry: Registry,
        grants: Iterable[PullGrant],
        subscriptions: Iterable[str],
    ) -> RegistryAttachments: ...
    @property
    def registry(self) -> Registry:
        """The registry."""

    @property
    def grants(self) -> tuple[PullGrant, ...]:
        """The grants: those on the registry itself first."""

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The subscriptions whose clusters were looked at, to tell whose a grant is. One where the caller may
        not list them is left out.
        """

@final
class PullGrant(Result):
    """A role assignment that lets somebody pull from a registry. `str()` is a line for a reader.

    A role is judged by what it allows: an Owner can pull too, where permissions are on the whole registry.
    """

    __match_args__ = (
        "registry",
        "principal_id",
        "principal_type",
        "principal_state",
        "clusters",
        "role_definition_id",
        "role_name",
        "assignment_id",
        "reach",
        "condition",
        "is_certain",
        "membership",
    )
    def __new__(
        cls,
        *,
        registry: str,
        principal_id: str,
        principal_type: str | None,
        principal_state: _PrincipalState,
        clusters: Iterable[str],
        role_definition_id: str,
        role_name: str | None,
        assignment_id: str,
        reach: _GrantReach,
        condition: str | None,
        is_certain: bool,
        membership: _GroupMembership,
    ) -> PullGrant: ...
    @property
    def registry(self) -> str:
        """Resource id of the registry."""

    @property
    def principal_id(self) -> str:
        """Object id of the identity or group that holds the assignment."""

    @property
    def principal_type(self) -> str | None:
        """Azure's word for what that is: `ServicePrincipal` (a managed identity too), `Group`, `User`."""

    @property
    def principal_state(self) -> PrincipalState:
        """Whether the principal still exists, as far as that is known."""

    @property
    def clusters(self) -> tuple[str, ...]:
        """Resource ids of the clusters whose nodes pull with it, of those that were looked at."""

    @property
    def role_definition_id(self) -> str:
        """The role definition's id, the part that is the same in every subscription."""

    @property
    def role_name(self) -> str | None:
        """The role's name. `None` where the caller may not read the definition."""

    @property
    def assignment_id(self) -> str:
        """Id of the role assignment."""

    @property
    def reach(self) -> _GrantReach:
        """Where it was assigned."""

    @property
    def condition(self) -> str | None:
        """What narrows it, if anything does."""

    @property
    def is_certain(self) -> bool:
        """`False`: the caller may not read the role's definition or the registry, so that it may give pull, or not."""

    @property
    def membership(self) -> GroupMembership:
        """Where the principal is a group: whether its members are known, and so `clusters` complete."""

@disjoint_base
class GrantReach(Result):
    """Where a grant was assigned."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class Direct(GrantReach):
        """On the registry itself: detach removes it, if its role is one that attach gives."""

        __match_args__ = ()
        def __new__(cls) -> GrantReach.Direct: ...
        @property
        def kind(self) -> Literal["direct"]: ...

    @final
    class Inherited(GrantReach):
        """On a scope above the registry, and so for all that is below that."""

        __match_args__ = ("from_",)
        def __new__(cls, from_: str) -> GrantReach.Inherited: ...
        @property
        def kind(self) -> Literal["inherited"]: ...
        @property
        def from_(self) -> str: ...

@final
class DenyingPolicy(Result):
    """A policy that was in the way."""

    __match_args__ = ("name", "assignment_id", "definition_id")
    def __new__(cls, *, name: str, assignment_id: str | None, definition_id: str | None) -> DenyingPolicy: ...
    @property
    def name(self) -> str:
        """The assignment's display name, or its name where it has none."""

    @property
    def assignment_id(self) -> str | None:
        """The assignment's id. `None` where Azure does not tell."""

    @property
    def definition_id(self) -> str | None:
        """The definition's id. `None` where Azure does not tell."""

@final
class RequiredRight(Result):
    """A right that an operation needs."""

    __match_args__ = ("action", "is_data_action", "at", "is_required", "why", "smallest_role")
    def __new__(
        cls,
        *,
        action: str,
        is_data_action: bool,
        at: _RightScope,
        is_required: bool,
        why: str,
        smallest_role: str | None,
    ) -> RequiredRight: ...
    @property
    def action(self) -> str:
        """The action, such as `Microsoft.Authorization/roleAssignments/write`."""

    @property
    def is_data_action(self) -> bool:
        """Whether it is an action on data, which stands in a list of its own in a role."""

    @property
    def at(self) -> RightScope:
        """Where it is needed."""

    @property
    def is_required(self) -> bool:
        """`False`: the operation works without it, and `why` says what is lost, or when it is needed."""

    @property
    def why(self) -> str:
        """What it is needed for."""

    @property
    def smallest_role(self) -> str | None:
        """The smallest built-in role that has it, where one is known."""

@final
class Write(Result):
    """A request that changes something, before it is sent. `str()` is a line for a reader."""

    __match_args__ = ("service", "method", "target", "action", "step", "body")
    def __new__(
        cls,
        *,
        service: _WriteService,
        method: str,
        target: str,
        action: str | None,
        step: str,
        body: Any,
    ) -> Write: ...
    @property
    def service(self) -> WriteService:
        """Who would be asked."""

    @property
    def method(self) -> str:
        """The method of HTTP, such as `PUT`."""

    @property
    def target(self) -> str:
        """The resource id, or the cluster's resource id and the path in its API."""

    @property
    def action(self) -> str | None:
        """The action that Azure checks. `None` for Kubernetes."""

    @property
    def step(self) -> str:
        """What it is for, in words."""

    @property
    def body(self) -> Any:
        """What would be sent, without what may be secret: to Azure the body with such values replaced, to Kubernetes the
        object's kind, name and namespace.
        """

@final
class ClusterRef(Result):
    """A cluster, by resource group and name. `str()` is the form that methods take."""

    __match_args__ = ("subscription", "group", "name")
    def __new__(cls, *, subscription: str | None, group: str, name: str) -> ClusterRef: ...
    @property
    def subscription(self) -> str | None:
        """Its subscription, where that is not the client's."""

    @property
    def group(self) -> str:
        """Its resource group."""

    @property
    def name(self) -> str:
        """Its name."""

@final
class ClusterIdentities(Result):
    """The identities of a cluster, and what decides who may talk to it."""

    __match_args__ = (
        "cluster",
        "state",
        "kubelet",
        "control_plane",
        "add_ons",
        "service_principal",
        "entra",
        "local_accounts_disabled",
    )
    def __new__(
        cls,
        *,
        cluster: str,
        state: str,
        kubelet: KubeletIdentity | None,
        control_plane: Iterable[str],
        add_ons: Iterable[AddOnIdentity],
        service_principal: str | None,
        entra: EntraSettings | None,
        local_accounts_disabled: bool,
    ) -> ClusterIdentities: ...
    @property
    def cluster(self) -> str:
        """The cluster's resource id."""

    @property
    def state(self) -> str:
        """The service's word for the cluster's state, such as `Succeeded` or `Updating`."""

    @property
    def kubelet(self) -> KubeletIdentity | None:
        """What its nodes pull images with. Absent while a cluster is being made, and on clusters with a service principal."""

    @property
    def control_plane(self) -> tuple[str, ...]:
        """What the control plane acts with. A grant to it has no effect on pulls."""

    @property
    def add_ons(self) -> tuple[AddOnIdentity, ...]:
        """What add-ons act with. A grant to one has no effect on pulls."""

    @property
    def service_principal(self) -> str | None:
        """Application (client) id of the service principal, on a cluster that has one instead of managed identities."""

    @property
    def entra(self) -> EntraSettings | None:
        """How the cluster uses Entra for its users, if it does."""

    @property
    def local_accounts_disabled(self) -> bool:
        """Whether credentials that do not go through Entra are switched off."""

@final
class KubeletIdentity(Result):
    """The identity that a cluster's nodes pull images with."""

    __match_args__ = ("object_id", "client_id", "resource_id")
    def __new__(cls, *, object_id: str, client_id: str | None, resource_id: str | None) -> KubeletIdentity: ...
    @property
    def object_id(self) -> str:
        """Its object id: what a grant names."""

    @property
    def client_id(self) -> str | None:
        """Its client id, which no grant should name."""

    @property
    def resource_id(self) -> str | None:
        """Resource id of the managed identity."""

@final
class AddOnIdentity(Result):
    """The identity of an add-on."""

    __match_args__ = ("add_on", "object_id")
    def __new__(cls, *, add_on: str, object_id: str) -> AddOnIdentity: ...
    @property
    def add_on(self) -> str:
        """The add-on's name, such as `azureKeyvaultSecretsProvider`."""

    @property
    def object_id(self) -> str:
        """The identity's object id."""

@final
class EntraSettings(Result):
    """How a cluster uses Entra for its users."""

    __match_args__ = ("azure_rbac",)
    def __new__(cls, *, azure_rbac: bool) -> EntraSettings: ...
    @property
    def azure_rbac(self) -> bool:
        """Whether Azure's role assignments decide inside Kubernetes too."""

@final
class Registry(Result):
    """A registry as Azure has it."""

    __match_args__ = ("id", "login_server", "location", "sku", "mode", "state")
    def __new__(
        cls, *, id: str, login_server: str, location: str, sku: str, mode: _RoleAssignmentMode, state: str
    ) -> Registry: ...
    @property
    def id(self) -> str:
        """Its resource id."""

    @property
    def login_server(self) -> str:
        """The host that images are pushed to and pulled from. Not always the name and an ending."""

    @property
    def location(self) -> str:
        """The region."""

    @property
    def sku(self) -> str:
        """Such as `Basic`."""

    @property
    def mode(self) -> RoleAssignmentMode:
        """Whether permissions are given on the whole registry or on its repositories."""

    @property
    def state(self) -> str:
        """The service's word for its state, such as `Succeeded`."""

@final
class MergedKubeconfig(Result):
    """A kubeconfig that is in a file now."""

    __match_args__ = (
        "file",
        "context",
        "outcome",
        "previous_context",
        "current_context_changed",
        "is_open_to_others",
    )
    def __new__(
        cls,
        *,
        file: str,
        context: str,
        outcome: _MergeOutcome,
        previous_context: str | None,
        current_context_changed: bool,
        is_open_to_others: bool,
    ) -> MergedKubeconfig: ...
    @property
    def file(self) -> str:
        """The file that has the entries. Where it is a link, what that leads to was written."""

    @property
    def context(self) -> str:
        """The name of the context."""

    @property
    def outcome(self) -> MergeOutcome:
        """What was done to the entries."""

    @property
    def previous_context(self) -> str | None:
        """The context that was the current one, if there was one."""

    @property
    def current_context_changed(self) -> bool:
        """Whether the current context was changed."""

    @property
    def is_open_to_others(self) -> bool:
        """Whether the file's mode lets others than its owner read or write it. It had this mode before; the keys in it are
        theirs, too."""

@final
class CreatedRegistry(Result):
    """The registry, and whether the call made it."""

    __match_args__ = ("registry", "is_new", "differences", "correlation_id")
    def __new__(
        cls,
        *,
        registry: Registry,
        is_new: bool,
        differences: Iterable[Difference],
        correlation_id: str | None,
    ) -> CreatedRegistry: ...
    @property
    def correlation_id(self) -> str | None:
        """By this Azure's activity log knows the write. `None` where nothing was written."""

    @property
    def registry(self) -> Registry:
        """The registry."""

    @property
    def is_new(self) -> bool:
        """`False`: it was there, and was left as it is."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """In what one that was there differs from the one that would have been made."""

@final
class Difference(Result):
    """One point in which a resource that exists is not what would have been made. `str()` is a line for a reader."""

    __match_args__ = ("property", "asked", "found")
    def __new__(cls, *, property: str, asked: str, found: str) -> Difference: ...
    @property
    def asked(self) -> str:
        """What would have been made."""

    @property
    def found(self) -> str:
        """What is there."""

    # Last, since within the class it stands in the way of the decorator of this name.
    @property
    def property(self) -> str:
        """What differs, such as `sku` or `location`."""

@final
class Cluster(Result):
    """A cluster as Azure has it."""

    __match_args__ = ("id", "location", "state", "kubernetes_version", "tier", "node_count", "vm_size", "host")
    def __new__(
        cls,
        *,
        id: str,
        location: str,
        state: str,
        kubernetes_version: str,
        tier: str,
        node_count: int | None,
        vm_size: str,
        host: str | None,
    ) -> Cluster: ...
    @property
    def id(self) -> str:
        """Its resource id."""

    @property
    def location(self) -> str:
        """The region."""

    @property
    def state(self) -> str:
        """The service's word for its state, such as `Succeeded` or `Updating`."""

    @property
    def kubernetes_version(self) -> str:
        """The version of Kubernetes that runs."""

    @property
    def tier(self) -> str:
        """Such as `Free`."""

    @property
    def node_count(self) -> int | None:
        """The nodes of its first system pool. `None` where Azure states no count, as for a pool of several sizes."""

    @property
    def vm_size(self) -> str:
        """The size of those; empty where Azure states none."""

    @property
    def host(self) -> str | None:
        """The host of its API server, once it has one."""

@final
class CreatedCluster(Result):
    """A cluster that is there now, and what its nodes can pull from."""

    __match_args__ = ("cluster", "is_new", "differences", "attachments", "correlation_id")
    def __new__(
        cls,
        *,
        cluster: Cluster,
        is_new: bool,
        differences: Iterable[Difference],
        attachments: Iterable[Attachment],
        correlation_id: str | None,
    ) -> CreatedCluster: ...
    @property
    def correlation_id(self) -> str | None:
        """By this Azure's activity log knows the write. `None` where nothing was written, or where its answer was lost."""

    @property
    def cluster(self) -> Cluster:
        """The cluster."""

    @property
    def is_new(self) -> bool:
        """`False`: it was there, or was being made already, and was left as it is."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """In what one that was there differs from the one that would have been made."""

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What was found or done at each registry, in the order in which they were given."""

@final
class Import(Result):
    """An image that is in the registry now."""

    __match_args__ = ("source", "target", "additional_tags", "is_new", "proof", "correlation_id")
    def __new__(
        cls,
        *,
        source: str,
        target: str,
        additional_tags: Iterable[str],
        is_new: bool,
        proof: _ImportProof,
        correlation_id: str | None,
    ) -> Import: ...
    @property
    def correlation_id(self) -> str | None:
        """By this Azure's activity log knows the write. `None` where nothing was copied, or where its answer was lost."""

    @property
    def source(self) -> str:
        """The source, completed as Docker completes it."""

    @property
    def target(self) -> str:
        """The image in the registry: by its tag, or by its digest where it has none there."""

    @property
    def additional_tags(self) -> tuple[str, ...]:
        """Its further names there."""

    @property
    def is_new(self) -> bool:
        """`False`: an equal image was there, and nothing was copied."""

    @property
    def proof(self) -> _ImportProof:
        """How sure it is that the two are the same."""

@disjoint_base
class ImportProof(Result):
    """How sure it is that an imported image is its source. `str()` is a line for a reader."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class SourceMatched(ImportProof):
        """The target's digest equals the one that is meant: the one that the source is named by, or else had before the import."""

        __match_args__ = ("digest",)
        def __new__(cls, digest: str) -> ImportProof.SourceMatched: ...
        @property
        def kind(self) -> Literal["source_matched"]: ...
        @property
        def digest(self) -> str: ...

    @final
    class TargetOnly(ImportProof):
        """The target's digest is known, the source's is not; `reason` says why."""

        __match_args__ = ("digest", "reason")
        def __new__(cls, digest: str, reason: str) -> ImportProof.TargetOnly: ...
        @property
        def kind(self) -> Literal["target_only"]: ...
        @property
        def digest(self) -> str: ...
        @property
        def reason(self) -> str: ...

    @final
    class Unproven(ImportProof):
        """Azure says that the import succeeded; `reason` says why the target was not seen to have the image."""

        __match_args__ = ("reason",)
        def __new__(cls, reason: str) -> ImportProof.Unproven: ...
        @property
        def kind(self) -> Literal["unproven"]: ...
        @property
        def reason(self) -> str: ...

@disjoint_base
class StartedImport(Result):
    """How `start_import` ended."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class AlreadyThere(StartedImport):
        """Every target has the image already: nothing was begun."""

        __match_args__ = ("import_",)
        def __new__(cls, import_: Import) -> StartedImport.AlreadyThere: ...
        @property
        def kind(self) -> Literal["already_there"]: ...
        @property
        def import_(self) -> Import: ...

    @final
    class Started(StartedImport):
        """Azure copies."""

        __match_args__ = ("handle",)
        def __new__(cls, handle: ImportHandle) -> StartedImport.Started: ...
        @property
        def kind(self) -> Literal["started"]: ...
        @property
        def handle(self) -> ImportHandle: ...

@disjoint_base
class ImportStatus(Result):
    """How far an import is."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class Running(ImportStatus):
        """Azure is at work. The states are its own words, by `repository:tag`."""

        __match_args__ = ("tags",)
        def __new__(cls, tags: Mapping[str, str]) -> ImportStatus.Running: ...
        @property
        def kind(self) -> Literal["running"]: ...
        @property
        def tags(self) -> dict[str, str]: ...

    @final
    class Succeeded(ImportStatus):
        """All is copied."""

        __match_args__ = ()
        def __new__(cls) -> ImportStatus.Succeeded: ...
        @property
        def kind(self) -> Literal["succeeded"]: ...

@final
class ImportHandle(Result):
    """An import that Azure works on. It can be stored and looked at later, also by another process.

    The link in it is signed by Azure: whoever has it can follow the import, so keep its JSON form as a secret. Each look gives it a
    new link; copies of it within the process are one.
    """

    __match_args__ = ("registry", "targets")
    @property
    def registry(self) -> str:
        """Resource id of the registry that is imported into."""

    @property
    def targets(self) -> tuple[str, ...]:
        """`repository:tag` of each target, or the repository of one without a tag."""

    @property
    def correlation_id(self) -> str | None:
        """By this Azure's activity log knows the request that began it."""

    @property
    def asked_wait(self) -> timedelta | None:
        """How long Azure asked to wait before the next look, if it did."""

@final
class PullFailure(Result):
    """A pull that failed: what was meant to be pulled, the cause as far as its text tells, and the text. `str()` is a line for
    a reader.
    """

    __match_args__ = ("pod", "container", "image", "reason", "cause", "message")
    def __new__(
        cls, *, pod: str, container: str, image: str, reason: str, cause: _PullCause, message: str
    ) -> PullFailure: ...
    @property
    def pod(self) -> str:
        """The pod."""

    @property
    def container(self) -> str:
        """Its container."""

    @property
    def image(self) -> str:
        """The image as the pod names it."""

    @property
    def reason(self) -> str:
        """Kubelet's reason, such as `ErrImagePull`."""

    @property
    def cause(self) -> _PullCause:
        """What its text means."""

    @property
    def message(self) -> str:
        """The text of the first failure: kubelet forgets it when it begins to wait."""

@disjoint_base
class PullCause(Result):
    """What a failed pull's text means. `str()` is a line for a reader."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @property
    def retry(self) -> PullRetry:
        """Whether waiting can help."""

    @final
    class Unauthorized(PullCause):
        """The registry knows the identity and gives it no right on this repository."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.Unauthorized: ...
        @property
        def kind(self) -> Literal["unauthorized"]: ...

    @final
    class NoCredentials(PullCause):
        """No credentials reached the registry."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NoCredentials: ...
        @property
        def kind(self) -> Literal["no_credentials"]: ...

    @final
    class Firewall(PullCause):
        """The registry's firewall refused the address."""

        __match_args__ = ("address",)
        def __new__(cls, address: str | None) -> PullCause.Firewall: ...
        @property
        def kind(self) -> Literal["firewall"]: ...
        @property
        def address(self) -> str | None: ...

    @final
    class NotFound(PullCause):
        """The registry does not have the repository or the tag."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NotFound: ...
        @property
        def kind(self) -> Literal["not_found"]: ...

    @final
    class NoMatchingPlatform(PullCause):
        """The image has no variant for the node's operating system and processor."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NoMatchingPlatform: ...
        @property
        def kind(self) -> Literal["no_matching_platform"]: ...

    @final
    class PrivateAddressTimeout(PullCause):
        """A private address does not answer."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.PrivateAddressTimeout: ...
        @property
        def kind(self) -> Literal["private_address_timeout"]: ...

    @final
    class PublicAddressTimeout(PullCause):
        """A public address does not answer: outgoing traffic is filtered."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.PublicAddressTimeout: ...
        @property
        def kind(self) -> Literal["public_address_timeout"]: ...

    @final
    class NoSuchHost(PullCause):
        """The registry's host name does not resolve."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NoSuchHost: ...
        @property
        def kind(self) -> Literal["no_such_host"]: ...

    @final
    class Throttled(PullCause):
        """The registry throttles."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.Throttled: ...
        @property
        def kind(self) -> Literal["throttled"]: ...

    @final
    class UntrustedCertificate(PullCause):
        """The registry's certificate is not trusted."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.UntrustedCertificate: ...
        @property
        def kind(self) -> Literal["untrusted_certificate"]: ...

    @final
    class InvalidName(PullCause):
        """The image's name is not one."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.InvalidName: ...
        @property
        def kind(self) -> Literal["invalid_name"]: ...

    @final
    class NeverPulled(PullCause):
        """The image is not on the node, and the pod says that it is never to be pulled."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NeverPulled: ...
        @property
        def kind(self) -> Literal["never_pulled"]: ...

    @final
    class Unknown(PullCause):
        """The text is not known here. It may pass."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.Unknown: ...
        @property
        def kind(self) -> Literal["unknown"]: ...

@final
class Applied(Result):
    """An object that was applied. `str()` is `kind/name`."""

    __match_args__ = ("kind", "name", "namespace", "is_new")
    def __new__(cls, *, kind: str, name: str, namespace: str | None, is_new: bool) -> Applied: ...
    @property
    def kind(self) -> str:
        """Such as `Deployment`."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def namespace(self) -> str | None:
        """Its namespace, where its kind has one."""

    @property
    def is_new(self) -> bool:
        """Whether it was not there before; in a dry run, whether it would be new."""

@final
class Rollout(Result):
    """A deployment that runs as its specification says."""

    __match_args__ = ("ready", "wanted")
    def __new__(cls, *, ready: int, wanted: int) -> Rollout: ...
    @property
    def ready(self) -> int:
        """Replicas that are ready."""

    @property
    def wanted(self) -> int:
        """Replicas that are wanted."""

@final
class Pod(Result):
    """A pod."""

    __match_args__ = (
        "name",
        "namespace",
        "status",
        "ready",
        "containers",
        "restarts",
        "last_restart",
        "created",
        "node",
        "image_id",
        "pull_failure",
    )
    def __new__(
        cls,
        *,
        name: str,
        namespace: str,
        status: str,
        ready: int,
        containers: int,
        restarts: int,
        last_restart: datetime | None,
        created: datetime | None,
        node: str | None,
        image_id: str | None,
        pull_failure: PullFailure | None,
    ) -> Pod: ...
    @property
    def name(self) -> str:
        """Its name."""

    @property
    def namespace(self) -> str:
        """Its namespace."""

    @property
    def status(self) -> str:
        """What kubectl shows as STATUS, such as `Running` or `ImagePullBackOff`."""

    @property
    def ready(self) -> int:
        """Containers that are ready, sidecars included."""

    @property
    def containers(self) -> int:
        """Containers that it has, sidecars included."""

    @property
    def restarts(self) -> int:
        """How often its containers were started again."""

    @property
    def last_restart(self) -> datetime | None:
        """When one of them last ended, if that is known."""

    @property
    def created(self) -> datetime | None:
        """When it was made."""

    @property
    def node(self) -> str | None:
        """The node that it runs on, once it has one."""

    @property
    def image_id(self) -> str | None:
        """Digest or id of the image that its first container runs, once it does."""

    @property
    def pull_failure(self) -> PullFailure | None:
        """Why an image of it is not pulled, if one is not."""

@final
class Pods(Result):
    """The pods of a namespace, by name. `str()` is the table that kubectl prints; a notebook shows it too."""

    __match_args__ = ("pods", "at")
    def __new__(cls, *, pods: Iterable[Pod], at: datetime) -> Pods: ...
    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods, by name."""

    @property
    def at(self) -> datetime:
        """The cluster's own time when it told of them: ages count to it."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Pod]: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Pod: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Pod, ...]: ...
    def _repr_html_(self) -> str: ...

@disjoint_base
class Event(Result):
    """A step of a call that is under way. `str()` is a line for a reader."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class Started(Event):
        """A step begins."""

        __match_args__ = ("step",)
        def __new__(cls, step: str) -> Event.Started: ...
        @property
        def kind(self) -> Literal["started"]: ...
        @property
        def step(self) -> str: ...

    @final
    class Polling(Event):
        """Azure is still at work; `status` is the service's own word."""

        __match_args__ = ("step", "attempt", "status")
        def __new__(cls, step: str, attempt: int, status: str) -> Event.Polling: ...
        @property
        def kind(self) -> Literal["polling"]: ...
        @property
        def step(self) -> str: ...
        @property
        def attempt(self) -> int: ...
        @property
        def status(self) -> str: ...

    @final
    class ImportingTag(Event):
        """The state of one target tag of an import changed."""

        __match_args__ = ("tag", "status")
        def __new__(cls, tag: str, status: str) -> Event.ImportingTag: ...
        @property
        def kind(self) -> Literal["importing_tag"]: ...
        @property
        def tag(self) -> str: ...
        @property
        def status(self) -> str: ...

    @final
    class Retrying(Event):
        """Something temporary stood in the way; the request is sent again after the wait."""

        __match_args__ = ("step", "reason", "wait_ms")
        def __new__(cls, step: str, reason: str, wait_ms: int | None) -> Event.Retrying: ...
        @property
        def kind(self) -> Literal["retrying"]: ...
        @property
        def step(self) -> str: ...
        @property
        def reason(self) -> str: ...
        @property
        def wait_ms(self) -> int | None: ...

    @final
    class Rollout(Event):
        """The number of ready pods of a rollout changed, or what keeps them from it."""

        __match_args__ = ("ready", "wanted", "cause")
        def __new__(cls, ready: int, wanted: int, cause: str | None) -> Event.Rollout: ...
        @property
        def kind(self) -> Literal["rollout"]: ...
        @property
        def ready(self) -> int: ...
        @property
        def wanted(self) -> int: ...
        @property
        def cause(self) -> str | None: ...

    @final
    class Finished(Event):
        """A step is done."""

        __match_args__ = ("step",)
        def __new__(cls, step: str) -> Event.Finished: ...
        @property
        def kind(self) -> Literal["finished"]: ...
        @property
        def step(self) -> str: ...

    @final
    class ItemEnded(Event):
        """The import of one image of a list has ended, well or not; `index` is its place there, `error` why it failed, if it did."""

        __match_args__ = ("index", "source", "is_new", "error")
        def __new__(cls, index: int, source: str, is_new: bool, error: str | None) -> Event.ItemEnded: ...
        @property
        def kind(self) -> Literal["item_ended"]: ...
        @property
        def index(self) -> int: ...
        @property
        def source(self) -> str: ...
        @property
        def is_new(self) -> bool: ...
        @property
        def error(self) -> str | None: ...

class AksAcrError(Exception):
    """What went wrong, with the facts that a caller needs to act. Each kind has a class of its own below this one."""

    kind: ErrorKind
    """The kind, the same word in every language."""
    is_transient: bool
    """Whether the same call may succeed a little later without anybody's doing. By class that are ``RateLimitedError``,
    ``UnavailableError`` and ``DeadlineExceededError``; of single errors more is known, such as a lock that another program holds, or a
    certificate that is not trusted. What the library repeats by itself it has repeated by then."""
    created: str | None
    """Resource id of what this call has had Azure begin to make, and that is there though the call failed: a cluster, which costs, or a
    registry. The same call again goes on from there. ``None`` is no proof that nothing is there: no answer may have come."""
    status: int | None
    """The HTTP status of the service's answer."""
    code: str | None
    """The service's own code, such as ``AuthorizationFailed``."""
    request_id: str | None
    """``x-ms-request-id`` of the answer."""
    correlation_id: str | None
    """``x-ms-correlation-request-id`` of the answer."""
    refusal: RefusalKind | None
    """Who or what refused, where the caller was refused and it is known."""
    policies: tuple[DenyingPolicy, ...]
    """The policies that were in the way, where a policy refused and Azure names them."""
    missing_action: str | None
    """The action that the caller lacks."""
    scope: str | None
    """Where the caller was refused: a resource id."""
    smallest_role: str | None
    """The smallest built-in role that has it."""
    retry_after: timedelta | None
    """How long the service asked to wait."""
    claims: str | None
    """The claims that conditional access wants in a token, as JSON: sign in with them to get such a token."""
    pull_failure: PullFailure | None
    """Why pods cannot pull their image, where that is what went wrong."""
    failed_side: ImportSide | None
    """On which side of an import the fault lies, where that is known."""

class InvalidInputError(AksAcrError, ValueError):
    """The input is wrong; the message names the part. It is a `ValueError` too."""

class NotFoundError(AksAcrError):
    """What was named does not exist."""

class ConflictError(AksAcrError):
    """Something else is already there, or changed meanwhile. Transient where it is a thing that is being deleted, a lock that another
    program holds, a file that changed meanwhile, or a list of Azure's that lags."""

class ForbiddenError(AksAcrError):
    """The caller is known and may not do this; see `refusal`, `missing_action` and `smallest_role`."""

class NotRegisteredError(AksAcrError):
    """The subscription has not registered the resource provider; `register_providers` asks for it."""

class UnauthenticatedError(AksAcrError):
    """No token could be had, or the service did not accept it; see `__cause__`."""

class RateLimitedError(AksAcrError):
    """The service throttles, and asks to wait longer than the deadline; see `retry_after`."""

class DeadlineExceededError(AksAcrError, TimeoutError):
    """The deadline passed. What Azure has begun goes on. It is a `TimeoutError` too."""

class CancelledError(AksAcrError):
    """The caller cancelled, or closed the client. What Azure has begun goes on."""

class UnavailableError(AksAcrError):
    """The service could not be reached, or answered that it is out of order."""

class OperationFailedError(AksAcrError):
    """A long-running operation of Azure ended without success."""

class PullFailedError(AksAcrError):
    """Pods cannot pull their image, for a cause that does not pass; see `pull_failure`."""

class UnsupportedError(AksAcrError):
    """This build, or this service, cannot do it; the message says what to change."""

class UnexpectedError(AksAcrError):
    """The service's answer was not understood."""

@final
class Calls:
    """The operations of a client. Each method gives a call that has not begun."""

    def __new__(
        cls,
        credential: _SomeCredential | None,
        subscription_id: str,
        *,
        cloud: _SomeCloud | None = None,
        proxy: str | None = None,
        ca: str | None = None,
        read_only: bool = False,
        on_write: _Hook | None = None,
    ) -> Calls: ...
    @property
    def subscription_id(self) -> str:
        """The subscription in which names are looked up."""

    @property
    def cloud(self) -> str:
        """The cloud's name, or the address of its Resource Manager."""

    def close(self) -> None:
        """Cancels the calls that are under way and lets go of connections and credential."""

    def identities(
        self, cluster: str, *, deadline: _Seconds | None = None, on_progress: _Listener | None = None
    ) -> Call[ClusterIdentities]:
        """Finds a cluster's identities, the one that pulls images among them.

        Raises:
            NotFoundError: If there is no such cluster.
            ForbiddenError: If the caller may not read it.
        """

    def attach(
        self,
        cluster: str,
        registry: str,
        *,
        principal_id: str | None = None,
        condition: str | None = None,
        on_inherited_grant: _OnInheritedGrant | None = None,
        on_condition_mismatch: _OnConditionMismatch | None = None,
        retry_forbidden_for: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Attachment]:
        """Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, none where it is
        there already, and never the cluster.

        `registry` is a name, a login server or a resource id; with an id it is 4 requests, 2 deep (one after another). Where
        an Entra group has a role that gives pull, one more request tells whether the identity is a member: then nothing is written,
        unless `on_inherited_grant` asks for a direct grant.

        `principal_id` is who gets the grant, where that is not the cluster's kubelet identity. `condition` narrows the grant,
        on registries whose permissions are on repositories. `on_inherited_grant` says what is done where a scope above gives the
        role already, `on_condition_mismatch` what is done where it is there with another condition. A refusal is tried again for
        `retry_forbidden_for`, not at all by default. The deadline is 5 minutes by default.

        Raises:
            NotFoundError: If the cluster, its kubelet identity or the registry does not exist.
            ForbiddenError: If the caller may not read them or not write the grant, with `missing_action` and
                `smallest_role`.
            InvalidInputError: If a condition would have no effect.
            UnsupportedError: If the cluster has a service principal whose object id is not given.
        """

    def plan_attach(
        self,
        cluster: str,
        registry: str,
        *,
        principal_id: str | None = None,
        condition: str | None = None,
        on_inherited_grant: _OnInheritedGrant | None = None,
        on_condition_mismatch: _OnConditionMismatch | None = None,
        retry_forbidden_for: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[AttachPlan]:
        """Says what `attach` would do, and writes nothing. It needs read rights only.

        Its arguments are those of `attach`.

        Raises:
            AksAcrError: Those of `attach`, but for a refusal to write.
        """

    def apply_attach(
        self,
        plan: AttachPlan,
        *,
        retry_forbidden_for: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Attachment]:
        """Does what a plan says, after another look: what is done by then is no hindrance, but where something else would be
        done, nothing is written.

        The plan carries the options that it was made with; it is good for an hour. A refusal is tried again for
        `retry_forbidden_for`, not at all by default. The deadline is 5 minutes by default.

        Raises:
            ConflictError: If the plan has expired or no longer fits.
            InvalidInputError: If it is of another version.
            AksAcrError: Those of `attach`.
        """

    def detach(
        self,
        cluster: str,
        registry: str,
        *,
        principal_id: str | None = None,
        only_created_by_aks_acr: bool | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Detachment]:
        """Takes back what lets a cluster's nodes pull from a registry: the direct grants of the two roles that `attach` gives.
        The cluster is never written, and nothing above the registry is touched.

        What still gives access is in the answer. Where there is nothing to remove, nothing is written and the outcome says so.

        `principal_id` is whose grant is removed, where that is not the cluster's kubelet identity; the cluster is not looked at
        then, so it can be one that was deleted. `only_created_by_aks_acr` leaves alone what others made, such as Terraform. The deadline is
        5 minutes by default.

        Raises:
            NotFoundError: If the cluster, its kubelet identity or the registry does not exist.
            ForbiddenError: If the caller may not list the grants or not remove one, with `missing_action`; or a lock keeps one.
            UnsupportedError: If the cluster has a service principal whose object id is not given.
        """

    def plan_detach(
        self,
        cluster: str,
        registry: str,
        *,
        principal_id: str | None = None,
        only_created_by_aks_acr: bool | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[DetachPlan]:
        """Says what `detach` would remove, and writes nothing. It needs read rights only.

        Its arguments are those of `detach`.

        Raises:
            AksAcrError: Those of `detach`, but for a refusal to write.
        """

    def apply_detach(
        self,
        plan: DetachPlan,
        *,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Detachment]:
        """Removes what a plan says, after another look: what is gone by then is no hindrance, but if more would be removed,
        nothing is.

        The plan carries the options that it was made with; it is good for an hour. Each grant is tried, also where another is
        refused; running it again goes on with the rest. The deadline is 5 minutes by default.

        Raises:
            ConflictError: If the plan has expired or more would be removed.
            InvalidInputError: If it is of another version.
            AksAcrError: Those of `detach`.
        """

    def attachments_of_cluster(
        self,
        cluster: str,
        *,
        subscriptions: Sequence[str] | None = None,
        query_graph: bool | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[ClusterAttachments]:
        """Which registries a cluster's nodes can pull from, and by which grants, inherited ones included.

        It looks in the client's subscription, the cluster's and `subscriptions`. What the identity has through Entra
        groups is among them. `query_graph` has no effect here. Who pulls for a cluster with a service principal Azure does not
        tell: look at the registry, by `attachments_of_registry`. The deadline is 5 minutes by default.

        Raises:
            NotFoundError: If the cluster or its kubelet identity does not exist.
            ForbiddenError: If the caller may not read the cluster or not list role assignments in a subscription.
            UnsupportedError: If the cluster has a service principal.
        """

    def attachments_of_registry(
        self,
        registry: str,
        *,
        subscriptions: Sequence[str] | None = None,
        query_graph: bool | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[RegistryAttachments]:
        """Who can pull from a registry, and by which grants, inherited ones included; the kubelet identities of clusters are
        named.

        It looks for clusters in the client's subscription, the registry's and `subscriptions`. `query_graph` asks Microsoft
        Graph which principals still exist and who the members of groups are, which takes rights there. The deadline is 5 minutes by default.

        Raises:
            NotFoundError: If the registry does not exist.
            ForbiddenError: If the caller may not read it or not list its role assignments, or may not ask the directory and it
                was to be asked.
        """

    def registry(
        self, registry: str, *, deadline: _Seconds | None = None, on_progress: _Listener | None = None
    ) -> Call[Registry | None]:
        """Finds a registry by name, login server or resource id. `None` if there is none.

        Raises:
            ForbiddenError: If the caller may not read it.
            InvalidInputError: If it is the login server of another cloud.
        """

    def create_registry(
        self,
        group: str,
        name: str,
        *,
        location: str | None = None,
        sku: _Sku | None = None,
        mode: _RoleAssignmentMode | None = None,
        domain_name_label_scope: _DomainLabel | None = None,
        register_providers: bool | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[CreatedRegistry]:
        """Makes a registry, unless there is one of that name in the group: that one is left as it is, and `differences` say in
        what it is not what was asked for.

        By default it is in the group's region, of the tier `Basic`, with permissions on the whole registry. `domain_name_label_scope`
        is what Azure puts behind the name in the login server. `register_providers` has the resource provider registered where the
        subscription has not done so. The deadline is 10 minutes by default.

        A name that is taken and a registry that is being deleted are both a `ConflictError`: the one has the `code`
        `RegistryNameAlreadyInUse` and wants another name, the other has no `code` and wants waiting. A quota that is used up has
        no class of its own: see `create_cluster`.

        Raises:
            InvalidInputError: If the name cannot be one.
            ConflictError: If the name is taken elsewhere in the cloud, or the registry is being deleted.
            NotFoundError: If there is no such group.
            NotRegisteredError: If the subscription has not registered the resource provider, and `register_providers` does not ask
                for it.
            ForbiddenError: If the caller may not.
            OperationFailedError: If Azure could not.
        """

    def create_cluster(
        self,
        cluster: str,
        *,
        registries: Sequence[str] | None = None,
        location: str | None = None,
        node_count: int | None = None,
        vm_size: str | None = None,
        kubernetes_version: str | None = None,
        tier: _ClusterTier | None = None,
        ssh_key: str | None = None,
        ssh_key_file: str | PathLike[str] | None = None,
        register_providers: bool | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[CreatedCluster]:
        """Makes a cluster whose nodes can pull from `registries`, unless there is one of that name in the group: that one is
        left as it is, the registries are attached, and `differences` say in what it is not what was asked for.

        The grants are made as soon as the cluster shows its kubelet identity, beside the creation. Called again while the
        cluster is being made, it waits for that one.

        By default it is in the group's region, of the tier `Free`, with 3 nodes of a size and a version of Kubernetes that
        Azure chooses. `ssh_key` is the text of a public key, whose owner may sign in to the nodes; `ssh_key_file` instead of it is the
        path of the private half of a pair, which is made where it is missing; nobody may by default. `register_providers` has `Microsoft.ContainerService` registered where
        the subscription has not done so, and no other resource provider. The deadline is 60 minutes by default.

        A quota that is used up, or a size that a region does not have, has no class of its own. What Azure refuses at once is an
        `InvalidInputError`, a `ForbiddenError` without a `missing_action` or a `ConflictError`, by its status; what it finds at
        work is an `OperationFailedError`. Azure's own word is the `code`, such as `QuotaExceeded` or `SkuNotAvailable`; no such
        answer was recorded, so the list is not complete. The caller's right to make the grants shows only when they are made.

        Raises:
            InvalidInputError: If an option cannot be, or the service does not have that size or version.
            NotFoundError: If the group or a registry is absent, before anything is made.
            ConflictError: If the cluster is being deleted.
            NotRegisteredError: If the subscription has not registered the resource provider, and `register_providers` does not ask
                for it.
            ForbiddenError: If the caller may not.
            OperationFailedError: If Azure could not make it, now or at an earlier try.
        """

    def import_image(
        self,
        registry: str,
        source: str,
        *,
        target: str | None = None,
        additional_tags: Sequence[str] | None = None,
        untagged_repositories: Sequence[str] | None = None,
        on_existing_tag: _OnExistingTag | None = None,
        source_registry: str | None = None,
        username: str | None = None,
        password: str | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Import]:
        """Copies an image into a registry: Azure does it, and what arrived is compared with the source.

        The source's digest is read first, where it can be, and it is what is imported. A second run with an equal image
        copies nothing and succeeds. `target` is `repository:tag`, by default the source's own as Docker completes them: `nginx`
        arrives as `library/nginx:latest`, `ghcr.io/a/b:v1` as `a/b:v1`; a source with a digest and no tag needs one. `additional_tags` are
        further names, and `untagged_repositories` repositories that get the image without a tag. `on_existing_tag` says what happens to a tag that
        exists.

        `source_registry` names the registry of Azure that has the source, where its host does not: one of another
        subscription, by its resource id. A source that lets nobody pull without a name takes `username` and `password`, or a
        token for the registry as `password` alone. Azure alone uses them: the source is not looked at, and nothing is compared
        unless it is named by its digest. A tag that exists is then a conflict also the second time, and `untagged_repositories` needs such a
        source. The deadline is 30 minutes by default.

        Raises:
            InvalidInputError: If the target cannot be one, or the source is in another cloud.
            NotFoundError: If the registry or the source does not exist; `failed_side` says which.
            ConflictError: If the tag has another image.
            ForbiddenError: If the caller may not import, or the source may not be read.
            RateLimitedError: If the source throttles.
            OperationFailedError: If Azure could not copy it.
        """

    def import_images(
        self,
        registry: str,
        images: Iterable[str | ImportItem],
        *,
        concurrency: int | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[list[Import | AksAcrError]]:
        """Copies many images into a registry, `concurrency` of them at a time. Each has a result of its own, in the order of the
        list: an `Import`, or the exception that a call for this image alone would have raised. One that fails does not stop the
        others. Past the deadline, or stopped by `Run.cancel()`, it ends with all results that there are by then: images that were
        not done have that exception. Ctrl-C and a cancelled task lose the results, though not what Azure has begun.

        Each image is a source, or a mapping with `source` and any of the options of `import_image`, such as `{"source":
        "nginx", "target": "nginx:v1"}`. `concurrency` is how many are under way at a time, 4 by default. The deadline of the
        whole is 2 hours by default.

        Raises:
            InvalidInputError: If two images have the same target, or one has options that cannot be. So is one image that is in no
                list: text, bytes or a mapping.
            NotFoundError: If the registry does not exist.
            ForbiddenError: If the caller may not read it.
        """

    def start_import(
        self,
        registry: str,
        source: str,
        *,
        target: str | None = None,
        additional_tags: Sequence[str] | None = None,
        untagged_repositories: Sequence[str] | None = None,
        on_existing_tag: _OnExistingTag | None = None,
        source_registry: str | None = None,
        username: str | None = None,
        password: str | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[_StartedImport]:
        """Begins an import and does not wait for it: the handle can be stored, and looked at later, also by another process.

        Its arguments are those of `import_image`.

        Raises:
            AksAcrError: Those of `import_image` that show before Azure has accepted it.
        """

    def poll_import(
        self,
        handle: ImportHandle | StartedImport,
        *,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[_ImportStatus]:
        """How far an import is, by one look. Azure names a new link each time, which the handle takes over.

        `handle` is what `start_import` gave, or the handle in it.

        Raises:
            OperationFailedError: If the import has failed, or Azure has forgotten it.
            AksAcrError: With `failed_side`, if the import has failed. Without it, every other exception is that of the look, such as
                `UnavailableError`: the import goes on, and the handle can be looked at again.
        """

    def kubeconfig(
        self,
        cluster: str,
        *,
        access: _Access | None = None,
        public_fqdn: bool | None = None,
        context: str | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Kubeconfig]:
        """A cluster's kubeconfig, as a value: no file is written and no program is started.

        It is what Azure gives. On a cluster with Entra its user is an entry that starts the program `kubelogin`, which kubectl
        then needs; `apply`, `wait_for_rollout` and `pods` do not.

        `public_fqdn` enters a private cluster by its public name. `context` names context and cluster; the user gets the name that
        Azure gives it, followed by this one. By default all have Azure's names. The deadline is 2 minutes by default.

        Raises:
            NotFoundError: If there is no such cluster.
            ForbiddenError: If the caller may not have it.
            InvalidInputError: If `access` is `admin` and local accounts are switched off, or for a context's name that
                cannot be one.
        """

    def merge_kubeconfig(
        self,
        cluster: str,
        *,
        access: _Access | None = None,
        public_fqdn: bool | None = None,
        context: str | None = None,
        file: str | PathLike[str] | None = None,
        on_existing_entry: _OnExistingEntry | None = None,
        set_current: bool | None = None,
        lock_wait: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[MergedKubeconfig]:
        """Puts a cluster's context, cluster and user into a kubeconfig file, of which every other byte stays: `~/.kube/config`,
        or where `KUBECONFIG` says, or `file`. A second run changes nothing.

        The file is replaced whole or not at all, under the lock that kubectl takes; others who hold that are waited for
        `lock_wait`, 10 seconds by default. Other entries of the same names stay, unless `on_existing_entry` is `replace`. The context
        becomes the current one, unless `set_current` says no. An administrator's context always ends in `-admin`, also where
        `context` names it. On a cluster with Entra, kubectl needs `kubelogin` for what is merged. The deadline is 2 minutes by
        default.

        Raises:
            NotFoundError: If there is no such cluster.
            ForbiddenError: If the caller may not have its kubeconfig, or the file may not be written.
            ConflictError: If the file has other entries of these names, if others held its lock too long, or if it changed
                meanwhile.
            InvalidInputError: If the file has a form in which nothing can be put safely, and what `kubeconfig` raises.
            UnavailableError: If the system could not, as on a full disk. Nothing is changed then, unless the
                error names a file that is `changed by then`: the second of two of `KUBECONFIG` could not be replaced.
        """

    def apply(
        self,
        cluster: str,
        manifests: str,
        *,
        registry: str | None = None,
        namespace: str | None = None,
        force: bool | None = None,
        dry_run: bool | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[list[Applied]]:
        """Makes a cluster's objects what manifests say, by server-side apply, as the field manager `aks-acr`.

        `manifests` is YAML with any number of documents, or JSON. Wherever the host `<acr-name>.azurecr.io` stands in an object, it
        becomes the login server of `registry`; the `data` of an object, labels, annotations and descriptions are left alone. `force` takes
        fields over from other field managers; with `dry_run` the cluster only says what it would do. Objects are applied in their
        order: where one fails, those before it stay applied; run again, it goes on from there. The deadline is 5 minutes by
        default.

        Raises:
            InvalidInputError: If there is a placeholder and no registry to put there, or an object does not fit its schema or is
                too large.
            NotFoundError: If the cluster does not know a kind, or cluster or registry are absent.
            ConflictError: If another field manager owns a field.
            ForbiddenError: If the caller may not write an object.
        """

    def wait_for_rollout(
        self,
        cluster: str,
        workload: str,
        *,
        namespace: str | None = None,
        registry: str | None = None,
        subscriptions: Sequence[str] | None = None,
        propagation_timeout: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Rollout]:
        """Waits until every replica of a deployment runs; it starts nothing. Only for the kind `Deployment`. A cause that does not
        pass ends it at once, and is told.

        `propagation_timeout` is how long a grant that is there may take to become effective, counted from the first pull that the
        registry refuses, 10 minutes by default. The deadline, 15 minutes by default, bounds that too.

        When a registry refuses a pull, its role assignments are read, to tell a missing one from one that is not effective yet. It is
        searched in the client's subscription, the cluster's and `subscriptions`, by default in all that the caller can see; `registry`
        names it by its resource id instead.

        Raises:
            PullFailedError: If an image cannot be pulled and waiting does not help, with `pull_failure`.
            DeadlineExceededError: If it took too long, with how far it was, and with the `pull_failure` that stood in the way at
                the end, if one did.
            OperationFailedError: If Kubernetes gives the rollout up.
            NotFoundError: If there is no such deployment.
        """

    def pods(
        self,
        cluster: str,
        *,
        namespace: str | None = None,
        labels: str | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Pods]:
        """The pods of a namespace, as values and, by `str()`, as the table that kubectl prints.

        Raises:
            NotFoundError: If there is no such cluster.
            ForbiddenError: If the caller may not list them.
            InvalidInputError: If the namespace cannot be one.
        """
