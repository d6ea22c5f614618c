"""How many entries of an argument forward picks by number, and that it reads nothing else of it; it runs nothing.

``return x[0] + x[1]`` takes two arrays in one list: of an array with more entries it would leave out the others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.convention.attributes import definition_of
from gradproof.source.syntax import whole_number

LEAST = 2  # entries: of one alone, the others may be meant to be left out, as all steps but the first


def entries_picked(function: object, name: str) -> int | None:
    """How many entries of the argument ``name`` are picked, from the first on; None where it is read otherwise, too."""
    definition = definition_of(function) if callable(function) else None
    if definition is None:
        return None
    picked, kept = set[int](), set[int]()
    for node in ast.walk(definition):
        number = _index_of(node, name)
        if number is not None:
            picked.add(number)
            kept |= {id(inner) for inner in ast.walk(node)}
        kept |= {id(value) for value in _kept(node)}
    others = [node for node in ast.walk(definition) if _is_named(node, name) and id(node) not in kept]
    is_whole = len(picked) >= LEAST and picked == set(range(len(picked)))
    return len(picked) if is_whole and not others else None


def _index_of(node: ast.AST, name: str) -> int | None:
    """Which entry of the argument a node is; None where it is none."""
    if not isinstance(node, ast.Subscript) or not _is_named(node.value, name):
        return None
    number = whole_number(node.slice)
    return None if number is None or number < 0 else int(number)


def _kept(node: ast.AST) -> Iterator[ast.expr]:
    """What a line keeps in an attribute, as it is."""
    if isinstance(node, ast.Assign) and all(isinstance(target, ast.Attribute) for target in node.targets):
        yield node.value


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
