"""Finds the statement that computes the gradient of a tensor, by following names; it judges nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradproof.source.slots import gradient_names, is_slot, plain
from gradproof.source.source import Code, Function, own_nodes
from gradproof.source.stores import Store, base, is_filler, reshapes_itself, stores, unwrapped
from gradproof.source.syntax import is_self, last_name

DEPTH = 6  # names and methods that are followed one after the other; deeper code is shown where that ends


@dataclass(frozen=True, eq=False)
class Place:
    """A statement of a function, and of it the expression that is the gradient."""

    function: Function
    statement: ast.stmt
    value: ast.expr | None = None


def of_input(code: Code, name: str, inputs: Sequence[str], arrays: Sequence[str]) -> Place | None:
    """The statement for an input; None where it cannot be told.

    ``inputs`` are those whose gradient is checked, ``arrays`` all that are arrays, both in forward's order: backward
    returns one gradient for each of the ones or of the others.
    """
    if code.backward is None or name not in inputs:
        return None
    if not returns(code.backward):
        return _left_in_node(code, code.backward, name)
    return _returned(code, code.backward, name, (inputs, arrays), DEPTH)


def _left_in_node(code: Code, function: Function, name: str) -> Place | None:
    """The last statement by which a closure leaves a gradient in a node: ``x.grad += g``, or ``x.accumulate(g)``."""
    found = [s for s in stores(function) if isinstance(s.target, ast.Attribute) and _is_name(s.target.value, name)]
    if found:
        return _follow_store(code, function, _last(found), DEPTH)
    calls = [node for node in own_nodes(function.node) if isinstance(node, ast.Expr) and _is_method(node.value, name)]
    return Place(function, calls[-1]) if calls else None


def _is_method(call: ast.expr, name: str) -> bool:
    """Whether it calls a method of what has this name."""
    called = call.func if isinstance(call, ast.Call) else None
    return isinstance(called, ast.Attribute) and _is_name(called.value, name)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def of_parameter(code: Code, name: str, slot: int | None) -> Place | None:
    """The statement for a parameter that stands at ``slot`` of params; None where it cannot be told."""
    place = slot_of(code, name)
    place = slot if place is None else place
    for function in reached(code):
        found = [store for store in stores(function) if is_slot(store.target, function, name, place)]
        if found:
            return _follow_store(code, function, _last(found), DEPTH)
    back = code.backward
    parts = [] if back is None else [e for r in returns(back) for e in _elements(r.value) if _is_gradient(e, name)]
    return _follow(code, back, parts[-1], _statement_of(back, parts[-1]), DEPTH) if back is not None and parts else None


def behind(code: Code, place: Place) -> list[Place]:
    """What the expression at a place is made of, after what stands in its place in other branches.

    It is made of methods of the layer, and of names that were computed before from arguments.
    """
    if place.value is None:
        return []
    found = _in_other_branches(place)
    for node in ast.walk(place.value):
        called = _method(code, place.function, node)
        if called is not None and (ends := returns(called)):
            found += [_follow(code, called, end.value, end, DEPTH) for end in ends[-1:] if end.value is not None]
        elif isinstance(node, ast.Name) and node.id not in place.function.arguments:
            origin = _follow(code, place.function, node, place.statement, DEPTH)
            if origin.statement is not place.statement and _uses_argument(origin):
                found.append(origin)
    return list({id(origin.statement): origin for origin in found}.values())


def _in_other_branches(place: Place) -> list[Place]:
    """The statements that write the same array where an ``if`` goes the other way."""
    written = [store for store in stores(place.function) if not is_filler(store)]
    mine = [base(store.target) for store in written if store.statement is place.statement]
    arms = _arms(place.function.node.body, ())
    others = {(branch, not arm) for branch, arm in arms.get(id(place.statement), ())}
    return [
        Place(place.function, store.statement, store.value)
        for store in written
        if mine and base(store.target) == mine[0] is not None
        if not others.isdisjoint(arms.get(id(store.statement), ()))
    ]


def _arms(body: Sequence[ast.stmt], path: tuple[tuple[int, bool], ...]) -> dict[int, tuple[tuple[int, bool], ...]]:
    """For each statement, the branches in which it stands: each ``if`` with whether it holds there."""
    found = {id(statement): path for statement in body}
    for statement in body:
        for name in ("body", "orelse", "finalbody"):
            inner: list[ast.stmt] = getattr(statement, name, [])
            own = ((id(statement), name == "body"),) if isinstance(statement, ast.If) else ()
            found |= _arms(inner, (*path, *own))
    return found


def _uses_argument(place: Place) -> bool:
    names = {node.id for node in ast.walk(place.statement) if isinstance(node, ast.Name)}
    return not names.isdisjoint(set(place.function.arguments) - {"self", "cache"})


def slot_of(code: Code, name: str) -> int | None:
    """The place of a parameter in ``self.params = [W, b]``, by its name in the source."""
    if name.startswith("params[") and name[7:-1].isdecimal():
        return int(name[7:-1])
    for function in code.all_functions:
        for store in stores(function):
            if is_self(store.target, "params") and isinstance(store.value, ast.List | ast.Tuple):
                names = [last_name(element) for element in store.value.elts]
                if name in names:
                    return names.index(name)
    return None


def reached(code: Code, start: Function | None = None) -> list[Function]:
    """A function (default: backward) and the methods that it calls, each before those that it calls in turn."""
    start = code.backward if start is None else start
    found: list[Function] = [] if start is None else [start]
    for function in found:
        for node in own_nodes(function.node):
            called = _method(code, function, node)
            if called is not None and called not in found:
                found.append(called)
    return found


def returns(function: Function) -> list[ast.Return]:
    """The return statements that return something."""
    return [node for node in own_nodes(function.node) if isinstance(node, ast.Return) and node.value is not None]


def _returned(
    code: Code, function: Function, name: str, orders: tuple[Sequence[str], Sequence[str]], depth: int
) -> Place | None:
    """The place of the gradient in what ``function`` returns."""
    found = returns(function)
    value = found[-1].value if found else None
    if isinstance(value, ast.Tuple | ast.List):
        named = [element for element in _elements(value) if _is_gradient(element, name)]
        # a loss function returns its gradients behind the loss
        parts = value.elts[1:] if function is code.forward else value.elts
        order = next((names for names in orders if len(names) == len(parts)), orders[0])
        if len(named) != 1 and len(parts) <= order.index(name):
            return None
        value = named[0] if len(named) == 1 else parts[order.index(name)]
    called = _method(code, function, value)
    if called is not None and len(orders[0]) > 1 and depth:
        return _returned(code, called, name, orders, depth - 1)
    return None if value is None else _follow(code, function, value, found[-1], depth)


def _follow(code: Code, function: Function, value: ast.expr, statement: ast.stmt, depth: int) -> Place:
    """Go from a name to the statement that computed it, from a call of a method to what that returns."""
    here = Place(function, statement, value)
    value = unwrapped(value)
    if not depth:
        return here
    if isinstance(value, ast.Name):
        others = [s for s in stores(function) if base(s.target) == value.id and s.statement is not statement]
        before = [s for s in others if s.statement.lineno <= statement.lineno]
        return _follow_store(code, function, _last(before), depth - 1) if before else here
    called = _method(code, function, value)
    ends = [] if called is None else returns(called)
    if called is None or not ends or ends[-1].value is None:
        return here
    return _follow(code, called, ends[-1].value, ends[-1], depth - 1)


def _follow_store(code: Code, function: Function, store: Store, depth: int) -> Place:
    value = store.value
    if store.part is None:
        return _follow(code, function, value, store.statement, depth)
    called = _method(code, function, value)
    ends = [] if called is None else returns(called)
    last = ends[-1].value if ends else None
    if called is not None and depth and isinstance(last, ast.Tuple) and store.part < len(last.elts):
        return _follow(code, called, last.elts[store.part], ends[-1], depth - 1)
    return Place(function, store.statement, value)


def _last(found: Sequence[Store]) -> Store:
    """The last store that computes something: not the zeros that it starts from, not a mere change of shape."""
    computing = [store for store in found if not is_filler(store) and not reshapes_itself(store)]
    return (computing or list(found))[-1]


def _method(code: Code, caller: Function, call: ast.AST | None) -> Function | None:
    """The method that ``self.name(...)`` or ``super().name(...)`` calls."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    base = call.func.value
    if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "super":
        return code.inherited(call.func.attr, caller)
    return code.method(call.func.attr) if isinstance(base, ast.Name) and base.id == "self" else None


def _elements(value: ast.expr | None) -> Iterator[ast.expr]:
    """The expressions of a tuple or a list, those of nested ones and the values of a dict among them."""
    if isinstance(value, ast.Tuple | ast.List):
        for element in value.elts:
            yield from _elements(element)
    elif isinstance(value, ast.Dict):
        for element in value.values:
            yield from _elements(element)
    elif value is not None:
        yield value


def _is_gradient(element: ast.expr, tensor: str) -> bool:
    name = last_name(element)
    return name is not None and plain(name) in gradient_names(tensor)


def _statement_of(function: Function, part: ast.expr) -> ast.stmt:
    return next(r for r in returns(function) if any(node is part for node in ast.walk(r)))
