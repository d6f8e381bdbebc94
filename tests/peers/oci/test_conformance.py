"""The conformance tests of the OCI distribution specification, 1.1, on registries of both modes."""

import os
import pathlib
import subprocess
from xml.etree import ElementTree

import pytest

from conftest import GROUP, TOKEN
from arm import Arm

# Whether Azure takes these is not known: the specification lets a registry refuse them.
UNKNOWN_OF_AZURE = {
    "OCI_DATA_SHA512": "false",
    "OCI_DATA_SPARSE": "false",
    "OCI_API_MANIFESTS_TAG_PARAM": "false",
}
# The specification only recommends these; Azure's registries have them.
ALSO = {
    "OCI_API_BLOBS_DIGEST_HEADER": "true",
    "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
    "OCI_API_MANIFESTS_DIGEST_HEADER": "true",
}


def admin_of_the_registry(azure):
    return azure.host, *azure.owner.admin(GROUP, "legacyregistry")


def caller_with_a_role(azure):
    azure.owner.assign(azure.abac["id"], "Container Registry Repository Contributor", azure.principal("pusher")["objectId"])
    arm = Arm(azure.emulator, azure.principal("pusher")["clientId"], "hush")
    return azure.abac_host, TOKEN, azure.refresh_token(arm, azure.abac_host)


@pytest.mark.parametrize("signed_in", [admin_of_the_registry, caller_with_a_role])
def test_nothing_of_the_specification_fails(azure, tmp_path, signed_in):
    host, user, password = signed_in(azure)
    given = {"OCI_REGISTRY": host, "OCI_USERNAME": user, "OCI_PASSWORD": password, "OCI_RESULTS_DIR": tmp_path}
    done = subprocess.run(
        [pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]) / "bin" / "conformance"],
        env=azure.emulator.client_environment(**given, **UNKNOWN_OF_AZURE, **ALSO),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    [suite] = ElementTree.parse(tmp_path / "junit.xml").getroot()
    tests, failures, errors, skipped = (int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))
    print(f"{host}: {tests} tests, {failures} failed, {errors} errors, {skipped} skipped")
    failed = [line for line in done.stdout.splitlines() if line.endswith("FAIL") or line.lstrip().startswith("- ")]
    assert failures == errors == done.returncode == 0, "\n".join(failed[:60])
    # Fewer would mean that it stopped early. Skipped is the mount of a blob, which the client does without the right to read its source.
    assert tests - skipped >= 720
