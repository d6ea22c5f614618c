"""What an expression does, to be compared with another one: does it sum, does it take a part, and of which arrays?"""

from __future__ import annotations

import ast

from gradproof.source.stores import is_attribute, last_name

_SUMMING = frozenset({"sum", "mean", "einsum", "dot", "matmul", "tensordot"})


def sums(node: ast.expr) -> bool:
    """Whether something is summed in an expression."""
    calls = [last_name(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)]
    return any(isinstance(n, ast.MatMult) for n in ast.walk(node)) or not _SUMMING.isdisjoint(calls)


def cuts(node: ast.expr) -> bool:
    """Whether a part of an array is taken."""
    return any(isinstance(n, ast.Slice) and (n.lower or n.upper) for n in ast.walk(node))


def arrays_in(node: ast.expr) -> set[str]:
    """The names in it, and the attributes of self."""
    names = {ast.unparse(n) for n in ast.walk(node) if isinstance(n, ast.Name) or is_attribute(n)}
    return names - {"np", "self"}
