"""What the source of a subject says of its arguments: how many axes they have, which keys are read; it runs none."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradproof.source.source import Function, helpers, own_nodes

_EXPONENTIALS = ("exp", "softmax", "sigmoid", "logaddexp", "log1p")
_MOST_HELPERS = 40  # functions that are read beside the subject's own


@dataclass(frozen=True)
class Usage:
    """What was read, by the name of an argument (or of the attribute that keeps it).

    ranks: the number of axes that its shape is unpacked into, likeliest first; least: the least number of axes that an
    index or a shape's entry asks for; axes: what the author calls its axes; keys: the keys read from it as a dict.
    """

    ranks: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    least: Mapping[str, int] = field(default_factory=dict[str, int])
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    takes_log: bool = False


def usage_of(functions: Iterable[Function]) -> Usage:
    """Read the functions of a subject, and those helpers that are handed a dict under its own name."""
    read = tuple(functions)
    certain: dict[str, list[tuple[str, ...]]] = {}
    guarded: dict[str, list[tuple[str, ...]]] = {}
    least: dict[str, int] = {}
    for function in read:
        branches = _in_branches(function.node)
        for node in own_nodes(function.node):
            for name, axes in _unpacked(node):
                (guarded if id(node) in branches else certain).setdefault(name, []).append(axes)
            if id(node) not in branches:
                for name, rank in _indexed(node):
                    least[name] = max(rank, least.get(name, 0))
    every = _with_helpers(read)
    names = {str(_called_name(node)).lower() for function in every for node in own_nodes(function.node)}
    unpacked = {name: certain.get(name, []) + guarded.get(name, []) for name in {**certain, **guarded}}
    return Usage(
        ranks={name: tuple(dict.fromkeys(map(len, found))) for name, found in certain.items()},
        least=least,
        axes={name: found[0] for name, found in unpacked.items()},
        keys=_keys(every),
        words=_words(every),
        takes_log="log" in names and not any(word in name for name in names for word in _EXPONENTIALS),
    )


def _called_name(node: Any) -> str | None:
    """What a call calls: its bare name."""
    if not isinstance(node, ast.Call):
        return None
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def _with_helpers(functions: Iterable[Function]) -> list[Function]:
    """The functions and all of the author's own that they call."""
    found = {function.place: function for function in functions}
    left = list(found.values())
    while left and len(found) < _MOST_HELPERS:
        called = {helper.place: helper for helper in helpers(left.pop())}
        new = {place: helper for place, helper in called.items() if place not in found}
        found |= new
        left += new.values()
    return list(found.values())


def _unpacked(node: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """``N, T, D = xs.shape``: the name of the array, and those of its axes."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Attribute) or node.value.attr != "shape":
        return
    target, name = node.targets[0], _named(node.value.value)
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    if name is not None and parts and not any(isinstance(part, ast.Starred) for part in parts):
        yield name, tuple(_named(part) or "_" for part in parts)


def _indexed(node: Any) -> Iterator[tuple[str, int]]:
    """``x.shape[2]`` and ``x[:, :, 0]``: the name of the array, and the axes that this needs."""
    if not isinstance(node, ast.Subscript):
        return
    if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        name = _named(node.value.value)
        if name is not None and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            yield name, node.slice.value + 1
    elif isinstance(node.slice, ast.Tuple):
        name = _named(node.value)
        whole = [part for part in node.slice.elts if not (isinstance(part, ast.Constant) and part.value in (None, ...))]
        new = [part for part in whole if not _is_newaxis(part)]
        if name is not None and len(new) > 1:
            yield name, len(new)


def _is_newaxis(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "newaxis"


def _keys(functions: Iterable[Function]) -> Mapping[str, tuple[str, ...]]:
    """``param["stride"]`` and ``param.get("pad", 0)``: of the second only those keys that have no default."""
    found: dict[str, list[str]] = {}
    for function in functions:
        for node in own_nodes(function.node):
            name, key = _read_key(node)
            if name is not None and isinstance(key, ast.Constant) and isinstance(key.value, str):
                found.setdefault(name, []).append(key.value)
    return {name: tuple(dict.fromkeys(keys)) for name, keys in found.items()}


def _read_key(node: Any) -> tuple[str | None, ast.expr | None]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return _named(node.value), node.slice
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _called_name(node) in ("get", "pop"):
        return _named(node.func.value), node.args[0] if len(node.args) == 1 else None
    return None, None


def _words(functions: Iterable[Function]) -> Mapping[str, tuple[str, ...]]:
    """``mode == "train"`` and ``mode in ("train", "test")``."""
    found: dict[str, list[str]] = {}
    for function in functions:
        for node in own_nodes(function.node):
            if isinstance(node, ast.Compare) and (name := _named(node.left)) is not None:
                for other in node.comparators:
                    parts = other.elts if isinstance(other, (ast.Tuple, ast.List, ast.Set)) else [other]
                    texts = [part.value for part in parts if isinstance(part, ast.Constant)]
                    found.setdefault(name, []).extend(text for text in texts if isinstance(text, str))
    return {name: tuple(dict.fromkeys(words)) for name, words in found.items() if words}


def _in_branches(function: ast.AST) -> set[int]:
    """The nodes that run under a condition only."""
    branches = (node for node in ast.walk(function) if isinstance(node, (ast.If, ast.Try, ast.IfExp)))
    return {id(inner) for branch in branches for inner in ast.walk(branch)}


def _named(node: ast.AST) -> str | None:
    """``x``, or ``self.x``: the name itself."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    return None
