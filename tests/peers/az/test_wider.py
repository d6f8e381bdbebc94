"""What az does around clusters and registries besides making them: power, pools, versions, tokens, caches, groups, applications."""

import base64
import datetime
import json
import ssl
import urllib.request

import pytest

from conftest import GROUP


@pytest.fixture(scope="module")
def cluster(az, azure, group):
    # Programs keep tokens by this machine's clock, which is not put forward.
    azure.order("POST", "timing", {"token": 30 * 24 * 3600})
    azure.order("POST", "clock", {"speed": 50})
    return az("aks", "create", "-g", group, "-n", "wide", "--no-ssh-key", "-c", "1")


@pytest.fixture(scope="module")
def registry(az, group):
    return az("acr", "create", "-g", group, "-n", "wideregistry", "--sku", "Premium")


ON = ("-g", GROUP, "-n", "wide")
POOL = ("-g", GROUP, "--cluster-name", "wide")
OF = ("-r", "wideregistry")


def test_a_stopped_cluster_says_so_and_comes_back(az, cluster):
    az("aks", "stop", *ON)
    assert az("aks", "show", *ON)["powerState"] == {"code": "Stopped"}
    assert {one["powerState"]["code"] for one in az("aks", "nodepool", "list", *POOL)} == {"Stopped"}
    az("aks", "start", *ON)
    shown = az("aks", "show", *ON)
    assert (shown["powerState"], shown["provisioningState"]) == ({"code": "Running"}, "Succeeded")


def test_a_pool_is_added_scaled_and_removed(az, cluster):
    added = az("aks", "nodepool", "add", *POOL, "-n", "second", "-c", "1")
    assert (added["name"], added["count"], added["mode"]) == ("second", 1, "User")
    assert az("aks", "nodepool", "scale", *POOL, "-n", "second", "-c", "2")["count"] == 2
    assert az("aks", "nodepool", "show", *POOL, "-n", "second")["provisioningState"] == "Succeeded"
    az("aks", "nodepool", "delete", *POOL, "-n", "second")
    assert [one["name"] for one in az("aks", "nodepool", "list", *POOL)] == ["nodepool1"]
    refused = az.refused("aks", "nodepool", "delete", *POOL, "-n", "nodepool1")
    assert "at least one system agent pool" in refused
    refused = az.refused("aks", "nodepool", "update", *POOL, "-n", "nodepool1", "--mode", "User")
    assert "at least one system agent pool" in refused
    assert az("aks", "nodepool", "show", *POOL, "-n", "nodepool1")["mode"] == "System"


def test_versions_of_a_region_and_upgrades_to_them(az, cluster):
    known = az("aks", "get-versions", "-l", "westeurope")["values"]
    assert [one["version"] for one in known if one["isDefault"]] == ["1.33"]
    control_plane = az("aks", "get-upgrades", *ON)["controlPlaneProfile"]
    assert control_plane["kubernetesVersion"] == "1.33.4"
    assert [one["kubernetesVersion"] for one in control_plane["upgrades"]] == ["1.34.0"]
    pool = az("aks", "nodepool", "get-upgrades", *POOL, "--nodepool-name", "nodepool1")
    assert pool["latestNodeImageVersion"].startswith("AKSUbuntu")


def test_a_feature_is_registered_and_unregistered(az):
    features = az("feature", "list", "--namespace", "Microsoft.ContainerService")
    assert {one["properties"]["state"] for one in features} == {"NotRegistered"}
    named = ("--namespace", "Microsoft.ContainerService", "-n", "NodeAutoProvisioningPreview")
    az("feature", "register", *named)
    assert az("feature", "show", *named)["properties"]["state"] == "Registered"
    az("feature", "unregister", *named)
    assert az("feature", "show", *named)["properties"]["state"] == "NotRegistered"
    assert "FeatureNotFound" in az.refused("feature", "show", "--namespace", "Microsoft.ContainerService", "-n", "MadeUp")


def may(azure, user, password, scope):
    """What the registry grants to a user name and a password."""
    context = ssl.create_default_context(cafile=azure.ca_file)
    url = f"https://wideregistry.azurecr.io/oauth2/token?service=wideregistry.azurecr.io&scope={scope}"
    request = urllib.request.Request(url)
    request.add_header("authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
    handlers = urllib.request.ProxyHandler({"https": azure.proxy}), urllib.request.HTTPSHandler(context=context)
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
            token = json.loads(answer.read())["access_token"]
    except urllib.error.HTTPError as refusal:
        assert refusal.code == 401
        return []
    claims = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return [action for one in claims["access"] for action in one["actions"]]


def test_a_token_may_do_what_its_scope_map_names(az, azure, registry):
    az("acr", "scope-map", "create", *OF, "-n", "team", "--repository", "team/app", "content/read")
    assert "team" in [one["name"] for one in az("acr", "scope-map", "list", *OF)]
    made = az("acr", "token", "create", *OF, "-n", "ci", "--scope-map", "team")
    password = made["credentials"]["passwords"][0]["value"]
    both = "repository:team/app:pull,push"
    assert may(azure, "ci", password, both) == ["pull"]
    assert may(azure, "ci", password, "repository:other:pull") == []
    az("acr", "scope-map", "update", *OF, "-n", "team", "--add-repository", "team/app", "content/write")
    assert may(azure, "ci", password, both) == ["pull", "push"]
    again = az("acr", "token", "credential", "generate", *OF, "-n", "ci", "--password1")
    assert may(azure, "ci", password, both) == []
    assert may(azure, "ci", again["passwords"][0]["value"], both) == ["pull", "push"]
    az("acr", "token", "update", *OF, "-n", "ci", "--status", "disabled")
    assert may(azure, "ci", again["passwords"][0]["value"], both) == []
    shown = az("acr", "token", "show", *OF, "-n", "ci")
    assert shown["status"] == "disabled" and "value" not in json.dumps(shown["credentials"]).replace('"value": null', "")
    assert [one["name"] for one in az("acr", "token", "list", *OF)] == ["ci"]
    az("acr", "token", "delete", *OF, "-n", "ci", "--yes")
    az("acr", "scope-map", "delete", *OF, "-n", "team", "--yes")
    assert az("acr", "token", "list", *OF) == []


def test_a_cache_rule_has_a_credential_set(az, registry):
    secrets = ("-u", "https://v.vault.azure.net/secrets/user", "-p", "https://v.vault.azure.net/secrets/password")
    made = az("acr", "credential-set", "create", *OF, "-n", "hub", "-l", "docker.io", *secrets)
    assert made["identity"]["principalId"] and made["loginServer"] == "docker.io"
    assert az("acr", "credential-set", "show", *OF, "-n", "hub")["authCredentials"][0]["credentialHealth"]["status"] == "Healthy"
    rule = az("acr", "cache", "create", *OF, "-n", "nginx", "-s", "docker.io/library/nginx", "-t", "nginx", "-c", "hub")
    assert rule["credentialSetResourceId"] == made["id"]
    assert [one["name"] for one in az("acr", "cache", "list", *OF)] == ["nginx"]
    assert az("acr", "cache", "show", *OF, "-n", "nginx")["targetRepository"] == "nginx"
    az("acr", "cache", "delete", *OF, "-n", "nginx", "--yes")
    az("acr", "credential-set", "delete", *OF, "-n", "hub", "--yes")
    assert az("acr", "credential-set", "list", *OF) == []


def test_a_registry_is_changed_in_its_settings(az, registry):
    assert az("acr", "update", "-n", "wideregistry", "--anonymous-pull-enabled", "true")["anonymousPullEnabled"] is True
    assert az("acr", "update", "-n", "wideregistry", "--role-assignment-mode", "rbac-abac")["roleAssignmentMode"] == "AbacRepositoryPermissions"
    rule = ("-n", "wideregistry", "--ip-address", "1.2.3.4")
    assert az("acr", "network-rule", "add", *rule)["networkRuleSet"]["ipRules"][0]["ipAddressOrRange"] == "1.2.3.4"
    assert len(az("acr", "network-rule", "list", "-n", "wideregistry")["ipRules"]) == 1
    assert az("acr", "network-rule", "remove", *rule)["networkRuleSet"]["ipRules"] == []


def test_a_group_has_owners_and_an_application_becomes_a_principal(az, azure, registry):
    made = az("ad", "group", "create", "--display-name", "wide", "--mail-nickname", "wide")
    assert az("ad", "group", "owner", "list", "-g", "wide") == []
    assert az("ad", "group", "show", "-g", "wide")["id"] == made["id"]
    az("ad", "group", "delete", "-g", "wide")
    principal = az("ad", "sp", "create-for-rbac", "-n", "pipeline", "--role", "AcrPush", "--scopes", registry["id"])
    assert principal["password"] and principal["tenant"] == azure.tenant
    assert [one["displayName"] for one in az("ad", "app", "list", "--display-name", "pipeline")] == ["pipeline"]
    shown = az("ad", "sp", "show", "--id", principal["appId"])
    roles = az("role", "assignment", "list", "--scope", registry["id"], "--assignee", shown["id"])
    assert [one["roleDefinitionName"] for one in roles] == ["AcrPush"]
    az("ad", "app", "delete", "--id", principal["appId"])


def test_a_service_principal_of_a_cluster_is_replaced(az, cluster, group):
    """The nodes pull as the other one afterwards, which the cluster shows at once."""
    first, second = (az("ad", "sp", "create-for-rbac", "-n", name) for name in ("first", "second"))
    principal = ("--service-principal", first["appId"], "--client-secret", first["password"])
    az("aks", "create", "-g", group, "-n", "older", "--no-ssh-key", "-c", "1", *principal)
    assert az("aks", "show", "-g", group, "-n", "older")["servicePrincipalProfile"]["clientId"] == first["appId"]
    other = ("--service-principal", second["appId"], "--client-secret", second["password"])
    az("aks", "update-credentials", "-g", group, "-n", "older", "--reset-service-principal", *other)
    shown = az("aks", "show", "-g", group, "-n", "older")
    assert (shown["servicePrincipalProfile"]["clientId"], shown["provisioningState"]) == (second["appId"], "Succeeded")
    refused = az.refused("aks", "update-credentials", "-g", group, "-n", "absent", "--reset-service-principal", *other)
    assert "NotFound" in refused or "not found" in refused


def test_the_activity_log_has_the_writes_of_a_resource(az, cluster, registry):
    # The emulated clock is ahead of this machine's.
    today = datetime.datetime.now(datetime.timezone.utc)
    times = ("--start-time", f"{today - datetime.timedelta(1):%Y-%m-%dT%H:%M:%SZ}", "--end-time", f"{today + datetime.timedelta(30):%Y-%m-%dT%H:%M:%SZ}")
    az("acr", "update", "-n", "wideregistry", "--tags", "log=yes")
    seen = az("monitor", "activity-log", "list", "--resource-id", registry["id"], *times)
    names = [(one["operationName"]["value"], one["status"]["value"]) for one in seen]
    assert names[0] == ("Microsoft.ContainerRegistry/registries/write", "Succeeded"), names
    assert {one["resourceId"].lower() for one in seen} == {registry["id"].lower()}
    assert az("monitor", "activity-log", "list", "--resource-id", registry["id"], *times, "--max-events", "1")[0]["caller"]
    group = az("monitor", "activity-log", "list", "-g", GROUP, *times)
    assert {"Microsoft.ContainerService/managedClusters/write"} <= {one["operationName"]["value"] for one in group}
