"""Expressions with other names in them; it knows no gradient."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from gradproof.source.syntax import is_attribute

Node = TypeVar("Node", bound=ast.AST)


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """A copy in which variables and attributes of ``self`` that are read have other names: source for source."""
    changed: Any = _Renamed(names).visit(copy.deepcopy(node))
    return cast(Node, ast.fix_missing_locations(changed))


def names_in(node: ast.AST) -> Iterator[str]:
    """The variables and attributes of ``self`` in an expression, in the order of the source."""
    if isinstance(node, ast.Name) or (isinstance(node, ast.expr) and is_attribute(node)):
        yield ast.unparse(node)
    else:
        for child in ast.iter_child_nodes(node):
            yield from names_in(child)


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit(self, node: ast.AST) -> ast.AST:
        read = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
        other = self.names.get(ast.unparse(node)) if read else None
        changed: ast.AST = self.generic_visit(node) if other is None else ast.parse(other, mode="eval").body
        return changed
