"""What an argument may be, by how it was first used: kinds with costs, the likeliest first; it knows no values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradproof.trace.changes import SIZE, Kind, What, array, labels, sizes, value
from gradproof.trace.run import Hint
from gradproof.trace.watching import axes_taken

Likely = list[tuple[float, Kind]]

RANKS = (2, 1, 3, 4)  # of arrays, the likeliest first
MATRIX: Sequence[tuple[float, Kind]] = ((0.0, array(2)), (0.3, array(3)), (0.4, array(1)), (0.5, array(4)))
SHAPES: Sequence[tuple[float, Kind]] = ((0.0, sizes(1)), (0.15, sizes(3)), (0.2, sizes(2)), (0.25, sizes(4)))
INTEGER: Sequence[tuple[float, Kind]] = ((0.0, SIZE), (0.5, value(2)), (0.9, sizes(1)))


def operand(hint: Hint, other: Any, *, learned: bool) -> Likely:
    """Of an operand of arithmetic: an array, or a number. ``other`` is what it met, None where that is unknown."""
    if not hint.built:
        return _fed_operand(hint, other)
    found = _built_operand(hint, learned=learned)
    return [(-0.05, SIZE), *found] if hint.size and not isinstance(other, np.ndarray) else found


def _built_operand(hint: Hint, *, learned: bool) -> Likely:
    """What the constructor takes: a parameter where a gradient is kept for it, else a number."""
    arrays = [(0.15 * place + (0.0 if learned else 0.3), array(rank)) for place, rank in enumerate((1, 2, 3, 4))]
    return cheapest_first([*arrays, (0.6 if learned else 0.0, value(hint.number))])


def _fed_operand(hint: Hint, other: Any) -> Likely:
    """What forward takes: an array of the rank that it meets; what is a target by its name has no gradient."""
    met = (np.ndim(other) if isinstance(other, np.ndarray) else 0) or 2
    if hint.first:
        return by_rank(What.ARRAY, _beginning(max(met, 2)))
    is_learned_scale = hint.scalar and hint.learned
    rank = 1 if hint.weight or is_learned_scale else met
    if hint.target:
        found = [*by_rank(What.CONSTANT, _beginning(rank)), *_of_target(hint, rank)]
    else:
        found = [*by_rank(What.ARRAY, _beginning(rank)), (0.8, labels(1)), (0.85, labels(2))]
    return [*found, *_as_number(hint, other)]


def _of_target(hint: Hint, rank: int) -> Likely:
    """What a target may be beside an array of floats."""
    one_hot = 0.05 if hint.takes_log else 0.35
    return [(one_hot, Kind(What.ONE_HOT, rank)), (0.3, labels(1)), (0.35, labels(2))]


def _as_number(hint: Hint, other: Any) -> Likely:
    """What forward takes, as a number: likely by its name, or where it meets no array; else where that is known."""
    is_number = hint.scalar and not hint.learned and len(hint.name) > 1  # one letter says little
    meets_number = other is not None and not isinstance(other, np.ndarray)
    if is_number or meets_number:
        return [(-0.1, value(hint.number))]
    return [] if other is None else [(0.6, value(hint.number))]


def by_rank(what: What, ranks: Sequence[int]) -> Likely:
    """One kind of array, with each of these numbers of axes, the likeliest first."""
    return [(0.0 if place == 0 else 0.2 + 0.1 * place, Kind(what, rank)) for place, rank in enumerate(ranks)]


def _beginning(rank: int) -> list[int]:
    return [rank, *(other for other in RANKS if other != rank)]


def only_arrays(found: Likely) -> Likely:
    """Those of them that are arrays, with the first at no cost."""
    arrays = [(cost, kind) for cost, kind in found if kind.is_array]
    least = min(cost for cost, _ in arrays)
    return cheapest_first([(cost - least, kind) for cost, kind in arrays])


def cheapest_first(found: Likely) -> Likely:
    """In the order of their costs."""
    return sorted(found, key=lambda entry: entry[0])


def of_parts(depth: int, first: Kind, *, is_bias: bool) -> Likely:
    """Of an array ``depth`` axes of which are given by one place each, where what is left may be ``first``.

    What is left of a bias is one number, which is added to whatever it meets.
    """
    ints: list[Kind] = [labels(depth), labels(depth + 1)]
    ranks = (depth, depth + 1, depth + 2) if is_bias else (depth + 1, depth, depth + 2)
    arrays = [array(rank) for rank in ranks]
    is_whole = first.what in (What.LABELS, What.VALUE, What.SIZE)
    return [(0.1 * place, kind) for place, kind in enumerate(ints + arrays if is_whole else arrays + ints)]


def of_type(hint: Hint, line: str) -> Likely:
    """What a line that asks for a type expects."""
    if "ndarray" in line:
        arrays: Likely = [(0.0 if rank == 2 else 0.02 * rank, array(rank)) for rank in RANKS]
        return arrays if hint.built else [*arrays, (0.1, labels(1))]
    if re.search(r"\bint\b|integer|Integral", line):
        return [(0.0, SIZE), (0.1, value(2))]
    if re.search(r"\bfloat\b|Number|Real", line):
        return [(0.0, value(hint.number)), (0.2, SIZE)]
    return []


def makers(args: Sequence[Any]) -> list[Kind]:
    """Functions that make an array of the sizes that they are called with, one by one or as a shape."""
    if args and all(isinstance(each, (int, np.integer)) for each in args):
        by_sizes = value(np.random.randn, "np.random.randn")
        return [by_sizes, value(np.ones, "np.ones")] if len(args) == 1 else [by_sizes]
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        return [value(np.random.standard_normal, "np.random.standard_normal")]
    return []


def sequence(hint: Hint, arithmetic: Likely) -> Likely:
    """Of what is iterated over."""
    layers = [(0.1 * place - 0.1, layer) for place, layer in enumerate(reversed(hint.layers))]
    if hint.shape:
        return [*layers, *SHAPES, *((cost + 0.3, kind) for cost, kind in arithmetic)]
    return [*layers, *arithmetic, (0.5, sizes(2)), (0.6, sizes(3))]


def dictionary(hint: Hint) -> Likely:
    """Of what is read by keys."""
    found: Likely = [(0.1 * place, value(content)) for place, content in enumerate(hint.dicts)]
    if hint.keys:
        found = [(0.0, Kind(What.PARTS, value=hint.keys)), *((cost + 0.4, kind) for cost, kind in found)]
    return [*found, (0.9, value({}))]


def indexed(hint: Hint, parts: Sequence[Any], by_unknown: bool) -> Likely:
    """Of what is indexed with ``parts``, one of which may be as unknown."""
    of_sizes = _indexed_sizes(hint, parts) if hint.built else []
    if of_sizes:
        return of_sizes
    axes = axes_taken(parts)
    is_lookup = axes == 1 and not isinstance(parts[0], slice) and not hint.built
    if is_lookup and (hint.target or hint.index):
        return [(0.0, labels(1)), (0.2, labels(2)), (0.3, array(2)), (0.4, array(1))]
    if by_unknown:
        return [(0.1 * abs(rank - 2), array(rank)) for rank in (2, 1, 3)]
    ranks = dict.fromkeys([max(axes, 1), max(axes, 2), axes + 1, axes + 2])
    found: Likely = [(0.1 * place, array(rank)) for place, rank in enumerate(ranks)]
    return [*found, (0.5, labels(max(axes, 1)))]


def _indexed_sizes(hint: Hint, parts: Sequence[Any]) -> Likely:
    """What the constructor takes, where it may be a tuple of sizes by its index or its name; else nothing."""
    if len(parts) == 1 and isinstance(parts[0], int):
        last = parts[0]
        return [(0.0, sizes(last + 1)), (0.1, sizes(last + 2)), (0.2, array(2)), (0.2, array(1))]
    if hint.shape:
        return [(0.0, sizes(3)), (0.15, sizes(2)), (0.25, sizes(4)), (0.4, array(2)), (0.4, array(1))]
    return []


def compared(hint: Hint, arithmetic: Likely) -> Likely:
    """Of what is compared with a number."""
    if hint.built:
        return [(0.0, value(hint.number)), (0.1, SIZE), (0.3, labels(1)), *arithmetic]
    found: Likely = [(0.2, labels(1)), *arithmetic]
    return sorted(found, key=lambda entry: entry[0] + (0.7 if entry[1].what is What.VALUE else 0.0))


def created(hint: Hint, *, lone: bool) -> Likely:
    """Of what a function that makes arrays is told; lone: it is the whole shape."""
    return [(0.0, SIZE), (0.35 if lone else 0.9, sizes(2)), (0.5, value(2)), (0.6, array(2))]


def count(hint: Hint) -> Likely:
    """Of what says how often, into how many, by how much."""
    return [(0.0, value(2)), (0.1, SIZE), (0.2, value(1)), (0.3, array(2))]
