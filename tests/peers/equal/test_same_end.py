"""Whichever program did the work, the end is the same, except for what the table below names."""

import re

import pytest

from emulator import running
from walk import by_az_and_kubectl, by_az_and_kubectl_from_the_start, by_library, prepare, prepare_group

# Where the two ends may differ, and why. A place is a path through the state, in which `*` is any one step. A row by
# which nothing differs is a mistake here, unless it says that chance or time decides.
ALLOWED = [
    ("now", "time", True),
    ("registries.*.properties.creationDate", "time", True),
    ("registries.*.properties.policies.*.lastUpdatedTime", "time", True),
    ("roleAssignments.*.name", "az names a grant by chance, the library by scope, principal and role", False),
    ("roleAssignments.*.description", "the library signs its grants", False),
    ("clusters.*.etag", "chance; and the PUT by which az attaches, which the library does without", True),
    ("clusters.*.deployments.*.metadata.managedFields", "the managers are kubectl and aks-acr", False),
    ("clusters.*.deployments.*.metadata.uid", "chance", True),
    ("clusters.*.deployments.*.metadata.creationTimestamp", "time", True),
    ("clusters.*.deployments.*.metadata.resourceVersion", "how much happened before", True),
    ("clusters.*.deployments.*.status.conditions.*.lastTransitionTime", "time", True),
    ("clusters.*.deployments.*.status.conditions.*.lastUpdateTime", "time", True),
    ("clusters.*.pods.*.metadata.name", "chance", True),
    ("clusters.*.pods.*.metadata.uid", "chance", True),
    ("clusters.*.pods.*.metadata.creationTimestamp", "time", True),
    ("clusters.*.pods.*.metadata.resourceVersion", "how much happened before", True),
    ("clusters.*.pods.*.metadata.managedFields", "time", True),
    ("clusters.*.pods.*.metadata.ownerReferences.*.uid", "chance", True),
    ("clusters.*.pods.*.status.startTime", "time", True),
    ("clusters.*.pods.*.status.podIP", "how many pods there were before", True),
    ("clusters.*.pods.*.status.podIPs.*.ip", "how many pods there were before", True),
    ("clusters.*.pods.*.status.conditions.*.lastTransitionTime", "time", True),
    ("clusters.*.pods.*.status.containerStatuses.*.containerID", "chance", True),
    ("clusters.*.pods.*.status.containerStatuses.*.state.running.startedAt", "time", True),
]


def differences(one, other, place=""):
    """Where two states differ: place, one value, the other."""
    join = lambda step: f"{place}.{step}" if place else str(step)  # noqa: E731
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(key, one.get(key), other.get(key)) for key in sorted(one.keys() | other.keys())]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(at, *pair) for at, pair in enumerate(zip(one, other))]
    else:
        return [] if one == other else [(place, one, other)]
    return [found for step, a, b in pairs for found in differences(a, b, join(step))]


def pattern(place):
    return re.compile(re.escape(place).replace(r"\*", r"[^.]+") + r"(\..*)?")


def ordered(state):
    """Pods by their nodes: their names are chance."""
    for cluster in state["clusters"]:
        cluster["pods"].sort(key=lambda pod: pod["spec"]["nodeName"])
    return state


# What exists before; the way of az and kubectl; further arguments of the library's quickstart.
WALKS = {
    "attached when it is there": (prepare, by_az_and_kubectl, ()),
    "created with attach": (prepare_group, by_az_and_kubectl_from_the_start, ("--attach-at-creation",)),
}


@pytest.fixture(scope="module", params=WALKS.values(), ids=WALKS)
def ends(request):
    """The two states at the end."""
    before, others, more = request.param
    with running() as one, running() as other:
        before(one)
        others(one)
        before(other)
        by_library(other, *more)
        yield ordered(one.state()), ordered(other.state())


def test_only_what_the_table_names_differs(ends):
    unnamed = [
        found
        for found in differences(*ends)
        if not any(pattern(place).fullmatch(found[0]) for place, _, _ in ALLOWED)
    ]
    assert unnamed == []


def test_what_the_table_promises_does_differ(ends):
    places = [place for place, _, _ in differences(*ends)]
    idle = [row for row, _, by_chance in ALLOWED if not by_chance and not any(map(pattern(row).fullmatch, places))]
    assert idle == []


def test_both_ends_hold_one_grant_one_image_and_two_running_pods(ends):
    for state in ends:
        [registry] = state["registries"]
        [cluster] = state["clusters"]
        grants = [one for one in state["roleAssignments"] if one["scope"].lower() == registry["id"].lower()]
        assert [one["principalId"] for one in grants] == [cluster["kubelet"]]
        assert registry["images"]["nginx"]["v1"] == state["upstreams"]["registry-1.docker.io"]["library/nginx"]["latest"]
        assert [pod["status"]["phase"] for pod in cluster["pods"]] == ["Running", "Running"]
