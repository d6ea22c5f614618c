"""The rows of the table of uses for indices: taken, set, added at; it searches nothing."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

from gradproof.trace.changes import Become, Equal, Proposal, What, labels
from gradproof.trace.clash import Clash, broadcast, shape_of
from gradproof.trace.integers import Step
from gradproof.trace.polynomials import Polynomial, dim, number
from gradproof.trace.run import TracedRun
from gradproof.trace.watching import axes_taken, plain

LOOPS = 3  # of which the end may be what an index goes up to, the latest
# What the largest of computed indices may be, as factor and summand of a size: twice it, less one, and the like.
_INDEX_FORMS = ((1, 0), (2, 0), (2, -1), (1, 1), (1, -1), (2, 1))


def indexed(clash: Clash) -> list[Proposal]:
    """``a[i]``, ``a[i] = v`` and ``np.add.at(a, i, v)``."""
    array, index = clash.args[0], clash.args[1]
    parts = index if isinstance(index, tuple) else (index,)
    if "too many indices" in clash.message:
        return clash.run.rank(array, axes_taken(parts), least=True)
    beyond = re.search(r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)", clash.message)
    if beyond is not None:
        return _beyond(clash, _along(parts, int(beyond[2])), int(beyond[1]), int(beyond[3]))
    if "only integers" in clash.message or "must be of integer" in clash.message:
        return _not_whole(clash, parts)
    found = _indices_that_meet(clash, parts)
    masked = re.search(r"size of axis is (\d+) but size of corresponding boolean axis is (\d+)", clash.message)
    if masked is not None:
        found += clash.run.equal([(int(masked[1]), int(masked[2]))])
    return found or (_value_that_is_set(clash) if len(clash.args) > 2 else [])


def chosen(clash: Clash) -> list[Proposal]:
    """``np.choose(i, choices)``: labels below the number of choices, which have the shape of the labels."""
    index, choices = clash.args[0], clash.option("choices", 1)
    shape = shape_of(choices)
    if len(shape) < 2:
        return clash.run.rank(choices, 2)
    if "invalid entry" in clash.message:
        return _beyond(clash, (index,), int(np.max(plain(index))), shape[0])
    if "Cannot cast" in clash.message:
        return _not_whole(clash, (index,))
    return clash.run.equal(broadcast(shape_of(index), shape[1:]))


def _along(parts: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
    """The index along one axis; all of them where axes are added or left out before it."""
    is_placed = axis < len(parts) and not any(part is None or part is Ellipsis for part in parts[:axis])
    return (parts[axis],) if is_placed and all(np.ndim(plain(part)) < 2 for part in parts) else parts


def _beyond(clash: Clash, parts: Any, index: int, size: int) -> list[Proposal]:
    """An index beyond the end of an axis: labels below it, a loop over another size, or a computed index."""
    axis = clash.run.stands_for(size)
    below = _labels_below(clash, axis)
    of_labels = [Proposal(0.0, each.change) for each in itertools.chain.from_iterable(below.values())]
    if of_labels and any(isinstance(part, np.integer) for part in parts):
        return of_labels
    found = _loops_to_the_end(clash, parts, index, axis)
    for part in parts:
        if _is_integer_array(part) and part.dtype.kind in "iu":
            found += _computed(clash, axis, part)
    for part in parts:
        found += below.get(getattr(part, "labels", None) or "", [])
    return [*found, *_squares(clash)]


def _squares(clash: Clash) -> list[Proposal]:
    """That both sizes of a window are one: what computes its own indices may take one for the other."""
    candidate = clash.run.candidate
    pairs = [name for name, kind in candidate.kinds.items() if kind.what is What.SIZES and kind.rank == 2]
    return [Proposal(0.1, Equal(f"{name}.1", dim(f"{name}.0"))) for name in pairs]


def _labels_below(clash: Clash, axis: Polynomial) -> dict[str, list[Proposal]]:
    """That the labels which an argument holds end where an axis does, by argument."""
    run = clash.run
    names = [argument for argument, kind in run.candidate.kinds.items() if kind.what is What.LABELS]
    return {argument: run.equal([(run.candidate.below(argument), axis)]) for argument in names}


def _loops_to_the_end(clash: Clash, parts: Any, index: int, axis: Polynomial) -> list[Proposal]:
    """That an axis is as long as the loop whose variable the index is, or as one that ended there, or as any other."""
    ends = list(reversed(clash.run.evidence.loops))
    bounds = _own_loops(parts, index) or [bound for bound in ends if _is_last(clash, bound, index)]
    if bounds:
        return clash.run.equal([(axis, bound) for bound in dict.fromkeys(bounds)])
    found: list[Proposal] = []
    for place, end in enumerate(_likely_ends(clash, ends)):
        found += clash.run.equal([(axis, end)], 0.05 * place)
    return found


def _own_loops(parts: Any, index: int) -> list[Polynomial]:
    """Where the loops end whose variables stand in an index and have this value."""
    steps = [part for part in parts if isinstance(part, Step) and int(part) == index]
    return [step.loop for step in steps if step.loop is not None]


def _likely_ends(clash: Clash, ends: list[Polynomial]) -> list[Polynomial]:
    """The ends of the latest loops, those first that count the rows of what forward is given."""
    kinds, hints = clash.run.candidate.kinds, clash.run.hints
    data = [argument for argument, kind in kinds.items() if kind.is_array and not hints[argument].weight]
    rows = [clash.run.candidate.axes(argument)[0] for argument in data if kinds[argument].rank]
    return sorted(list(dict.fromkeys(ends))[:LOOPS], key=lambda end: end not in rows)


def _is_last(clash: Clash, bound: Polynomial, index: int) -> bool:
    sizes = clash.run.sizes
    return all(name in sizes for name in bound.dims) and bound.at(sizes) == index + 1


def _computed(clash: Clash, axis: Polynomial, indices: Any) -> list[Proposal]:
    """That an axis ends behind the largest of computed indices: twice a size, one less than that, and the like."""
    if not indices.size:
        return []
    needed = int(np.max(plain(indices))) + 1
    found: list[Proposal] = []
    for name, size in clash.run.sizes.items():
        for factor, summand in _INDEX_FORMS:
            if factor * size + summand == needed:
                form = dim(name).times(number(factor)).plus(number(summand))
                found += clash.run.equal([(axis, form)], 0.05)
    return found


def _not_whole(clash: Clash, parts: Any) -> list[Proposal]:
    """Floats as indices: the argument that they came from holds labels."""
    run = clash.run
    whole = [len(shape_of(part)) for part in parts if isinstance(part, np.ndarray) and part.dtype.kind in "iu"]
    found: list[Proposal] = []
    for part in parts:
        roots = getattr(part, "roots", frozenset[str]())
        if roots and part.dtype.kind == "f":
            argument = getattr(part, "argument", None) or min(roots)
            rank = whole[0] if whole else len(shape_of(part))
            found.append(Proposal(0.0, Become(argument, labels(rank))))
    return found or _floats_of_forward(run)


def _floats_of_forward(run: TracedRun) -> list[Proposal]:
    """That any array of floats which forward is given holds labels, the last one first."""
    floats = [(a, kind) for a, kind in run.candidate.kinds.items() if kind.what in (What.ARRAY, What.CONSTANT)]
    fed = [(argument, kind) for argument, kind in floats if not run.hints[argument].built]
    return [Proposal(0.1, Become(argument, labels(kind.rank))) for argument, kind in reversed(fed)]


def _indices_that_meet(clash: Clash, parts: Any) -> list[Proposal]:
    shapes = [shape_of(part) for part in parts if isinstance(part, (list, range)) or _is_integer_array(part)]
    pairs = itertools.combinations(shapes, 2)
    return [proposal for one, two in pairs for proposal in clash.run.equal(broadcast(one, two))]


def _is_integer_array(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype != bool


def _value_that_is_set(clash: Clash) -> list[Proposal]:
    """What is set has the shape of the place that it is set to."""
    array, index, value = clash.args[0], clash.args[1], clash.args[2]
    try:
        place = shape_of(np.ndarray.__getitem__(plain(array), plain(index)))
    except (IndexError, ValueError, TypeError):
        return []
    run, shape = clash.run, shape_of(value)
    found = run.equal(broadcast(place, shape))
    if len(shape) != len(place):
        found += run.rank(value, len(place), 0.2)
        found += run.rank(array, len(shape_of(array)) + len(shape) - len(place), 0.3)
    return found
