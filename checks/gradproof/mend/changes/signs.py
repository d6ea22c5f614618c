"""Changes of one sign, or of one operator; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.contractions import bracketed
from gradproof.mend.several_places import everywhere
from gradproof.mend.slots import Slot, is_whole
from gradproof.mend.tree import Tree
from gradproof.source.syntax import constant, is_attribute, is_negated, is_operation, is_product, is_sum

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
            yield instead(slot, changed, *_operator_words(node))
        if is_negated(node) and constant(node) is None:
            text = f"the sign is wrong: the minus before {short(node.operand)} is one too many"
            yield instead(slot, same(node.operand), "GP103", text)
        elif is_whole(slot):
            text = f"the sign is wrong: a minus is missing before {short(node)}"
            yield instead(slot, ast.UnaryOp(ast.USub(), same(node)), "GP103", text)


def _differences_turned(tree: Tree) -> Iterator[Change]:
    """``b - a`` for ``a - b``, where it is a factor."""
    for slot in tree.slots:
        if isinstance(slot.node, ast.BinOp) and _is_difference_as_factor(slot):
            turned = ast.BinOp(same(slot.node.right), ast.Sub(), same(slot.node.left))
            text = f"the sign is wrong: {short(slot.node)} stands where {short(turned)} belongs"
            yield instead(slot, turned, "GP103", text)


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
            text = f"the sign of two terms is wrong: {' '.join(mine[i : i + 2])} stands where"
            text = f"{text} {' '.join(changed[i : i + 2])} belongs"
            yield instead(slot, parse(" ".join(changed).removeprefix("+ ")), "GP103", text)


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


def _operator_words(node: ast.BinOp) -> tuple[str, str]:
    right = short(node.right)
    if isinstance(node.op, ast.Add | ast.Sub):
        mine, other = ("+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
        return "GP103", f"the sign of a term is wrong: {mine} {right} stands where {other} {right} belongs"
    if isinstance(node.op, ast.Div):
        return "GP117", f"backward divides by {right} where it must multiply by it"
    return "GP117", f"backward multiplies by {right} where it must divide by it"


CHANGES = (
    ChangeKind(signs, place=1100),
    ChangeKind(pairs, place=1110),
    ChangeKind(everywhere(signs), place=1500),
    ChangeKind(signs, place=3030),
    ChangeKind(signs, place=5040),
)
