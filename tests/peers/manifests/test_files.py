"""Whole files: the objects are those of Kubernetes' packages, and those of the real kubectl."""

import json
import os
import pathlib
import random

import pytest

from arm import Arm
from emulator import running
from files import FILES
from program import Kubectl
from readers import Count, fraction, number, read, same_but_for_items, verdict

SEED = int(os.environ.get("AKS_ACR_SEED") or random.randrange(2**32))
# The files that the library rejects though kubectl accepts them, and why. No other may be one.
STRICTER = {
    "an end marker and more": "after the end of a document",
    "json twice after a separator": "no YAML 1.2",
    "two flow mappings": "no YAML 1.2",
    "a mark behind the first separator": "a byte order mark in a text",
    "a line separator in a text": "line breaks of Unicode",
    "a directive after a document": "no YAML 1.2",
    "a key twice": "a key twice",
    "a key twice in json": "a key twice",
    "a key twice as word and text": "a key twice",
    "null": "",
    "comments only between": "",
    "an empty list": "",
    "a list whose items name no kind": "no manifest",
    "a name that is a number": "no manifest",
    "a namespace that is a number": "no manifest",
}


def test_files_are_what_kubernetes_reads():
    assert len(FILES) >= 60
    count = Count(f"{len(FILES)} files, library")
    for (name, _), (theirs, ours) in zip(FILES.items(), read("kubectl", FILES.values())):
        kind = verdict(theirs, ours)
        if kind.startswith("stricter: ") and STRICTER.get(name) != kind.removeprefix("stricter: "):
            kind = f"DIFFERENT, {kind}"
        count.add(kind, name, theirs, ours)
    count.check()


@pytest.fixture(scope="module")
def kubectl():
    """The real one. It asks a server which kinds there are, and sends nothing else."""
    with running() as emulator:
        arm = Arm(emulator)
        arm.group("group")
        arm.cluster("group", "dev")
        tools = pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]).parent / "control-plane"
        yield Kubectl(emulator, arm.kubeconfig("group", "dev"), tools)


def objects(text):
    """The objects that kubectl prints one after another."""
    decoder = json.JSONDecoder(parse_int=number, parse_float=fraction)
    found = []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_files_are_what_kubectl_reads(kubectl):
    """Except for what kubectl adds, the namespace, and for what it asks of an object in order to create it."""
    count = Count(f"{len(FILES)} files, the real kubectl")
    file = kubectl.emulator.home / "file"
    for (name, text), (_, ours) in zip(FILES.items(), read("kubectl", FILES.values())):
        file.write_bytes(text.encode())
        code, out, errors = kubectl.run("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", str(file))
        theirs = {"error": errors} if code else {"objects": objects(out)}
        for value in theirs.get("objects", []):
            if value["metadata"].get("namespace") == "default":
                del value["metadata"]["namespace"]
        kind = verdict(theirs, ours)
        if kind.startswith("stricter: ") and STRICTER.get(name) != kind.removeprefix("stricter: "):
            kind = f"DIFFERENT, {kind}"
        count.add(kind, name, theirs, ours)
    count.check()


LETTERS = "\n\n  \t:-?,[]{}#&*!|>'\"%@`ab0~.\\\r"


def changed(draw, text):
    """A text with a few letters added, removed or replaced."""
    letters = list(text)
    for _ in range(draw.randint(1, 3)):
        at = draw.randint(0, len(letters))
        letters[at : at + draw.choice([0, 0, 1, 1, 2])] = draw.choices(LETTERS, k=draw.randint(0, 2))
    return "".join(letters)


def test_changed_files():
    """Whatever is accepted is read as Kubernetes' packages read it."""
    draw = random.Random(SEED)
    texts = [changed(draw, draw.choice(list(FILES.values()))) for _ in range(4000)]
    pairs = read("kubectl", texts)
    count = Count(f"changed files (AKS_ACR_SEED={SEED})")
    for text, (theirs, ours) in zip(texts, pairs):
        kind = verdict(theirs, ours)
        if kind == "DIFFERENT" and same_but_for_items(theirs["objects"], ours["objects"]):
            kind = "stricter: (an object with items)"
        elif kind in ("stricter", "laxer"):
            # Few are broken for one parser only. What both accept is equal.
            kind = f"stricter: (broken for one only: {kind})"
        count.add(kind, repr(text), theirs, ours)
    count.check()


# A separate line, or what a line starts with.
BETWEEN = ("\t", "  \t", "    \t  ", "      \t", "\t# c", " \t # c", "\ufeff", "\ufeff# c")
BEFORE = ("\ufeff", "\r", "\t", " \t")


def with_odd_lines(text):
    lines = text.split("\n")
    for at in range(len(lines) + 1):
        for odd in BETWEEN:
            yield "\n".join([*lines[:at], odd, *lines[at:]])
        for odd in BEFORE if at < len(lines) else ():
            yield "\n".join([*lines[:at], odd + lines[at], *lines[at + 1 :]])


def test_tabs_and_marks_at_every_line():
    """A tab or a byte order mark at a line's start is read, or rejected, as Kubernetes' packages do."""
    texts = [odd for text in FILES.values() if len(text) < 3000 for odd in with_odd_lines(text)]
    count = Count("tabs and marks")
    for text, (theirs, ours) in zip(texts, read("kubectl", texts)):
        count.add(verdict(theirs, ours), repr(text), theirs, ours)
    assert len(texts) > 10_000
    count.check()
