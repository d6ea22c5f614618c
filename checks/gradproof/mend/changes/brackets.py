"""Changes of brackets: some that are missing, too many, or at the wrong place; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations
from typing import TypeGuard

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls

BRACKETS = SlipKind(
    "GP117",
    "slip-brackets",
    "brackets: one of forward and backward has them at the wrong place in {value}",
    ("wrong power", "the wrong operand", "a factor left out", "a factor too many", "the forward is the wrong side"),
)
MOST_OPERANDS = 8  # of an expression between which brackets are moved


def brackets(tree: Tree) -> Iterator[Change]:
    """``a / (b + c)`` for ``a / b + c``, ``f(a) + b`` for ``f(a + b)``, and the reverse of both."""
    for slot in tree.slots:
        node = slot.node
        slip = BRACKETS(value=ast.unparse(node))
        inside = isinstance(slot.parent, ast.BinOp) and node not in _operands(slot.parent)[0]
        if isinstance(node, ast.BinOp):
            for changed in (*(() if inside else _bracketed(node)), *_into_calls(node)):
                yield instead(slot, changed, slip)
        else:
            for changed in _outside(node):
                yield instead(slot, changed, slip)


_PRECEDENCE: dict[type[ast.operator], int] = {
    ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.FloorDiv: 2, ast.Mod: 2, ast.Pow: 3,
}  # fmt: skip
_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.FloorDiv: "//", ast.Mod: "%",
}  # fmt: skip


def _operands(node: ast.expr) -> tuple[list[ast.expr], list[str]]:
    """The operands of an expression as it is read from left to right, and the signs between; a power is one operand."""
    if not isinstance(node, ast.BinOp) or type(node.op) not in _SIGNS:
        return [node], []
    rank, left, right = _PRECEDENCE[type(node.op)], node.left, node.right
    first, signs = _operands(left) if _rank(left) >= rank else ([left], [])
    second, more = _operands(right) if _rank(right) > rank else ([right], [])
    return [*first, *second], [*signs, _SIGNS[type(node.op)], *more]


def _rank(node: ast.expr) -> int:
    return _PRECEDENCE.get(type(node.op), 0) if isinstance(node, ast.BinOp) else 0


def _bracketed(node: ast.BinOp) -> Iterator[ast.expr]:
    """The expression with brackets around some of its operands more, or without those around one of them."""
    operands, signs = _operands(node)
    if 1 < len(operands) <= MOST_OPERANDS:
        plain = [ast.unparse(operand) for operand in operands]
        texts = [_in_brackets(operand) for operand in operands]
        for other in (*_with_more(texts), *_with_fewer(texts, plain)):
            yield parse(_joined(other, signs))


def _in_brackets(operand: ast.expr) -> str:
    """An operand as it stands beside others: a sum, a product or a negative in brackets."""
    text = ast.unparse(operand)
    return f"({text})" if _rank(operand) in (1, 2) or isinstance(operand, ast.UnaryOp) else text


def _with_more(texts: list[str]) -> Iterator[list[str]]:
    """Operands with brackets around several of them, but not around all."""
    for first, last in combinations(range(len(texts)), 2):
        if (first, last) != (0, len(texts) - 1):
            yield _with_brackets(texts, first, last)


def _with_fewer(texts: list[str], plain: list[str]) -> Iterator[list[str]]:
    """Operands without the brackets around one of them."""
    for i, text in enumerate(plain):
        if text != texts[i]:
            yield [*texts[:i], text, *texts[i + 1 :]]


def _with_brackets(operands: list[str], first: int, last: int) -> list[str]:
    """Operands with brackets from one to another."""
    found = [*operands]
    found[first] = f"({found[first]}"
    found[last] = f"{found[last]})"
    return found


def _joined(operands: list[str], signs: list[str]) -> str:
    return " ".join([operands[0], *(f"{sign} {operand}" for sign, operand in zip(signs, operands[1:], strict=True))])


def _into_calls(node: ast.BinOp) -> Iterator[ast.expr]:
    """``f(a + b)`` for ``f(a) + b``: the bracket was closed too early."""
    call = node.left
    sign = {**_SIGNS, ast.Pow: "**"}.get(type(node.op))
    if sign is not None and _is_call_of_one(call) and not calls(call, "len"):
        yield parse(f"{ast.unparse(call.func)}({ast.unparse(call.args[0])} {sign} {_as_operand(node.right)})")


def _is_call_of_one(node: ast.expr) -> TypeGuard[ast.Call]:
    """Whether something is called with one argument, and nothing beside it."""
    return isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords


def _as_operand(node: ast.expr) -> str:
    return f"({ast.unparse(node)})" if isinstance(node, ast.BinOp) else ast.unparse(node)


def _outside(node: ast.expr) -> Iterator[ast.expr]:
    """``f(a) + b`` for ``f(a + b)``: it was closed too late."""
    inner = node.args[0] if _is_call_of_one(node) else None
    if isinstance(node, ast.Call) and isinstance(inner, ast.BinOp):
        yield ast.BinOp(ast.Call(same(node.func), [same(inner.left)], []), inner.op, same(inner.right))


CHANGES = (
    ChangeKind(brackets, place=1360),
    ChangeKind(brackets, place=3020, is_typo=True),
)
