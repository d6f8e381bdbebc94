"""Arguments that are refused, and errors by kind."""

import asyncio
import copy
import functools
import json
import os
import pathlib
import pickle
from datetime import timedelta

import pytest
from conftest import awaiting, blocking

import aks_acr

FOLDER = pathlib.Path(os.environ.get("AKS_ACR_CONTRACT", pathlib.Path(__file__).parents[1] / "contract"))
ERRORS = json.loads((FOLDER / "errors.json").read_text(encoding="utf-8"))
OPERATIONS = json.loads((FOLDER / "operations.json").read_text(encoding="utf-8"))


def test_every_kind_has_its_class():
    assert [one["kind"] for one in ERRORS] == [kind.value for kind in aks_acr.ErrorKind]
    for one in ERRORS:
        error = getattr(aks_acr, one["python"])
        assert issubclass(error, aks_acr.AksAcrError) and error.kind == one["kind"]


@pytest.mark.parametrize("name", [one["python"] for one in OPERATIONS])
def test_every_operation_is_there_in_every_way(name):
    for face in (aks_acr.Client, aks_acr.Follow, aks_acr.aio.Client, aks_acr.aio.Follow):
        assert callable(getattr(face, name))
        assert getattr(face, name).__doc__


def test_an_error_that_a_test_makes_by_hand_has_all_facts():
    error = aks_acr.NotFoundError("made by hand")
    assert error.kind is aks_acr.ErrorKind.NOT_FOUND and error.status is None and error.pull_failure is None
    assert not error.is_transient and error.created is None
    assert aks_acr.UnavailableError("made by hand").is_transient


def test_a_refusal_says_what_is_missing_where_and_who_has_it(azure):
    azure.grant("Reader", f"/subscriptions/{azure.subscription_id}", principal=azure.kubelet_object_id("group", "dev"))
    with blocking(azure) as client, pytest.raises(aks_acr.NotFoundError) as caught:
        client.attach("group/absent", "myregistry")
    error = caught.value
    assert (error.kind, error.status, error.code) == ("not_found", 404, "ResourceNotFound")
    assert error.request_id and error.correlation_id
    assert "no such cluster" in str(error) and "ResourceNotFound" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error) and vars(again) == vars(error)


def test_an_import_says_on_which_side_the_fault_lies(client):
    with pytest.raises(aks_acr.NotFoundError) as caught:
        client.import_image("myregistry", "nosuch/image")
    assert caught.value.failed_side is aks_acr.ImportSide.SOURCE
    with pytest.raises(aks_acr.NotFoundError) as caught:
        client.import_image("absent1", "nginx")
    assert caught.value.failed_side is aks_acr.ImportSide.TARGET
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.failed_side is aks_acr.ImportSide.TARGET


def test_what_the_service_asks_to_wait_is_a_timedelta(azure, client):
    azure.fault("/managedClusters/", status=429, headers={"retry-after": "600"}, times=9)
    with pytest.raises(aks_acr.RateLimitedError) as caught:
        client.identities("group/dev", deadline=5)
    assert caught.value.retry_after == timedelta(seconds=600)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.attach("no slash", "myregistry"),
        lambda client: client.attach("group/dev", "my.registry"),
        lambda client: client.attach("group/dev", "myregistry", principal_id="me"),
        lambda client: client.attach("group/dev", "myregistry", on_inherited_grant="perhaps"),
        lambda client: client.create_registry("group", "other", sku="basic"),
        lambda client: client.import_image("myregistry", "NGINX"),
        lambda client: client.apply("group/dev", "a: ["),
        lambda client: client.import_images("myregistry", ["NGINX"]),
        lambda client: client.import_images("myregistry", ["nginx", {"source": "nginx"}]),
        lambda client: client.import_images("myregistry", "redis"),
        lambda client: client.import_images("myregistry", b"redis"),
        lambda client: client.import_images("myregistry", {"source": "nginx"}),
        lambda client: client.create_cluster("group/new", registries=["my.registry"]),
        lambda client: client.create_cluster("group/new", tier="free"),
        lambda client: client.create_registry("group", "other", domain_name_label_scope="Tenant"),
    ],
)
def test_bad_input_is_refused_before_the_first_request(azure, client, call):
    mark = azure.mark()
    with pytest.raises(aks_acr.InvalidInputError):
        call(client)
    assert azure.requests(since=mark) == []


def test_options_are_keywords(client):
    with pytest.raises(TypeError):
        client.attach("group/dev", "myregistry", "principal")
    with pytest.raises(TypeError, match="nonsense"):
        client.attach("group/dev", "myregistry", nonsense=1)
    with pytest.raises(TypeError, match="nonsense"):
        client.import_images("myregistry", [{"source": "nginx", "nonsense": 1}])
    with pytest.raises(TypeError, match="source"):
        client.import_images("myregistry", [{"target": "nginx:v1"}])
    with pytest.raises(TypeError, match="password"):
        client.import_image("myregistry", "nginx", username="me")
    # One name is no list of names.
    with pytest.raises(TypeError):
        client.create_cluster("group/new", registries="myregistry")


def test_the_authority_of_a_cloud_is_an_address():
    with pytest.raises(aks_acr.InvalidInputError, match="authority"):
        aks_acr.Cloud.custom("https://localhost:1", ".azurecr.io", authority="login")


@pytest.mark.parametrize("deadline", [30, 30.5, timedelta(seconds=30)])
def test_durations_are_seconds_or_a_timedelta(client, deadline):
    assert client.registry("myregistry", deadline=deadline)


@pytest.mark.parametrize("deadline", [-1, float("nan"), float("-inf"), timedelta(seconds=-1)])
def test_what_is_no_duration_is_refused(client, deadline):
    with pytest.raises((ValueError, OverflowError)):
        client.registry("myregistry", deadline=deadline)


@pytest.mark.parametrize(
    "name, call",
    [
        ("deadline", lambda client: client.registry("myregistry", deadline=-1)),
        ("deadline", lambda client: client.registry("myregistry", deadline=float("nan"))),
        ("deadline", lambda client: client.registry("myregistry", deadline=timedelta(seconds=-1))),
        ("retry_forbidden_for", lambda client: client.attach("group/dev", "myregistry", retry_forbidden_for=-1)),
        ("lock_wait", lambda client: client.merge_kubeconfig("group/dev", lock_wait=-1)),
        ("propagation_timeout", lambda client: client.wait_for_rollout("group/dev", "web", propagation_timeout=-1)),
        ("deadline", lambda client: client.import_images("myregistry", [{"source": "nginx", "deadline": -1}])),
        ("node_count", lambda client: client.create_cluster("group/new", node_count=-1)),
        ("concurrency", lambda client: client.import_images("myregistry", ["nginx"], concurrency=-1)),
        ("concurrency", lambda client: client.import_images("myregistry", ["nginx"], concurrency=10**30)),
        ("registry", lambda client: client.registry("my\ud800registry")),
        ("location", lambda client: client.create_registry("group", "other", location="west\ud800")),
        ("images", lambda client: client.import_images("myregistry", "redis")),
    ],
)
def test_bad_input_is_refused_by_the_name_of_its_argument(azure, client, name, call):
    mark = azure.mark()
    with pytest.raises(aks_acr.InvalidInputError, match=f"^{name}: "):
        call(client)
    assert azure.requests(since=mark) == []


@pytest.mark.parametrize(
    "name, options",
    [("deadline", {"deadline": "5"}), ("on_progress", {"on_progress": 5})],
)
def test_an_argument_of_another_type_is_named_too(client, name, options):
    with pytest.raises(TypeError, match=f"^{name}: must be .*, not (str|int)"):
        client.registry("myregistry", **options)
    with pytest.raises(TypeError, match="^node_count: must be a whole number, not str"):
        client.create_cluster("group/new", node_count="3")
    # PyO3's own errors name it in a note only.
    with pytest.raises(TypeError, match="^cluster: must be str, not int$"):
        client.identities(5)
    with pytest.raises(TypeError, match="^additional_tags: must be a list, not str$"):
        client.import_image("myregistry", "nginx", additional_tags="app:v1")


def test_a_client_is_not_made_of_what_is_no_text_or_no_function(azure):
    with pytest.raises(aks_acr.InvalidInputError, match="^subscription_id: "):
        aks_acr.Client(azure.credential(), "\ud800")
    for face in (aks_acr.Client, aks_acr.aio.Client):
        with pytest.raises(TypeError, match="^on_write: must be a function, not int"):
            face(azure.credential(), azure.subscription_id, on_write=5)


class Listens:
    async def __call__(self, event):
        pass

    async def hear(self, event):
        pass


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("listener", [Listens(), Listens().hear, functools.partial(Listens.hear, None)])
def test_a_coroutine_cannot_hear_of_a_call(azure, client, listener):
    with pytest.raises(TypeError, match="on_progress: must be a plain function"):
        client.registry("myregistry", on_progress=listener)

    async def main():
        async with awaiting(azure) as client:
            await client.registry("myregistry", on_progress=listener)

    with pytest.raises(TypeError, match="on_progress: must be a plain function"):
        asyncio.run(main())


def test_errors_are_those_that_python_has_too(azure, client):
    with pytest.raises(ValueError) as bad:
        client.attach("no slash", "myregistry")
    azure.fault("/managedClusters/", delay_ms=5_000)
    with pytest.raises(TimeoutError) as late:
        client.identities("group/dev", deadline=0.05)
    for caught, kind in ((bad, "InvalidInputError"), (late, "DeadlineExceededError")):
        error = caught.value
        assert type(error) is getattr(aks_acr, kind) and isinstance(error, aks_acr.AksAcrError)
        for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
            assert type(again) is type(error) and str(again) == str(error) != "" and vars(again) == vars(error)


def test_words_are_taken_as_enums_and_as_text(client):
    for sku in (aks_acr.Sku.PREMIUM, "Premium"):
        assert client.create_registry("group", f"reg{sku.lower()}{id(sku)}", sku=sku).registry.sku == "Premium"


def test_a_client_says_whose_it_is_and_no_more(azure, client):
    assert repr(client) == f"<aks_acr.Client subscription_id='{azure.subscription_id}' cloud='{azure.origin}'>"
    assert repr(awaiting(azure)).startswith("<aks_acr.aio.Client ")


def test_a_cloud_is_a_name_or_an_address(azure):
    for cloud in ("china", "us_government", "bleu", aks_acr.Cloud.custom("https://localhost:1", ".azurecr.io")):
        assert aks_acr.Client(azure.credential(), azure.subscription_id, cloud=cloud)
    with pytest.raises(aks_acr.InvalidInputError, match="public, china"):
        aks_acr.Client(azure.credential(), azure.subscription_id, cloud="mars")
    address = {"resource_manager": "https://localhost:1", "registry_suffix": ".azurecr.io"}
    assert aks_acr.Client(azure.credential(), azure.subscription_id, cloud=address)
    for wrong, name in ((dict(list(address.items())[:1]), "registry_suffix"), ({**address, "region": ""}, "region")):
        with pytest.raises(TypeError, match=name):
            aks_acr.Client(azure.credential(), azure.subscription_id, cloud=wrong)


def test_a_credential_has_to_be_one(azure):
    with pytest.raises(TypeError, match="get_token"):
        aks_acr.Client("secret", azure.subscription_id)
