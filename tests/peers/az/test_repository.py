"""What az reads and deletes in a registry, and the token that it gives out."""

import base64
import hashlib
import json

import pytest

from conftest import GROUP

NGINX = "docker.io/library/nginx:latest"
HELLO = "mcr.microsoft.com/hello-world:latest"
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


@pytest.fixture(scope="module")
def registry(az, group):
    made = az("acr", "create", "-g", group, "-n", "images", "--sku", "Basic")
    az("acr", "import", "-n", "images", "--source", NGINX, "-t", "web:1", "-t", "web:2", "-t", "spare:1")
    az("acr", "import", "-n", "images", "--source", HELLO, "-t", "hello:1")
    return made


@pytest.fixture(scope="module")
def abac(az, group):
    mode = ("--role-assignment-mode", "rbac-abac")
    made = az("acr", "create", "-g", group, "-n", "guarded", "--sku", "Basic", *mode)
    az("acr", "import", "-n", "guarded", "--source", NGINX, "-t", "web:1")
    return made


def test_repositories_are_listed(az, registry):
    assert az("acr", "repository", "list", "-n", "images") == ["hello", "spare", "web"]
    assert az("acr", "repository", "list", "-n", "images", "--top", "2") == ["hello", "spare"]


def test_a_repository_is_shown(az, registry):
    shown = az("acr", "repository", "show", "-n", "images", "--repository", "web")
    assert (shown["registry"], shown["imageName"], shown["tagCount"]) == ("images.azurecr.io", "web", 2)
    assert shown["changeableAttributes"]["deleteEnabled"] is True
    image = az("acr", "repository", "show", "-n", "images", "--image", "web:1")
    assert image["name"] == "1"
    assert image["digest"].startswith("sha256:")


def test_tags_are_shown_in_the_order_that_is_asked_for(az, registry):
    tags = ("acr", "repository", "show-tags", "-n", "images", "--repository", "web")
    assert az(*tags) == ["1", "2"]
    assert sorted(az(*tags, "--orderby", "time_desc")) == ["1", "2"]
    assert az(*tags, "--top", "1") == ["1"]


def test_manifests_are_listed_with_tags_and_platforms(az, registry):
    listed = az("acr", "manifest", "list-metadata", "-r", "images", "-n", "web")
    tagged = [one for one in listed if one.get("tags")]
    assert [one["tags"] for one in tagged] == [["1", "2"]]
    assert tagged[0]["mediaType"] in INDEXES
    platforms = {(one["os"], one["architecture"]) for one in tagged[0]["references"]}
    assert platforms == {("linux", "amd64"), ("linux", "arm64")}
    # The platforms' own manifests are in the list too.
    assert {one["digest"] for one in tagged[0]["references"]} < {one["digest"] for one in listed}


def test_a_manifest_is_shown_byte_for_byte(az, registry):
    image = az("acr", "repository", "show", "-n", "images", "--image", "web:1")
    raw = az.run("acr", "manifest", "show", "-r", "images", "-n", "web:1", "--raw")
    assert raw.code == 0, raw.err
    assert "sha256:" + hashlib.sha256(raw.out.encode()).hexdigest() == image["digest"]
    shown = az("acr", "manifest", "show", "-r", "images", "-n", f"web@{image['digest']}")
    assert shown == json.loads(raw.out)
    assert len(shown["manifests"]) == 2


def test_an_absent_repository_is_said(az, registry):
    said = az.refused("acr", "repository", "show-tags", "-n", "images", "--repository", "nothing")
    assert "repository" in said.lower() or "not found" in said.lower()
    said = az.refused("acr", "manifest", "show", "-r", "images", "-n", "web:nosuchtag")
    assert "not found" in said.lower()


def test_a_tag_is_taken_off(az, registry):
    az("acr", "import", "-n", "images", "--source", HELLO, "-t", "untag:1", "-t", "untag:2")
    az("acr", "repository", "untag", "-n", "images", "--image", "untag:1")
    assert az("acr", "repository", "show-tags", "-n", "images", "--repository", "untag") == ["2"]


def test_an_image_is_deleted_with_all_its_tags(az, registry):
    az("acr", "import", "-n", "images", "--source", HELLO, "-t", "gone:1", "-t", "gone:2")
    az("acr", "import", "-n", "images", "--source", NGINX, "-t", "gone:3")
    az("acr", "repository", "delete", "-n", "images", "--image", "gone:1", "--yes")
    assert az("acr", "repository", "show-tags", "-n", "images", "--repository", "gone") == ["3"]


def test_a_repository_is_deleted(az, registry):
    az("acr", "import", "-n", "images", "--source", HELLO, "-t", "whole:1")
    az("acr", "repository", "delete", "-n", "images", "--repository", "whole", "--yes")
    assert "whole" not in az("acr", "repository", "list", "-n", "images")


def test_an_attribute_is_changed(az, registry):
    where = ("-n", "images", "--image", "spare:1")
    az("acr", "repository", "update", *where, "--delete-enabled", "false")
    shown = az("acr", "repository", "show", *where)
    assert shown["changeableAttributes"]["deleteEnabled"] is False
    assert az.refused("acr", "repository", "delete", *where, "--yes")
    az("acr", "repository", "update", *where, "--delete-enabled", "true")


def test_the_token_of_a_registry_is_exposed(az, azure, registry):
    exposed = az("acr", "login", "-n", "images", "--expose-token")
    assert exposed["loginServer"] == "images.azurecr.io"
    assert exposed["username"] == "00000000-0000-0000-0000-000000000000"
    body = exposed["refreshToken"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["aud"] == "images.azurecr.io"
    assert claims["grant_type"] == "refresh_token"
    assert claims["tenant"] == azure.tenant
    assert set(claims["permissions"]["actions"]) >= {"read", "write", "delete"}


def test_a_token_is_good_for_what_az_asks_with_it(az, registry):
    exposed = az("acr", "login", "-n", "images", "--expose-token")
    who = ("-u", exposed["username"], "-p", exposed["refreshToken"])
    assert "web" in az("acr", "repository", "list", "-n", "images", *who)


def test_a_reader_reads_images_and_deletes_none(az, reader, registry):
    assert reader("acr", "repository", "show-tags", "-n", "images", "--repository", "web") == ["1", "2"]
    assert reader.refused("acr", "repository", "delete", "-n", "images", "--repository", "web", "--yes")
    assert az("acr", "repository", "show-tags", "-n", "images", "--repository", "web") == ["1", "2"]


def test_a_reader_of_the_registry_reads_nothing_in_a_guarded_one(reader, abac):
    assert reader("acr", "show", "-n", "guarded", "-g", GROUP)["roleAssignmentMode"] == "AbacRepositoryPermissions"
    assert reader.refused("acr", "repository", "show-tags", "-n", "guarded", "--repository", "web")


def test_owning_a_guarded_registry_does_not_open_its_repositories(az, abac, azure):
    assert az.refused("acr", "repository", "show-tags", "-n", "guarded", "--repository", "web")
    grant(az, azure, abac, "Container Registry Repository Reader")
    assert az("acr", "repository", "show-tags", "-n", "guarded", "--repository", "web") == ["1"]
    # The catalogue needs a separate right.
    assert az.refused("acr", "repository", "list", "-n", "guarded")
    grant(az, azure, abac, "Container Registry Repository Catalog Lister")
    assert az("acr", "repository", "list", "-n", "guarded") == ["web"]


def grant(az, azure, registry, role):
    assignments = az("role", "assignment", "list", "--all", "--fill-principal-name", "false")
    owner = next(one for one in assignments if one["roleDefinitionName"] == "Owner")
    who = ("--assignee-object-id", owner["principalId"], "--assignee-principal-type", "ServicePrincipal")
    az("role", "assignment", "create", "--role", role, "--scope", registry["id"], *who)
