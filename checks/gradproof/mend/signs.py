"""Changes of one sign, or of one operator; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.contractions import bracketed
from gradproof.mend.slots import Slot, is_whole
from gradproof.mend.tree import Tree
from gradproof.source.stores import constant, is_attribute

_OPPOSITE: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


def signs(tree: Tree) -> Iterator[Change]:
    """``b - a`` for ``a - b`` as a factor, ``a - b`` for ``a + b``, ``-a`` for ``a``, ``a / b`` for ``a * b``."""
    for slot in tree.slots:
        if isinstance(slot.node, ast.BinOp) and _is_factor_of_two_sides(slot):
            turned = ast.BinOp(same(slot.node.right), ast.Sub(), same(slot.node.left))
            text = f"the sign is wrong: {short(slot.node)} stands where {short(turned)} belongs"
            yield instead(slot, turned, "GP103", text)
    for slot in tree.slots:
        node = slot.node
        if isinstance(node, ast.BinOp) and (other := _OPPOSITE.get(type(node.op))) is not None:
            if isinstance(node.op, ast.Div) and tree.is_count(node.right):
                continue  # nobody divides by a number of entries where he would multiply by it
            changed = ast.BinOp(same(node.left), other(), same(node.right))
            yield instead(slot, changed, *_operator_words(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and constant(node) is None:
            text = f"the sign is wrong: the minus before {short(node.operand)} is one too many"
            yield instead(slot, same(node.operand), "GP103", text)
        elif is_whole(slot):
            text = f"the sign is wrong: a minus is missing before {short(node)}"
            yield instead(slot, ast.UnaryOp(ast.USub(), same(node)), "GP103", text)


def pairs(tree: Tree) -> Iterator[Change]:
    """The signs of two neighbouring terms: ``a - b + c`` for ``a + b - c``."""
    for slot in tree.slots:
        terms = list(_terms(slot.node, 1))
        inner = isinstance(slot.parent, ast.BinOp) and isinstance(slot.parent.op, ast.Add | ast.Sub)
        for i in range(1, len(terms) - 1) if not inner else ():
            told = [_told(term, -sign if k in (i, i + 1) else sign) for k, (term, sign) in enumerate(terms)]
            mine = " ".join(_told(*term) for term in terms[i : i + 2])
            text = f"the sign of two terms is wrong: {mine} stands where {' '.join(told[i : i + 2])} belongs"
            yield instead(slot, parse(" ".join(told).removeprefix("+ ")), "GP103", text)


def _terms(node: ast.expr, sign: int) -> Iterator[tuple[ast.expr, int]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield from _terms(node.left, sign)
        yield node.right, sign if isinstance(node.op, ast.Add) else -sign
    else:
        yield node, sign


def _told(term: ast.expr, sign: int) -> str:
    return f"{'+' if sign > 0 else '-'} {bracketed(ast.unparse(term))}"


def _operator_words(node: ast.BinOp) -> tuple[str, str]:
    right = short(node.right)
    if isinstance(node.op, ast.Add | ast.Sub):
        mine, other = ("+", "-") if isinstance(node.op, ast.Add) else ("-", "+")
        return "GP103", f"the sign of a term is wrong: {mine} {right} stands where {other} {right} belongs"
    if isinstance(node.op, ast.Div):
        return "GP117", f"backward divides by {right} where it must multiply by it"
    return "GP117", f"backward multiplies by {right} where it must divide by it"


def _is_factor_of_two_sides(slot: Slot) -> bool:
    """Whether a difference of two arrays is a factor: which of them is taken from the other is easily mixed up."""
    node, parent = slot.node, slot.parent
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub) or not isinstance(parent, ast.BinOp):
        return False
    plain = all(isinstance(side, ast.Name | ast.Subscript) or is_attribute(side) for side in (node.left, node.right))
    return plain and isinstance(parent.op, ast.Mult)
