"""Credentials of the emulator's callers, in the form that Azure's SDKs take, and without depending on them."""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from aks_acr_emulator._emulator import Native


# For a type checker they are azure-core's own, so that a credential is taken where one of azure-core's protocols is asked for;
# a program without azure-core has these, which have the same fields.
if TYPE_CHECKING:
    from azure.core.credentials import AccessToken as AccessToken
    from azure.core.credentials import AccessTokenInfo as AccessTokenInfo
else:

    class AccessToken(NamedTuple):
        """A token, and when it expires."""

        token: str
        """What a request shows."""
        expires_on: int
        """In seconds since 1970."""

    class AccessTokenInfo:
        """A token, when it expires, and of which kind it is."""

        def __init__(self, token: str, expires_on: int) -> None:
            self.token = token
            """What a request shows."""
            self.expires_on = expires_on
            """In seconds since 1970."""
            self.token_type = "Bearer"
            """How it is shown."""
            self.refresh_on: int | None = None
            """When it should be renewed; nothing is said of that here."""

        def __repr__(self) -> str:
            return f"AccessTokenInfo(token=..., expires_on={self.expires_on})"


class TokenError(Exception):
    """Entra gave no token: its own words say why."""


def _ask(native: Native, caller: str, scopes: tuple[str, ...]) -> tuple[str, int]:
    if not scopes:
        raise ValueError("a token is for at least one scope")
    try:
        return native.token(caller, list(scopes))
    except RuntimeError as fault:
        raise TokenError(str(fault)) from None


class Credential:
    """A caller's credential, for whoever calls it and waits. Every token is asked for anew, so that it shows in the log."""

    def __init__(self, native: Native, caller: str) -> None:
        self._native = native
        self._caller = caller

    def __repr__(self) -> str:
        return f"Credential({self._caller!r})"

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Asks the emulator's Entra for a token.

        The options (``claims``, ``tenant_id``, …) are taken and change nothing.

        Raises:
            TokenError: If Entra gives none.
        """
        return AccessToken(*_ask(self._native, self._caller, scopes))

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Asks the emulator's Entra for a token, in the newer form of azure-core.

        Raises:
            TokenError: If Entra gives none.
        """
        return AccessTokenInfo(*_ask(self._native, self._caller, scopes))

    def close(self) -> None:
        """Does nothing: there is nothing open."""

    def __enter__(self) -> "Credential":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        fault: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()


class AsyncCredential:
    """A caller's credential for coroutines. Every token is asked for anew, so that it shows in the log."""

    def __init__(self, native: Native, caller: str) -> None:
        self._native = native
        self._caller = caller

    def __repr__(self) -> str:
        return f"AsyncCredential({self._caller!r})"

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Asks the emulator's Entra for a token.

        The options (``claims``, ``tenant_id``, …) are taken and change nothing.

        Raises:
            TokenError: If Entra gives none.
        """
        return AccessToken(*await asyncio.to_thread(_ask, self._native, self._caller, scopes))

    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Asks the emulator's Entra for a token, in the newer form of azure-core.

        Raises:
            TokenError: If Entra gives none.
        """
        return AccessTokenInfo(*await asyncio.to_thread(_ask, self._native, self._caller, scopes))

    async def close(self) -> None:
        """Does nothing: there is nothing open."""

    async def __aenter__(self) -> "AsyncCredential":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        fault: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()
