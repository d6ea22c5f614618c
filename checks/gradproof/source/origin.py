"""Finds the statement that computes the gradient of a tensor, by following names; it judges nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gradproof.source.gradient_places import gradient_names, is_slot, plain
from gradproof.source.source import Code, Function, own_nodes
from gradproof.source.stores import Store, base, is_filler, reshapes_itself, stores, unwrapped
from gradproof.source.syntax import called_method, calls, is_attribute, is_self, last_name

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
    return None if code.backward is None else _returned_by_name(code, code.backward, name)


def _returned_by_name(code: Code, function: Function, name: str) -> Place | None:
    """The last thing that a function returns under the name of a gradient."""
    found: Place | None = None
    for end in returns(function):
        for element in _elements(end.value):
            if _is_gradient(element, name):
                found = Place(function, end, element)
    return None if found is None else _follow(code, found, DEPTH)


def behind(code: Code, place: Place) -> list[Place]:
    """What the expression at a place is made of, after what stands in its place in other branches.

    It is made of methods of the layer, and of names that were computed before from arguments.
    """
    if place.value is None:
        return []
    found = _in_other_branches(place)
    for node in ast.walk(place.value):
        end = _result_of(code, place.function, node)
        if end is not None:
            found.append(_follow(code, end, DEPTH))
        elif isinstance(node, ast.Name) and node.id not in place.function.arguments:
            origin = _follow(code, replace(place, value=node), DEPTH)
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
    place = _result(function)
    if place is not None and isinstance(place.value, ast.Tuple | ast.List):
        # a loss function returns its gradients behind the loss
        parts = place.value.elts[1:] if function is code.forward else place.value.elts
        part = _part_for(name, place.value, parts, orders)
        place = None if part is None else replace(place, value=part)
    if place is None:
        return None
    called = _method(code, function, place.value)
    if called is not None and len(orders[0]) > 1 and depth:
        return _returned(code, called, name, orders, depth - 1)
    return _follow(code, place, depth)


def _part_for(
    name: str, value: ast.expr, parts: Sequence[ast.expr], orders: tuple[Sequence[str], Sequence[str]]
) -> ast.expr | None:
    """The one of several gradients that is named after a tensor, or stands where the tensor does; None for no such."""
    named = [element for element in _elements(value) if _is_gradient(element, name)]
    if len(named) == 1:
        return named[0]
    order = next((names for names in orders if len(names) == len(parts)), orders[0])
    index = order.index(name)
    return parts[index] if index < len(parts) else None


def _follow(code: Code, here: Place, depth: int) -> Place:
    """Go from a name to the statement that computed it, from a call of a method to what that returns."""
    if not depth or here.value is None:
        return here
    value = unwrapped(here.value)
    if isinstance(value, ast.Name):
        before = _written_before(here, value.id)
        return _follow_store(code, here.function, _last(before), depth - 1) if before else here
    end = _result_of(code, here.function, value)
    return here if end is None else _follow(code, end, depth - 1)


def _written_before(place: Place, name: str) -> list[Store]:
    """What writes to a name on the lines up to a place, but for the statement there."""
    others = [s for s in stores(place.function) if base(s.target) == name and s.statement is not place.statement]
    return [store for store in others if store.statement.lineno <= place.statement.lineno]


def _follow_store(code: Code, function: Function, store: Store, depth: int) -> Place:
    here = Place(function, store.statement, store.value)
    if store.part is None:
        return _follow(code, here, depth)
    end = _result_of(code, function, store.value)
    parts = end.value.elts if end is not None and isinstance(end.value, ast.Tuple) else []
    if end is None or not depth or store.part >= len(parts):
        return here
    return _follow(code, replace(end, value=parts[store.part]), depth - 1)


def _result_of(code: Code, caller: Function, call: ast.AST) -> Place | None:
    """What a call of a method returns at its end; None where it is no such call, or returns nothing."""
    called = _method(code, caller, call)
    return None if called is None else _result(called)


def _result(function: Function) -> Place | None:
    """The last return statement, and what it returns; None where nothing is returned."""
    found = returns(function)
    return Place(function, found[-1], found[-1].value) if found else None


def _last(found: Sequence[Store]) -> Store:
    """The last store that computes something: not the zeros that it starts from, not a mere change of shape."""
    computing = [store for store in found if not is_filler(store) and not reshapes_itself(store)]
    return (computing or list(found))[-1]


def _method(code: Code, caller: Function, call: ast.AST | None) -> Function | None:
    """The method that ``self.name(...)`` or ``super().name(...)`` calls."""
    called = called_method(call)
    if called is None:
        return None
    if calls(called.value, "super"):
        return code.inherited(called.attr, caller)
    return code.method(called.attr) if is_attribute(called) else None


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
