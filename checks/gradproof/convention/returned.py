"""Whose gradient is which part of what backward returned: by the names in its return statement, else by position."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradproof.convention.argument_names import role_of
from gradproof.convention.function_names import may_be_backward, words
from gradproof.convention.gradnames import key_of, partner

Names = tuple[Any, ...]  # for each returned part: its name, None where it has none, or the Names of a tuple


@dataclass(frozen=True, eq=False)
class Shared:
    """What backward returned, shared out.

    ``inputs``: what is left for the inputs, to be paired by position, or a dict by name. ``parameters``: by name.
    """

    inputs: Any
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


@functools.lru_cache(maxsize=256)
def names_returned(function: Callable[..., Any]) -> Names:
    """The names of what the function returns, read from its last return statement; () if it cannot be read."""
    found = _returns(function)
    if not found:
        return ()
    names = _name(max(found, key=lambda node: node.lineno).value)
    return names if isinstance(names, tuple) else (names,)


@functools.lru_cache(maxsize=256)
def returns_nothing(function: Callable[..., Any]) -> bool:
    """Whether its source has no return statement with a value; False if it cannot be read."""
    found = _returns(function)
    return found is not None and all(node.value is None or _says_nothing(node.value) for node in found)


def hands_nothing_further(function: Callable[..., Any]) -> bool:
    """Whether its source says in so many words that it returns nothing: ``return None``, which nobody forgets."""
    found = _returns(function) or []
    return bool(found) and all(node.value is not None and _says_nothing(node.value) for node in found)


def _says_nothing(value: ast.expr) -> bool:
    """Whether it is None, or the NotImplemented of a template that nobody filled in."""
    return ast.unparse(value) in ("None", "NotImplemented")


@functools.lru_cache(maxsize=256)
def returns_backward(function: Callable[..., Any]) -> bool:
    """Whether a function returns its output and, behind it, its backward: ``return y, vjp``."""
    try:
        definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return False
    return isinstance(definition, ast.FunctionDef) and closure_of(definition) is not None


def closure_of(definition: ast.FunctionDef) -> ast.FunctionDef | ast.Lambda | None:
    """The function inside of ``definition`` that it returns behind its output, and that is a backward by its names.

    None where there is none: two functions, or parameters and a function that predicts, are no output and its backward.
    """
    inner: dict[str, ast.FunctionDef | ast.Lambda] = {
        node.name: node for node in definition.body if isinstance(node, ast.FunctionDef)
    }
    inner |= {name: found for node in definition.body for name, found in _lambdas(node)}
    for node in own_nodes(definition):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
            *outputs, last = node.value.elts
            found = inner.get(last.id) if isinstance(last, ast.Name) else last
            if any(isinstance(part, ast.Name) and part.id in inner for part in outputs):
                return None
            name = last.id if isinstance(last, ast.Name) else ""
            if isinstance(found, (ast.FunctionDef, ast.Lambda)) and _takes_dout(name, found):
                return found
    return None


def _lambdas(statement: ast.stmt) -> list[tuple[str, ast.Lambda]]:
    """The names that a statement gives to a lambda, each with it."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Lambda):
        return []
    return [(target.id, statement.value) for target in statement.targets if isinstance(target, ast.Name)]


def _takes_dout(name: str, function: ast.FunctionDef | ast.Lambda) -> bool:
    arguments = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    is_named = may_be_backward(name) or (len(words(name)) == 1 and may_be_backward(f"f_{name}"))
    return is_named or any(role_of(argument) == "dout" for argument in arguments[:1])


def own_nodes(definition: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of the functions that it defines."""
    for child in ast.iter_child_nodes(definition):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            yield from own_nodes(child)


def _returns(function: Callable[..., Any]) -> list[ast.Return] | None:
    """Its own return statements, without those of functions within; None if its source cannot be read."""
    try:
        definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    inner = [node for node in ast.walk(definition) if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef))]
    nested = {id(child) for node in inner if node is not definition for child in ast.walk(node)}
    return [node for node in ast.walk(definition) if isinstance(node, ast.Return) and id(node) not in nested]


def _name(node: ast.expr | None) -> Any:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(_name(part) for part in parts)
        case _:
            return None


def share(
    returned: Any, names: Names, inputs: Sequence[str], taken: Sequence[str], parameters: Sequence[str]
) -> Shared:
    """Share out what backward returned.

    inputs: forward's differentiable arguments; taken: all of its arguments; parameters: those that have no gradient
    anywhere else, in the order in which the object holds them.
    """
    if isinstance(returned, dict):
        return _by_key(returned, inputs, parameters)
    if not isinstance(returned, (tuple, list)):
        named = _matched(names[:1], [returned], taken, parameters)
        single = parameters[0] if len(parameters) == 1 and not inputs and returned is not None and not named else None
        alone = single or next((name for name in named if name in parameters), None)
        return Shared(returned) if alone is None else Shared({}, {alone: returned})
    parts, count = list(returned), len(inputs)
    if len(parts) == count + 1 and isinstance(parts[-1], (tuple, list, dict)):
        inner = names[count] if len(names) == len(parts) and isinstance(names[count], tuple) else ()
        return Shared(tuple(parts[:count]), _group(parts[-1], inner, parameters))
    if len(parts) <= count or not parameters:
        return Shared(returned)
    named = _matched(names, parts, taken, parameters) if len(names) == len(parts) else {}
    mine = {name: part for name, part in named.items() if name in parameters}
    if mine:
        rest = [part for part in parts if not any(part is one for one in mine.values())]
        return Shared(tuple(rest), mine)
    if len(parts) == count + len(parameters):
        return Shared(tuple(parts[:count]), dict(zip(parameters, parts[count:], strict=True)))
    return Shared(tuple(parts[:count]))


def of_parameters(
    returned: Any, inputs: Mapping[str, tuple[int, ...]], parameters: Mapping[str, tuple[int, ...]]
) -> Shared | None:
    """What a model's backward returned, where it is the gradients of the first parameters alone; None elsewhere.

    Such a backward is given data, and no upstream gradient. inputs, parameters: the shapes of forward's arguments, and
    of the parameters that have a gradient nowhere else. Shapes tell inputs from parameters here, and no two parameters
    from each other: those go by their order. Where numbers follow them, as for a bias that is no array, none
    gets any: the numbers would not be judged.
    """
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    shapes, known = [np.shape(part) for part in parts if isinstance(part, (np.ndarray, np.number))], list(parameters)
    of_inputs = shapes == list(inputs.values())[: len(parts)]
    own = list(parameters.values())
    has_numbers = set(shapes[len(own) :]) == {()} and () not in own
    if own and has_numbers and shapes[: len(own)] == own and len(shapes) == len(parts):
        return Shared({})
    if len(shapes) != len(parts) or of_inputs or shapes != list(parameters.values())[: len(parts)]:
        return None
    return Shared({}, dict(zip(known, parts, strict=False)))


def _by_key(returned: Mapping[Any, Any], inputs: Sequence[str], parameters: Sequence[str]) -> Shared:
    named = {partner(str(key), [*inputs, *parameters]): value for key, value in returned.items()}
    mine = {name: value for name, value in named.items() if name in parameters and name is not None}
    return Shared({name: value for name, value in named.items() if name in inputs}, mine)


def _group(group: Any, names: Names, parameters: Sequence[str]) -> Mapping[str, Any]:
    """A tuple, list or dict of gradients of parameters alone."""
    if isinstance(group, dict):
        return dict(_by_key(group, (), parameters).parameters)
    named = _matched(names, group, (), parameters) if len(names) == len(group) else {}
    if len(named) == len(group):
        return named
    return dict(zip(parameters, group, strict=True)) if len(parameters) == len(group) else named


def _matched(names: Names, parts: Sequence[Any], taken: Sequence[str], parameters: Sequence[str]) -> dict[str, Any]:
    """The parts whose names say whose gradient they are; nothing where two of them say the same."""
    whose = [partner(name, [*taken, *parameters]) if isinstance(name, str) else None for name in names]
    known = [name for name in whose if name is not None]
    if len(set(known)) < len(known):
        return {}
    return {name: part for name, part in zip(whose, parts, strict=False) if name is not None}


def without_left_out(returned: Any, taken: Sequence[str], given: Mapping[str, Any]) -> Any:
    """What backward returned, without the Nones for arguments of forward that were left out, or were None.

    NotImplemented is what a template leaves to be filled in. taken: the names of forward's arguments, whose order the
    returned parts have.
    """
    if returned is NotImplemented:
        return None
    if not isinstance(returned, tuple) or not any(part is None for part in returned) or len(returned) > len(taken):
        return returned
    named = zip(taken, returned, strict=False)
    return tuple(part for name, part in named if part is not None or given.get(name) is not None)


def by_rows(returned: Any, shapes: Sequence[tuple[int, ...]]) -> Any:
    """The gradient of the only input as one array, where it came as a list of the gradients of its rows.

    A forward that goes through its input part by part takes a list of arrays for it as well. shapes: of the inputs.
    """
    if not isinstance(returned, list) or len(shapes) != 1 or (len(returned),) != shapes[0][:1]:
        return returned
    row = shapes[0][1:]
    fits = [isinstance(part, (np.ndarray, np.number)) and _flat(np.shape(part)) == _flat(row) for part in returned]
    return np.stack([np.reshape(part, row) for part in returned]) if fits and all(fits) else returned


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without axes of one in front: a layer that makes a matrix of one row of a vector hands that back."""
    first = next((i for i, length in enumerate(shape) if length != 1), len(shape))
    return shape[first:]


def by_input(returned: Any, names: Names, inputs: Sequence[str]) -> Any:
    """A function's gradients: a dict by the names of its arguments, or, where there is one for each of them, in order.

    Where there are fewer, the names in the return statement say whose they are, else those of the first arguments.
    """
    if isinstance(returned, dict):
        return _by_key(returned, inputs, ()).inputs
    if any(key_of(name) for name in inputs):
        return by_parts(returned, names, inputs)
    parts = returned if isinstance(returned, (tuple, list)) else (returned,)
    if len(parts) >= len(inputs):
        return returned
    named = _matched(names, parts, inputs, ()) if len(names) == len(parts) else {}
    return named if len(named) == len(parts) else dict(zip(inputs, parts, strict=False))


def by_parts(returned: Any, names: Names, inputs: Sequence[str]) -> Any:
    """Gradients by name, where some of the inputs are the parts of a dict: a dict among them holds those of parts.

    What is no dict goes by the names in the return statement, else by position.
    """
    keyed = [name for name in inputs if key_of(name)]
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    found: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, dict):
            found |= _by_key(part, inputs, ()).inputs
    named = names if len(names) == len(parts) else (None,) * len(parts)
    arrays = [(name, part) for name, part in zip(named, parts, strict=True) if not isinstance(part, dict)]
    left = [name for name in inputs if name not in found and (name not in keyed or not found)]
    matched = _matched(tuple(name for name, _ in arrays), [part for _, part in arrays], left, ())
    by_position = zip(left, (part for _, part in arrays), strict=False)
    return found | (matched if len(matched) == len(arrays) else dict(by_position))
