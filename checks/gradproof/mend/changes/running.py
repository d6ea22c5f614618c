"""Changes of sums that run along an axis: in the wrong direction, or missing; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slip_kinds import NOT_SUMMED
from gradproof.mend.slots import Slot, is_indexing, is_read, takes_factor
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls, is_of_numpy

WRONG_DIRECTION = SlipKind(
    "GP109",
    "slip-direction-of-sum",
    "the sum runs in the wrong direction: {value} adds up what comes before each entry,"
    " where what comes after it belongs",
    ("entries permuted", "transpose", "not carried through time"),
)


def turned(tree: Tree) -> Iterator[Change]:
    """A running sum from the other end: what forward adds from the front, backward adds from the back."""
    for slot in tree.slots:
        for value, axis in _sums(slot.node):
            yield instead(
                slot, parse(_from_behind(value, axis)), WRONG_DIRECTION(value=ast.unparse(slot.node)), sure=True
            )


def left_out(tree: Tree) -> Iterator[Change]:
    """A running sum that forward takes, and that is missing in backward."""
    axes = sorted({axis for function in tree.others for axis in _axes_in(function)})
    for slot in tree.slots if axes else ():
        is_value = takes_factor(slot) or is_read(slot)
        if is_value and not is_indexing(slot):
            for axis in axes:
                yield from _summed_along(slot, axis)


def _axes_in(function: ast.AST) -> Iterator[str]:
    """The axes of the running sums in a function."""
    for node in ast.walk(function):
        yield from (axis for _, axis in _sums(node))


def _summed_along(slot: Slot, axis: str) -> Iterator[Change]:
    mine = ast.unparse(slot.node)
    for whole in (f"np.cumsum({mine}{axis})", _from_behind(mine, axis)):
        slip = NOT_SUMMED(mine=ast.unparse(slot.node), other=ast.unparse(parse(whole)))
        yield instead(slot, parse(whole), slip)


def _sums(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What a running sum adds up, and along which axis, as an argument: ", axis=1"; "" for all entries."""
    if not calls(node, "cumsum"):
        return
    given = [ast.unparse(argument) for argument in node.args]
    if isinstance(node.func, ast.Attribute) and not is_of_numpy(node.func):
        given.insert(0, ast.unparse(node.func.value))
    named = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "axis"]
    axis = next(iter([*named, *given[1:2]]), None)
    if given:
        yield given[0], "" if axis is None else f", axis={axis}"


def _from_behind(value: str, axis: str) -> str:
    return f"np.flip(np.cumsum(np.flip({value}{axis}){axis}){axis})"


CHANGES = (
    ChangeKind(turned, place=1480),
    ChangeKind(left_out, place=1490),
)
