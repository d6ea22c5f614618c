"""Which of the values that a layer's forward returns are outputs, and whether one is a cache; it calls nothing."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradproof.convention.argument_names import role_of
from gradproof.convention.attributes import definition_of
from gradproof.convention.calling import arguments, takes_cache

Values = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Returned:
    """What one forward returned: all values, those of them that are outputs, and the cache, if it has one."""

    values: Values = ()
    outputs: Values = (None,)
    cache: Any = None
    has_cache: bool = False

    @property
    def notes(self) -> list[str]:
        """What is told of values that are neither an output nor the cache."""
        if len(self.values) <= len(self.outputs) + self.has_cache:
            return []
        count = len(self.values)
        return [f"forward returns {count} values, backward is given the gradient of the first: no other is checked"]


def returned_by(result: Any, backward: Callable[..., Any]) -> Returned:
    """What a layer's forward returned, as its backward takes it.

    A single upstream gradient, of which no values are taken one by one, belongs to the first of several: the others are
    shown beside it, as the weights of an attention.
    """
    values = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    if len(values) > 1 and takes_cache(backward):
        return Returned(values, values[:-1], values[-1], has_cache=True)
    if len(values) > 1 and takes_one_dout(backward):
        return Returned(values, values[:1])
    return Returned(values, values)


@functools.lru_cache(maxsize=256)
def takes_one_dout(backward: Callable[..., Any]) -> bool:
    """Whether the one argument that it needs is an upstream gradient, of which no single values are taken."""
    definition = definition_of(backward)
    taken = arguments(backward)[1:]
    needed = [name for name, is_required in taken if is_required]
    douts = [name for name, _ in taken if role_of(name) == "dout"]
    if definition is None or len(needed) != 1 or douts != needed:
        return False
    return not any(_takes_apart(node, needed[0]) for node in ast.walk(definition))


def _takes_apart(node: ast.AST, name: str) -> bool:
    """Whether an expression or a statement takes several values out of what a name holds."""
    match node:
        case ast.Assign(targets=[ast.Tuple() | ast.List()], value=ast.Name(id=known)):
            return known == name
        case ast.Subscript(value=ast.Name(id=known), slice=ast.Constant(value=int())):
            return known == name
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated) | ast.Starred(value=iterated):
            return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(iterated))
        case ast.Call(func=ast.Name(id="isinstance" | "len"), args=[ast.Name(id=known), *_]):
            return known == name
        case _:
            return False
