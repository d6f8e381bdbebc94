"""The README and the examples do what they say."""

import functools
import importlib.util
import json
import pathlib
import re
import subprocess
import sys

import azure.identity
import azure.identity.aio
import pytest
from aks_acr_emulator import Emulator
from conftest import MANIFESTS, SCENE, blocking

import aks_acr

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = [ROOT / "examples" / "python" / f"{name}.py" for name in ("abac_migration", "attach_registry", "deploy", "diagnose", "emulate", "external_registry", "import_image", "own_identity", "quickstart")]


def test_the_snippets_of_the_readme_run(monkeypatch, capsys):
    text = (ROOT / "bindings-python" / "README.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(snippets) > 4
    scene = {**SCENE, "clusters": [{"group": "group", "name": "dev"}, {"group": "group", "name": "test"}]}
    with Emulator(scene=scene) as azure:

        def on_emulator_of(make, credential, _, **more):
            return make(credential or azure.credential(), azure.subscription_id, **azure.client_options(), **more)

        monkeypatch.setattr("azure.identity.DefaultAzureCredential", azure.credential)
        monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", azure.async_credential)
        for module in (aks_acr, aks_acr.aio):
            make = functools.partial(on_emulator_of, module.Client)
            monkeypatch.setattr(module, "Client", make)
        with aks_acr.Client(azure.credential(), None) as client:
            for snippet in snippets:
                exec(compile(snippet, "README.md", "exec"), {"client": client, "manifests": MANIFESTS})
    said = capsys.readouterr().out
    for word in ("+ AcrPull on myregistry for group/dev (kubelet ", "    does: creates a role assignment", "granted", "nothing to do", "equal to the source", "not_found", "Running", "removed", "by the fault of the source", "DELETE /subs"):
        assert word in said, word


def test_the_program_on_the_first_page_runs(monkeypatch, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    scene = {
        "clusters": [{"group": "my-group", "name": "my-cluster"}],
        "registries": [{"group": "my-group", "name": "myregistry"}],
    }
    with Emulator(scene=scene) as azure:
        client = aks_acr.Client
        monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", azure.subscription_id)
        monkeypatch.setattr("azure.identity.DefaultAzureCredential", azure.credential)
        monkeypatch.setattr(aks_acr, "Client", lambda *given: client(*given, **azure.client_options()))
        exec(compile(program, "README.md", "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("+ AcrPull on myregistry for my-group/my-cluster"), said
    assert said[-1] == "granted"


def test_the_emulators_front_page_is_true_of_this_package():
    text = (ROOT / "tests" / "emulator" / "python" / "README.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```python aks-acr\n(.*?)^```", text, re.M | re.S)
    assert len(snippets) == 2
    exec(compile("\n".join(["from aks_acr_emulator import Emulator", *snippets]), "README.md", "exec"), {})


@pytest.mark.parametrize(("page", "fence"), [("bindings-python/README.md", "python emulator"), ("docs/testing.md", "python")])
def test_the_test_on_a_page_passes(page, fence):
    (program,) = re.findall(rf"^```{fence}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    names = {}
    exec(compile(program, page, "exec"), names)
    (shown,) = [names[name] for name in names if name.startswith("test_")]
    shown()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


class AtOnce:
    """A client of an Azure whose roles are effective at once: the example of a page does not wait for them."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        return getattr(self.client, name)

    def apply_mode_change(self, plan, **options):
        return self.client.apply_mode_change(plan, propagation_time=0, **options)


OPERATIONS = [one["python"] for one in json.loads((ROOT / "tests" / "contract" / "operations.json").read_text())]


@pytest.mark.parametrize("operation", [*OPERATIONS, "check_principal", "check_addresses", "stored_report"])
def test_the_example_of_a_page_runs(operation, tmp_path):
    source = importlib.util.spec_from_file_location("examples_of_pages", ROOT / "tests" / "docs" / "examples.py")
    examples = importlib.util.module_from_spec(source)
    source.loader.exec_module(examples)
    images = ["docker.io/library/nginx:latest", "myregistry.azurecr.io/app:v1"] + ["myregistry.azurecr.io/nginx:v1"] * (operation in ("apply", "explain", "wait_for_rollout", "pods"))
    scene = {
        "clusters": [{"group": "my-group", "name": "my-cluster"}],
        "registries": [{"group": "my-group", "name": "myregistry"}],
        "images": [{"name": name, "platforms": ["linux/amd64"]} for name in images],
    }
    more = {"apply": (MANIFESTS,), "merge_kubeconfig": (tmp_path / "config",)}.get(operation, ())
    with Emulator(scene=scene, clock=50) as azure:
        with blocking(azure) as client:
            if "attach" not in operation.split("_"):
                client.attach("my-group/my-cluster", "myregistry")
            if operation in ("explain", "wait_for_rollout", "pods"):
                client.apply("my-group/my-cluster", MANIFESTS, registry="myregistry")
            mark = azure.mark()
            getattr(examples, operation)(AtOnce(client), *more)
            assert azure.requests(since=mark)
