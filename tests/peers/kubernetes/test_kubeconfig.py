"""A kubeconfig that the library wrote, used by kubectl."""

from real import Kubectl


def test_kubectl_uses_a_merged_kubeconfig(plane, library, namespace):
    file = plane.folder / "merged"
    merged = library("merge", str(file))
    kubectl = Kubectl(plane, file)
    assert kubectl("config", "current-context").strip() == merged["context"]
    assert namespace in kubectl("get", "namespaces")
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    library("merge", str(file))
    assert file.read_bytes() == before


def test_other_entries_stay(plane, library):
    file = plane.folder / "shared"
    Kubectl(plane, file)("config", "set-context", "mine", "--cluster=other", "--user=other")
    library("merge", str(file))
    contexts = Kubectl(plane, file)("config", "get-contexts", "-o", "name").split()
    assert "mine" in contexts and len(contexts) == 2
