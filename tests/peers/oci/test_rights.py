"""Who may pull, push and list, in registries of both modes."""

import pytest

from arm import Refused
from conftest import GROUP, TOKEN

READ = "Microsoft.ContainerRegistry/registries/repositories/content/read"
READ_METADATA = "Microsoft.ContainerRegistry/registries/repositories/metadata/read"


def only_in(prefix):
    """A condition that lets a reader into repositories whose names begin so."""
    return (
        f"((!(ActionMatches{{'{READ}'}}) AND !(ActionMatches{{'{READ_METADATA}'}})) OR "
        "(@Request[Microsoft.ContainerRegistry/registries/repositories:name] "
        f"StringStartsWithIgnoreCase '{prefix}'))"
    )


@pytest.fixture
def filled(azure):
    """Two repositories in each registry."""
    for name in ("legacyregistry", "abacregistry"):
        for tag in ("team/words:v1", "other/words:v1"):
            azure.owner.import_image(GROUP, name, "docker.io/library/hello-world:latest", tag)
    return azure


def assign(azure, registry, role, caller, condition=None):
    return azure.owner.assign(registry["id"], role, azure.principal(caller)["objectId"], condition)


def test_who_has_not_signed_in_is_refused(filled):
    for host in (filled.host, filled.abac_host):
        assert "UNAUTHORIZED" in filled.client().fails("digest", f"{host}/team/words:v1")


def test_a_wrong_password_is_refused(filled):
    client = filled.client()
    client.sign_in(filled.host, "legacyregistry", "wrong")
    assert "UNAUTHORIZED" in client.fails("digest", f"{filled.host}/team/words:v1")
    client.sign_in(filled.host, TOKEN, "not.a.token")
    assert "UNAUTHORIZED" in client.fails("digest", f"{filled.host}/team/words:v1")


def test_a_token_of_one_registry_opens_no_other(filled):
    assign(filled, filled.legacy, "AcrPull", "puller")
    other = filled.owner.registry(GROUP, "otherregistry")
    assign(filled, other, "AcrPull", "puller")
    filled.owner.import_image(GROUP, "otherregistry", "docker.io/library/hello-world:latest", "team/words:v1")
    client = filled.caller("puller", filled.host)
    login = filled.refresh_token(filled.owner, filled.host)
    client.crane("digest", f"{filled.host}/team/words:v1")
    host = other["properties"]["loginServer"]
    client.sign_in(host, TOKEN, login)
    assert "UNAUTHORIZED" in client.fails("digest", f"{host}/team/words:v1")


def test_without_a_role_a_caller_gets_nothing_from_a_legacy_registry(filled, image):
    with pytest.raises(Refused, match="401 .*UNAUTHORIZED"):
        filled.caller("puller", filled.host)
    client = filled.client()
    assert "UNAUTHORIZED" in client.fails("digest", f"{filled.host}/team/words:v1")
    assert "UNAUTHORIZED" in client.fails("push", image.path, f"{filled.host}/team/words:v2")
    assert "UNAUTHORIZED" in client.fails("catalog", filled.host)


def test_acr_pull_lets_pull_and_not_push(filled, image):
    assign(filled, filled.legacy, "AcrPull", "puller")
    client = filled.caller("puller", filled.host)
    assert client.crane("digest", f"{filled.host}/team/words:v1").startswith("sha256:")
    assert client.crane("ls", f"{filled.host}/team/words") == "v1"
    before = filled.images(filled.legacy)
    assert "UNAUTHORIZED" in client.fails("push", image.path, f"{filled.host}/team/words:v2")
    digest = client.crane("digest", f"{filled.host}/team/words:v1")
    assert "UNAUTHORIZED" in client.fails("delete", f"{filled.host}/team/words@{digest}")
    assert filled.images(filled.legacy) == before


def test_acr_push_lets_push_and_not_delete(filled, image):
    assign(filled, filled.legacy, "AcrPush", "pusher")
    client = filled.caller("pusher", filled.host)
    client.crane("push", image.path, f"{filled.host}/team/words:v2")
    digest = client.crane("digest", f"{filled.host}/team/words:v2")
    assert filled.images(filled.legacy)["team/words"]["v2"] == digest
    assert "UNAUTHORIZED" in client.fails("delete", f"{filled.host}/team/words@{digest}")
    assign(filled, filled.legacy, "AcrDelete", "pusher")
    client = filled.caller("pusher", filled.host)
    client.crane("delete", f"{filled.host}/team/words@{digest}")
    assert list(filled.images(filled.legacy)["team/words"]) == ["v1"]


def test_acr_pull_counts_for_nothing_in_an_abac_registry(filled):
    assign(filled, filled.abac, "AcrPull", "puller")
    client = filled.caller("puller", filled.abac_host)
    assert "UNAUTHORIZED" in client.fails("digest", f"{filled.abac_host}/team/words:v1")


def test_a_repository_reader_pulls_what_its_condition_lets_it(filled):
    assign(filled, filled.abac, "Container Registry Repository Reader", "puller", only_in("team/"))
    client = filled.caller("puller", filled.abac_host)
    assert client.crane("digest", f"{filled.abac_host}/team/words:v1").startswith("sha256:")
    assert client.crane("ls", f"{filled.abac_host}/team/words") == "v1"
    assert "UNAUTHORIZED" in client.fails("digest", f"{filled.abac_host}/other/words:v1")
    assert "UNAUTHORIZED" in client.fails("catalog", filled.abac_host)


def test_a_repository_writer_pushes_and_the_catalogue_is_a_right_of_its_own(filled, image):
    assign(filled, filled.abac, "Container Registry Repository Writer", "pusher")
    client = filled.caller("pusher", filled.abac_host)
    client.crane("push", image.path, f"{filled.abac_host}/team/words:v2")
    assert client.crane("ls", f"{filled.abac_host}/team/words").split() == ["v1", "v2"]
    assert "UNAUTHORIZED" in client.fails("catalog", filled.abac_host)
    assign(filled, filled.abac, "Container Registry Repository Catalog Lister", "pusher")
    assert client.crane("catalog", filled.abac_host).split() == ["other/words", "team/words"]


def test_the_owner_may_not_read_images_in_an_abac_registry(filled):
    client = filled.client()
    client.sign_in(filled.abac_host, TOKEN, filled.refresh_token(filled.owner, filled.abac_host))
    assert "UNAUTHORIZED" in client.fails("digest", f"{filled.abac_host}/team/words:v1")


def test_a_mount_needs_the_right_to_read_where_it_comes_from(filled):
    # The condition of this writer is about reading alone.
    assign(filled, filled.abac, "Container Registry Repository Writer", "pusher", only_in("team/"))
    client = filled.caller("pusher", filled.abac_host)
    client.crane("copy", f"{filled.abac_host}/team/words:v1", f"{filled.abac_host}/team/copy:v1")
    stolen = f"{filled.abac_host}/team/stolen:v1"
    assert "UNAUTHORIZED" in client.fails("copy", f"{filled.abac_host}/other/words:v1", stolen)
    assert "team/stolen" not in filled.images(filled.abac)


def test_everybody_pulls_where_anonymous_pull_is_on_and_nobody_pushes(filled, image):
    registry = filled.owner.registry(GROUP, "openregistry", sku="Standard", anonymousPullEnabled=True)
    host = registry["properties"]["loginServer"]
    filled.owner.import_image(GROUP, "openregistry", "docker.io/library/hello-world:latest", "words:v1")
    client = filled.client()
    assert client.crane("digest", f"{host}/words:v1").startswith("sha256:")
    assert "UNAUTHORIZED" in client.fails("push", image.path, f"{host}/words:v2")


def test_who_shows_no_token_of_entra_gets_none_of_the_registry(filled):
    class Nobody:
        trust = filled.owner.trust

        @staticmethod
        def token():
            return "a.b.c"

    with pytest.raises(Refused) as refused:
        filled.refresh_token(Nobody, filled.host)
    assert refused.value.status == 401
