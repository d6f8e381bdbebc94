"""Results as Python values."""

import ast
import json
import pathlib
import pickle
from datetime import datetime, timedelta, timezone

import pytest
from conftest import MANIFESTS

import aks_acr
from aks_acr import (
    AttachOutcome,
    Event,
    ImportProof,
    InvalidInputError,
    NextStep,
    Pod,
    PullFailure,
    PullFinding,
    _native,
    _words,
)

PULL_FAILURE = PullFailure(
    pod="web-0",
    container="web",
    image="r.azurecr.io/web:1",
    reason="ErrImagePull",
    finding=PullFinding(
        id="network.outbound_ip_not_allowed",
        message="denied",
        retry="never",
        next_step=NextStep(summary="allow it", operation=None, arguments={}, command=None),
        address="1.2.3.4",
        host=None,
        retry_at=None,
        docs="https://docs.example",
    ),
    message="no",
)
POD = Pod.from_json(
    '{"name":"<b>","namespace":"default","status":"Running","ready":1,"containers":1,"restarts":0,"last_restart":null,'
    '"created":"2026-01-01T00:00:00Z","node":null,"image_id":null,"pull_failure":null}'
)
PODS = aks_acr.Pods(pods=[POD], at=POD.created)
KUBECONFIG = (
    "{current-context: dev, contexts: [{name: dev, context: {cluster: dev}}],"
    " clusters: [{name: dev, cluster: {server: 'https://dev.example'}}], users: [{token: top-secret}]}"
)


@pytest.mark.parametrize("value", [PULL_FAILURE, POD, PODS, PULL_FAILURE.finding, Event.Rollout(0, 2, None)], ids=repr)
def test_a_value_is_pickled_compared_and_hashed_by_its_content(value):
    again = pickle.loads(pickle.dumps(value))
    assert again == value and again is not value
    assert hash(again) == hash(value)
    assert type(value).from_json(value.to_json()) == value
    assert repr(again) == repr(value)


def test_a_value_does_not_change():
    with pytest.raises(AttributeError):
        POD.name = "other"


def test_a_value_reads_as_the_call_that_makes_it():
    assert repr(PULL_FAILURE.finding.next_step).startswith("NextStep(summary='allow it', operation=None")
    assert repr(aks_acr.Rollout(ready=1, wanted=2)) == "Rollout(ready=1, wanted=2)"


def test_forms_are_told_apart_by_match_and_by_kind():
    match AttachOutcome.Inherited(from_="/subscriptions/x"):
        case AttachOutcome.Granted():
            raise AssertionError
        case AttachOutcome.Inherited(scope):
            assert scope == "/subscriptions/x"
    assert AttachOutcome.Inherited("/s").kind == "inherited"
    assert AttachOutcome.Inherited("/s").to_json() == '{"kind":"inherited","from":"/s"}'
    assert isinstance(AttachOutcome.Granted(), AttachOutcome)


def test_a_stored_value_of_another_form_is_refused():
    with pytest.raises(InvalidInputError, match="text: not the JSON form of ImportProof: unknown field `more`"):
        ImportProof.from_json('{"kind":"source_matched","digest":"sha256:0","more":1}')


def test_times_are_aware():
    assert POD.created.tzinfo == timezone.utc


def test_pods_are_a_sequence_and_a_table():
    assert len(PODS) == 1 and list(PODS) == [POD] and PODS[0] == POD and PODS[-1:] == (POD,)
    header, line = str(PODS).splitlines()
    assert header.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert line.split() == ["<b>", "1/1", "Running", "0", "0s"]
    assert "<tr><th>NAME</th>" in PODS._repr_html_() and "<td>&lt;b&gt;</td>" in PODS._repr_html_()


def test_a_kubeconfig_hides_its_keys():
    kubeconfig = aks_acr.Kubeconfig(KUBECONFIG)
    assert "top-secret" not in repr(kubeconfig) and "top-secret" in kubeconfig.text
    assert (kubeconfig.server, kubeconfig.context) == ("https://dev.example", "dev")
    assert pickle.loads(pickle.dumps(kubeconfig)) == kubeconfig


@pytest.mark.parametrize("name", _native.words())
def test_an_enum_has_the_words_of_core(name):
    assert [member.value for member in getattr(_words, name)] == _native.words()[name]


def test_an_enum_is_its_word():
    assert (
        aks_acr.Sku.BASIC == "Basic"
        and str(aks_acr.Sku.BASIC) == "Basic"
        and aks_acr.Sku("Premium") is aks_acr.Sku.PREMIUM
    )
    assert PULL_FAILURE.finding.retry is aks_acr.PullRetry.NEVER


def test_results_of_calls_keep_all_that_core_says(azure, client):
    client.import_image("myregistry", "nginx", target="nginx:v1")
    client.attach("group/dev", "myregistry")
    applied = client.apply("group/dev", MANIFESTS, registry="myregistry")
    assert [str(one) for one in applied] == ["Deployment/web"] and applied[0].is_new
    assert client.wait_for_rollout("group/dev", "web") == aks_acr.Rollout(ready=2, wanted=2)
    pods = client.pods("group/dev", labels="app=web")
    assert [pod.status for pod in pods] == ["Running", "Running"]
    assert pods == pickle.loads(pickle.dumps(pods))


def test_a_started_import_is_stored_and_looked_at_later(client):
    started = client.start_import("myregistry", "nginx", target="nginx:v1")
    match started:
        case aks_acr.StartedImport.Started(aks_acr.ImportHandle(_, targets) as handle):
            assert targets == ("nginx:v1",)
    link = json.loads(handle.to_json())["link"]
    assert link not in repr(started) and "nginx:v1" in repr(started)
    stored = pickle.loads(pickle.dumps(handle))
    assert stored == handle and hash(stored) == hash(handle) and aks_acr.ImportHandle.from_json(handle.to_json()) == handle
    while client.poll_import(stored) != aks_acr.ImportStatus.Succeeded():
        pass
    assert client.poll_import(started).kind == "succeeded"
    there = client.start_import("myregistry", "nginx", target="nginx:v1")
    assert there.kind == "already_exists" and not there.import_.is_new
    with pytest.raises(ValueError, match="no import was started"):
        client.poll_import(there)


def test_a_look_renews_the_link_of_the_handle(azure, client):
    azure.timing(import_=60)
    handle = client.start_import("myregistry", "nginx").handle
    stored, number = aks_acr.ImportHandle.from_json(handle.to_json()), hash(handle)
    match client.poll_import(handle):
        case aks_acr.ImportStatus.Running(tags):
            assert list(tags) == ["library/nginx:latest"]
    assert handle != stored and hash(handle) == number == hash(stored)


def test_each_image_of_a_list_has_a_result_of_its_own(azure, client):
    images = ["nginx", {"source": "nosuch/image"}, {"source": "nginx", "target": "web:1", "additional_tags": ["web:2"], "deadline": 60}]
    first, second, third = client.import_images("myregistry", images, concurrency=2)
    assert first.is_new and third.additional_tags == ("myregistry.azurecr.io/web:2",)
    assert isinstance(second, aks_acr.NotFoundError) and second.failed_side is aks_acr.ImportSide.SOURCE


def test_a_cluster_is_made_with_what_it_pulls_from(azure, client, tmp_path):
    made = client.create_cluster("group/new", registries=["myregistry"], node_count=1, ssh_key_file=tmp_path / "id_rsa")
    assert made.is_new and [one.outcome.kind for one in made.attachments] == ["granted"]
    # The pair was made for it.
    assert (tmp_path / "id_rsa").exists() and (tmp_path / "id_rsa.pub").read_text().startswith("ssh-rsa ")
    again = client.create_cluster("group/new", node_count=2)
    assert not again.is_new and list(map(str, again.differences)) == ["node_count: asked for 2, found 1"]
    assert pickle.loads(pickle.dumps(again)) == again


def test_the_stub_says_what_the_module_says():
    stub = ast.parse(pathlib.Path(_native.__file__).with_name("_native.pyi").read_text(encoding="utf-8"))
    (calls,) = [node for node in stub.body if isinstance(node, ast.ClassDef) and node.name == "Calls"]
    for method in calls.body:
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and not method.decorator_list:
            assert ast.get_docstring(method) == getattr(_native.Calls, method.name).__doc__.strip(), method.name


def test_a_time_past_the_years_of_utc_is_refused(client):
    plan = client.plan_attach("group/dev", "myregistry")
    fields = {name: getattr(plan, name) for name in plan.__match_args__}
    assert aks_acr.AttachPlan(**fields).expires == plan.expires
    fields["expires"] = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
    with pytest.raises(ValueError, match="9999"):
        aks_acr.AttachPlan(**fields)


def test_a_report_is_a_gate_and_can_be_shown_to_others(client):
    report = client.check("group/dev", "myregistry", image="nginx:v1")
    with pytest.raises(aks_acr.PullFailedError) as raised:
        report.require()
    error = raised.value
    assert error.report == report and error.finding == report.findings[0] and error.pull_failure is None
    assert error.finding.docs.endswith("/docs/findings/grant.missing.md") and error.finding.docs in str(error)
    assert f"see {error.finding.docs}" in str(report)
    redacted = report.redacted()
    assert (redacted.verdict, redacted.root_cause) == (report.verdict, "grant.missing")
    for form in (redacted.to_json(), str(redacted), redacted.to_html()):
        assert "myregistry" not in form and report.cluster.split("/")[2] not in form
    assert redacted.to_html() == redacted._repr_html_() and redacted.to_html().startswith("<table>")
    client.attach("group/dev", "myregistry")
    assert client.check("group/dev", "myregistry").require() is None


def test_a_stored_report_is_diagnosed_again_without_a_request(client, azure):
    report = client.check("group/dev", "myregistry", image="nginx:v1", kubernetes="always")
    mark = azure.mark()
    stored = aks_acr.Report.from_json(report.to_json())
    assert stored == report and stored.replayed() == report == report.replayed()
    assert azure.requests(since=mark) == []
    with pytest.raises(aks_acr.InvalidInputError, match="facts"):
        aks_acr.Report.from_json(json.dumps(json.loads(report.to_json()) | {"facts": None})).replayed()


@pytest.mark.parametrize("version", [0, 2, 99])
def test_a_stored_form_of_another_version_is_rejected(client, version):
    for stored in (client.check("group/dev", "myregistry"), client.explain("group/dev"), client.prove_pull("group/dev", "nginx:v1")):
        assert type(stored).from_json(stored.to_json()) == stored
        other = json.dumps(json.loads(stored.to_json()) | {"version": version})
        with pytest.raises(aks_acr.InvalidInputError, match=f"version {version} is unknown"):
            type(stored).from_json(other)


def test_an_explanation_can_be_shown_to_others(client):
    client.apply("group/dev", MANIFESTS, registry="myregistry")
    with pytest.raises(aks_acr.PullFailedError) as raised:
        client.wait_for_rollout("group/dev", "web")
    assert raised.value.finding.id == raised.value.pull_failure.finding.id == raised.value.report.root_cause
    explanation = client.explain("group/dev")
    assert explanation.root_cause == raised.value.report.root_cause
    redacted = explanation.redacted()
    assert redacted.root_cause == explanation.root_cause is not None
    for form in (redacted.to_json(), str(redacted), redacted.to_html()):
        assert "myregistry" not in form and explanation.groups[0].failure.pod not in form


def test_a_report_that_core_cannot_read_is_no_gate():
    report = aks_acr.Report(
        version=1, verdict="can_pull", root_cause=None, cluster="no id", registry=None, image=None,
        findings=[], stages=[], assumptions=[], changes=[], checked_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        registry_logs=[], facts=None,
    )  # fmt: skip
    for ask in (report.require, report.redacted, report.to_html):
        with pytest.raises(ValueError, match="invalid JSON form"):
            ask()
