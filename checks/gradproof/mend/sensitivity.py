"""How the gradients move with the value of one expression in backward, found by moving it; it changes no source.

Backward is linear in most of what it computes on its way. So a few runs tell what the value of an expression would have
to be for all gradients to be right; whether such a value exists at all; and, without a run, what any other would do.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import CodeType
from typing import Any

import numpy as np

from gradproof.compare.directions import MARGIN
from gradproof.differentiate.differentiate import Floats
from gradproof.mend.expressions import Expressions
from gradproof.mend.patch import HOOK, compiled, hooked, patched
from gradproof.mend.slots import Slot
from gradproof.mend.tree import Tree
from gradproof.mend.trial import Trial
from gradproof.source.syntax import is_attribute

MOST = 80  # entries of the value: one backward for each
CLOSE = 1e-6  # relative to the largest entry: how exactly a value must fit before it is tried


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """One expression at one example: its values, one for each time that backward comes by, and what they would move.

    ``moves`` has a row for each entry of the gradients and a column for each entry of the values; ``gap`` is what is
    missing in each row, known to ``slack``. ``names`` are the arrays at hand each time, ``unkept`` those of them that
    are not, being arguments or variables of forward that it did not keep.
    """

    slot: Slot
    values: tuple[Floats, ...]
    names: tuple[Mapping[str, Floats], ...]
    moves: Floats
    gap: Floats
    slack: Floats
    unkept: frozenset[str] = frozenset()

    @property
    def is_result(self) -> bool:
        """Whether the expression calls a method of the user's, or returns a name: its value is computed elsewhere."""
        node = self.slot.node
        if isinstance(node, ast.Name) and isinstance(self.slot.statement, ast.Return):
            return not isinstance(self.slot.parent, ast.BinOp | ast.Call)
        return isinstance(node, ast.Call) and is_attribute(node.func)

    @property
    def suffices(self) -> bool:
        """Whether some value here makes every gradient right."""
        best: Floats = np.asarray(np.linalg.lstsq(self.moves, self.gap, rcond=None)[0], dtype=np.float64)
        return self.fits(best)

    def fits(self, moved: Floats) -> bool:
        """Whether the gradients are right once the values are moved by this much."""
        return bool((np.abs(self.moves @ moved - self.gap) <= self.slack).all())

    def times(self, moved: Floats) -> float | None:
        """The number times which this move makes the gradients right; None where there is none."""
        along = self.moves @ moved
        square = float(along @ along)
        if not np.isfinite(square) or square == 0.0:
            return None
        factor = float(along @ self.gap) / square
        return factor if bool((np.abs(factor * along - self.gap) <= self.slack).all()) else None


class _Hook:
    """Stands around the expression while backward runs: notes its values, and moves them."""

    def __init__(self, expressions: Expressions, outside: dict[str, Any]) -> None:
        self.expressions, self.outside = expressions, outside
        self.values: list[Floats] = []
        self.names: list[Mapping[str, Floats]] = []
        self.are_floats = True
        self.moved: Floats | None = None
        self._at = 0

    def __call__(self, value: Any, names: Mapping[str, Any]) -> Any:
        if self.moved is not None:
            return self._moved(value, self.moved)
        is_float = isinstance(value, np.ndarray | float | np.floating) and np.asarray(value).dtype.kind == "f"
        self.are_floats &= is_float
        self.values.append(np.array(value, dtype=np.float64) if is_float else np.zeros(0))
        self.names.append(self.expressions.evaluate(self.outside, names))
        return value

    def _moved(self, value: Any, moved: Floats) -> Any:
        """A value and its part of what is added to all of them; as it is where none is left for it."""
        size = int(np.size(value))
        part = moved[self._at : self._at + size]
        self._at += size
        return value + part.reshape(np.shape(value)) if part.size == size else value

    @property
    def size(self) -> int:
        """The entries of all values."""
        return sum(value.size for value in self.values)

    @property
    def can_move(self) -> bool:
        """Whether the values are floats, and few enough to be moved one by one."""
        return self.are_floats and 0 < self.size <= MOST

    def move(self, moved: Floats) -> None:
        """Add to the values of the next run, in their order."""
        self.moved, self._at = moved, 0


def sensitivity_at(
    tree: Tree, slot: Slot, trial: Trial, wrong: Collection[str], expressions: Expressions, *, anew: bool
) -> Sensitivity | None:
    """How the gradients move at one slot; None where they are not linear in it, or it is no array or too large.

    wrong: the gradients that are to become right; those of the trial that are right stay so, the rest may do anything.
    """
    code = _watched(tree, slot)
    if code is None:
        return None
    outside: dict[str, Any] = tree.function.live.__globals__
    hook = _Hook(expressions, outside)
    kept = [name for name in trial.samples if name in wrong or name in trial.right]
    gradients = partial(_gradients, trial, kept, anew=anew)
    with patched(tree.function.live, code, {HOOK: hook}):
        before = gradients()
        moves = None if before is None or not hook.can_move else _moves(hook, gradients, before)
    if before is None or moves is None:
        return None
    gap, slack = _missing(trial, kept, before)
    unkept = _unkept(trial, outside, hook.names)
    names = tuple({**each, **unkept} for each in hook.names)
    return Sensitivity(slot, tuple(hook.values), names, moves, gap, slack, frozenset(unkept))


def _missing(trial: Trial, kept: Sequence[str], before: Floats) -> tuple[Floats, Floats]:
    """What each entry of the gradients still lacks, and how exactly that is known."""
    samples = [trial.samples[name] for name in kept]
    gap = np.concatenate([sample.numeric for sample in samples]) - before
    slack = MARGIN * np.concatenate([sample.bound for sample in samples]) + CLOSE * _top(gap)
    return gap, slack


def _moves(hook: _Hook, gradients: Callable[[], Floats | None], before: Floats) -> Floats | None:
    """How far each entry of the gradients, in rows, moves with each entry of the values, in columns.

    None where backward raises, or is not linear in the values.
    """
    step = max(_top(np.concatenate([value.reshape(-1) for value in hook.values])), 1e-3)
    mixed = np.random.default_rng(0).standard_normal(hook.size)
    columns: list[Floats] = []
    for moved in (*np.eye(hook.size), mixed):
        hook.move(step * moved)
        after = gradients()
        if after is None:
            return None
        columns.append((after - before) / step)
    moves, control = np.stack(columns[:-1], axis=1), columns[-1]
    is_linear = np.isfinite(moves).all() and np.allclose(moves @ mixed, control, rtol=CLOSE, atol=CLOSE * _top(control))
    return moves if is_linear else None


def _unkept(trial: Trial, outside: Mapping[str, Any], names: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """The arguments and variables of forward that backward has no name for."""
    found: dict[str, Floats] = {}
    for name, value in trial.arguments().items():
        is_taken = name in outside or hasattr(builtins, name)
        if not is_taken and not any(_is_there(value, name, each) for each in names):
            found[name] = value
    return found


def _is_there(value: Floats, name: str, names: Mapping[str, Floats]) -> bool:
    same = (np.shape(other) == value.shape and bool((other == value).all()) for other in names.values())
    return name in names or any(same)


def _top(values: Floats) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _watched(tree: Tree, slot: Slot) -> CodeType | None:
    """The code of the tree with the hook around the expression."""
    node = slot.node
    slot.put(hooked(node))
    try:
        return compiled(tree.function.live, tree.node)
    finally:
        slot.put(node)


def _gradients(trial: Trial, kept: Sequence[str], *, anew: bool) -> Floats | None:
    """The claims for these tensors in a row; None where one is missing or of another shape."""
    claims = trial.claims(anew=anew)
    if claims is None:
        return None
    parts: list[Floats] = []
    for name in kept:
        sample = trial.samples[name]
        if name not in claims or np.shape(claims[name]) != sample.shape:
            return None
        parts.append(np.asarray(claims[name], dtype=np.float64).reshape(-1)[sample.position])
    row = np.concatenate(parts)
    return row if np.isfinite(row).all() else None
