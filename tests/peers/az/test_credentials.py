"""What `az aks get-credentials` writes."""

import stat

import pytest
import yaml

import kube
from conftest import GROUP


@pytest.fixture(scope="module")
def dev(az, group):
    return az("aks", "create", "-g", group, "-n", "dev", "--no-ssh-key", "-c", "1")


@pytest.fixture(scope="module")
def entra(az, group):
    """A cluster where people sign in with Entra."""
    return az("aks", "create", "-g", group, "-n", "entra", "--no-ssh-key", "-c", "1", "--enable-aad")


def read(path):
    return yaml.safe_load(path.read_text())


def names(config, kind):
    return [one["name"] for one in config[kind]]


def test_a_users_credential_is_written_where_only_they_read_it(az, dev, azure, tmp_path):
    path = tmp_path / "config"
    before = azure.mark()
    az("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", path)
    assert [one["path"].rsplit("/", 1)[-1] for one in azure.requests(before)] == ["listClusterUserCredential"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = read(path)
    assert config["current-context"] == "dev"
    assert names(config, "clusters") == names(config, "contexts") == ["dev"]
    assert names(config, "users") == [f"clusterUser_{GROUP}_dev"]
    assert dev["fqdn"] in config["clusters"][0]["cluster"]["server"]
    assert {"client-certificate-data", "client-key-data", "token"} <= set(config["users"][0]["user"])


def test_the_default_place_is_in_the_home_of_the_test(az, dev, azure):
    az("aks", "get-credentials", "-g", GROUP, "-n", "dev")
    assert read(azure.home / ".kube" / "config")["current-context"] == "dev"


def test_an_administrators_credential_stands_beside_the_users(az, dev, tmp_path):
    path = tmp_path / "config"
    az("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", path)
    az("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", path, "--admin")
    config = read(path)
    assert config["current-context"] == "dev-admin"
    assert names(config, "contexts") == ["dev", "dev-admin"]
    assert names(config, "users") == [f"clusterUser_{GROUP}_dev", f"clusterAdmin_{GROUP}_dev"]
    assert names(config, "clusters") == ["dev"]
    tokens = {one["user"]["token"] for one in config["users"]}
    assert len(tokens) == 2


def test_a_credential_is_printed_and_written_nowhere(az, dev, azure, tmp_path):
    done = az.run("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", "-", KUBECONFIG=str(tmp_path / "none"))
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["current-context"] == "dev"
    assert list(tmp_path.iterdir()) == []


def test_a_context_takes_the_name_that_is_asked_for(az, dev, tmp_path):
    path = tmp_path / "config"
    az("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", path, "--context", "mine")
    config = read(path)
    assert (config["current-context"], names(config, "clusters")) == ("mine", ["mine"])
    # The user keeps its name.
    assert names(config, "users") == [f"clusterUser_{GROUP}_dev"]


def test_what_is_there_and_differs_is_kept_without_leave(az, dev, tmp_path):
    path = tmp_path / "config"
    az("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", path)
    before = path.read_text().replace("client-key-data: ", "client-key-data: eA==")
    path.write_text(before)
    said = az.refused("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", path)
    assert "already exists in users" in said
    assert path.read_text() == before
    az("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", path, "--overwrite-existing")
    assert path.read_text() != before


def test_a_user_of_an_entra_cluster_signs_in_with_kubelogin(az, entra, azure, tmp_path):
    path = tmp_path / "config"
    done = az.run("aks", "get-credentials", "-g", GROUP, "-n", "entra", "-f", path)
    assert done.code == 0, done.err
    assert "kubelogin" in done.err
    command = read(path)["users"][0]["user"]["exec"]
    assert command["command"] == "kubelogin"
    assert command["args"][command["args"].index("--server-id") + 1] == "6dae42f8-4368-4678-94ff-3960e28e3630"
    assert command["args"][command["args"].index("--tenant-id") + 1] == azure.tenant


def test_local_accounts_can_be_off(az, entra, azure):
    changed = az("aks", "update", "-g", GROUP, "-n", "entra", "--disable-local-accounts")
    assert changed["disableLocalAccounts"] is True
    said = az.refused("aks", "get-credentials", "-g", GROUP, "-n", "entra", "-f", "-", "--admin")
    assert "Getting static credential is not allowed" in said


def test_credentials_want_a_right(reader, dev):
    said = reader.refused("aks", "get-credentials", "-g", GROUP, "-n", "dev", "-f", "-")
    assert "listClusterUserCredential/action" in said


def test_what_az_wrote_opens_the_cluster(az, dev, azure):
    nodes = kube.Api(az, azure, GROUP, "dev").get("/api/v1/nodes")
    assert len(nodes["items"]) == 1
