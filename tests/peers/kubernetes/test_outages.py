"""An API server that is killed and comes back."""

import concurrent.futures
import contextlib
import errno
import socket

import pytest

from kubelet import create_node
from manifests import NAMESPACED
from real import of_library, until


@pytest.fixture(autouse=True, scope="module")
def controllers(plane):
    yield
    plane.start_controllers()


def beside(work):
    pool = concurrent.futures.ThreadPoolExecutor(1)
    return pool.submit(work)


def answered(plane, mark, verb, namespace):
    """How many of the library's requests kube-apiserver has answered, or has begun to answer if they are watches."""
    return sum(of_library(one) and one["verb"] == verb and f"/{namespace}/" in one["requestURI"] for one in plane.audit(mark))


def refuses(plane):
    with contextlib.closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", plane.port)) == errno.ECONNREFUSED


def test_apply_goes_on_when_the_server_is_back(plane, library, api, namespace):
    text = "\n---\n".join(f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{n}}}}}" for n in range(900))
    mark = plane.audit_mark()
    applying = beside(lambda: library.call("apply", text, namespace=namespace))
    until(lambda: answered(plane, mark, "patch", namespace), lambda count: count > 100)
    assert not applying.done(), applying.result()
    plane.stop_server()
    until(lambda: refuses(plane), bool)
    assert not applying.done(), applying.result()
    plane.start_server()
    response = applying.result(120)
    plane.wait_until_ready()
    assert "error" not in response, response
    # Each was created by this call, even if the response to its first try was lost.
    assert [one["is_new"] for one in response["value"]] == [True] * 900
    assert len(api.get(f"/api/v1/namespaces/{namespace}/configmaps")["items"]) == 901


def test_a_rollout_goes_on_when_watches_end(plane, library, api, namespace):
    create_node(api, "node-a")
    library.apply(NAMESPACED["Deployment"], namespace=namespace)
    mark = plane.audit_mark()
    waiting = beside(lambda: library.call("rollout", "d", namespace=namespace, seconds=300))
    for _ in range(2):
        until(lambda: answered(plane, mark, "watch", namespace), bool)  # noqa: B023
        plane.stop_server()
        mark = plane.audit_mark()
        plane.start_server()
        plane.wait_until_ready()
        assert not waiting.done(), waiting.result()
    pods = api.wait_for(f"/api/v1/namespaces/{namespace}/pods", lambda pods: len(pods["items"]) == 2)["items"]
    for pod in pods:
        name = pod["metadata"]["name"]
        body = {
            "phase": "Running",
            "conditions": [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")],
            "containerStatuses": [
                {"name": "c", "image": "nginx:1", "imageID": "i", "ready": True, "restartCount": 0, "state": {"running": {}}}
            ],
        }
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
        assert api.call("PATCH", path, {"status": body}, "application/merge-patch+json")[0] == 200
    response = waiting.result(60)
    assert "error" not in response, response
    assert response["value"]["ready"] == 2


def test_a_server_that_stays_away(plane, library, namespace):
    plane.stop_server()
    try:
        error = library.refused("pods", namespace=namespace, seconds=4)
        assert error.is_transient and error.kind in ("unavailable", "deadline_exceeded") and error.seconds < 20
    finally:
        plane.start_server()
        plane.wait_until_ready()
