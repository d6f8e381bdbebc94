"""Credentials of the emulator's callers, in the form of Azure's SDKs but without depending on them."""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from aks_acr_emulator._emulator import Native


# For a type checker they are azure-core's classes, so that a credential satisfies azure-core's protocols;
# a program without azure-core has these, which have the same fields.
if TYPE_CHECKING:
    from azure.core.credentials import AccessToken as AccessToken
    from azure.core.credentials import AccessTokenInfo as AccessTokenInfo
else:

    class AccessToken(NamedTuple):
        """A token and its expiry."""

        token: str
        """The token that a request sends."""
        expires_on: int
        """In seconds since 1970."""

    class AccessTokenInfo:
        """A token, its expiry and its type."""

        def __init__(self, token: str, expires_on: int) -> None:
            self.token = token
            """The token that a request sends."""
            self.expires_on = expires_on
            """In seconds since 1970."""
            self.token_type = "Bearer"
            """The type of the token."""
            self.refresh_on: int | None = None
            """When it should be renewed; always ``None`` here."""

        def __repr__(self) -> str:
            return f"AccessTokenInfo(token=..., expires_on={self.expires_on})"


class TokenError(Exception):
    """Entra refused a token; the text is Entra's error."""


def _ask(native: Native, caller: str, scopes: tuple[str, ...]) -> tuple[str, int]:
    if not scopes:
        raise ValueError("a token needs at least one scope")
    try:
        return native.token(caller, list(scopes))
    except RuntimeError as fault:
        raise TokenError(str(fault)) from None


class Credential:
    """A caller's credential for blocking clients. It has no cache, so each token request shows in the log."""

    def __init__(self, native: Native, caller: str) -> None:
        self._native = native
        self._caller = caller

    def __repr__(self) -> str:
        return f"Credential({self._caller!r})"

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Requests a token from the emulator's Entra.

        The options (``claims``, ``tenant_id``, …) are accepted and ignored.

        Raises:
            TokenError: If Entra refuses one.
        """
        return AccessToken(*_ask(self._native, self._caller, scopes))

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Requests a token from the emulator's Entra, in azure-core's newer form.

        Raises:
            TokenError: If Entra refuses one.
        """
        return AccessTokenInfo(*_ask(self._native, self._caller, scopes))

    def close(self) -> None:
        """Does nothing: no connection is open."""

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
    """A caller's credential for coroutines. It has no cache, so each token request shows in the log."""

    def __init__(self, native: Native, caller: str) -> None:
        self._native = native
        self._caller = caller

    def __repr__(self) -> str:
        return f"AsyncCredential({self._caller!r})"

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Requests a token from the emulator's Entra.

        The options (``claims``, ``tenant_id``, …) are accepted and ignored.

        Raises:
            TokenError: If Entra refuses one.
        """
        return AccessToken(*await asyncio.to_thread(_ask, self._native, self._caller, scopes))

    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Requests a token from the emulator's Entra, in azure-core's newer form.

        Raises:
            TokenError: If Entra refuses one.
        """
        return AccessTokenInfo(*await asyncio.to_thread(_ask, self._native, self._caller, scopes))

    async def close(self) -> None:
        """Does nothing: no connection is open."""

    async def __aenter__(self) -> "AsyncCredential":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        fault: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()
