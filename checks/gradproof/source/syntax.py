"""What a piece of syntax is: an operation of some kind, a call of a name, a number; it knows no tensor."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import UnionType
from typing import TypeGuard


def is_self(node: ast.expr, attribute: str) -> bool:
    """Whether ``node`` is ``self.attribute``."""
    return isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.value, ast.Name)


def is_attribute(node: object) -> TypeGuard[ast.Attribute]:
    """Whether ``node`` is an attribute of ``self``."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def is_operation(node: object, kinds: type[ast.operator] | UnionType) -> TypeGuard[ast.BinOp]:
    """Whether two operands are joined by an operator of these kinds: ``ast.Add | ast.Sub``."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, kinds)


def is_sum(node: object) -> TypeGuard[ast.BinOp]:
    """Whether it is a sum or a difference of two terms."""
    return is_operation(node, ast.Add | ast.Sub)


def is_product(node: object) -> TypeGuard[ast.BinOp]:
    """Whether it is a product of two factors."""
    return is_operation(node, ast.Mult)


def is_negated(node: object) -> TypeGuard[ast.UnaryOp]:
    """Whether it has a minus before it."""
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def calls(node: object, *names: str) -> TypeGuard[ast.Call]:
    """Whether it calls a function or a method of one of these names."""
    return isinstance(node, ast.Call) and last_name(node.func) in names


def called_method(node: object) -> ast.Attribute | None:
    """What a call with a dot before its name calls: ``x.sum`` of ``x.sum(axis=0)``; None for any other."""
    return node.func if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def is_of_numpy(function: ast.expr) -> bool:
    """Whether a function is one of NumPy's: ``np.sum``."""
    return isinstance(function, ast.Attribute) and ast.unparse(function.value) == "np"


def cuts_off(node: object) -> TypeGuard[ast.Slice]:
    """Whether it is a slice that leaves entries out at one of its ends."""
    return isinstance(node, ast.Slice) and (node.lower is not None or node.upper is not None)


def elements(node: ast.expr) -> list[ast.expr]:
    """The elements of a tuple; of anything else, the node itself: the targets of a line, the axes of an index."""
    return node.elts if isinstance(node, ast.Tuple) else [node]


def targets_of(statement: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to, or adds to; of any other, nothing."""
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AugAssign | ast.AnnAssign) else []


def variables(node: ast.AST) -> Iterator[str]:
    """The variables in a piece of source, read or written, ``self`` and ``np`` among them."""
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def variables_read(node: ast.AST) -> set[str]:
    """The variables whose value is read."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def last_name(node: ast.expr) -> str | None:
    """``W`` for ``W`` and for ``self.W``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number, which True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def constant(node: ast.expr) -> object:
    """The value of a literal, a negative number among them; None for anything else."""
    if is_negated(node) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if is_number(value) else None
    return node.value if isinstance(node, ast.Constant) else None


def whole_number(node: object) -> int | None:
    """The value of a literal without a sign that is a whole number; None for any other, and for True and False."""
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None
