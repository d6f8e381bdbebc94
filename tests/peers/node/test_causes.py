"""The causes of `tests/vectors/node_causes.json`: the events and states of a pod on a real node, and on the emulated one.

The file has those of the real node for each pair of versions, so that the emulated node is held to them by `cargo test`, too. With
AKS_ACR_BLESS=1 those of the running versions are written anew.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from causes import DIFFERENCES, PATH, SHORT, Clusters, comparable, moment_of_kubelet, noted, of_versions, read, scene, second, without_size
from cloud import cloud, server
from conftest import ready
from emulator import running
from verdicts import check_agrees

CAUSES = read()
BLESS = os.environ.get("AKS_ACR_BLESS") == "1"


def on_a_real_node(real, image, versions, folder):
    with real(scene(CAUSES, versions), folder) as azure:
        pods = Clusters(azure, ready(azure), lambda: time.sleep(0.2), 2000, moment_of_kubelet)
        pods.prepare(CAUSES, image)
        return pods.run(CAUSES, lambda: time.sleep(SHORT), True), pods.reports


def on_an_emulated_node(image, versions, folder):
    with cloud(running, scene(CAUSES, versions), folder) as azure:
        turn = lambda seconds: azure.emulator.order("POST", "advance", {"seconds": seconds})  # noqa: E731
        pods = Clusters(azure, server(azure), lambda: turn(0.3), 200, second)
        pods.prepare(CAUSES, image)
        return pods.run(CAUSES, lambda: [turn(60) for _ in range(60)], False)


@pytest.fixture(scope="module")
def outcomes(real, versions, image, tmp_path_factory):
    """For each cause, that of the real node and that of the emulated one."""
    folders = [tmp_path_factory.mktemp(name) for name in ("real", "emulated")]
    # The real one waits most of the time.
    with ThreadPoolExecutor(1) as pool:
        emulated = pool.submit(on_an_emulated_node, image, versions, folders[1])
        found, reports = on_a_real_node(real, image, versions, folders[0])
        if BLESS:
            CAUSES[:] = [noted(cause, outcome, versions) for cause, outcome in zip(CAUSES, found)]
            PATH.write_text(json.dumps(CAUSES, indent=1) + "\n")
        return found, emulated.result(), reports


def is_known(cause, versions, part):
    """Whether a difference is listed."""
    wanted = {"cause": cause["cause"], "part": part, **versions}
    return any(wanted.items() <= one.items() for one in DIFFERENCES["causes"])


@pytest.mark.parametrize("number", range(len(CAUSES)), ids=lambda number: CAUSES[number]["cause"].replace(" ", "_"))
@pytest.mark.parametrize("part", ["events", "states"])
def test_the_emulated_node_does_what_the_real_one_does(number, part, outcomes, versions):
    cause = CAUSES[number]
    real, emulated = (comparable(cause, side[number]) for side in outcomes[:2])
    assert without_size(real)[part] == of_versions(cause, versions).get(part)
    if is_known(cause, versions, part):
        assert emulated[part] != real[part], "equal now: remove it from differences.json"
    else:
        assert emulated[part] == real[part]


@pytest.mark.parametrize("number", range(len(CAUSES)), ids=lambda number: CAUSES[number]["cause"].replace(" ", "_"))
def test_the_verdict_of_a_check_is_what_the_real_node_does(number, outcomes, versions):
    cause, (found, _, reports) = CAUSES[number], outcomes
    if cause["image"] not in reports:
        assert cause["image"] != cause["image"].lower() or "upstreams" in cause["scene"], "check judges images in Azure's registries"
        return
    events = found[number]["events"]
    texts = [message for _, reason, message, _ in events if reason in ("Failed", "ErrImageNeverPull")]
    pulled = any(one[1] == "Pulled" for one in events) or texts[0]
    check_agrees(cause["cause"], reports[cause["image"]], pulled, versions)
