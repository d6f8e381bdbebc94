"""The three that read manifests: Kubernetes' own packages, the library, the emulator. And what may differ."""

import collections
import json
import math
import os
import pathlib
import re
import subprocess


def number(text):
    """Anything that is not a 64-bit integer is a float to Kubernetes, however it is written."""
    value = int(text)
    return value if -(2**63) <= value < 2**63 else float(text)


def fraction(text):
    value = float(text)
    return int(value) if value == 0 else value


def parsed(text):
    return json.loads(text, parse_int=number, parse_float=fraction)


def asked(program, questions):
    """The answers of a program, one for each question."""
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run([str(program)], input=lines, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    answers = [parsed(line) for line in done.stdout.split("\n") if line]
    assert len(answers) == len(questions)
    return answers


def read(reader, texts):
    """Pairs of answers: of Kubernetes' packages, and of the library as `kubectl` or the emulator as `server`."""
    questions = [{"as": reader, "text": text} for text in texts]
    theirs = asked(pathlib.Path(os.environ["AKS_ACR_PEER_TOOLS"]) / "bin" / "manifests", questions)
    ours = asked(os.environ["AKS_ACR_MANIFESTS_BIN"], questions)
    if reader == "server":
        # A server adds its own fields; the scalars are in the specification.
        for answer in theirs + ours:
            if answer.get("objects"):
                answer["objects"] = [thing.get("spec") for thing in answer["objects"]]
    return list(zip(theirs, ours))


def same(left, right):
    """Equal, with types: in Python, True is 1 and 1 is 1.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right or math.isnan(left) and math.isnan(right)
    return left == right


def items_of(thing):
    """The objects of a list, as kubectl reads them: one that names no kind has that of the list."""
    inherited = {"apiVersion": thing["apiVersion"], "kind": thing["kind"].removesuffix("List")}
    for item in thing["items"] or ():
        item = {} if item is None else item
        named = not isinstance(item, dict) or item.get("kind") or item.get("apiVersion")
        yield item if named else item | inherited


def same_but_for_items(theirs, ours):
    """To kubectl, every object with a field `items` is a list. Here it is an object, whose field the API server rejects. All else is equal."""
    theirs, others = list(theirs), []
    for thing in ours:
        if "items" not in thing:
            others.append(thing)
            continue
        for item in items_of(thing):
            at = next((at for at, one in enumerate(theirs) if same(one, item)), None)
            if at is None:
                return False
            del theirs[at]
    return same(theirs, others)


# What the library rejects though kubectl accepts it, by its message; docs/apply.md lists these.
STRICTER = {
    "a key twice": "a key occurs twice in a mapping",
    "after the end of a document": "a document follows another one without a line ---",
    "no manifest": r"(is missing|must be (a mapping|a list|text)|expected an? )",
    "no object": "the manifests contain no object",
    "line breaks of Unicode": "a Unicode line break",
    "a byte order mark in a text": "a byte order mark is allowed only",
    "an anchor without a space": "an anchor's name has a character",
    "in brackets": r"(inside brackets, (the colon|text that|a key)|a tag must be followed by a space)",
    "no YAML 1.2": "not valid YAML",
}


def verdict(theirs, ours):
    """How two answers compare: `same`, `both reject`, `stricter: …`, `laxer`, `DIFFERENT`."""
    if "error" in theirs:
        return "both reject" if "error" in ours else "laxer"
    if "error" not in ours:
        return "same" if same(theirs["objects"], ours["objects"]) else "DIFFERENT"
    for name, message in STRICTER.items():
        if re.search(message, ours["error"]):
            return f"stricter: {name}"
    return "stricter"


def allowed(kind):
    return kind in ("same", "both reject") or kind.startswith("stricter: ")


class Count:
    """What came of a class, printed at the end of the run."""

    table = {}

    def __init__(self, name):
        self.counts = Count.table.setdefault(name, collections.Counter())
        self.wrong = []

    def add(self, kind, what, theirs, ours):
        self.counts[kind] += 1
        if not allowed(kind):
            self.wrong.append(f"{kind}: {what}\n    kubernetes {theirs}\n    here       {ours}")

    def check(self):
        assert not self.wrong, f"{len(self.wrong)} differences\n" + "\n".join(self.wrong[:20])
