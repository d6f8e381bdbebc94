"""Runs the caller's own code (credentials and hooks) in Python threads.

When the interpreter shuts down, it stops threads that still run Python. Stopping a thread of the client, which has Rust frames
below, would abort the process. So the client only starts a thread here, and waits for the answer without holding the interpreter.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import contextvars
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    from ._native import Answer, Ending, Event, GetsToken, GetsTokenInfo, Token, Write, _Hook

    _T = TypeVar("_T")

# In seconds since 1970. A time in milliseconds is beyond it.
_YEAR_10000 = 253_402_300_800

# How long a cancelled call waits for its credential to end, in seconds.
_PARTING = 0.25

# inspect.CO_COROUTINE and CO_ASYNC_GENERATOR, of a module that takes long to import.
_GIVES_COROUTINE = 0x80 | 0x200


class Credential:
    """The caller's credential; its methods may be coroutines."""

    def __init__(self, credential: GetsToken | GetsTokenInfo) -> None:
        self._credential: Any = credential
        self._turn = threading.Lock()
        # One loop for all tokens that a blocking client awaits: the credential's connections belong to the loop that made them.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self,
        scopes: list[str],
        loop: asyncio.AbstractEventLoop | None,
        context: contextvars.Context | None,
        answer: Answer,
    ) -> None:
        """Gets a token in a thread; an awaitable is awaited in the loop, if there is one."""
        if context is None or loop is None:
            _begin(self._ask, scopes, answer)
        else:
            # A context can be entered only once at a time.
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
                try:
                    loop.call_soon_threadsafe(self._await, loop, given, answer, context=context)
                except RuntimeError:
                    # The loop is closed: the coroutine will never be awaited.
                    _close(given)
                    raise
            else:
                self._run(given, answer)
        except BaseException as error:
            answer.raised(error)

    def _await(self, loop: asyncio.AbstractEventLoop, given: Awaitable[Token], answer: Answer) -> None:
        """Awaits a token in a task that is cancelled once no call waits for the token."""
        task = loop.create_task(_tell(given, answer))
        # A loop does not keep its tasks alive.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        of_call = _of_call().get(None)
        if of_call is not None:
            of_call.add(task)
        _stop_with(answer, loop, task)

    def _run(self, given: Awaitable[Token], answer: Answer) -> None:
        import asyncio

        with self._turn:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
            task = self._loop.create_task(_tell(given, answer))
            _stop_with(answer, self._loop, task)
            try:
                self._loop.run_until_complete(task)
            except asyncio.CancelledError:
                pass  # No call waits for it.

    def __del__(self) -> None:
        if self._loop is not None:
            self._loop.close()


async def _tell(given: Awaitable[Token], answer: Answer) -> None:
    try:
        answer.token(*_read(await given))
    except BaseException as error:
        # Also Ctrl-C and the like: the call raises them where the caller awaits it.
        answer.raised(error)


def _stop_with(answer: Answer, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Cancels a task once no call waits for its answer, at once if none waits now."""

    def stop() -> None:
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                pass  # It was closed in between.

    if answer.stop_by(stop):
        task.cancel()


def _close(given: Any) -> None:
    """Closes a coroutine that will not be awaited, to avoid Python's warning."""
    if hasattr(given, "close"):
        given.close()


_call: contextvars.ContextVar[set[asyncio.Task[None]]] | None = None


def _of_call() -> contextvars.ContextVar[set[asyncio.Task[None]]]:
    """The tasks that await tokens for the call of the current context."""
    global _call
    if _call is None:
        import contextvars

        _call = contextvars.ContextVar("aks_acr_call")
    return _call


async def attended(start: Callable[[], Awaitable[_T]]) -> _T:
    """Awaits a call. If it is cancelled, its tasks end first."""
    import asyncio

    tasks: set[asyncio.Task[None]] = set()
    variable = _of_call()
    token = variable.set(tasks)
    try:
        begun = start()
    finally:
        variable.reset(token)
    try:
        return await begun
    except GeneratorExit:
        # A coroutine that is being closed must not await anything.
        raise
    except BaseException:
        under_way = {task for task in tasks if not task.done()}
        if under_way:
            # No longer: another call may wait for the same token.
            await asyncio.wait(under_way, timeout=_PARTING)
        raise


def hear(listener: Callable[[Event], object], event: Event, ending: Ending) -> None:
    """Calls a listener in the thread of its loop. The loop reports an ``Exception``; any other ``BaseException`` ends the call."""
    try:
        listener(event)
    except Exception:
        raise
    except BaseException as error:
        ending.raised(error)


def begin_hook(hook: _Hook, write: Write, answer: Answer) -> None:
    """Asks a hook in a thread whether a write may be sent."""
    _begin(_ask_hook, hook, write, answer)


def check_listener(listener: Any) -> None:
    """Rejects a listener that would never run."""
    if not callable(listener):
        raise TypeError(f"on_progress: must be a function, not {type(listener).__name__}")
    while hasattr(listener, "func"):  # functools.partial
        listener = listener.func
    code = getattr(listener, "__code__", None) or getattr(getattr(type(listener), "__call__", None), "__code__", None)
    if code is not None and code.co_flags & _GIVES_COROUTINE:
        raise TypeError("on_progress: must be a plain function, not a coroutine function: it would never be awaited")


def _begin(work: Any, *given: Any) -> None:
    threading.Thread(target=work, args=given, name="aks-acr", daemon=True).start()


def _ask_hook(hook: _Hook, write: Write, answer: Answer) -> None:
    try:
        said: Any = hook(write)
        if hasattr(said, "__await__"):
            # Its result would come too late, so it does not count as approval.
            _close(said)
            answer.refused("it returned an awaitable; it must be a plain function")
        # numpy has its own type for it.
        elif type(said).__name__ in ("bool", "bool_") and not said:
            answer.refused("it returned False")
        else:
            answer.allowed()
    except Exception as error:
        answer.refused(f"{type(error).__name__}: {error}")
    except BaseException as error:
        answer.raised(error)


def _read(token: Token) -> tuple[str, float]:
    text: Any = token.token
    end: Any = token.expires_on
    if not isinstance(text, str):
        raise TypeError(f"token: must be a string, not {type(text).__name__}")
    # Some credentials return an int, others a float. float() would also accept text.
    if isinstance(end, (str, bytes, bytearray)) or not (hasattr(end, "__float__") or hasattr(end, "__index__")):
        raise TypeError(f"expires_on of a token: must be seconds since 1970, not {type(end).__name__}")
    if not 0 <= end < _YEAR_10000:
        raise ValueError(f"expires_on of a token: must be seconds since 1970, not {end}")
    return text, float(end)
