"""What type checkers have to see. Not run: pyright reads it, and every `ignore` has to be needed."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=error

from datetime import datetime, timedelta

from azure.identity import AzureCliCredential
from azure.identity.aio import AzureCliCredential as AsyncAzureCliCredential
from typing_extensions import assert_type

import aks_acr
import aks_acr.aio
from aks_acr import AttachOutcome, Client, Event, Run, StartedImport


def blocking() -> None:
    client = Client(AzureCliCredential(), "subscription")
    attachment = client.attach("group/dev", "myregistry", deadline=timedelta(minutes=1), inherited="suffices")
    assert_type(attachment, aks_acr.Attachment)
    assert_type(client.registry("myregistry"), aks_acr.Registry | None)
    assert_type(client.pods("group/dev")[0].created, datetime | None)
    match attachment.outcome:
        case AttachOutcome.Inherited(scope):
            assert_type(scope, str)
        case _:
            pass
    results = client.import_images("myregistry", ["nginx", {"source": "nginx", "target": "nginx:v1"}])
    assert_type(results, list[aks_acr.Import | aks_acr.AksAcrError])
    client.import_images("myregistry", [{"target": "nginx:v1"}])  # pyright: ignore[reportArgumentType]
    match client.start_import("myregistry", "nginx"):
        case StartedImport.Started(handle):
            assert_type(client.poll_import(handle), aks_acr.ImportStatus)
        case _:
            pass
    run = client.follow.roll_out("group/dev", "web", on_progress=None)
    assert_type(run, Run[aks_acr.RollOut])
    for event in run:
        if isinstance(event, Event.Polling):
            assert_type(event.attempt, int)
    client.attach("group/dev", "myregistry", nonsense=1)  # pyright: ignore[reportCallIssue]
    client.attach("group/dev", 1)  # pyright: ignore[reportArgumentType]
    client.import_image("myregistry", "nginx", "nginx:v1")  # pyright: ignore[reportCallIssue]
    attachment.role = aks_acr.PullRole.ACR_PULL  # pyright: ignore[reportAttributeAccessIssue]
    Client("secret", "subscription")  # pyright: ignore[reportArgumentType]


async def awaiting() -> None:
    client = aks_acr.aio.Client(AsyncAzureCliCredential(), "subscription", cloud="china")
    assert_type(await client.kubeconfig("group/dev", access=aks_acr.Access.ADMIN), aks_acr.Kubeconfig)
    run = client.follow.apply("group/dev", "")
    assert_type([event async for event in run], list[Event])
    assert_type(await run, list[aks_acr.Applied])
