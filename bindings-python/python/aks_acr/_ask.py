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
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    from ._native import Answer, Ending, Event, GetsToken, GetsTokenInfo, Token, Write, _Hook

    _T = TypeVar("_T")

# In seconds since 1970. Milliseconds of today are beyond it.
_YEAR_10000 = 253_402_300_800

# How long a cancelled call waits for its credential to end, in seconds.
_PARTING = 0.25

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
                try:
                    loop.call_soon_threadsafe(self._await, loop, given, answer, context=context)
                except RuntimeError:
                    # The loop has ended: nobody will await it.
                    _close(given)
                    raise
            else:
                self._run(given, answer)
        except BaseException as error:
            answer.raised(error)

    def _await(self, loop: asyncio.AbstractEventLoop, given: Awaitable[Token], answer: Answer) -> None:
        """Awaits a token in a task that is cancelled when nobody waits for the token any more."""
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
                pass  # Nobody waits for it.

    def __del__(self) -> None:
        if self._loop is not None:
            self._loop.close()


async def _tell(given: Awaitable[Token], answer: Answer) -> None:
    try:
        answer.token(*_read(await given))
    except BaseException as error:
        # Ctrl-C and the like too: they are raised by the call, where the caller awaits it.
        answer.raised(error)


def _stop_with(answer: Answer, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Cancels a task when nobody waits for its answer any more, and at once if that is so already."""

    def stop() -> None:
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                pass  # It was closed in this moment.

    if answer.stop_by(stop):
        task.cancel()


def _close(given: Any) -> None:
    """Closes a coroutine that is not awaited, which would complain."""
    if hasattr(given, "close"):
        given.close()


_call: contextvars.ContextVar[set[asyncio.Task[None]]] | None = None


def _of_call() -> contextvars.ContextVar[set[asyncio.Task[None]]]:
    """The tasks that await tokens for the coroutine's call in whose context this is."""
    global _call
    if _call is None:
        import contextvars

        _call = contextvars.ContextVar("aks_acr_call")
    return _call


async def attended(start: Callable[[], Awaitable[_T]]) -> _T:
    """Awaits a call; if it is cancelled, its tasks end before it does."""
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
    except BaseException:
        under_way = {task for task in tasks if not task.done()}
        if under_way:
            # No longer than that: another call may have taken the same token over.
            await asyncio.wait(under_way, timeout=_PARTING)
        raise


def hear(listener: Callable[[Event], object], event: Event, ending: Ending) -> None:
    """Tells a listener, in the thread of its loop. What is no ordinary exception ends the call; the others are the loop's to report."""
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
            # What it comes to would be too late, so it may not pass for a yes.
            _close(said)
            answer.refused("TypeError: it returned an awaitable, and must answer at once")
        # numpy has a type of its own for it.
        elif type(said).__name__ in ("bool", "bool_") and not said:
            answer.refused("PermissionError: it returned False")
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
        raise TypeError(f"token: wanted text, and not {type(text).__name__}")
    # An int with some credentials, a float with others; text would be taken too.
    if isinstance(end, (str, bytes, bytearray)) or not (hasattr(end, "__float__") or hasattr(end, "__index__")):
        raise TypeError(f"expires_on of a token: wanted seconds since 1970, and not {type(end).__name__}")
    if not 0 <= end < _YEAR_10000:
        raise ValueError(f"expires_on of a token: wanted seconds since 1970, and not {end}")
    return text, float(end)
