"""The table of results: what a result says where a call joined, widened or flattened axes; it calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.trace.clash import shape_of
from gradproof.trace.polynomials import Polynomial, number
from gradproof.trace.run import TracedRun
from gradproof.trace.watching import flat


def note(run: TracedRun, name: str, args: Sequence[Any], result: Any) -> None:
    """Note what the sizes of a result stand for, and what was flattened, as far as the call says."""
    row = RESULTS.get(name)
    if row is not None and isinstance(result, np.ndarray):
        row(run, [each for each in flat(list(args)) if isinstance(each, np.ndarray)], result.shape)


def _joined(run: TracedRun, arrays: Sequence[Any], result: tuple[int, ...]) -> None:
    """Side by side: the sum of the sizes along the axis that grew."""
    shapes = [shape_of(array) for array in arrays]
    if any(len(shape) != len(result) for shape in shapes):
        return
    for axis, size in enumerate(result):
        if size == sum(shape[axis] for shape in shapes) and len(shapes) > 1:
            total = Polynomial()
            for shape in shapes:
                total = total.plus(run.stands_for(shape[axis]))
            run.know(size, total)


def _widened(run: TracedRun, arrays: Sequence[Any], result: tuple[int, ...]) -> None:
    """With a border: the size and a number."""
    if not arrays:
        return
    for before, after in zip(shape_of(arrays[0]), result, strict=False):
        if after > before:
            run.know(after, run.stands_for(before).plus(number(after - before)))


def _flattened(run: TracedRun, arrays: Sequence[Any], result: tuple[int, ...]) -> None:
    """To a matrix, of an argument or of what is made of it alone, entry by entry."""
    roots: frozenset[str] = getattr(arrays[0], "roots", frozenset()) if arrays else frozenset()
    if len(roots) != 1 or len(result) != 2:
        return
    (root,), before = roots, shape_of(arrays[0])
    is_whole = list(before) == [axis.at(run.sizes) for axis in run.candidate.axes(root)]
    keeps_first, keeps_last = before[:1] == result[:1], before[-1:] == result[-1:]
    if is_whole and len(before) > 1 and (keeps_first or keeps_last):
        run.evidence.flattened[root] = keeps_first


# operations -> the row that notes what sizes of their result are
_ROWS: Mapping[str, Callable[[TracedRun, Sequence[Any], tuple[int, ...]], None]] = {
    "concatenate hstack vstack column_stack append": _joined,
    "pad": _widened,
    "reshape": _flattened,
}
RESULTS = {name: row for names, row in _ROWS.items() for name in names.split()}
