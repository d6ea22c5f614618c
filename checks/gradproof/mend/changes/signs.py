"""Changes of one sign, or of one operator; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.contractions import bracketed
from gradproof.mend.several_places import everywhere
from gradproof.mend.slip import Slip, SlipKind
from gradproof.mend.slip_kinds import SIGN_OF_TERM
from gradproof.mend.slots import Slot, is_whole
from gradproof.mend.tree import Tree
from gradproof.source.syntax import constant, is_attribute, is_negated, is_operation, is_product, is_sum

_SIGN = ("sign",)
SIGN = SlipKind("GP103", "slip-sign", "the sign is wrong: {mine} stands where {other} belongs", _SIGN)
MINUS_TOO_MANY = SlipKind(
    "GP103", "slip-minus-too-many", "the sign is wrong: the minus before {value} is one too many", _SIGN
)
MINUS_MISSING = SlipKind("GP103", "slip-minus-missing", "the sign is wrong: a minus is missing before {value}", _SIGN)
SIGN_OF_TWO_TERMS = SlipKind(
    "GP103", "slip-sign-of-two-terms", "the sign of two terms is wrong: {mine} stands where {other} belongs", _SIGN
)
DIVIDES = SlipKind(
    "GP117", "slip-divides", "backward divides by {value} where it must multiply by it", ("wrong power",)
)
MULTIPLIES = SlipKind(
    "GP117", "slip-multiplies", "backward multiplies by {value} where it must divide by it", ("wrong power",)
)
_OPPOSITE: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


def signs(tree: Tree) -> Iterator[Change]:
    """``b - a`` for ``a - b`` as a factor, ``a - b`` for ``a + b``, ``-a`` for ``a``, ``a / b`` for ``a * b``."""
    yield from _differences_turned(tree)
    for slot in tree.slots:
        node = slot.node
        if is_operation(node, ast.Div) and tree.is_count(node.right):
            continue  # nobody divides by a number of entries where he would multiply by it
        if isinstance(node, ast.BinOp) and type(node.op) in _OPPOSITE:
            changed = ast.BinOp(same(node.left), _OPPOSITE[type(node.op)](), same(node.right))
            yield instead(slot, changed, _other_operator(node))
        if is_negated(node) and constant(node) is None:
            yield instead(slot, same(node.operand), MINUS_TOO_MANY(value=ast.unparse(node.operand)))
        elif is_whole(slot):
            yield instead(slot, ast.UnaryOp(ast.USub(), same(node)), MINUS_MISSING(value=ast.unparse(node)))


def _differences_turned(tree: Tree) -> Iterator[Change]:
    """``b - a`` for ``a - b``, where it is a factor."""
    for slot in tree.slots:
        if isinstance(slot.node, ast.BinOp) and _is_difference_as_factor(slot):
            turned = ast.BinOp(same(slot.node.right), ast.Sub(), same(slot.node.left))
            yield instead(slot, turned, SIGN(mine=ast.unparse(slot.node), other=ast.unparse(turned)))


def pairs(tree: Tree) -> Iterator[Change]:
    """The signs of two neighbouring terms: ``a - b + c`` for ``a + b - c``."""
    for slot in tree.slots:
        terms = list(_terms(slot.node, 1))
        is_part_of_sum = is_sum(slot.parent)
        if is_part_of_sum or len(terms) <= 2:
            continue
        mine = [_signed(term, sign) for term, sign in terms]
        opposite = [_signed(term, -sign) for term, sign in terms]
        for i in range(1, len(terms) - 1):
            changed = [*mine[:i], *opposite[i : i + 2], *mine[i + 2 :]]
            slip = SIGN_OF_TWO_TERMS(mine=" ".join(mine[i : i + 2]), other=" ".join(changed[i : i + 2]))
            yield instead(slot, parse(" ".join(changed).removeprefix("+ ")), slip)


def _terms(node: ast.expr, sign: int) -> Iterator[tuple[ast.expr, int]]:
    if is_sum(node):
        yield from _terms(node.left, sign)
        yield node.right, sign if isinstance(node.op, ast.Add) else -sign
    else:
        yield node, sign


def _is_difference_as_factor(slot: Slot) -> bool:
    """Whether a difference of two arrays is a factor: which of them is taken from the other is easily mixed up."""
    if not is_operation(slot.node, ast.Sub) or not is_product(slot.parent):
        return False
    return _is_array(slot.node.left) and _is_array(slot.node.right)


def _is_array(node: ast.expr) -> bool:
    """Whether it is an array as it is: a variable, an attribute of ``self``, or an entry."""
    return isinstance(node, ast.Name | ast.Subscript) or is_attribute(node)


def _signed(term: ast.expr, sign: int) -> str:
    return f"{'+' if sign > 0 else '-'} {bracketed(ast.unparse(term))}"


def _other_operator(node: ast.BinOp) -> Slip:
    right = ast.unparse(node.right)
    if isinstance(node.op, ast.Add | ast.Sub):
        mine, other = ("+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
        return SIGN_OF_TERM(mine=f"{mine} {right}", other=f"{other} {right}")
    return (DIVIDES if isinstance(node.op, ast.Div) else MULTIPLIES)(value=right)


CHANGES = (
    ChangeKind(signs, place=1100),
    ChangeKind(pairs, place=1110),
    ChangeKind(everywhere(signs), place=1500),
    ChangeKind(signs, place=3030),
    ChangeKind(signs, place=5040),
)
