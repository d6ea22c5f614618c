"""Changes of the kind of number that a value or a buffer holds; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import Slot
from gradproof.mend.tree import Tree
from gradproof.source.syntax import (
    called_method,
    calls,
    last_name,
    whole_number,
)

_DIGITS = ("down-casts",)
CAST = SlipKind("GP119", "slip-cast", "digits are lost: {mine} holds fewer of them than {other}", _DIGITS)
FEW_BITS = SlipKind(
    "GP119",
    "slip-few-bits",
    "digits are lost: a buffer of {dtype} holds fewer of them than the gradient has",
    _DIGITS,
)
LIKE_WHOLE_NUMBERS = SlipKind(
    "GP119",
    "slip-like-whole-numbers",
    "digits are lost: {buffer} holds what {like} holds, whole numbers or truth values",
    _DIGITS,
)
WHOLE_NUMBERS = SlipKind(
    "GP119",
    "slip-whole-numbers",
    "digits are lost: {buffer} holds whole numbers, and so does what is written into it",
    _DIGITS,
)


def casts(tree: Tree) -> Iterator[Change]:
    """A cast, or a buffer of few bits, that loses digits of the gradient."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Call):
            continue
        method = called_method(node)
        if method is not None and method.attr == "astype":
            yield instead(
                slot, same(method.value), CAST(mine=ast.unparse(node), other=ast.unparse(method.value)), sure=True
            )
        yield from _whole_numbers(slot, node)
        yield from _like_whole_numbers(slot, node)
        yield from _of_few_bits(slot, node)


def _of_few_bits(slot: Slot, node: ast.Call) -> Iterator[Change]:
    """A buffer that says of which numbers it is made: ``np.zeros(n, dtype=np.float16)``."""
    kinds = [keyword for keyword in node.keywords if keyword.arg == "dtype"]
    if kinds:
        others = [same(keyword) for keyword in node.keywords if keyword.arg != "dtype"]
        changed = ast.Call(same(node.func), [same(a) for a in node.args], others)
        yield instead(slot, changed, FEW_BITS(dtype=ast.unparse(kinds[0])), sure=True)


def _like_whole_numbers(slot: Slot, node: ast.Call) -> Iterator[Change]:
    """A buffer that is made like an array of whole numbers, or of truth values: ``np.zeros_like(mask)``."""
    if last_name(node.func) in ("zeros_like", "ones_like", "empty_like", "full_like") and node.args:
        slip = LIKE_WHOLE_NUMBERS(buffer=ast.unparse(node), like=ast.unparse(node.args[0]))
        changed = ast.Call(same(node.func), [same(a) for a in node.args], [ast.keyword("dtype", parse("float"))])
        yield instead(slot, changed, slip, sure=True)


def _whole_numbers(slot: Slot, node: ast.Call) -> Iterator[Change]:
    """A buffer that is made of whole numbers: ``np.array([0] * n)``, ``np.full(n, 0)``."""
    if calls(node, "array", "asarray", "full") and any(whole_number(part) is not None for part in ast.walk(node)):
        changed = ast.Call(ast.Attribute(same(node), "astype", ast.Load()), [parse("float")], [])
        yield instead(slot, changed, WHOLE_NUMBERS(buffer=ast.unparse(node)), sure=True)


CHANGES = (
    ChangeKind(casts, place=1150),
    ChangeKind(casts, place=4030),
)
