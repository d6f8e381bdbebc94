"""Images pushed, pulled, listed, copied and deleted; every digest is worked out here once more."""

import json
import tarfile

from conftest import Client, sha256, unpacked
from emulator import running

INDEX = "application/vnd.oci.image.index.v1+json"


def test_a_pushed_image_comes_back_byte_for_byte(azure, admin, image, tmp_path):
    name = f"{azure.host}/folder/words:v1"
    told = admin.crane("push", image.path, name)
    digest = told.rsplit("@", 1)[1]
    manifest = admin.crane("manifest", name).encode()
    assert sha256(manifest) == digest
    assert azure.images(azure.legacy) == {"folder/words": {"v1": digest}}
    parts = json.loads(manifest)
    assert parts["config"]["digest"] == sha256(image.config)

    admin.crane("pull", "--format=oci", f"{azure.host}/folder/words@{digest}", tmp_path / "back")
    blobs = {path.name: path.read_bytes() for path in (tmp_path / "back" / "blobs" / "sha256").iterdir()}
    assert all(sha256(data) == f"sha256:{name}" for name, data in blobs.items())
    assert digest.removeprefix("sha256:") in blobs
    [layer] = parts["layers"]
    assert unpacked(blobs[layer["digest"].removeprefix("sha256:")]) == image.layer
    assert admin.crane("validate", "--remote", name).startswith("PASS")


def test_pushing_the_same_again_uploads_nothing(azure, admin, image):
    name = f"{azure.host}/words:v1"
    admin.crane("push", image.path, name)
    mark = azure.emulator.mark()
    admin.crane("push", image.path, name)
    methods = [one["method"] for one in azure.emulator.requests(mark) if one["path"].endswith("/blobs/uploads/")]
    assert methods == []


def test_tags_and_repositories_are_listed(azure, admin, image, other_image):
    for name in ("words:v1", "words:v2", "more/words:v1"):
        admin.crane("push", image.path, f"{azure.host}/{name}")
    admin.crane("push", other_image.path, f"{azure.host}/words:v3")
    admin.crane("tag", f"{azure.host}/words:v3", "latest")
    assert admin.crane("ls", f"{azure.host}/words").split() == ["latest", "v1", "v2", "v3"]
    assert admin.crane("catalog", azure.host).split() == ["more/words", "words"]
    digests = [admin.crane("digest", f"{azure.host}/words:{tag}") for tag in ("v1", "v2", "v3", "latest")]
    assert digests[0] == digests[1] != digests[2] == digests[3]
    # regctl asks for pages of two.
    assert admin.regctl("tag", "ls", "--limit", "2", f"{azure.host}/words").split() == ["latest", "v1"]
    assert admin.regctl("repo", "ls", azure.host).split() == ["more/words", "words"]


def test_a_tag_moves_and_its_old_image_stays_by_digest(azure, admin, image, other_image):
    name = f"{azure.host}/words:v1"
    admin.crane("push", image.path, name)
    old = admin.crane("digest", name)
    admin.crane("push", other_image.path, name)
    assert admin.crane("digest", name) != old
    assert admin.crane("digest", f"{azure.host}/words@{old}") == old


def test_a_deleted_image_is_gone_and_others_stay(azure, admin, image, other_image):
    admin.crane("push", image.path, f"{azure.host}/words:v1")
    admin.crane("push", other_image.path, f"{azure.host}/words:v2")
    digest = admin.crane("digest", f"{azure.host}/words:v1")
    admin.crane("delete", f"{azure.host}/words@{digest}")
    assert "MANIFEST_UNKNOWN" in admin.fails("manifest", f"{azure.host}/words:v1")
    assert "MANIFEST_UNKNOWN" in admin.fails("manifest", f"{azure.host}/words@{digest}")
    assert list(azure.images(azure.legacy)["words"]) == ["v2"]
    assert "MANIFEST_UNKNOWN" in admin.fails("delete", f"{azure.host}/words@{digest}")


def test_an_image_is_copied_to_another_repository_by_mounting(azure, admin, image):
    admin.crane("push", image.path, f"{azure.host}/words:v1")
    mark = azure.emulator.mark()
    admin.crane("copy", f"{azure.host}/words:v1", f"{azure.host}/copy/words:v1")
    uploads = [one for one in azure.emulator.requests(mark) if one["path"].endswith("/blobs/uploads/")]
    assert uploads and all("mount=" in one["query"] and one["status"] == 201 for one in uploads)
    images = azure.images(azure.legacy)
    assert images["words"] == images["copy/words"]
    assert admin.crane("validate", "--remote", f"{azure.host}/copy/words:v1").startswith("PASS")


def test_images_of_others_are_copied_with_all_their_platforms(azure, admin):
    for source, tag in (
        ("docker.io/library/nginx:latest", "hub"),
        ("mcr.microsoft.com/azuredocs/aks-helloworld:v1", "mcr"),
    ):
        here = f"{azure.host}/mirror:{tag}"
        admin.crane("copy", source, here)
        assert admin.crane("digest", here) == admin.crane("digest", source)
        assert json.loads(admin.crane("manifest", here)) == json.loads(admin.crane("manifest", source))
    index = json.loads(admin.crane("manifest", f"{azure.host}/mirror:hub"))
    assert index["mediaType"] == INDEX
    platforms = {f"{one['platform']['os']}/{one['platform']['architecture']}" for one in index["manifests"]}
    assert platforms == {"linux/amd64", "linux/arm64"}
    config = json.loads(admin.crane("config", "--platform=linux/arm64", f"{azure.host}/mirror:hub"))
    assert config["architecture"] == "arm64"


def test_a_blob_of_the_wrong_digest_is_refused(azure, admin):
    code, _, errors = admin.run(
        "regctl", "blob", "put", "--digest", sha256(b"said"), f"{azure.host}/words", stdin=b"sent"
    )
    assert code != 0
    assert "digest" in errors.lower()
    assert "words" not in azure.images(azure.legacy)


def test_a_manifest_whose_parts_are_not_there_is_refused(azure, admin):
    part = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(b"nothing"), "size": 7}
    body = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": part,
        "layers": [],
    }
    code, _, errors = admin.run("regctl", "manifest", "put", f"{azure.host}/words:v1", stdin=json.dumps(body).encode())
    assert code != 0
    assert "MANIFEST_BLOB_UNKNOWN" in errors
    assert azure.images(azure.legacy).get("words", {}) == {}


def test_referrers_are_found_by_their_subject(azure, admin, image):
    name = f"{azure.host}/words:v1"
    admin.crane("push", image.path, name)
    subject = admin.crane("digest", name)
    put = ("artifact", "put", "--subject", name)
    admin.regctl(*put, "--artifact-type", "application/spdx+json", stdin=b'{"list": "of parts"}')
    admin.regctl(*put, "--artifact-type", "application/vnd.example.signature", stdin=b"signed")
    listed = json.loads(admin.regctl("artifact", "list", "--format", "raw-body", name))
    assert {one["artifactType"] for one in listed["manifests"]} == {
        "application/spdx+json",
        "application/vnd.example.signature",
    }
    some = admin.regctl(
        "artifact", "list", "--filter-artifact-type", "application/spdx+json", "--format", "raw-body", name
    )
    [one] = json.loads(some)["manifests"]
    manifest = admin.crane("manifest", f"{azure.host}/words@{one['digest']}").encode()
    assert sha256(manifest) == one["digest"]
    assert json.loads(manifest)["subject"]["digest"] == subject
    asked = [one["path"] for one in azure.emulator.requests() if "/referrers/" in one["path"]]
    assert f"/v2/words/referrers/{subject}" in asked
    # No tag stands in for the API, and the tags are those of the image alone.
    assert admin.crane("ls", f"{azure.host}/words").split() == ["v1"]
    assert admin.regctl("artifact", "get", f"{azure.host}/words@{one['digest']}") == '{"list": "of parts"}'


def test_referrers_are_found_page_by_page_and_in_the_tag_of_a_registry_without_the_api(tmp_path):
    kinds = [f"application/x-{number}" for number in range(101)]
    names = ["quay.io/team/app:v1", "ghcr.io/team/app:v1"]
    scene = {
        "images": [{"name": name, "platforms": ["linux/amd64"]} for name in names],
        "upstreams": [{"host": "ghcr.io", "withoutReferrers": True}],
        "referrers": [{"subject": names[0], "artifactType": kind} for kind in kinds]
        + [{"subject": names[1], "artifactType": kind} for kind in kinds[:2]],
    }
    (tmp_path / "scene.json").write_text(json.dumps(scene))
    with running(f"--seed={tmp_path / 'scene.json'}") as emulator:
        client = Client(emulator, "client")
        for name, wanted in zip(names, (kinds, kinds[:2]), strict=True):
            # The raw body is that of the first page alone.
            shown = "{{range .Descriptors}}{{println .ArtifactType}}{{end}}"
            assert sorted(client.regctl("artifact", "list", "--format", shown, name).split()) == sorted(wanted)
        asked = [(one["path"], one["query"]) for one in emulator.requests() if one["host"] == "quay.io"]
        pages = [query for path, query in asked if "/referrers/" in path]
        assert len(pages) == 2 and "last=" in pages[1]


def test_a_layer_is_added_to_an_image_in_the_registry(azure, admin, image, tmp_path):
    admin.crane("push", image.path, f"{azure.host}/words:v1")
    (tmp_path / "added").write_text("more")
    with tarfile.open(tmp_path / "layer.tar", "w") as tar:
        tar.add(tmp_path / "added", "added")
    admin.crane("append", "-b", f"{azure.host}/words:v1", "-f", tmp_path / "layer.tar", "-t", f"{azure.host}/words:v2")
    admin.crane("export", f"{azure.host}/words:v2", tmp_path / "all.tar")
    with tarfile.open(tmp_path / "all.tar") as tar:
        held = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    assert held == {"words": image.words, "added": b"more"}
