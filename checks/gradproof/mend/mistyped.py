"""Which value of a number in the source would make one entry right: found by secants; it judges nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.change import Change, instead, parse
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import Slot, is_indexing
from gradproof.mend.tree import Tree
from gradproof.source.syntax import constant, is_number

Gap = Callable[[Change], "Floats | None"]  # claimed minus true, entry by entry; None where it cannot be had

MISTYPED = SlipKind(
    "GP108",
    "slip-number-mistyped",
    "the number {number} is mistyped: with {right} the gradient is right",
    ("constant mistyped", "constant factor"),
)
STEPS = 8  # secants converge by then where the gradient is smooth in the number, as it is nearly always
NEAR = 1e-4  # relative: the first step away from the number as it is written
DIGITS = 6  # of the number that is shown: a constant in a formula seldom has more


def mistyped_numbers(tree: Tree, gap: Gap) -> Iterator[Change]:
    """For each number of the tree that the gradient depends on: the value that makes the worst entry right."""
    for slot in tree.slots:
        value = constant(slot.node)
        is_sign_or_word = isinstance(slot.parent, ast.keyword | ast.UnaryOp)
        if not is_number(value) or is_indexing(slot) or is_sign_or_word:
            continue
        found = _root(slot, float(value), gap)
        if found is not None:
            rounded = float(f"{found:.{DIGITS}g}")
            for number in dict.fromkeys((rounded, found)):
                yield _with(slot, value, number)


def _with(slot: Slot, value: float, number: float) -> Change:
    slip = MISTYPED(number=f"{value:.10g}", right=f"{number:.10g}")
    return instead(slot, parse(repr(number)), slip)


def _root(slot: Slot, value: float, gap: Gap) -> float | None:
    """The number with which one entry is right; None where it moves none, or nowhere to."""
    points = value, value * (1 + NEAR) if value else NEAR
    before, after = (gap(_with(slot, value, number)) for number in points)
    if before is None or after is None or before.shape != after.shape:
        return None
    entry = _moved_most(before, after)
    if entry is None:
        return None

    def gap_at(number: float) -> float:
        now = gap(_with(slot, value, number))
        return np.nan if now is None else float(now[entry])

    found = _secants(points, (float(before[entry]), float(after[entry])), gap_at)
    return None if found == value else found


def _secants(points: tuple[float, float], gaps: tuple[float, float], gap_at: Callable[[float], float]) -> float | None:
    """Where a gap is 0, from two numbers and their gaps on; None where it is not finite on the way."""
    (first, second), (a, b) = points, gaps
    for _ in range(STEPS):
        if a == b:
            break
        first, second, a = second, second - b * (second - first) / (b - a), b
        b = gap_at(second)
        if not np.isfinite(b) or not np.isfinite(second):
            return None
    return second


def _moved_most(before: Floats, after: Floats) -> int | None:
    """The wrong entry that moves most with the number; None where none does, or by no finite number."""
    moved = np.abs(after - before)
    entry = int(np.argmax(np.where(np.abs(before) > 0, moved, 0.0)))
    return entry if moved[entry] and np.isfinite(moved[entry]) else None
