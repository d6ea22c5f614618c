"""Changes of what is summed, and over which axes; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.several_places import everywhere
from gradproof.mend.slip import SlipKind
from gradproof.mend.slip_kinds import NOT_SUMMED, ONLY_A_PART
from gradproof.mend.slots import Slot, is_read, is_whole
from gradproof.mend.tree import Tree
from gradproof.source.syntax import (
    calls,
    constant,
    elements,
    is_of_numpy,
    last_name,
)

_OVER = "a {function} over {axis}"
_AXIS = ("sum over the wrong axis", "not broadcast back")
DROPS_AXIS = SlipKind("GP116", "slip-drops-axis", f"{_OVER} drops that axis: see keepdims", _AXIS)
KEEPS_AXIS = SlipKind("GP116", "slip-keeps-axis", f"{_OVER} keeps that axis: see keepdims", _AXIS)
WRONG_AXIS = SlipKind(
    "GP116",
    "slip-wrong-axis",
    "a {function} runs over the wrong axis: {axis}, not {other}",
    ("sum over the wrong axis",),
)
SUM_MISSING = SlipKind(
    "GP114", "slip-sum-missing", "it is not summed: the sum over axis {axis} of {value} is missing", ("not summed",)
)
NOT_BROADCAST = SlipKind(
    "GP107",
    "slip-not-broadcast",
    "it is not broadcast back: {value} must be handed to every entry",
    ("not broadcast back",),
)
_AXES = (None, "0", "1", "-1", "2", "(0, 1)", "(0, 2)", "(0, 2, 3)", "(1, 2)", "(2, 3)", "(1, 2, 3)", "(0, 1, 2)", "-2")


def axes(tree: Tree) -> Iterator[Change]:
    """Another axis of a sum, a mean or the like, or none; an axis that is kept."""
    for slot in tree.slots:
        if calls(slot.node, "sum", "mean", "max", "min", "cumsum"):
            yield from _over_other_axes(slot, slot.node)


def _over_other_axes(slot: Slot, node: ast.Call) -> Iterator[Change]:
    name, values, axis, keeps = _reduction(node)
    for other in dict.fromkeys((axis, *_AXES)):
        for kept in (keeps, not keeps):
            if other == axis:
                slip = (DROPS_AXIS if kept else KEEPS_AXIS)(function=name, axis=_axis_words(axis))
            else:
                slip = WRONG_AXIS(function=name, axis=_axis_words(axis), other=_axis_words(other))
            changed = ast.Call(same(node.func), [same(v) for v in values], _axis_keywords(other, kept=kept))
            yield instead(slot, changed, slip)


def _axis_words(axis: str | None) -> str:
    return "every axis" if axis is None else f"axis {axis}"


def _axis_keywords(axis: str | None, *, kept: bool) -> list[ast.keyword]:
    """``axis=0, keepdims=True``; without an axis, and where it is not kept, less."""
    words: list[ast.keyword] = []
    if axis is not None:
        words.append(ast.keyword("axis", parse(axis)))
    if kept:
        words.append(ast.keyword("keepdims", ast.Constant(True)))
    return words


def _reduction(node: ast.Call) -> tuple[str, list[ast.expr], str | None, bool]:
    """Of a call: its name, its arguments before the axis, the source of the axis, and whether it keeps it."""
    before = 1 if is_of_numpy(node.func) else 0
    words = {keyword.arg: keyword.value for keyword in node.keywords}
    axis = words.get("axis", next(iter(node.args[before:]), None))
    along = None if axis is None else ast.unparse(axis)
    return str(last_name(node.func)), node.args[:before], along, "keepdims" in words


def summed(tree: Tree) -> Iterator[Change]:
    """A sum or a mean that is missing around a value."""
    for slot in tree.slots:
        number = constant(slot.node)
        is_value = slot.parent is slot.statement and slot.field == "value"
        if is_value and isinstance(number, int) and number:
            yield from _sums_of_names(slot, number, tree.known)
        elif is_whole(slot) or isinstance(slot.node, ast.BinOp | ast.Call):
            yield from _sums_over_axes(slot)


def _sums_of_names(slot: Slot, number: int, known: Sequence[str]) -> Iterator[Change]:
    """``x.sum(axis=0)`` for 1, and for any other number."""
    sign = "-" if number < 0 else ""
    for name in known:
        for axis in ("1", "0"):
            total = f"{sign}{name}.sum(axis={axis})"
            yield instead(slot, parse(total), NOT_SUMMED(mine=str(number), other=total))


def _sums_over_axes(slot: Slot) -> Iterator[Change]:
    value = ast.unparse(slot.node)
    for axis in ("0", "1", "-1", "(0, 1)", "(0, 2, 3)", "(0, 2)", "None"):
        for keep in ("", ", keepdims=True"):
            slip = SUM_MISSING(axis=axis, value=value)
            wrapped = parse(f"({ast.unparse(slot.node)}).sum(axis={axis}{keep})")
            yield instead(slot, wrapped, slip)


def parts(tree: Tree) -> Iterator[Change]:
    """One entry along an axis where the sum over it belongs: ``dh[:, -1]`` for ``dh.sum(axis=1)``."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Subscript) or not is_read(Slot(node, "value", None, slot.statement)):
            continue
        axes = [axis for axis, part in enumerate(elements(node.slice)) if isinstance(constant(part), int)]
        if len(axes) == 1:
            total = parse(f"({ast.unparse(node.value)}).sum(axis={axes[0]})")
            yield instead(slot, total, ONLY_A_PART(mine=ast.unparse(node), other=ast.unparse(total)))


def spread(tree: Tree) -> Iterator[Change]:
    """What is summed, or taken at one place, handed on to every entry: a broadcast that is missing."""
    for slot in tree.slots:
        if slot.parent is slot.statement and not isinstance(slot.node, ast.Tuple | ast.Constant | ast.Compare):
            for name in tree.known:
                ones = f"np.ones({name})" if "shape" in name else f"np.ones_like({name})"
                slip = NOT_BROADCAST(value=ast.unparse(slot.node))
                yield instead(slot, parse(f"({ast.unparse(slot.node)}) * {ones}"), slip)


CHANGES = (
    ChangeKind(axes, place=1190),
    ChangeKind(parts, place=1230),
    ChangeKind(everywhere(axes), place=1530),
    ChangeKind(summed, place=2030),
    ChangeKind(spread, place=2080),
    ChangeKind(axes, place=3050, is_typo=True),
)
