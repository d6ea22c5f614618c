"""Finds the statements that write where a promise says that nothing is written; it judges no promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.source.origin import Place, of_parameter, reached
from gradproof.source.source import Code, Function
from gradproof.source.stores import Store, base, stores

MOST = 2  # statements that are shown of one broken promise


def of_promise(code: Code, promise: str, tensor: str | None) -> list[Place]:
    """The statements that break a promise, given by its code; none where the syntax does not show them."""
    forward = [] if code.forward is None else [code.forward]
    backward = reached(code)
    found: list[Place] = []
    if promise == "GP501" and tensor is not None:
        found = [place for function in forward for place in _into(function, {tensor})]
    elif promise == "GP510" and backward:
        given = set(backward[0].arguments) - {"self", "cache"}
        found = [place for function in backward for place in _into(function, given)]
    elif promise in ("GP502", "GP512"):
        found = [place for f in (forward if promise == "GP502" else backward) for place in _into(f, set(), "params")]
    elif promise in ("GP511", "GP514"):
        found = [place for function in backward for place in _into_cache(function)]
    elif promise in ("GP518", "GP519"):
        held = "grads" if promise == "GP518" else "params"
        found = [place for f in (*backward, *forward) for place in _rebinding(f, held)]
    elif promise == "GP513" and tensor is not None:
        place = of_parameter(code, tensor, None)
        found = [] if place is None else [place]
    return found[:MOST]


def _into(function: Function, names: set[str], held: str | None = None) -> Iterator[Place]:
    """Statements that write into one of the named arrays, or into one of the list ``self.held``.

    Another name of the array counts as well: ``dx = dout; dx[mask] = 0``, ``W, b = self.params; W -= dW``.
    """
    known = set(names)
    for store in stores(function):
        if isinstance(store.target, ast.Name):
            own = held is not None and ast.unparse(store.value).startswith(f"self.{held}")
            same = own or (isinstance(store.value, ast.Name) and store.value.id in known)
            known = known | {store.target.id} if same else known - {store.target.id}
        elif base(store.target) in known or (held is not None and _attribute(store) == held):
            yield Place(function, store.statement)


def _rebinding(function: Function, held: str) -> Iterator[Place]:
    """Statements that put another array into the list ``self.held``, or bind the list anew."""
    for store in stores(function):
        target = store.target
        if isinstance(target, ast.Subscript) and isinstance(store.statement, ast.Assign):
            target = target.value
        if isinstance(target, ast.Attribute) and _attribute(store) == held:
            yield Place(function, store.statement)


def _into_cache(function: Function) -> Iterator[Place]:
    """Statements of backward that write to what the layer keeps, its lists of gradients aside."""
    for store in stores(function):
        kept = _attribute(store)
        if kept is not None and kept not in ("grads", "params"):
            yield Place(function, store.statement)


def _attribute(store: Store) -> str | None:
    target = store.target
    while isinstance(target, ast.Subscript):
        target = target.value
    own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    return target.attr if isinstance(target, ast.Attribute) and own else None
