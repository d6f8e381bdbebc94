"""Registries: created, looked at, listed, changed, deleted."""

import pytest

from conftest import GROUP, LOCATION


@pytest.fixture(scope="module")
def basic(az, group):
    return az("acr", "create", "-g", group, "-n", "basicone", "--sku", "Basic")


@pytest.fixture(scope="module")
def premium(az, group):
    mode = ("--role-assignment-mode", "rbac-abac")
    return az("acr", "create", "-g", group, "-n", "premiumone", "--sku", "Premium", *mode)


def test_a_group_is_where_it_was_made(az, group, azure):
    assert az("group", "show", "-n", group) == {
        "id": f"/subscriptions/{azure.subscription}/resourceGroups/{group}",
        "location": LOCATION,
        "managedBy": None,
        "name": group,
        "properties": {"provisioningState": "Succeeded"},
        "tags": None,
        "type": "Microsoft.Resources/resourceGroups",
    }
    assert az("group", "exists", "-n", group) is True
    assert az("group", "exists", "-n", "nogroup") is False
    assert group in [one["name"] for one in az("group", "list")]


def test_a_basic_registry_comes_to_be_in_its_groups_location(basic):
    assert basic["location"] == LOCATION
    assert basic["loginServer"] == "basicone.azurecr.io"
    assert basic["sku"] == {"name": "Basic", "tier": "Basic"}
    assert basic["adminUserEnabled"] is False
    assert basic["provisioningState"] == "Succeeded"
    assert basic["roleAssignmentMode"] == "LegacyRegistryPermissions"
    # Only Premium has network rules.
    assert basic["networkRuleSet"] is None


def test_a_premium_registry_takes_its_mode(premium):
    assert premium["sku"]["name"] == "Premium"
    assert premium["roleAssignmentMode"] == "AbacRepositoryPermissions"
    assert premium["networkRuleSet"]["defaultAction"] == "Allow"


def test_a_registry_is_shown_as_it_was_made(az, basic, premium):
    assert az("acr", "show", "-n", "basicone") == basic
    assert az("acr", "show", "-g", GROUP, "-n", "premiumone") == premium


def test_registries_are_listed(az, basic, premium):
    names = {basic["id"], premium["id"]}
    assert {one["id"] for one in az("acr", "list")} == names
    assert {one["id"] for one in az("acr", "list", "-g", GROUP)} == names
    az("group", "create", "-n", "other", "-l", "northeurope")
    assert az("acr", "list", "-g", "other") == []


def test_a_name_is_free_taken_or_none(az, basic):
    free = az("acr", "check-name", "-n", "someothername")
    assert free["nameAvailable"] is True
    taken = az("acr", "check-name", "-n", "basicone")
    assert (taken["nameAvailable"], taken["reason"]) == (False, "AlreadyExists")
    assert taken["message"] == "The registry basicone is already in use."
    disallowed = az("acr", "check-name", "-n", "microsoft")
    assert (disallowed["nameAvailable"], disallowed["reason"]) == (False, "Invalid")


def test_a_taken_name_is_refused_in_another_group(az, basic):
    az("group", "create", "-n", "second", "-l", LOCATION)
    said = az.refused("acr", "create", "-g", "second", "-n", "basicone", "--sku", "Basic")
    assert "RegistryNameAlreadyInUse" in said


def test_an_absent_group_is_refused(az, group):
    said = az.refused("acr", "create", "-g", "nogroup", "-n", "nowhere", "--sku", "Basic", "-l", LOCATION)
    assert "ResourceGroupNotFound" in said


def test_an_absent_registry_is_not_found(az, group):
    assert "could not be found" in az.refused("acr", "show", "-n", "absent")
    assert "ResourceNotFound" in az.refused("acr", "show", "-g", GROUP, "-n", "absent")


def test_network_rules_are_changed(az, azure, premium):
    changed = az("acr", "update", "-n", "premiumone", "--default-action", "Deny")
    assert changed["networkRuleSet"]["defaultAction"] == "Deny"
    rule = ("--ip-address", "203.0.113.0/24")
    added = az("acr", "network-rule", "add", "-n", "premiumone", *rule)
    kept = [{"action": "Allow", "ipAddressOrRange": "203.0.113.0/24"}]
    assert added["networkRuleSet"]["ipRules"] == kept
    assert az("acr", "network-rule", "list", "-n", "premiumone")["ipRules"] == kept
    removed = az("acr", "network-rule", "remove", "-n", "premiumone", *rule)
    assert removed["networkRuleSet"]["ipRules"] == []
    closed = az("acr", "update", "-n", "premiumone", "--public-network-enabled", "false")
    assert (closed["publicNetworkAccess"], closed["networkRuleSet"]["defaultAction"]) == ("Disabled", "Deny")
    # Opening it again leaves the rule that lets no one in.
    opened = az("acr", "update", "-n", "premiumone", "--public-network-enabled", "true")
    assert (opened["publicNetworkAccess"], opened["networkRuleSet"]["defaultAction"]) == ("Enabled", "Deny")
    az("acr", "update", "-n", "premiumone", "--default-action", "Allow")
    assert az("acr", "show", "-n", "premiumone")["networkRuleSet"]["defaultAction"] == "Allow"


def test_network_rules_want_premium(az, basic):
    assert "Premium" in az.refused("acr", "update", "-n", "basicone", "--default-action", "Deny")


def test_the_admin_user_has_credentials_while_it_is_enabled(az, basic):
    assert "admin" in az.refused("acr", "credential", "show", "-n", "basicone").lower()
    assert az("acr", "update", "-n", "basicone", "--admin-enabled", "true")["adminUserEnabled"] is True
    shown = az("acr", "credential", "show", "-n", "basicone")
    assert shown["username"] == "basicone"
    assert [one["name"] for one in shown["passwords"]] == ["password", "password2"]
    renewed = az("acr", "credential", "renew", "-n", "basicone", "--password-name", "password")
    before, after = ([one["value"] for one in told["passwords"]] for told in (shown, renewed))
    assert after[0] != before[0]
    assert after[1] == before[1]
    az("acr", "update", "-n", "basicone", "--admin-enabled", "false")


def test_a_deleted_registry_is_gone(az, group):
    az("acr", "create", "-g", group, "-n", "shortlived", "--sku", "Standard")
    az("acr", "delete", "-n", "shortlived", "--yes")
    assert "shortlived" not in [one["name"] for one in az("acr", "list")]
