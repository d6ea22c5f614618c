"""What single statements of backward do: steps of descent by hand, an answer that is compared; it runs nothing."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gradproof.convention.attributes import definition_of


@functools.lru_cache(maxsize=512)
def moves_by_hand(function: Callable[..., Any]) -> bool:
    """Whether its source adds to what an attribute holds, or takes off: ``self.W -= ...``, ``self.b = self.b - s``."""
    definition = definition_of(function)
    return definition is not None and any(map(_is_step, ast.walk(definition)))


def _is_step(node: ast.AST) -> bool:
    match node:
        case ast.AugAssign(target=ast.Attribute() | ast.Subscript(), op=ast.Sub() | ast.Add()):
            return True
        case ast.Assign(targets=[ast.Attribute() as target], value=ast.BinOp(left=left, op=ast.Sub() | ast.Add())):
            return ast.unparse(target) == ast.unparse(left)
        case _:
            return False


@functools.lru_cache(maxsize=512)
def rate_by_hand(function: Callable[..., Any]) -> float | None:
    """The number by which all its steps ``self.W -= 0.01 * dW`` are multiplied; None where they share none.

    It stands in the source, or is a number of the module under the name that stands there.
    """
    definition = definition_of(function)
    steps = [] if definition is None else [node for node in ast.walk(definition) if _is_step(node)]
    rates = {_rate_of(node, function.__globals__) for node in steps}
    return next(iter(rates)) if len(rates) == 1 else None


def _rate_of(step: ast.AST, names: Mapping[str, Any]) -> float | None:
    match step:
        case ast.AugAssign(op=ast.Sub(), value=taken) | ast.Assign(value=ast.BinOp(op=ast.Sub(), right=taken)):
            factors = [_value(part, names) for part in _factors(taken)]
        case _:
            return None
    numbers = [float(factor) for factor in factors if isinstance(factor, (int, float))]
    return numbers[0] if len(numbers) == 1 and numbers[0] > 0 else None


def _value(factor: ast.Name | ast.Constant, names: Mapping[str, Any]) -> Any:
    return names.get(factor.id) if isinstance(factor, ast.Name) else factor.value


def _factors(value: ast.expr) -> Iterator[ast.Name | ast.Constant]:
    """The names and numbers that an expression multiplies."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
        yield from _factors(value.left)
        yield from _factors(value.right)
    elif isinstance(value, (ast.Name, ast.Constant)):
        yield value


def compares(function: Callable[..., Any], name: str) -> bool:
    """Whether its source holds an argument against something else: ``y - self.out``, ``self.p[rows, y]``."""
    definition = definition_of(function)
    return definition is not None and any(_compares(node, name) for node in ast.walk(definition))


def _compares(node: ast.AST, name: str) -> bool:
    match node:
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            is_on_one_side = _is_name(left, name) != _is_name(right, name)
            is_in_both = _mentions(left, name) and _mentions(right, name)
            return is_on_one_side and not is_in_both
        case ast.Subscript(slice=place):
            return _mentions(place, name)
        case _:
            return False


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _mentions(node: ast.AST, name: str) -> bool:
    return any(_is_name(inner, name) for inner in ast.walk(node))
