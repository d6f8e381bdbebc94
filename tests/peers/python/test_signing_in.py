"""azure-identity: tokens for a client with a secret."""

import asyncio
import base64
import json

import azure.identity.aio as aio
import pytest
from azure.core.exceptions import ClientAuthenticationError


def claims(token):
    """What a token says of itself."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_secret_gives_a_token_for_resource_manager(azure):
    token = azure.credential().get_token(f"{azure.endpoint}/.default")
    said = claims(token.token)
    assert said["tid"] == azure.emulator.tenant
    assert said["appid"] == azure.emulator.client_id
    assert said["aud"].rstrip("/") == azure.endpoint
    assert abs(said["exp"] - token.expires_on) < 120


def test_a_second_token_comes_from_the_cache(azure):
    credential = azure.credential()
    first = credential.get_token(f"{azure.endpoint}/.default").token
    start = azure.emulator.mark()
    assert credential.get_token(f"{azure.endpoint}/.default").token == first
    assert azure.emulator.requests(start) == []


def test_a_secret_gives_a_token_to_coroutines(azure):
    async def ask():
        async with azure.credential(aio) as credential:
            return await credential.get_token(f"{azure.endpoint}/.default")

    assert claims(asyncio.run(ask()).token)["appid"] == azure.emulator.client_id


def test_a_wrong_secret_is_refused_with_entras_code(azure):
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        azure.credential(client_secret="wrong").get_token(f"{azure.endpoint}/.default")


def test_an_unknown_client_is_refused_with_entras_code(azure):
    unknown = "00000000-aaaa-bbbb-cccc-000000000000"
    with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
        azure.credential(client_id=unknown).get_token(f"{azure.endpoint}/.default")
