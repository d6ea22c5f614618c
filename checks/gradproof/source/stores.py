"""The statements of a function that write to a name, an attribute or a part of an array; it knows no tensor."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from gradproof.source.source import Function, own_nodes
from gradproof.source.syntax import constant, last_name

_FILLERS = frozenset({"zeros", "zeros_like", "empty", "empty_like"})
_WRITERS = frozenset({"np.copyto", "np.add.at", "np.subtract.at", "np.put_along_axis", "np.put", "np.putmask"})
_RESHAPERS = frozenset({"reshape", "ravel", "flatten", "squeeze", "astype", "copy"})


@dataclass(frozen=True, eq=False)
class Store:
    """One statement that writes to a target; ``part`` is the place in a tuple, where it unpacks one."""

    statement: ast.stmt
    target: ast.expr
    value: ast.expr
    part: int | None = None


def stores(function: Function) -> Iterator[Store]:
    """Every statement of a function that writes to a name, an attribute or a part of an array."""
    for node in own_nodes(function.node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _unpacked(node, target, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield Store(node, node.target, node.value)
        elif isinstance(node, ast.AugAssign):
            yield Store(node, _within(node.target), node.value)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            filled = _filled(node.value)
            if filled is not None:
                yield Store(node, _within(filled), node.value)


def _filled(call: ast.Call) -> ast.expr | None:
    """The array that a call writes into: ``out``, or what a function of NumPy fills; None where it writes into none."""
    for keyword in call.keywords:
        if keyword.arg == "out":
            return keyword.value
    return call.args[0] if call.args and ast.unparse(call.func) in _WRITERS else None


def _within(target: ast.expr) -> ast.expr:
    """A name that is written to in place, as the array behind it: ``dW += g`` is ``dW[...] += g``."""
    return ast.Subscript(target, ast.Constant(...), ast.Store()) if isinstance(target, ast.Name) else target


def _unpacked(node: ast.stmt, target: ast.expr, value: ast.expr) -> Iterator[Store]:
    if not isinstance(target, ast.Tuple | ast.List):
        yield Store(node, target, value)
        return
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else None
    for i, element in enumerate(target.elts):
        yield Store(node, element, value if parts is None else parts[i], i if parts is None else None)


def is_filler(store: Store) -> bool:
    """Whether a statement only makes room: zeros, an empty list, a number written to the whole of an array."""
    value, target = store.value, store.target
    if isinstance(value, ast.Call):
        return last_name(value.func) in _FILLERS
    part = isinstance(target, ast.Subscript) and constant(target.slice) is not Ellipsis
    return not part and (isinstance(value, ast.Constant) or (isinstance(value, ast.List) and not value.elts))


def reshapes_itself(store: Store) -> bool:
    """Whether a name gets its own array back in another shape."""
    inner = unwrapped(store.value)
    return isinstance(inner, ast.Name) and isinstance(store.target, ast.Name) and inner.id == store.target.id


def unwrapped(value: ast.expr) -> ast.expr:
    """The array behind a mere change of its shape."""
    while True:
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _RESHAPERS:
            inner = value.func.value
            if isinstance(inner, ast.Name) and inner.id == "np":
                return value
            value = inner
        elif isinstance(value, ast.Attribute) and value.attr == "T":
            value = value.value
        else:
            return value


def base(target: ast.expr) -> str | None:
    """The name of the array that a target is (a part of); None where it is an attribute."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else None
