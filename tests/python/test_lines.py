"""Every result reads as a line, or a table; words and texts are Python's own."""

import asyncio
import copy
import json
import logging
import re
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from aks_acr_emulator import Emulator
from conftest import SCENE, blocking
from test_stories import STORIES, Teller, steps_of

import aks_acr


def within(value):
    """A result, and all results in it."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from within(one)
    elif type(value).__module__ == "aks_acr" and hasattr(value, "__match_args__"):
        yield value
        for name in value.__match_args__:
            yield from within(getattr(value, name))


def results(tmp_path):
    """The results of all stories, and what errors carry."""
    for story in STORIES.values():
        for _, outcome, events, _ in steps_of(story, Teller, tmp_path):
            yield outcome.pull_failure if isinstance(outcome, aks_acr.AksAcrError) else outcome
            yield events
    yield aks_acr.required_rights(list(aks_acr.Operation))


def test_every_result_reads_as_a_line_or_a_table(client, tmp_path):
    seen = {}
    for result in results(tmp_path):
        for one in within(result):
            text = str(one)
            name = type(one).__qualname__
            assert text and text != repr(one) and not text.startswith(name), (name, text)
            # A condition has braces, and so have what Azure says of an extension that failed and an argument of az.
            quoted = text.replace("ActionMatches{", "").replace('[stdout] { "ExitCode"', "").replace('[{"categoryGroup"', "")
            assert "None" not in text and "{" not in quoted, text
            assert not any(line != line.rstrip() for line in text.splitlines()), text
            seen.setdefault(name.split(".")[0], text)
    kinds = {
        name
        for name in aks_acr.__all__
        if isinstance(getattr(aks_acr, name), type)
        and hasattr(getattr(aks_acr, name), "to_json")
    }
    # These need a scene of their own, and are covered with it below or where they are made.
    assert kinds - set(seen) <= {"Event", "Write", "DenyingPolicy", "AddOnIdentity", "EligibleRole", "EntraSettings", "ReplacedAssignment", "UnreadPart"}, kinds - set(seen)
    assert seen["Attachment"].startswith("AcrPull for ") and seen["Attachment"].endswith(" on myregistry: granted")
    assert seen["ClusterAttachments"].splitlines()[0].split() == ["REGISTRY", "ROLE", "PRINCIPAL", "ASSIGNED", "CONDITION", "CERTAIN"]
    assert "client-key-data" not in str(client.kubeconfig("group/dev", access="admin"))


def test_what_a_test_makes_by_hand_still_has_a_text():
    made = aks_acr.KubeletIdentity(object_id="not an id", client_id=None, resource_id=None)
    assert str(made) == repr(made)
    policy = aks_acr.DenyingPolicy(name="no registries", assignment_id="/a", definition_id=None)
    assert str(policy) == "no registries (/a)"
    unread = aks_acr.UnreadPart(part="repositories", missing_action="a/read", reason="refused")
    assert str(unread) == "repositories not read: refused (missing action: a/read)"
    eligible = aks_acr.EligibleRole(role="Owner", scope="/subscriptions/a", end=None)
    assert str(eligible) == "Owner on /subscriptions/a"
    assert str(aks_acr.EntraSettings(azure_rbac=True)) == "Entra with Azure RBAC"
    replaced = aks_acr.ReplacedAssignment(assignment_id="/a", condition="c", description=None)
    assert str(replaced) == "/a with the condition c"


def test_a_plan_expires(client):
    plan = client.plan_attach("group/dev", "myregistry")
    gone = datetime(2020, 1, 1, tzinfo=timezone.utc)
    expired = copy.replace(plan, expires=gone) if sys.version_info >= (3, 13) else plan.__replace__(expires=gone)
    assert (expired.expires, expired.cluster) == (gone, plan.cluster) and plan.expires != gone
    with pytest.raises(aks_acr.ConflictError, match="expired"):
        client.apply_attach(expired)
    with pytest.raises(TypeError):
        plan.__replace__(nonsense=1)


def test_a_plan_expires_by_the_emulators_clock(azure, client):
    attach = client.plan_attach("group/dev", "myregistry")
    azure.advance(3500)
    client.apply_attach(attach)
    detach = client.plan_detach("group/dev", "myregistry")
    azure.advance(3700)
    with blocking(azure) as another:
        for applying in (client, another):
            with pytest.raises(aks_acr.ConflictError, match="expired"):
                applying.apply_detach(detach)
            with pytest.raises(aks_acr.ConflictError, match="expired"):
                applying.apply_attach(attach)
        assert another.apply_detach(client.plan_detach("group/dev", "myregistry")).removed


def test_an_import_costs_no_wait(client):
    begun = time.monotonic()
    client.import_image("myregistry", "nginx", target="nginx:v1")
    client.import_images("myregistry", [{"source": "nginx", "target": f"nginx:{tag}"} for tag in range(8)])
    assert time.monotonic() - begun < 3


def test_a_faster_clock_asks_for_shorter_waits():
    with Emulator(scene=SCENE, timing="typical", clock=1000) as azure:
        with aks_acr.Client(azure.credential(), azure.subscription_id, **azure.client_options()) as client:
            begun = time.monotonic()
            client.import_image("myregistry", "nginx", target="nginx:v1")
            assert time.monotonic() - begun < 5


def test_a_wrong_keyword_is_told_by_the_name_that_the_caller_knows(azure, client):
    with pytest.raises(TypeError, match=r"^Client\.attach\(\) got an unexpected keyword argument 'nonsense'"):
        client.attach("group/dev", "myregistry", nonsense=1)
    with pytest.raises(TypeError, match=r"^Client\.attach\(\) missing 1 required positional argument"):
        client.attach("group/dev")

    async def main():
        async with aks_acr.aio.Client(azure.async_credential(), azure.subscription_id, **azure.client_options()) as one:
            await one.attach("group/dev", "myregistry", nonsense=1)

    with pytest.raises(TypeError, match=r"^Client\.attach\(\)"):
        asyncio.run(main())


def test_the_stubs_have_the_words_that_core_has():
    stub = (Path(aks_acr.__file__).parent / "_native.pyi").read_text(encoding="utf-8")
    words = aks_acr._native.words()
    literals = {
        name: re.findall(r'"([^"]*)"', inside)
        for name, inside in re.findall(r"^_(\w+): TypeAlias = \(?\s*\1\s*\| Literal\[([^\]]*)\]", stub, re.MULTILINE)
    }
    assert literals and all(words[name] == of for name, of in literals.items())
    assert not re.search(r"\b(?:%s) \| str\b" % "|".join(words), stub), "text where words are meant"


def test_the_end_of_an_operation_is_logged_with_cluster_and_registry_and_a_failure_as_an_error(client, caplog):
    with caplog.at_level(logging.INFO, logger="aks_acr"):
        client.attach("group/dev", "myregistry")
        with pytest.raises(aks_acr.NotFoundError):
            client.attach("group/absent", "myregistry")
        client.import_images("myregistry", ["nginx", "docker.io/library/absent:1"])
    until = time.monotonic() + 5
    while len(ends := [one for one in caplog.records if one.name == "aks_acr"]) < 3:
        assert time.monotonic() < until, caplog.records
        time.sleep(0.01)
    done, failed, some = ends
    assert done.levelname == "INFO" and 'cluster="group/dev"' in done.getMessage()
    assert failed.levelname == "ERROR"
    for part in ['operation="attach"', 'cluster="group/absent"', 'registry="myregistry"', 'outcome="not_found"']:
        assert part in failed.getMessage(), failed.getMessage()
    assert some.levelname == "ERROR" and "1 of 2 failed" in some.getMessage()


def test_a_role_names_its_operations():
    role = json.loads(aks_acr.custom_role_json("role", aks_acr.required_rights(["attach"]), ["/subscriptions/s"]))
    assert "attach" in role["Description"] and "create_cluster" not in role["Description"]
