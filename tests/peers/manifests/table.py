"""The table `tests/manifests/scalars.json`: what Kubernetes' packages read, so that `cargo test` needs no Go. Written anew with
AKS_ACR_BLESS=1, see test_scalars.py."""

import json
import pathlib

from readers import read
from scalars import CLASSES, HEAD, PLACES, written

PATH = pathlib.Path(__file__).parents[2] / "manifests" / "scalars.json"
SOURCE = "k8s.io/apimachinery v0.33.3, sigs.k8s.io/yaml v1.4.0 (kubectl 1.33), by tests/peers/yaml"


def described(value):
    """A float as text: not every reader of JSON is exact."""
    return {"float": repr(value)} if isinstance(value, float) else {"is": value}


def rows():
    listed = [(name, way) for name, texts in CLASSES.items() for text in dict.fromkeys(texts) for way in written(text).values()]
    texts = [HEAD + PLACES[place].format(scalar) for _, scalar in listed for place in ("a value", "a key")]
    found = [None if "error" in theirs else theirs["objects"][0]["spec"] for theirs, _ in read("kubectl", texts)]
    for (name, scalar), value, key in zip(listed, found[::2], found[1::2]):
        # A key that merges, or that makes no mapping, is not in the table.
        key = next(iter(key)) if isinstance(key, dict) and len(key) == 1 else None
        value = described(value["a"]) if isinstance(value, dict) and set(value) == {"a"} and not isinstance(value["a"], (dict, list)) else None
        yield {"class": name, "written": scalar, "value": value, "key": key}


def text():
    lines = ",\n".join("    " + json.dumps(row, ensure_ascii=True) for row in rows())
    return f'{{\n  "source": {json.dumps(SOURCE)},\n  "rows": [\n{lines}\n  ]\n}}\n'
