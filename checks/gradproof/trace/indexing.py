"""What an index says before it is taken: where slices end, which labels index which axis; it takes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradproof.trace.changes import SIZE, Equal, Proposal, Unfit, What, Whole, labels
from gradproof.trace.integers import Dim
from gradproof.trace.likely import INTEGER
from gradproof.trace.polynomials import Polynomial, number, solutions
from gradproof.trace.run import TracedRun
from gradproof.trace.unknown import Unknown


def look_at(run: TracedRun, array: Any, index: Any) -> None:
    """Note what an index says of the axes that it meets. Raises Unfit where it cannot be taken as it is."""
    parts = index if isinstance(index, tuple) else (index,)
    shape, axis = np.ndarray.shape.__get__(array), 0
    for place, part in enumerate(parts):
        if part is Ellipsis:
            axis = len(shape) - sum(later is not None for later in parts[place + 1 :])
            continue
        if isinstance(part, Unknown):
            _unknown_index(part)
        if part is None:
            continue
        if axis < len(shape):
            _one_axis(run, shape[axis], part)
        axis += 1


def _unknown_index(part: Unknown) -> None:
    if part.hint.built:
        raise part.unfit((0.0, SIZE))
    raise part.unfit((0.0, labels(1)), (0.1, labels(2)), (0.4, SIZE))


def _one_axis(run: TracedRun, size: int, part: Any) -> None:
    if isinstance(part, slice):
        _bound(run, size, part, part.start, is_start=True)
        _bound(run, size, part, part.stop, is_start=False)
        _cut_off(run, size, part)
        run.divide(size, part.step)
        return
    argument = getattr(part, "labels", None)
    if argument is not None and run.kind(argument).what is What.LABELS:
        run.evidence.picking.add(argument)
        below = run.candidate.below(argument)
        if solutions(below, run.stands_for(size)):
            raise Unfit(run.equal([(below, run.stands_for(size))]), f"the labels {argument} index an axis")


def _cut_off(run: TracedRun, size: int, part: slice) -> None:
    """All but the first few, or but the last few: the size less their number."""
    match (part.start, part.stop, part.step):
        case (int() as start, None, None) if type(start) is int and 0 < start < size:
            left_out = start
        case (None | 0, int() as stop, None) if type(stop) is int and -size < stop < 0:
            left_out = -stop
        case _:
            return
    run.know(size - left_out, run.stands_for(size).plus(number(left_out), -1))


def _bound(run: TracedRun, size: int, part: slice, bound: Any, *, is_start: bool) -> None:
    """One end of a slice of an axis of this size."""
    if isinstance(bound, Unknown):
        raise bound.unfit(*INTEGER)
    if not isinstance(bound, Dim) or not bound.stands_for.dims or part.step is not None:
        return
    axis, goes_on = run.stands_for(size), is_start and part.stop is None
    run.evidence.cuts.setdefault(axis, set()).add((bound.stands_for, goes_on))
    if bound > size:
        _make_room(run, size, axis, bound)
    if goes_on and bound < size:
        run.know(size - int(bound), axis.plus(bound.stands_for, -1))


def _make_room(run: TracedRun, size: int, axis: Polynomial, bound: Dim) -> None:
    """A slice ends beyond its axis. Raises Unfit where the size of that is free."""
    name = axis.lone_dim
    if name is None or name in run.candidate.large | run.candidate.small or name in bound.stands_for.dims:
        return
    why = f"a slice ends at {int(bound)} of an axis of {size}"
    raise Unfit([Proposal(0.0, Whole(name)), Proposal(0.2, Equal(name, bound.stands_for))], why)
