"""What runs in a cluster, and what becomes of it."""


def deployment(image, replicas=1, name="web"):
    """A deployment of one container."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}]}]},
            },
        },
    }


def state_of(pod):
    """Why the pod's container waits, or that it runs."""
    for container in (pod.status.container_statuses or []) if pod.status else []:
        if container.state and container.state.running:
            return "Running"
        if container.state and container.state.waiting:
            return container.state.waiting.reason
    return None
