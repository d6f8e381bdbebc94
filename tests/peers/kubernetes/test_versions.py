"""The responses of each version of Kubernetes: `responses.json` has those of the version of the suites, `versions.json` the fields in
which another version responds otherwise. Both are written anew with AKS_ACR_BLESS=1."""

import json
import os
import pathlib

from responses import differences, responses

FOLDER = pathlib.Path(__file__).parent
BASE, OTHERS = FOLDER / "responses.json", FOLDER / "versions.json"
BLESS = os.environ.get("AKS_ACR_BLESS") == "1"


def read(path):
    return json.loads(path.read_text()) if path.exists() else {}


def write(path, rows):
    """One row a line, so that a changed response is one changed line."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row, sort_keys=True)}" for name, row in rows.items())
    path.write_text("{\n" + lines + "\n}\n")


def test_the_responses_are_those_that_are_known(plane, make_namespace):
    namespace = make_namespace()
    short = "{}.{}".format(*plane.version())
    found = responses(plane, namespace)
    if os.environ.get("AKS_ACR_PEER_CLIENTS", "client") == "client":
        if BLESS:
            write(BASE, found)
        assert not differences(read(BASE), found), "AKS_ACR_BLESS=1 writes responses.json"
        return
    changed, known = differences(read(BASE), found), read(OTHERS)
    if BLESS:
        known[short] = changed
        text = json.dumps(known, indent=1, sort_keys=True)
        OTHERS.write_text(text + "\n")
    assert known.get(short) == changed, f"{short} responds otherwise; AKS_ACR_BLESS=1 writes versions.json"
