"""The ways to make a call: blocking, as a coroutine, event by event. Each operation is written once, in ``_native.Calls``."""

from __future__ import annotations

import functools

from ._native import Calls, InvalidInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

    from ._native import AsyncRun, Call, Run, _Hook, _SomeCloud, _SomeCredential

    _P = ParamSpec("_P")
    _T = TypeVar("_T")

    class _Face(Protocol):
        _calls: Calls


def given(make: Callable[_P, _T], /, *args: _P.args, **options: _P.kwargs) -> _T:
    """Calls ``make``. Text with half of a surrogate pair is rejected with the argument's name, like other invalid input."""
    try:
        return make(*args, **options)
    except TypeError as error:
        # The caller knows the class as Client.
        text = str(error)
        if text.startswith("Calls."):
            raise TypeError("Client." + text.removeprefix("Calls.")) from None
        if not (names := _arguments(error)) or text.startswith(f"{names[0]}: "):
            raise
        found, _, wanted = text.strip("'").partition("' object is not an instance of '")
        text = f"must be {wanted}, not {found}" if wanted else text
        text = "must be a list, not str" if text == "Can't extract `str` to `Vec`" else text
        raise TypeError(f"{names[0]}: {text}") from None
    except UnicodeEncodeError as error:
        broken: str = error.object
        name = (_arguments(error) or [name for name, value in options.items() if value == broken] or ["an argument"])[0]
        raise InvalidInputError(f"{name}: invalid text (half of a surrogate pair): {broken!r}") from None


def _arguments(error: Exception) -> list[str]:
    """The arguments in the notes that PyO3 adds. Python 3.10 has no notes."""
    return [note.split("'")[1] for note in getattr(error, "__notes__", ()) if note.count("'") == 2]


class Connected:
    """What both clients are made of."""

    def __init__(
        self,
        credential: _SomeCredential | None,
        subscription_id: str,
        *,
        cloud: _SomeCloud | None = None,
        proxy: str | None = None,
        ca: str | None = None,
        read_only: bool = False,
        on_write: _Hook | None = None,
    ) -> None:
        self._calls = given(
            Calls, credential, subscription_id, cloud=cloud, proxy=proxy, ca=ca, read_only=read_only, on_write=on_write
        )

    @property
    def subscription_id(self) -> str:
        """The subscription in which names are looked up."""
        return self._calls.subscription_id

    def __repr__(self) -> str:
        name = f"{type(self).__module__.removesuffix('._client')}.Client"
        return f"<{name} subscription_id={self._calls.subscription_id!r} cloud={self._calls.cloud!r}>"


def blocking(call: Callable[Concatenate[Calls, _P], Call[_T]]) -> Callable[Concatenate[_Face, _P], _T]:
    @functools.wraps(call)
    def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> _T:
        return given(call, self._calls, *args, **options).wait()

    return method


def awaitable(
    call: Callable[Concatenate[Calls, _P], Call[_T]],
) -> Callable[Concatenate[_Face, _P], Coroutine[Any, Any, _T]]:
    @functools.wraps(call)
    async def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> _T:
        from ._ask import attended

        return await attended(given(call, self._calls, *args, **options).start)

    return method


def followed(call: Callable[Concatenate[Calls, _P], Call[_T]]) -> Callable[Concatenate[_Face, _P], Run[_T]]:
    @functools.wraps(call)
    def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> Run[_T]:
        return given(call, self._calls, *args, **options).run()

    return method


def followed_async(call: Callable[Concatenate[Calls, _P], Call[_T]]) -> Callable[Concatenate[_Face, _P], AsyncRun[_T]]:
    @functools.wraps(call)
    def method(self: _Face, /, *args: _P.args, **options: _P.kwargs) -> AsyncRun[_T]:
        return given(call, self._calls, *args, **options).async_run()

    return method
