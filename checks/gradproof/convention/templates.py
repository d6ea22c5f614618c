"""Which functions are left to others to write: they do nothing, or refuse to; it reads sources and calls nothing."""

from __future__ import annotations

import ast
from typing import Any

from gradproof.convention.attributes import definition_of


def only_promises(function: Any) -> bool:
    """Whether the body of a function is, beside its docstring, nothing, or ``raise NotImplementedError``."""
    body = _body(function)
    return body is not None and (all(isinstance(part, ast.Pass) for part in body) or refuses(function))


def refuses(function: Any) -> bool:
    """Whether ``raise NotImplementedError``, or NotImplemented in its place, is all that a function does."""
    body = _body(function) or []
    raised = body[0].exc if len(body) == 1 and isinstance(body[0], ast.Raise) else None
    named = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(named, ast.Name) and named.id in ("NotImplementedError", "NotImplemented")


def _body(function: Any) -> list[ast.stmt] | None:
    """The statements without docstrings and other constants, as ``...``; None where the source cannot be read."""
    definition = definition_of(function)
    return None if definition is None else [part for part in definition.body if not _is_constant(part)]


def _is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
