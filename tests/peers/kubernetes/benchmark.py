#!/usr/bin/env python3
"""How long the library takes to apply many objects to a real API server, beside kubectl and a bare loop of the same PATCHes.

    python3 tests/peers/control_plane.py TOOLS tests/peers/kubernetes/benchmark.py TOOLS LIBRARY

TOOLS is a folder that `control-plane/install` has filled, LIBRARY the built example `library`. 500 ConfigMaps and 200 Deployments
without replicas go to a new namespace each time, in turn; the table has the median time, its ratio to the loop, and the peak memory.
Written for people: nothing here asserts a time.
"""

import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).parent.parent))

from kubeconfig import decoded, field, trust  # noqa: E402

ROUNDS = 5
QUERY = "fieldManager=loop&fieldValidation=Strict"


def objects(namespace):
    for number in range(500):
        data = {f"key{at}": f"value {number} {at}" for at in range(10)}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}", "namespace": namespace}, "data": data}
    for number in range(200):
        labels = {"app": f"d{number}"}
        container = {"name": "app", "image": "registry.example/app:v1", "ports": [{"containerPort": 80}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"d{number}", "namespace": namespace}, "spec": spec}


def connection(kubeconfig):
    text = pathlib.Path(kubeconfig).read_text()
    context = trust(text)
    with tempfile.NamedTemporaryFile("w") as pair:
        pair.write(decoded(text, "client-certificate-data") + decoded(text, "client-key-data"))
        pair.flush()
        context.load_cert_chain(pair.name)
    address = urllib.parse.urlsplit(field(text, "server"))
    return http.client.HTTPSConnection(address.hostname, address.port, context=context)


def send(link, method, path, body, kind="application/apply-patch+yaml"):
    link.request(method, path, body, {"content-type": kind})
    answer = link.getresponse()
    text = answer.read()
    assert answer.status in (200, 201), (answer.status, text[:500])


def loop(kubeconfig, things):
    link, seconds = connection(kubeconfig), 0.0
    for thing in things:
        group = "/api/v1" if thing["apiVersion"] == "v1" else f"/apis/{thing['apiVersion']}"
        at = thing["metadata"]
        path = f"{group}/namespaces/{at['namespace']}/{thing['kind'].lower()}s/{at['name']}?{QUERY}"
        body = json.dumps(thing)
        begun = time.monotonic()
        send(link, "PATCH", path, body)
        seconds += time.monotonic() - begun
    return seconds


def measured(command, text="", **environment):
    """Output and peak memory (MB) of a child."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as output:
        given.write(text)
        given.seek(0)
        begun = time.monotonic()
        child = subprocess.Popen(command, stdin=given, stdout=output, env=os.environ | environment)
        _, code, usage = os.wait4(child.pid, 0)
        assert code == 0, f"{command[0]}: {code}"
        seconds = time.monotonic() - begun
        output.seek(0)
        return output.read(), seconds, usage.ru_maxrss / 1024


def main(tools, library):
    kubeconfig, kubectl = os.environ["ADMIN_KUBECONFIG"], pathlib.Path(tools) / "bin" / "kubectl"
    times, memory = {"loop": [], "kubectl": [], "library": []}, {"kubectl": [], "library": []}
    _, _, idle = measured([library, kubeconfig], "")
    for round in range(ROUNDS):
        for who in times:
            namespace = f"{who}-{round}"
            send(connection(kubeconfig), "POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": namespace}}), "application/json")
            things = list(objects(namespace))
            if who == "loop":
                times[who].append(loop(kubeconfig, things))
                continue
            text = "\n---\n".join(map(json.dumps, things))
            if who == "kubectl":
                with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    file.write(text)
                    file.flush()
                    arguments = ["apply", "--server-side", "-f", file.name]
                    _, seconds, peak = measured([str(kubectl), "--kubeconfig", kubeconfig, *arguments])
            else:
                order = json.dumps({"operation": "apply", "on": text})
                answer, _, peak = measured([library, kubeconfig], order + "\n")
                answer = json.loads(answer)
                assert len(answer["value"]) == len(things), answer
                seconds = answer["seconds"]
            times[who].append(seconds)
            memory[who].append(peak)
    base = statistics.median(times["loop"])
    print(f"{'':10} {'seconds':>8} {'of loop':>8} {'peak MB':>8}")
    for who, seconds in times.items():
        peak = f"{max(memory[who]):8.0f}" if who in memory else f"{'':8}"
        print(f"{who:10} {statistics.median(seconds):8.2f} {statistics.median(seconds) / base:8.2f} {peak}")
    print(f"The library's process has {idle:.0f} MB when idle: an emulator of Azure, which gives out the kubeconfig, is in it.")


if __name__ == "__main__":
    main(*sys.argv[1:])
