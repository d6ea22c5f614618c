"""Changes of what raises wherever it runs: a shape that is called, a cache taken apart into too few names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations
from math import comb

from gradproof.mend.change import Change, instead, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import Slot, statements
from gradproof.mend.tree import Tree
from gradproof.source.syntax import called_method, constant

CALLED = SlipKind("GP303", "slip-called", "{mine} is no function: {other} belongs there", ("the wrong operand",))
TOO_FEW_NAMES = SlipKind(
    "GP303", "slip-too-few-names", "{what} holds {count} things: {other} takes it apart", ("the wrong operand",)
)
PART_TAKEN = SlipKind(
    "GP303", "slip-part-taken-apart", "{mine} is one thing of it: {other} belongs there", ("the wrong operand",)
)
NO_FUNCTIONS = frozenset({"shape", "size", "ndim", "T", "dtype"})
MOST_WAYS = 20  # to leave out some of the things that forward keeps


def uncalled(tree: Tree) -> Iterator[Change]:
    """``x.shape`` for ``x.shape()``, ``x.shape[0]`` for ``x.shape(0)``."""
    for slot in tree.slots:
        node = slot.node
        method = called_method(node)
        if method is not None and method.attr in NO_FUNCTIONS and isinstance(node, ast.Call) and len(node.args) < 2:
            plain = same(method)
            other = ast.Subscript(plain, same(node.args[0]), ast.Load()) if node.args else plain
            yield instead(slot, other, CALLED(mine=ast.unparse(method), other=ast.unparse(other)))


def unpacked(tree: Tree) -> Iterator[Change]:
    """``x, _, mask = cache`` for ``x, mask = cache`` where forward keeps three things; ``cache`` for ``cache[0]``."""
    counts = sorted({len(each.elts) for function in tree.others for each in _kept_together(function)})
    for statement in statements(tree.node):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            yield from _as_a_whole(statement)
            for count in counts:
                yield from _with_gaps(statement, statement.targets[0], count)


def _as_a_whole(statement: ast.Assign) -> Iterator[Change]:
    """What is taken apart, and not one thing of it."""
    part = statement.value
    if isinstance(part, ast.Subscript) and constant(part.slice) is not None:
        slip = PART_TAKEN(mine=ast.unparse(part), other=ast.unparse(part.value))
        yield instead(Slot(statement, "value", None, statement), same(part.value), slip)


def _kept_together(function: ast.AST) -> Iterator[ast.Tuple]:
    """The tuples of names in a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.Tuple) and all(isinstance(each, ast.Name | ast.Attribute) for each in node.elts):
            yield node


def _with_gaps(statement: ast.Assign, target: ast.Tuple, count: int) -> Iterator[Change]:
    """The names in their order, with ``_`` for what is left out of so many things."""
    is_possible = isinstance(statement.value, ast.Name) and len(target.elts) < count
    if not is_possible or comb(count, len(target.elts)) > MOST_WAYS:
        return
    slot, what = Slot(statement, "targets", 0, statement), ast.unparse(statement.value)
    for places in combinations(range(count), len(target.elts)):
        at = dict(zip(places, target.elts, strict=True))
        names = [same(at[place]) if place in at else ast.Name("_", ast.Store()) for place in range(count)]
        changed = ast.Tuple(names, ast.Store())
        yield instead(slot, changed, TOO_FEW_NAMES(what=what, count=str(count), other=ast.unparse(changed)[1:-1]))


CHANGES = (
    ChangeKind(uncalled, place=1000),
    ChangeKind(unpacked, place=1005),
)
