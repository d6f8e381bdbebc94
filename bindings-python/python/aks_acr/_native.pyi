from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from datetime import datetime, timedelta
from types import GenericAlias
from typing import (
    Any,
    Generic,
    Protocol,
    SupportsIndex,
    TypeAlias,
    TypedDict,
    TypeVar,
    final,
    overload,
    type_check_only,
)

from typing_extensions import Self, disjoint_base

from ._words import (
    Access,
    ErrorKind,
    ExistingTag,
    InheritedGrant,
    OtherCondition,
    Outlook,
    PullRole,
    RoleAssignmentMode,
    Sku,
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
    """A credential, as azure-core has them; its method may be a coroutine."""

    def get_token(self, *scopes: str) -> Token | Awaitable[Token]: ...

@type_check_only
class GetsTokenInfo(Protocol):
    """A credential in azure-core's newer form; its method may be a coroutine."""

    def get_token_info(self, *scopes: str) -> Token | Awaitable[Token]: ...

@type_check_only
class CustomCloud(TypedDict):
    """What `Cloud.custom` takes."""

    resource_manager: str
    registry_suffix: str

_SomeCredential: TypeAlias = GetsToken | GetsTokenInfo
_SomeCloud: TypeAlias = Cloud | str | CustomCloud
_Seconds: TypeAlias = float | timedelta
_Listener: TypeAlias = Callable[[Event], object]

def shut_down() -> None:
    """Ends the work that is under way, before the interpreter does."""

def load(class_name: str, json: str) -> Any:
    """Makes a value of a class again from its JSON form; for pickle."""

def words() -> dict[str, list[str]]:
    """The words of every enum, as core has them: those of Python are held against them."""

@type_check_only
class Result:
    """What all results have: they do not change, and can be compared, hashed and pickled."""

    def to_json(self) -> str:
        """Its JSON form, the same in every language."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads its JSON form."""

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
    """A call under way: iterate it for its events, then ask for its result."""

    def __iter__(self) -> RunEvents: ...
    def result(self) -> _T:
        """Waits for the end, and gives the result. Events that nobody iterated are left out."""

    def cancel(self) -> None:
        """Stops the work. What Azure has begun goes on."""

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class RunEvents:
    """The events of a run."""

    def __iter__(self) -> RunEvents: ...
    def __next__(self) -> Event: ...

@final
class AsyncRun(Generic[_T]):
    """A call under way: iterate it by `async for` for its events, then await it for its result."""

    def __aiter__(self) -> AsyncRunEvents: ...
    def __await__(self) -> Generator[Any, None, _T]: ...
    def cancel(self) -> None:
        """Stops the work. What Azure has begun goes on."""

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class AsyncRunEvents:
    """The events of an asynchronous run."""

    def __aiter__(self) -> AsyncRunEvents: ...
    def __anext__(self) -> Awaitable[Event]: ...

@final
class Cloud:
    """One of Azure's clouds."""

    @staticmethod
    def custom(resource_manager: str, registry_suffix: str) -> Cloud:
        """Another cloud, or an emulator of one: the address of its Resource Manager, such as `https://localhost:8443`, and the ending
        of its login servers, such as `.azurecr.io`.
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

    __match_args__ = ("outcome", "role", "principal_id", "scope", "assignment_id", "condition", "correlation_id")
    def __new__(
        cls,
        *,
        outcome: AttachOutcome,
        role: PullRole | str,
        principal_id: str,
        scope: str,
        assignment_id: str | None,
        condition: str | None,
        correlation_id: str | None,
    ) -> Attachment: ...
    @property
    def outcome(self) -> AttachOutcome:
        """What was found or done."""

    @property
    def role(self) -> PullRole:
        """The role that gives pull."""

    @property
    def principal_id(self) -> str:
        """Object id of the identity that has it."""

    @property
    def scope(self) -> str:
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

    @final
    class AlreadyGranted(AttachOutcome):
        """The same grant was there: nothing was written."""

        __match_args__ = ()
        def __new__(cls) -> AttachOutcome.AlreadyGranted: ...

    @final
    class Inherited(AttachOutcome):
        """A scope above the registry gives the role: nothing was written."""

        __match_args__ = ("from_",)
        def __new__(cls, from_: str) -> AttachOutcome.Inherited: ...
        @property
        def from_(self) -> str: ...

    @final
    class ConditionDiffers(AttachOutcome):
        """The role is there with another condition, which was left as it is: nothing was written."""

        __match_args__ = ("existing",)
        def __new__(cls, existing: str | None) -> AttachOutcome.ConditionDiffers: ...
        @property
        def existing(self) -> str | None: ...

@final
class AttachPlan(Result):
    """What attach would do. Making one needs read rights only; applying it looks again. `str()` is a line for a reader."""

    __match_args__ = ("version", "expires", "cluster", "registry", "role", "principal_id", "condition", "action")
    def __new__(
        cls,
        *,
        version: int,
        expires: datetime,
        cluster: ClusterRef,
        registry: str,
        role: PullRole | str,
        principal_id: str,
        condition: str | None,
        action: PlannedAction,
    ) -> AttachPlan: ...
    @property
    def version(self) -> int:
        """The form of this plan."""

    @property
    def expires(self) -> datetime:
        """After this it is refused."""

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
    def action(self) -> PlannedAction:
        """What would be done."""

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

    @final
    class Replace(PlannedAction):
        """Gives the grant that is there another condition."""

        __match_args__ = ("assignment_id",)
        def __new__(cls, assignment_id: str) -> PlannedAction.Replace: ...
        @property
        def assignment_id(self) -> str: ...

    @final
    class Nothing(PlannedAction):
        """Writes nothing, since this is so already."""

        __match_args__ = ("outcome",)
        def __new__(cls, outcome: AttachOutcome) -> PlannedAction.Nothing: ...
        @property
        def outcome(self) -> AttachOutcome: ...

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
        cls, *, id: str, login_server: str, location: str, sku: str, mode: RoleAssignmentMode | str, state: str
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
        """On what its permissions are."""

    @property
    def state(self) -> str:
        """The service's word for its state, such as `Succeeded`."""

@final
class CreatedRegistry(Result):
    """The registry, and whether the call made it."""

    __match_args__ = ("registry", "is_new")
    def __new__(cls, *, registry: Registry, is_new: bool) -> CreatedRegistry: ...
    @property
    def registry(self) -> Registry:
        """The registry."""

    @property
    def is_new(self) -> bool:
        """`False`: it was there, and was left as it is, also where it differs from what was asked."""

@final
class Import(Result):
    """An image that is in the registry now."""

    __match_args__ = ("source", "target", "is_new", "proof")
    def __new__(cls, *, source: str, target: str, is_new: bool, proof: ImportProof) -> Import: ...
    @property
    def source(self) -> str:
        """The source, completed as Docker completes it."""

    @property
    def target(self) -> str:
        """The image in the registry."""

    @property
    def is_new(self) -> bool:
        """`False`: an equal image was there, and nothing was copied."""

    @property
    def proof(self) -> ImportProof:
        """How sure it is that the two are the same."""

@disjoint_base
class ImportProof(Result):
    """How sure it is that an imported image is its source. `str()` is a line for a reader."""

    @property
    def kind(self) -> str:
        """The word that tells this form from the others, the same in every language."""

    @final
    class SourceMatched(ImportProof):
        """The target's digest equals the one that the source had before the import."""

        __match_args__ = ("digest",)
        def __new__(cls, digest: str) -> ImportProof.SourceMatched: ...
        @property
        def digest(self) -> str: ...

    @final
    class TargetOnly(ImportProof):
        """The target's digest is known, the source's is not; `reason` says why."""

        __match_args__ = ("digest", "reason")
        def __new__(cls, digest: str, reason: str) -> ImportProof.TargetOnly: ...
        @property
        def digest(self) -> str: ...
        @property
        def reason(self) -> str: ...

    @final
    class Unproven(ImportProof):
        """Azure says that the import succeeded; `reason` says why the target could not be looked at."""

        __match_args__ = ("reason",)
        def __new__(cls, reason: str) -> ImportProof.Unproven: ...
        @property
        def reason(self) -> str: ...

@final
class PullFailure(Result):
    """A pull that failed: what was meant to be pulled, the cause as far as its text tells, and the text. `str()` is a line for
    a reader.
    """

    __match_args__ = ("pod", "container", "image", "reason", "cause", "message")
    def __new__(
        cls, *, pod: str, container: str, image: str, reason: str, cause: PullCause, message: str
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
    def cause(self) -> PullCause:
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
    def outlook(self) -> Outlook:
        """Whether waiting can help."""

    @final
    class Unauthorized(PullCause):
        """The registry knows the identity and gives it no right on this repository."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.Unauthorized: ...

    @final
    class NoCredentials(PullCause):
        """No credentials reached the registry."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NoCredentials: ...

    @final
    class Firewall(PullCause):
        """The registry's firewall refused the address."""

        __match_args__ = ("address",)
        def __new__(cls, address: str | None) -> PullCause.Firewall: ...
        @property
        def address(self) -> str | None: ...

    @final
    class NotFound(PullCause):
        """The registry does not have the repository or the tag."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NotFound: ...

    @final
    class NoMatchingPlatform(PullCause):
        """The image has no variant for the node's operating system and processor."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NoMatchingPlatform: ...

    @final
    class PrivateAddressTimeout(PullCause):
        """A private address does not answer."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.PrivateAddressTimeout: ...

    @final
    class PublicAddressTimeout(PullCause):
        """A public address does not answer: outgoing traffic is filtered."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.PublicAddressTimeout: ...

    @final
    class NoSuchHost(PullCause):
        """The registry's host name does not resolve."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NoSuchHost: ...

    @final
    class Throttled(PullCause):
        """The registry throttles."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.Throttled: ...

    @final
    class UntrustedCertificate(PullCause):
        """The registry's certificate is not trusted."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.UntrustedCertificate: ...

    @final
    class InvalidName(PullCause):
        """The image's name is not one."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.InvalidName: ...

    @final
    class NeverPulled(PullCause):
        """The image is not on the node, and the pod says that it is never to be pulled."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.NeverPulled: ...

    @final
    class Unknown(PullCause):
        """The text is not known here. It may pass."""

        __match_args__ = ()
        def __new__(cls) -> PullCause.Unknown: ...

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
        """Whether it was not there before."""

@final
class RollOut(Result):
    """A deployment that runs as its specification says."""

    __match_args__ = ("ready", "wanted")
    def __new__(cls, *, ready: int, wanted: int) -> RollOut: ...
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
        def step(self) -> str: ...

    @final
    class Polling(Event):
        """Azure is still at work; `status` is the service's own word."""

        __match_args__ = ("step", "attempt", "status")
        def __new__(cls, step: str, attempt: int, status: str) -> Event.Polling: ...
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
        def tag(self) -> str: ...
        @property
        def status(self) -> str: ...

    @final
    class Retrying(Event):
        """Something temporary stood in the way; the request is sent again after the wait."""

        __match_args__ = ("step", "reason", "wait_ms")
        def __new__(cls, step: str, reason: str, wait_ms: int | None) -> Event.Retrying: ...
        @property
        def step(self) -> str: ...
        @property
        def reason(self) -> str: ...
        @property
        def wait_ms(self) -> int | None: ...

    @final
    class RollingOut(Event):
        """The number of ready pods of a roll-out changed, or what keeps them from it."""

        __match_args__ = ("ready", "wanted", "cause")
        def __new__(cls, ready: int, wanted: int, cause: str | None) -> Event.RollingOut: ...
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
        def step(self) -> str: ...

class AksAcrError(Exception):
    """What went wrong, with the facts that a caller needs to act. Each kind has a class of its own below this one."""

    kind: ErrorKind
    """The kind, the same word in every language."""
    status: int | None
    """The HTTP status of the service's answer."""
    code: str | None
    """The service's own code, such as ``AuthorizationFailed``."""
    request_id: str | None
    """``x-ms-request-id`` of the answer."""
    correlation_id: str | None
    """``x-ms-correlation-request-id`` of the answer."""
    missing_action: str | None
    """The action that the caller lacks."""
    scope: str | None
    """Where the caller lacks it: a resource id."""
    smallest_role: str | None
    """The smallest built-in role that has it."""
    retry_after: timedelta | None
    """How long the service asked to wait."""
    pull_failure: PullFailure | None
    """Why pods cannot pull their image, where that is what went wrong."""

class InvalidInputError(AksAcrError):
    """The input is wrong; the message names the part."""

class NotFoundError(AksAcrError):
    """What was named does not exist."""

class ConflictError(AksAcrError):
    """Something else is already there, or changed meanwhile."""

class ForbiddenError(AksAcrError):
    """The caller is known and may not do this; see `missing_action` and `smallest_role`."""

class UnauthenticatedError(AksAcrError):
    """No token could be had, or the service did not accept it; see `__cause__`."""

class RateLimitedError(AksAcrError):
    """The service throttles, and asks to wait longer than the deadline; see `retry_after`."""

class DeadlineExceededError(AksAcrError):
    """The deadline passed. What Azure has begun goes on."""

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
        principal: str | None = None,
        condition: str | None = None,
        inherited: InheritedGrant | str | None = None,
        other_condition: OtherCondition | str | None = None,
        retry_refused: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Attachment]:
        """Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, none where it is
        there already, and never the cluster.

        `registry` is a name, a login server or a resource id; with an id it is 4 requests, 2 deep.

        `principal` is who gets the grant, where that is not the cluster's kubelet identity. `condition` narrows the grant,
        on registries whose permissions are on repositories. `inherited` says what is done where a scope above gives the
        role already, `other_condition` what is done where it is there with another condition. A refusal is tried again for
        `retry_refused`, not at all by default. The deadline is 5 minutes by default.

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
        principal: str | None = None,
        condition: str | None = None,
        inherited: InheritedGrant | str | None = None,
        other_condition: OtherCondition | str | None = None,
        retry_refused: _Seconds | None = None,
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
        principal: str | None = None,
        condition: str | None = None,
        inherited: InheritedGrant | str | None = None,
        other_condition: OtherCondition | str | None = None,
        retry_refused: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Attachment]:
        """Does what a plan says, after another look: where something else would be done by now, nothing is written.

        Give the options that the plan was made with.

        Raises:
            ConflictError: If the plan has expired or no longer fits.
            InvalidInputError: If it is of another version.
            AksAcrError: Those of `attach`.
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
        sku: Sku | str | None = None,
        mode: RoleAssignmentMode | str | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[CreatedRegistry]:
        """Makes a registry, unless there is one of that name in the group: that one is left as it is.

        By default it is in the group's region, of the tier `Basic`, with permissions on the whole registry. The deadline
        is 10 minutes by default.

        Raises:
            InvalidInputError: If the name cannot be one.
            ConflictError: If the name is taken elsewhere in the cloud.
            NotFoundError: If there is no such group.
            ForbiddenError: If the caller may not.
            OperationFailedError: If Azure could not.
        """

    def import_image(
        self,
        registry: str,
        source: str,
        *,
        target: str | None = None,
        existing: ExistingTag | str | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Import]:
        """Copies an image into a registry: Azure does it, and what arrived is compared with the source.

        The source's digest is read first, where it can be, and it is what is imported. A second run with an equal image
        copies nothing and succeeds. `target` is `repository:tag`, by default the source's; `existing` says what happens to
        a tag that exists. The deadline is 30 minutes by default.

        Raises:
            InvalidInputError: If the target cannot be one, or the source is in another cloud.
            NotFoundError: If the registry or the source does not exist.
            ConflictError: If the tag has another image.
            ForbiddenError: If the caller may not import, or the source may not be read.
            RateLimitedError: If the source throttles.
            OperationFailedError: If Azure could not copy it.
        """

    def kubeconfig(
        self,
        cluster: str,
        *,
        access: Access | str | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[Kubeconfig]:
        """A cluster's kubeconfig, as a value: no file is written and no program is started.

        Raises:
            NotFoundError: If there is no such cluster.
            ForbiddenError: If the caller may not have it.
            InvalidInputError: If `access` is `admin` and local accounts are switched off.
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
        """Makes a cluster's objects what manifests say, by server-side apply.

        `manifests` is YAML with any number of documents, or JSON. In the fields that name images, the host `<acr-
        name>.azurecr.io` becomes the login server of `registry`. `force` takes fields over from other field managers; with
        `dry_run` the cluster only says what it would do. The deadline is 5 minutes by default.

        Raises:
            InvalidInputError: If an image has a placeholder and there is no registry to put there, or Kubernetes refuses
                an object.
            NotFoundError: If the cluster does not know a kind, or cluster or registry are absent.
            ConflictError: If another field manager owns a field.
            ForbiddenError: If the caller may not write an object.
        """

    def roll_out(
        self,
        cluster: str,
        deployment: str,
        *,
        namespace: str | None = None,
        propagation: _Seconds | None = None,
        deadline: _Seconds | None = None,
        on_progress: _Listener | None = None,
    ) -> Call[RollOut]:
        """Waits until every replica of a deployment runs. A cause that does not pass ends it at once, and is told.

        `propagation` is how long a grant that is there may take to become effective, 10 minutes by default. The deadline
        is 15 minutes by default.

        Raises:
            PullFailedError: If an image cannot be pulled and waiting does not help, with `pull_failure`.
            DeadlineExceededError: If it took too long, with how far it was.
            OperationFailedError: If Kubernetes gives the roll-out up.
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
