"""A transpose that is missing or too many, and the factors of a matrix product exchanged; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import is_whole
from gradproof.mend.tree import Tree
from gradproof.source.syntax import (
    called_method,
    calls,
    is_operation,
)

TRANSPOSED = SlipKind(
    "GP105", "slip-transposed", "{value} is transposed where it must be taken as it is", ("transpose",)
)
TRANSPOSE_MISSING = SlipKind(
    "GP105",
    "slip-transpose-missing",
    "a transpose is missing: {value} stands where its transpose belongs",
    ("transpose",),
)
FACTORS_EXCHANGED = SlipKind(
    "GP105",
    "slip-factors-exchanged",
    "the factors of a matrix product are exchanged: {first} stands before {second}",
    ("transpose",),
)


def transposes(tree: Tree) -> Iterator[Change]:
    """A transpose that is missing or too many, and the factors of a matrix product exchanged."""
    for slot in tree.slots:
        node = slot.node
        inner = _transposed(node)
        if inner is not None:
            yield instead(slot, same(inner), TRANSPOSED(value=ast.unparse(inner)))
        elif is_whole(slot):
            slip = TRANSPOSE_MISSING(value=ast.unparse(node))
            yield instead(slot, ast.Attribute(same(node), "T", ast.Load()), slip)
            yield instead(slot, parse(f"({ast.unparse(node)}).swapaxes(-1, -2)"), slip)
        pair = _operands(node)
        if pair is not None:
            first, second = (ast.unparse(operand) for operand in pair)
            slip = FACTORS_EXCHANGED(first=ast.unparse(pair[0]), second=ast.unparse(pair[1]))
            for left, right in ((second, first), (f"({second}).T", f"({first}).T")):
                yield instead(slot, parse(f"({left}) @ ({right})"), slip)


def _transposed(node: ast.expr) -> ast.expr | None:
    """What ``node`` is the transpose of; None where it is none."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    method = called_method(node)
    turns_axes = method is not None and method.attr in ("transpose", "swapaxes")
    return method.value if method is not None and turns_axes else None


def _operands(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """The two factors of ``a @ b`` and of ``np.dot(a, b)``."""
    if is_operation(node, ast.MatMult):
        return node.left, node.right
    if calls(node, "dot", "matmul", "outer") and len(node.args) == 2:
        return node.args[0], node.args[1]
    return None


CHANGES = (ChangeKind(transposes, place=1200),)
