"""Changes that say something else than they look like: a factor that is 0 or 1 everywhere, a branch always taken.

What a test or a factor is worth is measured while backward runs; what a formula undoes again is read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from gradproof.mend.change import Change
from gradproof.mend.patch import HOOK, compiled, hooked, patched
from gradproof.mend.slots import Slot
from gradproof.mend.terms import terms
from gradproof.mend.tree import Tree
from gradproof.mend.trial import Trial
from gradproof.source.syntax import is_negated, is_operation, is_product, is_sum, last_name

_ROOM = frozenset(
    {"ones", "ones_like", "zeros", "zeros_like", "full", "full_like", "broadcast_to"}
    | {"array", "asarray", "astype", "empty", "empty_like"}
)
_TURNS_AXES = frozenset({"T", "transpose", "swapaxes", "moveaxis", "rollaxis"})


def is_hollow(tree: Tree, change: Change, trials: Iterable[Trial], *, anew: bool) -> bool:
    """Whether a change makes a test constant, a factor 0 or 1 everywhere, or takes back what it does."""
    pairs = [(slot.node, node) for slot, node in zip(change.slots, change.nodes, strict=True)]
    if any(_undoes_anew(old, node) for old, node in pairs):
        return True
    tried = list(trials)
    with change.made():
        if any(_takes_back(slot.statement, node) for slot, node in zip(change.slots, change.nodes, strict=True)):
            return True
        watched: list[Slot] = []
        for slot, (old, node) in zip(change.slots, pairs, strict=True):
            watched += _watched(slot, old, node)
        return any(_is_constant(tree, change, place, tried, anew=anew) for place in watched)


def _watched(slot: Slot, old: ast.expr, node: ast.AST) -> list[Slot]:
    """The test or comparison that the change is in, what it puts there, and the factor that it adds."""
    if not isinstance(node, ast.expr):
        return []
    found = _tests_around(slot.statement, node)[:1]
    if isinstance(node, ast.BinOp | ast.Call | ast.Compare | ast.UnaryOp):
        found.append(slot)
    if is_product(node):
        found += [Slot(node, field, None, slot.statement) for field in _added_factors(old, node)]
    return [place for place in found if not _makes_room(place.node)]


def _tests_around(statement: ast.stmt, node: ast.expr) -> list[Slot]:
    """The tests and comparisons of a statement in which an expression stands."""
    around = [place for place in _places(statement) if _holds(place.node, node)]
    return [place for place in around if place.field == "test" or isinstance(place.node, ast.Compare)]


def _added_factors(old: ast.expr, product: ast.BinOp) -> Iterator[str]:
    """On which side a product has a factor that was not there before."""
    before = ast.unparse(old)
    if ast.unparse(product.left) == before:
        yield "right"
    if ast.unparse(product.right) == before:
        yield "left"


def _undoes_anew(old: ast.expr, node: ast.AST) -> bool:
    """Whether an expression undoes what it does, and the one in the place of which it stands does not."""
    return isinstance(node, ast.expr) and _undoes(node) and not _undoes(old)


def _makes_room(node: ast.AST) -> bool:
    """Whether an array is made there of which the shape, or the dtype, is what matters."""
    return any(last_name(part.func) in _ROOM for part in ast.walk(node) if isinstance(part, ast.Call))


def _places(statement: ast.stmt) -> Iterator[Slot]:
    for parent in ast.walk(statement):
        for name, held in ast.iter_fields(parent):
            several = enumerate(held) if isinstance(held, list) else ((None, held),)
            yield from (Slot(parent, name, i, statement) for i, node in several if isinstance(node, ast.expr))


def _holds(whole: ast.AST, part: ast.AST) -> bool:
    return any(node is part for node in ast.walk(whole))


class _Seen:
    """Notes what an expression is worth each time; it hands it on."""

    def __init__(self) -> None:
        self.values: set[float] = set()
        self.plain = True

    def __call__(self, value: Any, names: Mapping[str, Any]) -> Any:
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            self.plain = False
        else:
            self.values |= {float(array.min()), float(array.max())} if array.size else set()
        return value


def _is_constant(tree: Tree, change: Change, slot: Slot, trials: Iterable[Trial], *, anew: bool) -> bool:
    """Whether what stands in a slot is 0 everywhere, or 1 everywhere, whenever backward comes by."""
    node = slot.node
    slot.put(hooked(node))
    try:
        code = compiled(tree.function.live, tree.node)
    finally:
        slot.put(node)
    if code is None:
        return False
    seen = _Seen()
    for trial in trials:
        with patched(tree.function.live, code, {**trial.given(change.needs), HOOK: seen}):
            trial.claims(anew=anew)
    return seen.plain and seen.values in ({0.0}, {1.0})


def _undoes(node: ast.expr) -> bool:
    """Whether a formula divides by one of its own factors, negates twice, or turns axes twice."""
    for part in ast.walk(node):
        if is_negated(part) and _is_negative(part.operand):
            return True
        if isinstance(part, ast.expr) and _turns(part) and _turns(_owner(part)):
            return True
    return any(term.above & term.below for term in terms(node))


def _takes_back(statement: ast.stmt, node: ast.AST) -> bool:
    """Whether a sum around what was put there adds a term and takes it away again."""
    around = (place.node for place in _places(statement) if _holds(place.node, node))
    found = [set(_summands(each, 1)) for each in around if isinstance(each, ast.BinOp)]
    return any((-sign, text) in some for some in found for sign, text in some)


def _summands(node: ast.expr, sign: int) -> Iterator[tuple[int, str]]:
    if is_sum(node):
        yield from _summands(node.left, sign)
        yield from _summands(node.right, sign if isinstance(node.op, ast.Add) else -sign)
    else:
        yield sign, ast.unparse(node)


def _is_negative(node: ast.expr) -> bool:
    """Whether a product or a quotient begins with a minus."""
    while is_operation(node, ast.Mult | ast.Div | ast.MatMult):
        node = node.left
    return is_negated(node)


def _turns(node: ast.AST | None) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Attribute) and last_name(called) in _TURNS_AXES


def _owner(node: ast.AST) -> ast.AST | None:
    """What a method is called on, or an attribute read of."""
    called = node.func if isinstance(node, ast.Call) else node
    return called.value if isinstance(called, ast.Attribute) else None
