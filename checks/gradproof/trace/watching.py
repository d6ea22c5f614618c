"""Watched values as plain ones, and those among the arguments of a call; it knows no operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """The value as NumPy takes it: arrays, ints and tuples that watch nothing."""
    if isinstance(value, np.ndarray):
        return value if type(value) is np.ndarray else value.view(np.ndarray)
    if type(value) is list:
        return [plain(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
    if type(value) is tuple or type(value).__name__ == "Shape":
        return tuple(map(plain, tuple.__iter__(value)))
    is_watched = isinstance(value, int) and type(value) not in (int, bool)
    return int(value) if is_watched and not isinstance(value, np.generic) else value


def flat(value: Any) -> Iterator[Any]:
    """The values in lists and tuples, however deep."""
    if isinstance(value, tuple):
        for part in tuple.__iter__(value):
            yield from flat(part)
    elif isinstance(value, list):
        for part in value:
            yield from flat(part)
    else:
        yield value


def axes_taken(parts: Sequence[Any]) -> int:
    """Of how many axes an index takes entries: new axes and an ellipsis name none."""
    return sum(part is not None and part is not Ellipsis for part in parts)


def call_plainly(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The result of a call with plain values."""
    return function(*plain(tuple(args)), **{key: plain(value) for key, value in kwargs.items()})
