"""Whether a verdict of `check` is what a real node does."""

import re

from causes import DIFFERENCES

# The texts of kubelet that belong to a root cause.
UNAUTHORIZED = r"401 Unauthorized"
TEXTS = {
    "grant.missing": UNAUTHORIZED,
    "grant.role_not_honoured": UNAUTHORIZED,
    "grant.to_wrong_identity": UNAUTHORIZED,
    "grant.denied": UNAUTHORIZED,
    "grant.condition_excludes_repository": UNAUTHORIZED,
    "image.not_found": r"not found",
    "image.platform_missing": r"no match for platform in manifest",
    "registry.not_found": r"no such host",
    "network.outbound_ip_not_allowed": r"client with IP '[\d.]+' is not allowed",
    "network.public_access_disabled": r"client with IP '[\d.]+' is not allowed",
}


def check_agrees(name, report, pulled, versions):
    """The node pulled, or failed with a text of the root cause, as the report says. `pulled` is `True`, or kubelet's text."""
    assert "verdict" in report, report
    seen = report["verdict"], pulled is True
    for difference in DIFFERENCES["checks"]:
        if difference["cell"] != name or difference.get("kubelet", versions["kubelet"]) != versions["kubelet"]:
            continue
        assert seen == (difference["verdict"], difference["pulled"]), "change differences.json"
        return
    assert seen in (("can_pull", True), ("cannot_pull", False)), (report, pulled)
    if pulled is not True:
        assert re.search(TEXTS[report["root_cause"]], pulled), (report["root_cause"], pulled)
