"""The border to user code: its exceptions become values, its random draws are repeatable. It knows no layers."""

from __future__ import annotations

import os
import random
import traceback
from collections.abc import Callable, Iterator
from types import BuiltinMethodType, MethodType, ModuleType, TracebackType
from typing import Any

import numpy as np

from gradproof.values import LayerError

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


class SubjectError(Exception):
    """The user's code raised; ``error`` says what and where."""

    def __init__(self, error: LayerError) -> None:
        super().__init__(error)
        self.error = error


def call(stage: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call user code: what it raises comes out as SubjectError with the user's frames only. Ctrl-C passes through."""
    try:
        return function(*args, **kwargs)
    except (Exception, SystemExit) as error:
        raise SubjectError(_describe(stage, error)) from None


def _describe(stage: str, error: BaseException) -> LayerError:
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OURS)]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(_shortened(theirs))]
    lines += traceback.format_exception_only(error)
    return LayerError(stage, type(error).__name__, str(error), "".join(lines).rstrip())


def _shortened(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Keep the ends of a runaway recursion."""
    return frames if len(frames) <= 12 else [*frames[:4], *frames[-4:]]


class Randomness:
    """The global random states that a subject sees: seeded while the context lasts, and as they were afterwards.

    ``rewind`` goes back to the seed. The global generators of NumPy and of the standard library are touched only
    because layers draw from them.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._theirs: tuple[Any, Any] | None = None

    def __enter__(self) -> Randomness:
        self._theirs = np.random.get_state(), random.getstate()  # noqa: NPY002
        self.rewind()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._theirs is not None:
            np.random.set_state(self._theirs[0])  # noqa: NPY002
            random.setstate(self._theirs[1])

    def rewind(self) -> None:
        """Go back to the seed."""
        np.random.seed(self._seed % 2**32)  # noqa: NPY002
        random.seed(self._seed)


def fingerprint(things: object) -> tuple[object, ...]:
    """Tell where every random generator stands that user code can reach: the global ones, and those in ``things``.

    Two outputs that are alike do not prove that nothing was drawn: a mask hides at x = 0.
    """
    legacy, python = np.random.get_state(legacy=False)["state"], random.getstate()[1]  # noqa: NPY002
    ends = (legacy["pos"], int(legacy["key"][0]), python[0], python[-1])
    return (*ends, *(repr(state) for state in _states(things, set(), REACH)))


REACH = 6  # levels of attributes and containers that are followed to find a generator


def _states(thing: Any, seen: set[int], depth: int) -> Iterator[Any]:
    if id(thing) in seen or depth == 0:
        return
    seen.add(id(thing))
    if isinstance(thing, np.random.Generator):
        yield thing.bit_generator.state
    elif isinstance(thing, np.random.RandomState):
        yield thing.get_state(legacy=False)
    elif isinstance(thing, random.Random):
        yield thing.getstate()
    elif isinstance(thing, dict):
        yield from _states(list(thing.values()), seen, depth)
    elif isinstance(thing, (list, tuple, set)):
        for part in thing:
            yield from _states(part, seen, depth - 1)
    elif isinstance(thing, (BuiltinMethodType, MethodType)):  # np.random.rand is a method of a generator
        yield from _states(thing.__self__, seen, depth - 1)
    elif not isinstance(thing, (type, ModuleType)) and isinstance(getattr(thing, "__dict__", None), dict):
        yield from _states(vars(thing), seen, depth - 1)
