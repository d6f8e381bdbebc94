"""The ways to make a call: blocking, as a coroutine, step by step. Each operation is written once, in ``_native.Calls``."""

from __future__ import annotations

import functools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

    from ._native import AsyncRun, Call, Calls, Run

    P = ParamSpec("P")
    T = TypeVar("T")

    class _Face(Protocol):
        _calls: Calls

    F = TypeVar("F", bound=_Face)


def blocking(call: Callable[Concatenate[Calls, P], Call[T]]) -> Callable[Concatenate[_Face, P], T]:
    @functools.wraps(call)
    def method(self: _Face, *args: P.args, **options: P.kwargs) -> T:
        return call(self._calls, *args, **options).wait()

    return method


def awaitable(call: Callable[Concatenate[Calls, P], Call[T]]) -> Callable[Concatenate[_Face, P], Coroutine[Any, Any, T]]:
    @functools.wraps(call)
    async def method(self: _Face, *args: P.args, **options: P.kwargs) -> T:
        return await call(self._calls, *args, **options).start()

    return method


def followed(call: Callable[Concatenate[Calls, P], Call[T]]) -> Callable[Concatenate[_Face, P], Run[T]]:
    @functools.wraps(call)
    def method(self: _Face, *args: P.args, **options: P.kwargs) -> Run[T]:
        return call(self._calls, *args, **options).run()

    return method


def followed_async(call: Callable[Concatenate[Calls, P], Call[T]]) -> Callable[Concatenate[_Face, P], AsyncRun[T]]:
    @functools.wraps(call)
    def method(self: _Face, *args: P.args, **options: P.kwargs) -> AsyncRun[T]:
        return call(self._calls, *args, **options).async_run()

    return method
