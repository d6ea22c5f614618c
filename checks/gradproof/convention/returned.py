"""Whose gradient is which part of what backward returned: by the names in its return statement, else by position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradproof.convention.gradnames import key_of, partner
from gradproof.convention.return_statements import Names


@dataclass(frozen=True, eq=False)
class Shared:
    """What backward returned, shared out.

    ``inputs``: what is left for the inputs, to be paired by position, or a dict by name. ``parameters``: by name.
    """

    inputs: Any
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


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
        return _single(returned, names, inputs, taken, parameters)
    parts, count = list(returned), len(inputs)
    if len(parts) == count + 1 and isinstance(parts[-1], (tuple, list, dict)):
        return Shared(tuple(parts[:count]), _group(parts[-1], _names_within(names, len(parts)), parameters))
    if len(parts) <= count or not parameters:
        return Shared(returned)
    own = _own_by_name(names, parts, taken, parameters)
    if own:
        return Shared(_without(own.values(), parts), own)
    if len(parts) == count + len(parameters):
        own = dict(zip(parameters, parts[count:], strict=True))
    return Shared(tuple(parts[:count]), own)


def _names_within(names: Names, count: int) -> Names:
    """The names of what the last of so many parts holds, as the return statement gives them."""
    inner = names[-1] if len(names) == count else ()
    return inner if isinstance(inner, tuple) else ()


def _own_by_name(names: Names, parts: Sequence[Any], taken: Sequence[str], parameters: Sequence[str]) -> dict[str, Any]:
    """The gradients of parameters among the parts, by the names in the return statement."""
    named = _matched(names, parts, taken, parameters) if len(names) == len(parts) else {}
    return {name: part for name, part in named.items() if name in parameters}


def _without(known: Iterable[Any], parts: Sequence[Any]) -> tuple[Any, ...]:
    """The parts that are none of those known."""
    taken = {id(part) for part in known}
    return tuple(part for part in parts if id(part) not in taken)


def _single(
    returned: Any, names: Names, inputs: Sequence[str], taken: Sequence[str], parameters: Sequence[str]
) -> Shared:
    """Whose gradient a value is that came alone: what its name says, else an input's, else the only parameter's."""
    named = _matched(names[:1], [returned], taken, parameters)
    of_parameters = [name for name in named if name in parameters]
    has_no_other_owner = not inputs and not named and len(parameters) == 1
    if has_no_other_owner and returned is not None:
        of_parameters = [parameters[0]]
    return Shared({}, {of_parameters[0]: returned}) if of_parameters else Shared(returned)


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
    if not all(isinstance(part, (np.ndarray, np.number)) for part in parts):
        return None
    shapes, expected = [np.shape(part) for part in parts], list(parameters.values())
    if _has_numbers_behind(shapes, expected):
        return Shared({})
    are_of_inputs = shapes == list(inputs.values())[: len(parts)]
    if are_of_inputs or shapes != expected[: len(parts)]:
        return None
    return Shared({}, dict(zip(parameters, parts, strict=False)))


def _has_numbers_behind(shapes: Sequence[tuple[int, ...]], expected: Sequence[tuple[int, ...]]) -> bool:
    """Whether the shapes are those of all parameters, none of them a number, and behind them numbers alone."""
    first, rest = shapes[: len(expected)], shapes[len(expected) :]
    if not expected or () in expected:
        return False
    return first == expected and set(rest) == {()}


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
    if not isinstance(returned, tuple) or len(returned) > len(taken):
        return returned
    if not any(part is None for part in returned):
        return returned
    named = zip(taken, returned, strict=False)
    return tuple(part for name, part in named if part is not None or given.get(name) is not None)


def by_rows(returned: Any, shapes: Sequence[tuple[int, ...]]) -> Any:
    """The gradient of the only input as one array, where it came as a list of the gradients of its rows.

    A forward that goes through its input part by part takes a list of arrays for it as well. shapes: of the inputs.
    """
    if not isinstance(returned, list) or len(shapes) != 1 or not returned:
        return returned
    (shape,) = shapes
    row = shape[1:]
    if (len(returned),) != shape[:1] or not all(_is_row(part, row) for part in returned):
        return returned
    return np.stack([np.reshape(part, row) for part in returned])


def _is_row(part: object, row: tuple[int, ...]) -> bool:
    """Whether a part is an array, or a number, of the shape of one row."""
    return isinstance(part, (np.ndarray, np.number)) and _flat(np.shape(part)) == _flat(row)


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
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    found: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, dict):
            found |= _by_key(part, inputs, ()).inputs
    left = [name for name in inputs if name not in found]
    if found:  # the parts of a dict stand there
        left = [name for name in left if not key_of(name)]
    named = names if len(names) == len(parts) else (None,) * len(parts)
    return found | _arrays_by_name(list(zip(named, parts, strict=True)), left)


def _arrays_by_name(named: Sequence[tuple[Any, Any]], inputs: Sequence[str]) -> dict[str, Any]:
    """What is no dict of the parts, which come with their names: by these, or by position where one does not fit."""
    others = [(name, part) for name, part in named if not isinstance(part, dict)]
    names, arrays = tuple(name for name, _ in others), [part for _, part in others]
    matched = _matched(names, arrays, inputs, ())
    return matched if len(matched) == len(arrays) else dict(zip(inputs, arrays, strict=False))
