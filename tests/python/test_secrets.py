"""No secret is shown: one run at the most verbose level of logging, with failures."""

import asyncio
import base64
import gc
import json
import logging
import pickle
import re
import time
import traceback
import urllib.parse

import pytest
from conftest import MANIFESTS

import aks_acr

PASSWORD = "p@ss:word/of a proxy"


class Secrets:
    """What must be seen nowhere, in each form in which it could be shown."""

    def __init__(self):
        self.forms = set()

    def add(self, secret):
        parts = [secret, *(part for part in secret.split(".") if "." in secret and len(part) > 9)]
        for part in parts:
            encoded = base64.b64encode(part.encode()).decode().rstrip("=")
            self.forms |= {part, urllib.parse.quote(part, safe=""), json.dumps(part)[1:-1], encoded}

    def add_kubeconfig(self, text):
        for secret in re.findall(r"(?:client-key-data|token|password): (\S+)", text):
            self.add(secret)

    def found_in(self, text):
        return sorted(form for form in self.forms if form in text)


class Careless:
    """A credential that shows what it gave to anyone who asks, and remembers it."""

    def __init__(self, inner, secrets):
        self.inner, self.secrets, self.given = inner, secrets, []

    def get_token_info(self, *scopes, **options):
        token = self.inner.get_token_info(*scopes, **options)
        self.secrets.add(token.token)
        self.given.append(token.token)
        return token

    def __repr__(self):
        return f"Careless({self.given})"


class Everything(logging.Handler):
    """All records of all loggers."""

    def __init__(self):
        super().__init__(1)
        self.heard, self.records = [], []

    def emit(self, record):
        self.records.append(record)
        self.heard.append(f"{record.name} {record.levelname} {record.getMessage()} {record.__dict__}")


@pytest.fixture
def everything():
    handler, root = Everything(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


def shown(err):
    """Everything that an exception can be asked to show."""
    parts = [str(err), repr(err), repr(err.args), repr(vars(err)), "".join(traceback.format_exception(err))]
    cause = err.__cause__ or err.__context__
    return " ".join(parts + ([shown(cause)] if cause else []))


def pull_secret(client):
    """An image pull secret; its plan is part of what is shown."""
    credentials = [{"registry": "ghcr.io", "username": "robot", "password": "password-of-the-source"}]
    plan = client.plan_pull_secret("group/dev", "ghcr", credentials)
    done = client.apply_pull_secret(plan, credentials)
    assert "password-of-the-source" not in f"{plan} {plan!r} {plan.to_json()}"
    return done


def story(client, secrets, tmp_path):
    """Every operation; what each result or exception shows."""
    told = [repr(client), str(client)]
    password, token = "password-of-the-source", "eyJhIjoibm9uZSJ9.eyJ0b2tlbiI6Im9mIHRoZSBzb3VyY2UifQ.bm90aGluZw"
    for secret in (password, token):
        secrets.add(secret)
    for work in (
        lambda: client.registry("myregistry"),
        lambda: client.attach("group/dev", "myregistry"),
        lambda: client.registry_token("myregistry"),
        lambda: client.import_image("myregistry", "nginx", target="nginx:v1"),
        lambda: client.import_image("myregistry", "nginx", target="nginx:v2", username="reader", password=password, deadline=3),
        lambda: client.import_image("myregistry", "nginx", target="nginx:v2", password=token, deadline=3),
        lambda: client.kubeconfig("group/dev", access="admin"),
        lambda: client.merge_kubeconfig("group/dev", file=str(tmp_path / "config")),
        lambda: client.apply("group/dev", MANIFESTS, registry="myregistry"),
        lambda: pull_secret(client),
        lambda: client.pods("group/dev"),
        lambda: client.explain("group/dev"),
        lambda: client.identities("group/absent"),
        lambda: client.detach("group/dev", "myregistry"),
    ):
        try:
            result = work()
        except aks_acr.AksAcrError as err:
            told.append(shown(err))
            continue
        told += [repr(result), str(result), f"{result}"]
        if isinstance(result, aks_acr.Kubeconfig):
            secrets.add_kubeconfig(result.text)
        elif isinstance(result, aks_acr.RegistryToken):
            secrets.add(result.password)
        elif hasattr(result, "to_json"):
            told.append(repr(pickle.dumps(result)))
    return told


FAULTS = (
    None,
    {"method": "POST", "part": "/oauth2/", "status": 401, "times": 1000},
    {"method": "*", "part": "/subscriptions/", "status": 401, "times": 1000},
    {"method": "PUT", "part": "/subscriptions/", "status": 403, "times": 1000},
    {"method": "*", "part": "azmk8s.io", "status": 401, "times": 1000},
)


@pytest.mark.parametrize("fault", FAULTS, ids=("well", "sign-in refused", "401", "403", "the cluster refuses"))
def test_no_record_result_or_exception_shows_a_secret(azure, everything, tmp_path, fault):
    secrets = Secrets()
    secrets.add(azure.client_secret)
    if fault is not None:
        azure.fault(**fault)
    credential = Careless(azure.credential(), secrets)
    with aks_acr.Client(credential, azure.subscription_id, **azure.client_options()) as client:
        told = story(client, secrets, tmp_path)
    flush(everything)
    # The emulator is in this process: what its own parts say is no concern of users of Azure.
    heard = [line for line in everything.heard if not line.startswith("aks_acr_emulator")]
    assert len(told) > 10
    assert secrets.found_in("\n".join(told + heard)) == []


def flush(everything, patience=5.0):
    """Records come from another thread."""
    seen = -1
    while seen != len(everything.heard) and patience > 0:
        seen = len(everything.heard)
        time.sleep(0.1)
        patience -= 0.1


def test_neither_the_environment_nor_a_proxy_is_shown(azure, everything, monkeypatch):
    secrets = Secrets()
    for secret in (PASSWORD, "a-secret-that-is-wrong"):
        secrets.add(secret)
    monkeypatch.setenv("AZURE_TENANT_ID", azure.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", azure.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-secret-that-is-wrong")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.origin)
    through = f"http://user:{urllib.parse.quote(PASSWORD, safe='')}@127.0.0.1:1"
    for options, credential in (
        (azure.client_options(), None),
        ({"proxy": through}, azure.credential()),
    ):
        with aks_acr.Client(credential, azure.subscription_id, **options) as client:
            with pytest.raises(aks_acr.AksAcrError) as raised:
                client.registry("myregistry", deadline=2)
            assert secrets.found_in(f"{client!r} {shown(raised.value)}") == []
    with pytest.raises(aks_acr.InvalidInputError) as refused:
        aks_acr.Client(azure.credential(), azure.subscription_id, proxy=f"ftp://user:{PASSWORD}@host")
    assert secrets.found_in(shown(refused.value)) == []
    flush(everything)
    assert any(record.name == "aks_acr" for record in everything.records)
    assert secrets.found_in("\n".join(everything.heard)) == []


def test_a_leak_is_found():
    secrets = Secrets()
    secrets.add("eyJhbGciOiJub25l.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl")
    secrets.add(PASSWORD)
    secrets.add_kubeconfig("user: {x: y}\n    token: kubeconfigs-own-token\n")
    for leak in (
        "Bearer eyJhbGciOiJub25l.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl",
        "payload eyJzdWIiOiJzb21lYm9keSJ9",
        "http://user:p%40ss%3Aword%2Fof%20a%20proxy@host",
        "kubeconfigs-own-token",
    ):
        assert secrets.found_in(leak)
    assert secrets.found_in("Bearer [redacted]") == []


def test_each_thing_is_told_once_and_how_an_operation_ended(client, everything):
    attachment = client.attach("group/dev", "myregistry")
    flush(everything)
    ours = [record for record in everything.records if record.name.split(".")[0] == "aks_acr"]
    ends = [record.getMessage() for record in ours if record.name == "aks_acr"]
    assert len(ends) == 1, ends
    assert "operation=\"attach\"" in ends[0] and "outcome=\"granted\"" in ends[0]
    assert attachment.correlation_id in ends[0]
    requests = [record.getMessage() for record in ours if record.name == "aks_acr.http"]
    assert len(requests) == len({re.sub(r"duration_ms=\d+", "", request) for request in requests}), requests
    assert {record.name for record in ours} <= {"aks_acr", "aks_acr.http", "aks_acr.progress", "aks_acr.credential"}


def test_coroutines_show_no_secret_either(azure, everything):
    secrets = Secrets()

    async def main():
        credential = azure.async_credential()
        given = await credential.get_token("https://management.azure.com/.default")
        secrets.add(given.token)
        async with aks_acr.aio.Client(credential, azure.subscription_id, **azure.client_options()) as client:
            with pytest.raises(aks_acr.NotFoundError) as raised:
                await client.attach("group/absent", "myregistry")
            return f"{client!r} {shown(raised.value)}"

    told = asyncio.run(main())
    gc.collect()
    flush(everything)
    heard = [line for line in everything.heard if not line.startswith("aks_acr_emulator")]
    assert secrets.found_in("\n".join([told, *heard])) == []
