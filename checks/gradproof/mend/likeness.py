"""What an expression does, to be compared with another one: does it sum, does it take a part, and of which arrays?"""

from __future__ import annotations

import ast

from gradproof.source.syntax import constant, cuts_off, is_attribute, last_name

_SUMMING = frozenset({"sum", "mean", "einsum", "dot", "matmul", "tensordot"})


def sums(node: ast.expr) -> bool:
    """Whether something is summed in an expression."""
    calls = [last_name(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)]
    return any(isinstance(n, ast.MatMult) for n in ast.walk(node)) or not _SUMMING.isdisjoint(calls)


def cuts(node: ast.expr) -> bool:
    """Whether a part of an array is taken: what a slice leaves, or one entry along some of its axes."""
    return any(cuts_off(part) or _takes_one(part) for part in ast.walk(node))


def _takes_one(node: ast.AST) -> bool:
    """Whether it is one entry along an axis, of several that are named: ``dout[:, 0]``."""
    index = node.slice if isinstance(node, ast.Subscript) else None
    return isinstance(index, ast.Tuple) and any(isinstance(constant(part), int) for part in index.elts)


def reads(node: ast.expr, text: str) -> bool:
    """Whether an expression, written as ``text``, occurs in it."""
    return any(ast.unparse(part) == text for part in ast.walk(node) if isinstance(part, ast.expr))


def arrays_in(node: ast.expr) -> set[str]:
    """The names in it, and the attributes of self."""
    names = {ast.unparse(n) for n in ast.walk(node) if isinstance(n, ast.Name) or is_attribute(n)}
    return names - {"np", "self"}
