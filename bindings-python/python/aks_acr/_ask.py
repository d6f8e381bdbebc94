"""A caller's own code, asked in threads that Python makes.

When the interpreter ends, it stops the threads that still run Python where they are. A thread of Python's own survives that; one of
the client's, which has Rust's frames below, would take the process with it. So the client only begins a thread here, and waits for
the answer without holding the interpreter.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import contextvars
    from collections.abc import Awaitable
    from typing import Any

    from ._native import Answer, GetsToken, GetsTokenInfo, Token, Write, _Hook

# In seconds since 1970. Milliseconds of today are beyond it.
_YEAR_10000 = 253_402_300_800

# inspect.CO_COROUTINE and CO_ASYNC_GENERATOR, of a module that takes long to import.
_GIVES_COROUTINE = 0x80 | 0x200


class Credential:
    """The caller's credential, plain or a coroutine's."""

    def __init__(self, credential: GetsToken | GetsTokenInfo) -> None:
        self._credential: Any = credential
        self._turn = threading.Lock()
        # One for all tokens that a blocking client awaits: such a credential keeps connections that belong to the loop they were made in.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self,
        scopes: list[str],
        loop: asyncio.AbstractEventLoop | None,
        context: contextvars.Context | None,
        answer: Answer,
    ) -> None:
        """Asks for a token in a thread; what is to be awaited is awaited in the loop, if there is one."""
        if context is None or loop is None:
            _begin(self._ask, scopes, answer)
        else:
            # A context is entered once at a time.
            _begin(context.copy().run, self._ask, scopes, answer, loop, context)

    def _ask(
        self,
        scopes: list[str],
        answer: Answer,
        loop: asyncio.AbstractEventLoop | None = None,
        context: contextvars.Context | None = None,
    ) -> None:
        try:
            credential = self._credential
            ask = credential.get_token_info if hasattr(credential, "get_token_info") else credential.get_token
            given = ask(*scopes)
            if not hasattr(given, "__await__"):
                answer.token(*_read(given))
            elif loop is not None:
                loop.call_soon_threadsafe(self._await, loop, given, answer, context=context)
            else:
                answer.token(*_read(self._run(given)))
        except BaseException as error:
            answer.raised(error)

    def _await(self, loop: asyncio.AbstractEventLoop, given: Awaitable[Token], answer: Answer) -> None:
        async def tell() -> None:
            try:
                answer.token(*_read(await given))
            except BaseException as error:
                answer.raised(error)
                if not isinstance(error, Exception):
                    raise

        task = loop.create_task(tell())
        # A loop does not keep its tasks alive.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run(self, given: Awaitable[Token]) -> Token:
        import asyncio

        async def get() -> Token:
            return await given

        with self._turn:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
            return self._loop.run_until_complete(get())

    def __del__(self) -> None:
        if self._loop is not None:
            self._loop.close()


def begin_hook(hook: _Hook, write: Write, answer: Answer) -> None:
    """Asks a hook in a thread whether a write may be sent."""
    _begin(_ask_hook, hook, write, answer)


def check_listener(listener: Any) -> None:
    """Refuses what would never hear of a call."""
    if not callable(listener):
        raise TypeError(f"on_progress: wanted a function, and not {type(listener).__name__}")
    while hasattr(listener, "func"):  # functools.partial
        listener = listener.func
    code = getattr(listener, "__code__", None) or getattr(getattr(type(listener), "__call__", None), "__code__", None)
    if code is not None and code.co_flags & _GIVES_COROUTINE:
        raise TypeError("on_progress: wanted a plain function, and not a coroutine's: nothing would await it")


def _begin(work: Any, *given: Any) -> None:
    threading.Thread(target=work, args=given, name="aks-acr", daemon=True).start()


def _ask_hook(hook: _Hook, write: Write, answer: Answer) -> None:
    try:
        said: Any = hook(write)
        if hasattr(said, "__await__"):
            # What it comes to would be too late, so it may not pass for a yes. A coroutine that is closed complains of nothing.
            if hasattr(said, "close"):
                said.close()
            answer.refused("TypeError: it returned an awaitable, and must answer at once")
        # numpy has a type of its own for it.
        elif type(said).__name__ in ("bool", "bool_") and not said:
            answer.refused("PermissionError: it returned False")
        else:
            answer.allowed()
    except BaseException as error:
        answer.refused(f"{type(error).__name__}: {error}")


def _read(token: Token) -> tuple[str, float]:
    text: Any = token.token
    end: Any = token.expires_on
    if not isinstance(text, str):
        raise TypeError(f"token: wanted text, and not {type(text).__name__}")
    # An int with some credentials, a float with others; text would be taken too.
    if isinstance(end, (str, bytes, bytearray)) or not (hasattr(end, "__float__") or hasattr(end, "__index__")):
        raise TypeError(f"expires_on of a token: wanted seconds since 1970, and not {type(end).__name__}")
    if not 0 <= end < _YEAR_10000:
        raise ValueError(f"expires_on of a token: wanted seconds since 1970, and not {end}")
    return text, float(end)
