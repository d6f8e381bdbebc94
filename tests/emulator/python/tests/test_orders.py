"""What a test changes and looks at while it runs."""

import contextlib
import http.client
import inspect
import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from aks_acr_emulator import Emulator, TokenError
from wire import REGISTRIES, Kubernetes, Wire

IMAGE = "myregistry.azurecr.io/app:1"


@pytest.fixture
def azure() -> Iterator[Emulator]:
    scene = {
        "registries": [{"group": "group", "name": "myregistry"}],
        "clusters": [{"group": "group", "name": "dev"}],
        "images": [{"name": IMAGE}],
        "callers": [{"name": "ci"}],
    }
    with Emulator(scene) as azure:
        yield azure


def test_a_fault_is_met_as_often_as_it_was_said_and_then_no_more(azure: Emulator) -> None:
    wire = Wire(azure)
    azure.fault("resourcegroups", method="GET", status=429, headers={"retry-after": "2"}, times=2)
    assert [wire.groups() for _ in range(3)] == [429, 429, 200]
    azure.fault("resourcegroups", status=503)
    azure.fault("resourcegroups", status=500, body={"error": {"code": "Own", "message": "Own words."}})
    assert [wire.groups() for _ in range(3)] == [503, 500, 200]


def test_a_connection_is_cut_before_or_after_the_effect(azure: Emulator) -> None:
    wire = Wire(azure)
    made = f"/subscriptions/{azure.subscription_id}/resourceGroups/made"
    for after, status in ((False, 404), (True, 200)):
        azure.fault("/resourceGroups/made", method="PUT", reset=True, after_effect=after)
        with pytest.raises(OSError):
            wire.arm("PUT", made, {"location": "westeurope"}, version="2022-09-01")
        assert wire.arm("GET", made, version="2022-09-01")[0] == status


def test_requests_that_are_late_overlap(azure: Emulator) -> None:
    wire = Wire(azure)
    mark = azure.mark()
    azure.fault("resourcegroups", delay_ms=300)
    late = threading.Thread(target=wire.groups)
    late.start()
    while azure.mark() == mark:
        pass
    wire.groups()
    late.join()
    first, second = azure.requests(since=mark)
    assert first.ended is not None and second.ended is not None and first.ended > second.ended
    assert azure.summary(since=mark).depth == 1


def test_a_storm_lets_requests_meet_faults_by_chance_until_it_ends(azure: Emulator) -> None:
    wire, mark = Wire(azure), azure.mark()
    azure.storm(1, seed=7)
    for _ in range(5):
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            wire.groups()
    azure.storm(0)
    # The token may be one of those that expired in the storm.
    assert Wire(azure).groups() == 200
    faults = [one.fault for one in azure.requests(since=mark)]
    assert faults[-1] is None
    assert any(faults), faults


def test_what_may_be_asked_is_limited_as_in_azure_on_request(azure: Emulator) -> None:
    wire = Wire(azure)
    azure.throttle()
    assert 429 in (wire.groups() for _ in range(3000))
    azure.throttle(as_azure=False)
    assert wire.groups() == 200


def test_the_log_says_who_asked_for_what(azure: Emulator) -> None:
    wire = Wire(azure)
    mark = azure.mark()
    wire.arm("PUT", f"/subscriptions/{azure.subscription_id}/resourceGroups/made", {"location": "westeurope"}, "2022-09-01")
    (request,) = azure.requests(since=mark)
    assert (request.service, request.method, request.status) == ("arm", "PUT", 201)
    assert (request.caller, request.sender, request.write) == ("owner", "client", True)
    assert (request.host, request.query) == ("management.azure.com", "api-version=2022-09-01")
    assert str(request).startswith("PUT https://management.azure.com/subscriptions/")
    summary = azure.summary(since=mark)
    assert (summary.count, summary.depth, summary.writes, summary.tokens) == (1, 1, 1, 0)
    assert azure.summary().tokens == 1


def test_a_grant_has_its_effect_and_loses_it(azure: Emulator) -> None:
    wire = Wire(azure, "ci")
    registry = azure.registry_id("group", "myregistry")
    assert wire.arm("GET", registry)[0] == 403
    name = azure.grant("Reader", registry, caller="ci")
    assert wire.arm("GET", registry)[0] == 200
    assert name in [one["name"] for one in azure.state()["roleAssignments"]]
    azure.revoke(name)
    assert wire.arm("GET", registry)[0] == 403
    azure.grant("Reader", registry, principal=azure.object_id("ci"))
    assert wire.arm("GET", registry)[0] == 200


def test_policies_deny_assignments_and_conditional_access_refuse(azure: Emulator) -> None:
    wire = Wire(azure, "owner")
    scope = f"/subscriptions/{azure.subscription_id}"
    body = {"location": "westeurope", "sku": {"name": "Basic"}}
    azure.policy("no-registries", "Microsoft.ContainerRegistry/registries", scope)
    assert wire.arm("PUT", azure.registry_id("group", "other"), body)[0] == 403
    azure.deny_assignment("stack", ["*/delete"], scope, but_for=["ci"])
    assert wire.arm("DELETE", azure.registry_id("group", "myregistry"))[0] == 403
    azure.sign_in("owner", blocked=True)
    with pytest.raises(TokenError):
        azure.credential().get_token("https://graph.microsoft.com/.default")
    azure.sign_in("owner", blocked=False)
    assert azure.credential().get_token("https://graph.microsoft.com/.default").token


def test_a_provider_may_be_unregistered() -> None:
    with Emulator(scene={"unregistered": ["Microsoft.ContainerRegistry"], "groups": [{"name": "group"}]}) as azure:
        body = {"location": "westeurope", "sku": {"name": "Basic"}}
        assert Wire(azure, "owner").arm("PUT", azure.registry_id("group", "other"), body)[0] == 409


def test_what_is_not_there_is_a_lookup_error_and_what_is_no_order_a_value_error(azure: Emulator) -> None:
    scope = azure.registry_id("group", "myregistry")
    for missing in (
        lambda: azure.grant("Sorcerer", scope, caller="ci"),
        lambda: azure.grant("Reader", scope, caller="nobody"),
        lambda: azure.revoke("nothing"),
        lambda: azure.deny_assignment("stack", ["*"], scope, but_for=["nobody"]),
        lambda: azure.sign_in("nobody", blocked=True),
        lambda: azure.delete_image("myregistry.azurecr.io/none:1"),
        lambda: azure.node("group", "none", "aks-0"),
        lambda: azure.egress("group", "none", "*.blob.core.windows.net", allowed=False),
        lambda: azure.disk("group", "dev", "none", 0),
        lambda: azure.inspection("group", "none", "*.azurecr.io", inspected=True),
        lambda: azure.lose_content("group", "dev", "aks-nodepool1-0", "myregistry.azurecr.io/none:1"),
        lambda: azure.key("group", "none", accessible=False),
        lambda: azure.load("group", "none", "x", 1, 1),
        lambda: azure.credential("nobody"),
        lambda: azure.async_credential("nobody"),
        lambda: azure.object_id("nobody"),
        lambda: azure.kubelet_object_id("group", "none"),
        lambda: azure.timing("slow"),  # type: ignore[arg-type]
    ):
        with pytest.raises(LookupError):
            missing()
    for unclear in (
        lambda: azure.grant("Reader", scope),
        lambda: azure.grant("Reader", scope, caller="ci", principal="x"),
        lambda: azure.grant("Reader", scope, caller="ci", condition="if it rains"),
        lambda: azure.advance(-1),
        lambda: azure.clock(0),
        lambda: azure.clock(1.5),  # type: ignore[arg-type]
        lambda: azure.fault("x", status="often"),  # type: ignore[arg-type]
        lambda: azure.requests(since=-1),
    ):
        with pytest.raises((ValueError, OverflowError)):
            unclear()


@pytest.mark.parametrize("order", ["timing", "fault", "paging", "grant"])
def test_an_order_takes_all_that_the_emulator_reads(azure: Emulator, order: str) -> None:
    with pytest.raises(ValueError, match="unknown field") as refused:
        azure._order(order, {"nonsense": 1})
    read = set(re.findall(r"`(\w+)`", str(refused.value))) - {"nonsense"}
    taken = list(inspect.signature(getattr(Emulator, order)).parameters)[1:]
    assert len(read) > 1 and read == {re.sub("_+(.?)", lambda part: part[1].upper(), name) for name in taken}


def test_time_that_is_put_forward_lets_a_grant_have_its_effect(azure: Emulator) -> None:
    wire = Wire(azure, "ci")
    registry = azure.registry_id("group", "myregistry")
    azure.timing("typical", latency=0, propagation=timedelta(minutes=5))
    name = "00000000-0000-4000-8000-000000000001"
    role = f"/subscriptions/{azure.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/"
    body = {
        "roleDefinitionId": f"{role}acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "principalId": azure.object_id("ci"),
        "principalType": "ServicePrincipal",
    }
    path = f"{registry}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert Wire(azure).arm("PUT", path, {"properties": body}, "2022-04-01")[0] == 201
    assert wire.arm("GET", registry)[0] == 403
    azure.advance(timedelta(minutes=5))
    assert wire.arm("GET", registry)[0] == 200


def test_a_fast_clock_makes_a_wait_for_rollout_quick(azure: Emulator) -> None:
    azure.grant("AcrPull", azure.registry_id("group", "myregistry"), principal=azure.kubelet_object_id("group", "dev"))
    azure.clock(1000)
    api = Kubernetes(Wire(azure), "group", "dev")
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app"}},
                "spec": {"containers": [{"name": "app", "image": IMAGE}]},
            },
        },
    }
    path = "/apis/apps/v1/namespaces/default/deployments"
    assert api.send("POST", path, deployment)[0] == 201
    # Each look takes a millisecond at least, and so a second of the fast clock.
    for _ in range(100):
        if api.send("GET", f"{path}/app")[1]["status"].get("availableReplicas") == 2:
            break
    else:
        pytest.fail("the rollout stands still")
    (cluster,) = azure.state()["clusters"]
    assert {pod["status"]["phase"] for pod in cluster["pods"]} == {"Running"}
    assert any(request.sender == "node" for request in azure.requests())


def test_images_are_pushed_and_deleted(azure: Emulator) -> None:
    before = azure.digest(IMAGE)
    assert azure.push_image(IMAGE, ["linux/arm64"]) == azure.digest(IMAGE) != before
    azure.delete_image(IMAGE)
    assert azure.digest(IMAGE) is None


def test_a_node_joins(azure: Emulator) -> None:
    azure.node("group", "dev", "aks-arm-0", architecture="arm64")
    nodes = Kubernetes(Wire(azure), "group", "dev").send("GET", "/api/v1/nodes")[1]["items"]
    assert {node["metadata"]["labels"]["kubernetes.io/arch"] for node in nodes} == {"amd64", "arm64"}


def test_nodes_meet_firewalls_and_full_disks(azure: Emulator) -> None:
    for allowed in (False, True):
        azure.egress("group", "dev", "*.blob.core.windows.net", allowed=allowed)
    azure.disk("group", "dev", "nodepool1", 0)
    azure.inspection("group", "dev", "*.azurecr.io", inspected=True)
    azure.push_image("myregistry.azurecr.io/lost:1")
    azure.lose_content("group", "dev", "aks-nodepool1-0", "myregistry.azurecr.io/lost:1")
    azure.key("group", "myregistry", accessible=True)
    azure.load("group", "myregistry", azure.kubelet_object_id("group", "dev"), 1, 1)


def test_lists_come_in_pages(azure: Emulator) -> None:
    azure.paging(1, empty_first=True)
    page = Wire(azure).arm("GET", f"/subscriptions/{azure.subscription_id}/{REGISTRIES}")[1]
    assert page["value"] == [] and page["nextLink"].startswith(azure.origin)


def test_another_program_finds_it_by_its_environment(azure: Emulator) -> None:
    environment = azure.environment
    assert environment["AZURE_CLIENT_ID"] == azure.client_id
    assert environment["HTTPS_PROXY"] == azure.proxy
    assert environment["SSL_CERT_FILE"] == environment["NODE_EXTRA_CA_CERTS"] == azure.ca_file
    environment.clear()
    assert azure.environment
