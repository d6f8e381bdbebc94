"""The walk from nothing to running pods, by the library alone: its quickstart, unchanged, in its own cloud."""

from emulator import running
from walk import by_library, prepare_group


def test_the_quickstart_ends_with_two_running_pods(azure):
    told = by_library(azure)
    pods = [line.split() for line in told.splitlines() if line.startswith("nginx0-deployment-")]
    assert [(pod[1], pod[2]) for pod in pods] == [("1/1", "Running")] * 2
    for step in (
        "exists, not changed",
        "has no role assignment that allows pulling from registry",
        "attach    Granted  AcrPull",
        "again     AlreadyGranted  AcrPull",
    ):
        assert step in told
    [cluster] = azure.state()["clusters"]
    assert {pod["status"]["phase"] for pod in cluster["pods"]} == {"Running"}


def test_the_library_never_writes_the_cluster(azure):
    mark = azure.mark()
    by_library(azure)
    requests = [one for one in azure.requests(mark) if one["from"] == "client"]
    assert requests
    writes = [one for one in requests if one["service"] == "arm" and one["method"] not in ("GET", "HEAD")]
    ends = [f"{one['method']} {'/'.join(one['path'].split('/')[-2:])}" for one in writes]
    assert ends[:3] == [
        "PUT registries/myregistry",
        "POST myregistry/importImage",
        # It is asked for by POST, and changes nothing.
        "POST dev/listClusterUserCredential",
    ]
    assert [end.split("/")[0] for end in ends[3:]] == ["PUT roleAssignments"]


def test_what_is_absent_is_made_once_and_how_it_is_removed_is_said():
    with running() as azure:
        prepare_group(azure)
        first, second = by_library(azure), by_library(azure)
        for removal in ("az acr delete -g group -n myregistry", "az aks delete -g group -n dev"):
            assert removal in first
            assert removal not in second
        puts = [one for one in azure.requests(0) if one["method"] == "PUT"]
        made = [one for one in puts if "/providers/microsoft.authorization" not in one["path"].lower()]
        assert sorted(one["path"].split("/")[-2] for one in made if "providers" in one["path"]) == [
            "managedClusters",
            "registries",
        ]


def test_everything_went_through_the_two_doors(azure):
    mark = azure.mark()
    by_library(azure)
    services = {one["service"] for one in azure.requests(mark) if one["from"] == "client"}
    assert services == {"entra", "arm", "registry", "kubernetes"}
