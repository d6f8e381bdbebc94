"""Clients that change nothing, the write hook, and the rights that operations need."""

import asyncio
import json
import threading

import pytest

import aks_acr


def clients(azure, **options):
    options |= azure.client_options()
    return (
        aks_acr.Client(azure.credential(), azure.subscription_id, **options),
        aks_acr.aio.Client(azure.async_credential(), azure.subscription_id, **options),
    )


def written(azure, mark):
    return [one.method for one in azure.requests(since=mark) if one.write]


def test_a_read_only_client_plans_and_sends_no_write(azure):
    client, awaiting = clients(azure, read_only=True)
    plan = client.plan_attach("group/dev", "myregistry")
    mark = azure.mark()
    with pytest.raises(aks_acr.ForbiddenError) as caught:
        client.apply_attach(plan)
    assert caught.value.refusal is aks_acr.RefusalKind.READ_ONLY_CLIENT and caught.value.policies == ()

    async def main():
        await awaiting.apply_attach(plan)

    with pytest.raises(aks_acr.ForbiddenError, match="read-only"):
        asyncio.run(main())
    assert written(azure, mark) == []


def test_a_hook_sees_each_write_before_it_is_sent(azure):
    seen = []
    client, awaiting = clients(azure, on_write=seen.append)
    client.attach("group/dev", "myregistry")
    (write,) = seen
    assert (write.service, write.method) == (aks_acr.WriteService.AZURE, "PUT")
    assert write.action == "Microsoft.Authorization/roleAssignments/write"
    assert write.body["properties"]["principalId"] == azure.kubelet_object_id("group", "dev")
    assert str(write).startswith("PUT /subscriptions/") and aks_acr.Write.from_json(write.to_json()) == write

    async def main():
        return await awaiting.detach("group/dev", "myregistry")

    assert asyncio.run(main()).outcome is aks_acr.DetachOutcome.REMOVED
    assert [one.method for one in seen] == ["PUT", "DELETE"]
    # What only reads is none.
    client.kubeconfig("group/dev")
    assert len(seen) == 2


def test_a_hook_that_raises_or_says_no_keeps_the_write_from_being_sent(azure):
    def raising(write):
        raise RuntimeError("not on a Friday")

    for hook, reason in ((raising, "RuntimeError: not on a Friday"), (lambda write: False, "returned False")):
        client, awaiting = clients(azure, on_write=hook)
        mark = azure.mark()
        with pytest.raises(aks_acr.ForbiddenError, match=reason) as caught:
            client.attach("group/dev", "myregistry")
        assert caught.value.refusal is aks_acr.RefusalKind.WRITE_HOOK

        async def main(client):
            await client.attach("group/dev", "myregistry")

        with pytest.raises(aks_acr.ForbiddenError, match=reason):
            asyncio.run(main(awaiting))
        assert written(azure, mark) == []


def test_a_hook_is_called_beside_the_thread_that_waits(azure):
    threads = []
    client, _ = clients(azure, on_write=lambda write: threads.append(threading.get_ident()))
    client.attach("group/dev", "myregistry")
    assert len(threads) == 1 and threads[0] != threading.get_ident()


def test_detach_says_what_is_left(azure, client):
    azure.grant("AcrPull", f"/subscriptions/{azure.subscription_id}", principal=azure.kubelet_object_id("group", "dev"))
    client.attach("group/dev", "myregistry", on_inherited_grant="grant_directly")
    plan = client.plan_detach("group/dev", "myregistry")
    line, *below = str(plan).splitlines()
    identity = azure.kubelet_object_id("group", "dev")
    assert line == f"- AcrPull on myregistry for group/dev (kubelet {identity[:8]}…)"
    assert below[0].startswith("    does: deletes /subscriptions/")
    assert below[-1].startswith(f"! AcrPull for {identity} on myregistry, from /subscriptions/")
    plan = aks_acr.DetachPlan.from_json(plan.to_json())
    detachment = client.apply_detach(plan)
    assert [one.role for one in detachment.removed] == [aks_acr.PullRole.ACR_PULL]
    match detachment.remaining[0].reach:
        case aks_acr.GrantReach.Inherited(scope):
            assert scope == f"/subscriptions/{azure.subscription_id}"
    assert client.detach("group/dev", "myregistry").outcome == "nothing_to_remove"


def test_rights_are_data_and_a_role(azure):
    rights = aks_acr.required_rights(["attach", aks_acr.Operation.IMPORT_IMAGE])
    assert {right.at for right in rights} <= set(aks_acr.RightScope)
    scope = f"/subscriptions/{azure.subscription_id}"
    role = json.loads(aks_acr.custom_role_json("attach", [right for right in rights if right.is_required], [scope]))
    assert "Microsoft.Authorization/roleAssignments/write" in role["Actions"]
    assert role["DataActions"] == [] and role["AssignableScopes"] == [scope]
    with pytest.raises(aks_acr.InvalidInputError):
        aks_acr.required_rights(["nothing"])
    with pytest.raises(aks_acr.InvalidInputError, match="an operation needs"):
        made = aks_acr.RequiredRight(
            action="*", is_data_action=False, at="cluster", is_required=True, why="", smallest_role=None
        )
        aks_acr.custom_role_json("all", [made], [scope])


@pytest.mark.filterwarnings("error")
def test_a_hook_that_gives_a_coroutine_has_said_no(azure):
    async def hook(write):
        return True

    client, _ = clients(azure, on_write=hook)
    mark = azure.mark()
    with pytest.raises(aks_acr.ForbiddenError, match="awaitable"):
        client.attach("group/dev", "myregistry")
    assert written(azure, mark) == []
