"""One call of NumPy's that failed, as the rows of the tables of uses read it; it proposes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradproof.trace.changes import Proposal
from gradproof.trace.run import Pair, TracedRun
from gradproof.trace.watching import flat, plain


@dataclass(frozen=True, eq=False)
class Clash:
    """The call ``name(*args, **kwargs)`` and the exception that it raised."""

    run: TracedRun
    name: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    error: Exception

    @cached_property
    def arrays(self) -> list[Any]:
        """The arrays among the positional arguments."""
        return [each for each in flat(list(self.args)) if isinstance(each, np.ndarray)]

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """Their shapes, as plain ints."""
        return [shape_of(array) for array in self.arrays]

    @property
    def message(self) -> str:
        """What NumPy says."""
        return str(self.error)

    def option(self, name: str, place: int, default: Any = None) -> Any:
        """An argument by name or by position."""
        if name in self.kwargs:
            return self.kwargs[name]
        return self.args[place] if len(self.args) > place else default


Use = Callable[[Clash], list[Proposal]]  # one row of a table: what would have made the call fit


def shape_of(array: Any) -> tuple[int, ...]:
    """A shape as plain ints."""
    return tuple(int(size) for size in np.shape(plain(array)))


def broadcast(one: Sequence[int], two: Sequence[int]) -> list[Pair]:
    """The sizes that meet from the last axis on and do not fit."""
    pairs = zip(reversed(one), reversed(two), strict=False)
    return [(a, b) for a, b in pairs if a != b and 1 not in (a, b)]


def ints(values: Any) -> list[Any]:
    """The integers in an argument."""
    return [each for each in flat(values) if isinstance(each, (int, np.integer)) and not isinstance(each, bool)]
