"""Signing in as a service principal, to its own cloud and to the public one."""

import base64
import json

import pytest

from cli import Az, shown


def claims(token):
    """What a token says; az itself does not look inside."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_registered_cloud_takes_its_addresses_from_the_emulator(azure, az):
    cloud = az("cloud", "show")
    assert cloud["name"] == "emulator"
    assert cloud["isActive"] is True
    assert cloud["endpoints"]["resourceManager"] == azure.origin
    assert cloud["endpoints"]["activeDirectory"].startswith(azure.origin)
    assert cloud["endpoints"]["microsoftGraphResourceId"].startswith(azure.origin)
    assert cloud["suffixes"]["acrLoginServerEndpoint"] == ".azurecr.io"


def test_the_account_is_the_emulators_subscription(azure, az):
    account = az("account", "show")
    assert account["id"] == azure.subscription
    assert account["tenantId"] == azure.tenant
    assert account["state"] == "Enabled"
    assert account["user"] == {"name": azure.client_id, "type": "servicePrincipal"}
    assert [one["id"] for one in az("account", "list")] == [azure.subscription]


def test_the_public_cloud_is_signed_in_to_through_the_proxy(azure, public_az):
    assert public_az("cloud", "show")["name"] == "AzureCloud"
    account = public_az("account", "show")
    assert (account["id"], account["environmentName"]) == (azure.subscription, "AzureCloud")


def test_signing_in_takes_three_requests(azure):
    az = Az(azure, "counted")
    before = azure.mark()
    az.sign_in()
    assert shown(azure.requests(before), azure.subscription, {}) == [
        "GET /{guid}/v2.0/.well-known/openid-configuration 200",
        "POST /{guid}/oauth2/v2.0/token 200",
        "GET /subscriptions 200",
    ]


@pytest.mark.parametrize("cloud", ["own", "public"])
def test_a_wrong_secret_is_refused(azure, cloud):
    az = Az(azure, f"wrong-{cloud}")
    if cloud == "own":
        az.register_cloud()
    who = ("-u", azure.client_id, "-p", "wrong", "--tenant", azure.tenant)
    assert "AADSTS7000215" in az.refused("login", "--service-principal", *who)
    assert az("account", "list") == []


def test_a_token_is_for_what_it_was_asked_for(azure, az, public_az):
    for client in (az, public_az):
        token = client("account", "get-access-token")
        assert token["subscription"] == azure.subscription
        assert claims(token["accessToken"])["aud"].rstrip("/") in (azure.origin, "https://management.azure.com")
    registry = az("account", "get-access-token", "--scope", "https://containerregistry.azure.net/.default")
    assert "containerregistry" in claims(registry["accessToken"])["aud"]


def test_nothing_is_asked_of_the_world_outside(azure, az, public_az):
    unknown = [one for one in azure.requests() if one["service"] == "unknown"]
    assert unknown == []
