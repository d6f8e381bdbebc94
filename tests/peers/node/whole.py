"""A node with all that belongs to it, for a test that kills it:

    whole.py CONTROL-PLANE CONTAINERD KUBELET

It prints `ready` once a pod runs.
"""

import pathlib
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "containerd")]

import containerd  # noqa: E402
import control_plane  # noqa: E402
import images  # noqa: E402
import node  # noqa: E402
from causes import NAMESPACE  # noqa: E402
from cloud import CLUSTER, GROUP, caller, cloud  # noqa: E402
from emulator import running  # noqa: E402

SCENE = {"clusters": [{"group": GROUP, "name": CLUSTER}]}


def main(tools):
    ground = node.Ground(containerd.NameServer)
    with control_plane.running(tools["control-plane"]) as plane, cloud(running, SCENE, ground.folder, 443) as azure:
        registry = images.Registry(images.Image(pathlib.Path(tools["kubelet"]) / "bin" / "program"))
        node.Node(ground, plane, tools, azure, registry.image)
        call = caller(plane.request)
        spec = {"automountServiceAccountToken": False, "containers": [{"name": "c", "image": registry.image}]}
        call("POST", f"{NAMESPACE}/pods", {"metadata": {"name": "p"}, "spec": spec})
        while not (call("GET", f"{NAMESPACE}/pods/p")["status"].get("containerStatuses") or [{}])[0].get("ready"):
            time.sleep(0.1)
        print("ready", flush=True)
        time.sleep(1000)


if __name__ == "__main__":
    main(dict(zip(("control-plane", "containerd", "kubelet"), sys.argv[1:])))
