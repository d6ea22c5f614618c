"""What the source of a subject says of its arguments: the keys read, the words compared; it runs none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradproof.source.source import Function, helpers, own_nodes

_EXPONENTIALS = ("exp", "softmax", "sigmoid", "logaddexp", "log1p")
_SOFTMAX = ("softmax", "logsumexp")
_LOG = re.compile(r"log(1p|2|10)?|log_?softmax|logsumexp")
_MOST_HELPERS = 40  # functions that are read beside the subject's own


@dataclass(frozen=True)
class Usage:
    """What was read, by the name of an argument (or of the attribute that keeps it).

    keys: those read from it as a dict; words: the strings that it is compared with; takes_log: whether the logarithm of
    anything is taken that is not made of exponentials; vectors: what ``np.outer`` takes, which flattens anything else;
    makes_jacobian: whether the outer product of something with itself is taken, as in the derivative of a softmax; log:
    whether any logarithm is taken; softmax: whether exponentials are divided by their sum; complements: what is taken
    from 1, as in ``1 - t``.
    """

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    takes_log: bool = False
    vectors: frozenset[str] = frozenset()
    makes_jacobian: bool = False
    log: bool = False
    softmax: bool = False
    complements: frozenset[str] = frozenset()


def usage_of(functions: Iterable[Function]) -> Usage:
    """Read the functions of a subject, and those helpers that are handed a dict under its own name."""
    every = _with_helpers(tuple(functions))
    names = {str(_called_name(node)).lower() for function in every for node in own_nodes(function.node)}
    is_of_exponentials = any(word in name for name in names for word in _EXPONENTIALS)
    takes_log = "log" in names and not is_of_exponentials
    makes_jacobian = "diagflat" in names or _has_square(every)
    return Usage(
        keys=_keys(every),
        words=_words(every),
        takes_log=takes_log,
        vectors=_vectors(every),
        makes_jacobian=makes_jacobian,
        log=any(map(_LOG.fullmatch, names)),
        softmax=_is_softmax(names),
        complements=_complements(every),
    )


def _is_softmax(names: Iterable[str]) -> bool:
    """Whether these are called: a softmax by its name, or exponentials and a sum."""
    called = frozenset(names)
    return any(word in name for name in called for word in _SOFTMAX) or called.issuperset(("exp", "sum"))


def _complements(functions: Iterable[Function]) -> frozenset[str]:
    """The names in ``1 - t``, or ``1 - self.t``."""
    found: set[str | None] = set()
    for function in functions:
        for node in own_nodes(function.node):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_one(node.left):
                found.add(_named(node.right))
    return frozenset(name for name in found if name is not None)


def _is_one(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


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


def _texts(compared: Iterable[ast.expr]) -> Iterator[str]:
    """The strings that something is compared with, one by one or as a tuple, list or set of them."""
    for other in compared:
        parts = other.elts if isinstance(other, (ast.Tuple, ast.List, ast.Set)) else [other]
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def _words(functions: Iterable[Function]) -> Mapping[str, tuple[str, ...]]:
    """``mode == "train"`` and ``mode in ("train", "test")``."""
    found: dict[str, list[str]] = {}
    for function in functions:
        comparisons = [node for node in own_nodes(function.node) if isinstance(node, ast.Compare)]
        for node in comparisons:
            name = _named(node.left)
            if name is not None:
                found.setdefault(name, []).extend(_texts(node.comparators))
    return {name: tuple(dict.fromkeys(words)) for name, words in found.items() if words}


def _outer_products(functions: Iterable[Function]) -> Iterator[list[ast.expr]]:
    """The factors of each ``np.outer(a, b)``."""
    for function in functions:
        calls = [node for node in own_nodes(function.node) if isinstance(node, ast.Call)]
        yield from (call.args for call in calls if _called_name(call) == "outer" and len(call.args) == 2)


def _vectors(functions: Iterable[Function]) -> frozenset[str]:
    """What is a factor of an outer product, by its own name."""
    named = [_named(factor) for factors in _outer_products(functions) for factor in factors]
    return frozenset(name for name in named if name is not None)


def _has_square(functions: Iterable[Function]) -> bool:
    """Whether something is multiplied by itself under its own name: a row of a batch, ``s[i]``, has none."""
    pairs = [[_named(factor) for factor in factors] for factors in _outer_products(functions)]
    return any(one is not None and one == two for one, two in pairs)


def _named(node: ast.AST) -> str | None:
    """``x``, or ``self.x``: the name itself."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    return None
