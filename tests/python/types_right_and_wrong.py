"""What type checkers have to see. Not run: pyright reads it, and every `ignore` has to be needed."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=error

from datetime import datetime, timedelta
from typing import Literal

from azure.identity import AzureCliCredential
from azure.identity.aio import AzureCliCredential as AsyncAzureCliCredential
from typing_extensions import assert_never, assert_type

import aks_acr
import aks_acr.aio
from aks_acr import AttachOutcome, Client, Event, Run, StartedImport


def blocking() -> None:
    client = Client(AzureCliCredential(), "subscription")
    attachment = client.attach("group/dev", "myregistry", deadline=timedelta(minutes=1), on_inherited_grant="suffices")
    assert_type(attachment, aks_acr.Attachment)
    assert_type(client.registry("myregistry"), aks_acr.Registry | None)
    assert_type(client.pods("group/dev")[0].created, datetime | None)
    match attachment.outcome:
        case AttachOutcome.Inherited(scope):
            assert_type(scope, str)
        case AttachOutcome.Granted() | AttachOutcome.AlreadyGranted():
            pass
        case AttachOutcome.ThroughGroup(group, _):
            assert_type(group, str)
        case AttachOutcome.ConditionDiffers(existing):
            assert_type(existing, str | None)
        case _:
            # All forms are named above.
            assert_never(attachment.outcome)
    client.attach("group/dev", "myregistry", on_inherited_grant="sufices")  # pyright: ignore[reportArgumentType]
    client.create_registry("group", "myregistry", location="westeurope", sku="Gold")  # pyright: ignore[reportArgumentType]
    aks_acr.required_rights(["join"])  # pyright: ignore[reportArgumentType]
    results = client.import_images("myregistry", ["nginx", {"source": "nginx", "target": "nginx:v1"}])
    assert_type(results, list[aks_acr.Import | aks_acr.AksAcrError])
    client.import_images("myregistry", [{"target": "nginx:v1"}])  # pyright: ignore[reportArgumentType]
    match client.start_import("myregistry", "nginx"):
        case StartedImport.Started(handle):
            status = client.poll_import(handle)
            assert_type(status.kind, Literal["running", "succeeded"])
        case _:
            pass
    run = client.follow.wait_for_rollout("group/dev", "web", on_progress=None)
    assert_type(run, Run[aks_acr.Rollout])
    for event in run:
        if isinstance(event, Event.Polling):
            assert_type(event.attempt, int)
    client.attach("group/dev", "myregistry", nonsense=1)  # pyright: ignore[reportCallIssue]
    client.attach("group/dev", 1)  # pyright: ignore[reportArgumentType]
    client.import_image("myregistry", "nginx", "nginx:v1")  # pyright: ignore[reportCallIssue]
    attachment.role = aks_acr.PullRole.ACR_PULL  # pyright: ignore[reportAttributeAccessIssue]
    address = "https://localhost:8443"
    Client(None, "subscription", cloud={"resource_manager": address, "registry_suffix": ".azurecr.io"})
    Client(
        None, "subscription", cloud={"resource_manager": address, "registry_suffix": ".azurecr.io", "authority": address}
    )
    Client(None, "subscription", read_only=True, on_write=lambda write: write.service == "azure")
    Client(None, "subscription", on_write="no")  # pyright: ignore[reportArgumentType]
    assert_type(aks_acr.required_rights(["attach"])[0].at, aks_acr.RightScope)
    Client("secret", "subscription")  # pyright: ignore[reportArgumentType]


async def awaiting() -> None:
    client = aks_acr.aio.Client(AsyncAzureCliCredential(), "subscription", cloud="china")
    assert_type(await client.kubeconfig("group/dev", access=aks_acr.Access.ADMIN), aks_acr.Kubeconfig)
    run = client.follow.apply("group/dev", "")
    async for event in run:
        assert_type(event.kind == "started", bool)
        match event:
            case Event.Polling(_, attempt, _):
                assert_type(attempt, int)
            case _:
                pass
    assert_type(await run, list[aks_acr.Applied])
