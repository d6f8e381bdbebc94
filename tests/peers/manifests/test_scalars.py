"""Scalars of each class, in each way to write them and in each place: the value is that of Kubernetes' packages."""

import os
import random

import pytest

import table
from readers import Count, read, verdict
from scalars import CLASSES, HEAD, PLACES, cases, drawn, written

SEED = int(os.environ.get("AKS_ACR_SEED") or random.randrange(2**32))
# The emulator answers a whole request for each scalar, so it gets each in fewer places.
FEW = ("a value", "a key", "an item in brackets")
AT_LEAST = {"integers": 60, "floats": 40, "booleans and nulls": 60, "timestamps": 30, "similar texts": 40}


def compare(name, reader, named):
    """The emulator may refuse what the library refuses, too: both have the same parser."""
    names, texts = zip(*named)
    count = Count(f"{name}, {'library' if reader == 'kubectl' else 'emulator'}")
    pairs = read(reader, texts)
    library = pairs if reader == "kubectl" else read("kubectl", texts)
    for what, (theirs, ours), pair in zip(names, pairs, library):
        kind = verdict(theirs, ours)
        if reader == "server" and kind == "stricter" and verdict(*pair).startswith("stricter: "):
            kind = verdict(*pair)
        if kind == "stricter: no manifest":
            kind = "stricter"
        count.add(kind, what, theirs, ours)
    count.check()


def test_classes_are_large_enough():
    for name, least in AT_LEAST.items():
        assert len(set(CLASSES[name])) >= least, name


def test_the_table_for_tests_without_go_is_current():
    wanted = table.text()
    if os.environ.get("AKS_ACR_BLESS"):
        table.PATH.write_text(wanted)
    assert table.PATH.read_text() == wanted


@pytest.mark.parametrize("reader", ["kubectl", "server"])
@pytest.mark.parametrize("name", CLASSES)
def test_a_scalar_is_what_kubernetes_reads(name, reader):
    named = cases(CLASSES[name], PLACES if reader == "kubectl" else FEW)
    compare(name, reader, named)


@pytest.mark.parametrize("reader", ["kubectl", "server"])
def test_random_scalars(reader):
    print(f"AKS_ACR_SEED={SEED}")
    texts = list(drawn(SEED, 2000))
    places = PLACES if reader == "kubectl" else FEW[:1]
    named = [
        (f"seed {SEED}, plain {text!r} as {place}", HEAD + PLACES[place].format(text)) for text in texts for place in places
    ]
    quoted = [(f"seed {SEED}, {text!r} in quotes", HEAD + PLACES["a value"].format(written(text)["single"])) for text in texts]
    compare(f"random (AKS_ACR_SEED={SEED})", reader, named + (quoted if reader == "kubectl" else []))


@pytest.mark.parametrize("reader", ["kubectl", "server"])
def test_random_floats_as_keys(reader):
    """Go prints them with the precision of 32 bits; many of these lie halfway between two decimals."""
    draw = random.Random(SEED)
    floats = [draw.randint(1, 2**24) * 2.0 ** draw.randint(-50, 40) for _ in range(1000)]
    halves = [draw.randint(2**15, 2**20) + draw.randint(1, 15) / 16 for _ in range(1000)]
    named = [(f"seed {SEED}, key {one!r}", HEAD + PLACES["a key"].format(repr(one))) for one in floats + halves]
    compare(f"floats as keys (AKS_ACR_SEED={SEED})", reader, named)
