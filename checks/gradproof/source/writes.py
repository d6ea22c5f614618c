"""Finds the statements that write where a promise says that nothing is written; it judges no promise."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

from gradproof.source.origin import Place, of_parameter, reached
from gradproof.source.source import Code, Function
from gradproof.source.stores import Store, base, stores
from gradproof.source.syntax import is_attribute

MOST = 2  # statements that are shown of one broken promise


def of_promise(code: Code, promise: str, tensor: str | None) -> list[Place]:
    """The statements that break a promise, given by its code; none where the syntax does not show them."""
    find = _FINDERS.get(promise)
    return [] if find is None else list(find(code, tensor))[:MOST]


def _into_input(code: Code, tensor: str | None) -> Iterator[Place]:
    """Where forward writes into an argument."""
    if code.forward is not None and tensor is not None:
        yield from _into(code.forward, {tensor})


def _into_dout(code: Code, tensor: str | None) -> Iterator[Place]:
    """Where backward writes into what it is given."""
    functions = reached(code)
    for function in functions:
        yield from _into(function, set(functions[0].arguments) - {"self", "cache"})


def _into_params_in_forward(code: Code, tensor: str | None) -> Iterator[Place]:
    if code.forward is not None:
        yield from _into(code.forward, set(), "params")


def _into_params_in_backward(code: Code, tensor: str | None) -> Iterator[Place]:
    for function in reached(code):
        yield from _into(function, set(), "params")


def _into_what_is_kept(code: Code, tensor: str | None) -> Iterator[Place]:
    for function in reached(code):
        yield from _into_cache(function)


def _grads_bound_anew(code: Code, tensor: str | None) -> Iterator[Place]:
    return _bound_anew(code, "grads")


def _params_bound_anew(code: Code, tensor: str | None) -> Iterator[Place]:
    return _bound_anew(code, "params")


def _bound_anew(code: Code, held: str) -> Iterator[Place]:
    functions = reached(code) if code.forward is None else [*reached(code), code.forward]
    for function in functions:
        yield from _rebinding(function, held)


def _accumulated(code: Code, tensor: str | None) -> Iterator[Place]:
    """Where the gradient of a parameter is computed."""
    place = None if tensor is None else of_parameter(code, tensor, None)
    if place is not None:
        yield place


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
    """The attribute of ``self`` that a statement writes, or writes a part of."""
    target = store.target
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.attr if is_attribute(target) else None


_FINDERS: Mapping[str, Callable[[Code, str | None], Iterator[Place]]] = {
    "GP501": _into_input,
    "GP502": _into_params_in_forward,
    "GP510": _into_dout,
    "GP511": _into_what_is_kept,
    "GP512": _into_params_in_backward,
    "GP513": _accumulated,
    "GP514": _into_what_is_kept,
    "GP518": _grads_bound_anew,
    "GP519": _params_bound_anew,
}
