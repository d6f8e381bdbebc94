"""What kubectl asks for, in which order: as measured, so that a change of the emulator does not hide a change of that."""

from conftest import MANIFEST


def asked(azure, since):
    """Requests to the cluster, without those of the discovery's second form."""
    requests = azure.emulator.requests(since)
    return [f"{one['method']} {one['path']}" for one in requests if one["service"] == "kubernetes"]


def test_applying_asks_for_discovery_once_and_then_for_the_object_only(azure, kubectl):
    mark = azure.emulator.mark()
    kubectl("apply", "-f", "-", stdin=MANIFEST)
    cold = asked(azure, mark)
    assert cold[-2:] == [
        "GET /apis/apps/v1/namespaces/default/deployments/web",
        "POST /apis/apps/v1/namespaces/default/deployments",
    ]
    assert "GET /openapi/v3" in cold
    # Aggregated: one answer for all groups in place of one for each.
    assert cold.count("GET /apis") == 1 and "GET /apis/batch/v1" not in cold

    mark = azure.emulator.mark()
    kubectl("get", "pods")
    assert asked(azure, mark) == ["GET /api/v1/namespaces/default/pods"]


def test_server_side_apply_is_one_patch(azure, kubectl):
    kubectl("get", "pods")
    mark = azure.emulator.mark()
    kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST)
    objects = [line for line in asked(azure, mark) if "/namespaces/" in line]
    assert [line for line in objects if not line.startswith("GET")] == [
        "PATCH /apis/apps/v1/namespaces/default/deployments/web"
    ]
