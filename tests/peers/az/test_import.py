"""Importing images, and what then is in the registry; its data read by az too."""

import pytest

from conftest import GROUP

NGINX = "docker.io/library/nginx:latest"
MCR = "mcr.microsoft.com/azuredocs/aks-helloworld:v1"


@pytest.fixture(scope="module")
def registry(az, group):
    return az("acr", "create", "-g", group, "-n", "target", "--sku", "Premium")


@pytest.fixture(scope="module")
def other(az, group):
    made = az("acr", "create", "-g", group, "-n", "source", "--sku", "Basic")
    az("acr", "import", "-n", "source", "--source", NGINX, "-t", "app:1")
    return made


def tags(az, name, repository):
    listed = az("acr", "repository", "show-tags", "-n", name, "--repository", repository, "--detail")
    return {one["name"]: one["digest"] for one in listed}


def test_an_image_comes_from_docker_hub_under_its_own_name(az, registry):
    assert az("acr", "import", "-n", "target", "--source", NGINX) is None
    assert az("acr", "repository", "list", "-n", "target") == ["library/nginx"]
    assert az("acr", "repository", "show-tags", "-n", "target", "--repository", "library/nginx") == ["latest"]


def test_an_image_comes_from_microsofts_registry_under_names_of_ones_choice(az, registry):
    az("acr", "import", "-n", "target", "--source", MCR, "-t", "hello:one", "-t", "hello:two", "-t", "bonjour:un")
    hello = tags(az, "target", "hello")
    assert set(hello) == {"one", "two"}
    assert len(set(hello.values())) == 1
    assert tags(az, "target", "bonjour")["un"] == hello["one"]


def test_an_image_comes_from_another_registry_by_its_id(az, registry, other):
    az("acr", "import", "-n", "target", "--source", "app:1", "--registry", other["id"], "-t", "byid:1")
    assert tags(az, "target", "byid")["1"] == tags(az, "source", "app")["1"]


def test_an_image_comes_from_another_registry_by_its_host(az, registry, other):
    az("acr", "import", "-n", "target", "--source", "source.azurecr.io/app:1", "-t", "byhost:1")
    assert tags(az, "target", "byhost")["1"] == tags(az, "source", "app")["1"]


def test_an_image_is_named_by_its_digest(az, registry, other):
    digest = tags(az, "source", "app")["1"]
    az("acr", "import", "-n", "target", "--source", f"app@{digest}", "--registry", other["id"], "-t", "bydigest:1")
    assert tags(az, "target", "bydigest") == {"1": digest}


def test_an_image_may_come_without_a_tag(az, registry, other):
    digest = tags(az, "source", "app")["1"]
    source = ("--source", f"app@{digest}", "--registry", other["id"])
    az("acr", "import", "-n", "target", *source, "--repository", "untagged_repositories")
    assert tags(az, "target", "untagged_repositories") == {}
    listed = az("acr", "manifest", "list-metadata", "-r", "target", "-n", "untagged_repositories")
    assert digest in [one["digest"] for one in listed]


def test_a_tag_that_exists_is_kept_unless_force_is_used(az, registry):
    az("acr", "import", "-n", "target", "--source", MCR, "-t", "kept:1")
    first = tags(az, "target", "kept")["1"]
    said = az.refused("acr", "import", "-n", "target", "--source", NGINX, "-t", "kept:1")
    assert "kept:1 already exists in target registry" in said
    assert tags(az, "target", "kept")["1"] == first
    az("acr", "import", "-n", "target", "--source", NGINX, "-t", "kept:1", "--force")
    assert tags(az, "target", "kept")["1"] == tags(az, "target", "library/nginx")["latest"] != first


def test_an_import_is_not_waited_for(az, azure, registry):
    before = azure.mark()
    az("acr", "import", "-n", "target", "--source", NGINX, "-t", "nowait:1", "--no-wait")
    last = azure.requests(before)[-1]
    assert (last["method"], last["path"].rsplit("/", 1)[-1], last["status"]) == ("POST", "importImage", 202)
    assert tags(az, "target", "nowait") == {"1": tags(az, "target", "library/nginx")["latest"]}


def test_a_source_that_is_not_there_is_refused(az, registry, other):
    said = az.refused("acr", "import", "-n", "target", "--source", "docker.io/library/nginx:nosuchtag", "-t", "no:1")
    assert "Unable to find manifest digest" in said
    said = az.refused("acr", "import", "-n", "target", "--source", "missing:1", "--registry", other["id"])
    assert "Unable to find manifest digest" in said
    assert "no" not in az("acr", "repository", "list", "-n", "target")


def test_a_source_that_az_does_not_understand_is_not_asked_for(az, azure, registry):
    before = azure.mark()
    said = az.refused("acr", "import", "-n", "target", "--source", "nginx")
    assert "Source cannot be found" in said
    assert "POST" not in [one["method"] for one in azure.requests(before)]


def test_a_registry_of_others_wants_credentials(az, azure, registry, other):
    private = az("acr", "update", "-n", "source", "--admin-enabled", "true")
    assert private["adminUserEnabled"] is True
    secret = az("acr", "credential", "show", "-n", "source")["passwords"][0]["value"]
    source = ("--source", "source.azurecr.io/app:1", "-t", "bypassword:1")
    said = az.refused("acr", "import", "-n", "target", *source, "-u", "source", "-p", "wrong")
    assert "denied" in said
    az("acr", "import", "-n", "target", *source, "-u", "source", "-p", secret)
    assert set(tags(az, "target", "bypassword")) == {"1"}


def test_an_absent_target_is_said_by_az(az, group):
    said = az.refused("acr", "import", "-n", "notarget", "--source", NGINX)
    assert "'notarget'" in said and "could not be found" in said


def test_importing_wants_a_right(azure, az, registry, reader):
    said = reader.refused("acr", "import", "-n", "target", "-g", GROUP, "--source", NGINX, "-t", "forbidden:1")
    assert "Microsoft.ContainerRegistry/registries/importImage/action" in said
    assert "forbidden" not in az("acr", "repository", "list", "-n", "target")
