"""The arrays at hand at a place of the source, by the expression that gives each; it calls none of the user's code."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.source.syntax import called_method, is_of_numpy

LONGEST = 40  # characters of an expression: a term that a student forgets is seldom longer
MOST = 60  # expressions that are evaluated at one place, names first
LARGEST = 4096  # entries of one array

_METHODS = frozenset({"sum", "mean", "max", "min", "reshape", "transpose", "swapaxes", "copy", "ravel"})
_FUNCTIONS = frozenset(
    {"exp", "log", "log1p", "expm1", "logaddexp", "tanh", "sin", "cos", "sqrt", "square", "sign", "abs"}
    | {"sum", "mean", "maximum", "minimum", "where", "repeat"}
)
_PLAIN = (ast.Name, ast.Constant, ast.Slice, ast.Tuple, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp)
_WRITTEN_OUT = (ast.Attribute, ast.Subscript, ast.BinOp, ast.Compare, ast.Call)


def harmless_expressions(functions: Sequence[ast.AST]) -> Iterator[str]:
    """The expressions in functions that may be evaluated without harm, each once."""
    found: dict[str, None] = {}
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, _WRITTEN_OUT) and not isinstance(getattr(node, "ctx", None), ast.Store):
                text = ast.unparse(node)
                if len(text) <= LONGEST and "grads" not in text and _is_harmless(node):  # a gradient is no operand
                    found.setdefault(text)
    yield from found


def _is_harmless(node: ast.AST) -> bool:
    """Whether an expression may be evaluated: it calls nothing but a few functions that change nothing."""
    if isinstance(node, ast.Call):
        return _is_harmless_call(node)
    if isinstance(node, ast.Compare):
        return all(map(_is_harmless, (node.left, *node.comparators)))
    if not isinstance(node, _PLAIN):
        return False
    return all(_is_harmless(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def _is_harmless_call(node: ast.Call) -> bool:
    method = called_method(node)
    if method is None:
        return False
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    if is_of_numpy(method):
        return method.attr in _FUNCTIONS and all(map(_is_harmless, given))
    return method.attr in _METHODS and all(map(_is_harmless, (*given, method.value)))


class Expressions:
    """Expressions that are evaluated wherever backward comes by; ``evaluate`` gives the values there."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._codes = {text: compile(text, "<gradproof>", "eval") for text in dict.fromkeys(texts)}

    def evaluate(self, outside: dict[str, Any], inside: Mapping[str, Any]) -> dict[str, Floats]:
        """The values of those that give an array or a number here, one for each value, names before the rest."""
        found: dict[str, Floats] = {}
        seen: set[object] = set()
        for text, code in self._codes.items():
            try:
                value = eval(code, outside, inside)
            except Exception:
                continue
            if not isinstance(value, np.ndarray | float | int | np.number):
                continue
            array = np.asarray(value)
            if array.dtype.kind not in "fiub" or array.size > LARGEST or len(found) >= MOST:
                continue
            key = array.dtype.kind in "iu", array.shape, array.astype(np.float64).tobytes()
            if key not in seen:
                seen.add(key)
                found[text] = array.astype(np.float64) if array.dtype.kind == "b" else array.copy()
        return found
