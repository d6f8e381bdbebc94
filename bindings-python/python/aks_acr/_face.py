"""The ways to make a call: blocking, as a coroutine, step by step. Each operation is written once, in ``_native.Calls``."""

from __future__ import annotations

import functools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

    from ._native import AsyncRun, Call, Calls, Run

    _P = ParamSpec("_P")
    _T = TypeVar("_T")

    class _Face(Protocol):
        _calls: Calls


def blocking(call: Callable[Concatenate[Calls, _P], Call[_T]]) -> Callable[Concatenate[_Face, _P], _T]:
    @functools.wraps(call)
    def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> _T:
        return call(self._calls, *args, **options).wait()

    return method


def awaitable(
    call: Callable[Concatenate[Calls, _P], Call[_T]],
) -> Callable[Concatenate[_Face, _P], Coroutine[Any, Any, _T]]:
    @functools.wraps(call)
    async def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> _T:
        return await call(self._calls, *args, **options).start()

    return method


def followed(call: Callable[Concatenate[Calls, _P], Call[_T]]) -> Callable[Concatenate[_Face, _P], Run[_T]]:
    @functools.wraps(call)
    def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> Run[_T]:
        return call(self._calls, *args, **options).run()

    return method


def followed_async(call: Callable[Concatenate[Calls, _P], Call[_T]]) -> Callable[Concatenate[_Face, _P], AsyncRun[_T]]:
    @functools.wraps(call)
    def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> AsyncRun[_T]:
        return call(self._calls, *args, **options).async_run()

    return method
