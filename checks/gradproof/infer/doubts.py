"""What keeps a verdict on an inferred Case from meaning much; it searches nothing and runs nothing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from gradproof.infer.arguments import Undeclared
from gradproof.infer.declare import Declaring
from gradproof.infer.roles import Role, role_of
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import ARRAYS, What
from gradproof.trace.run import Hint

CONSTANT = "the output is the same for every input, as if forward were not written yet"
_NO_GRADIENT = frozenset({Role.TARGET, Role.MASK, Role.INDEX, Role.RATE, Role.SCALAR, Role.FLAG, Role.MODE})
_MADE_OF = (*ARRAYS, What.SIZE)  # what parameters are made of


def doubts(candidate: Candidate, hints: Mapping[str, Hint], declaring: Declaring) -> tuple[str, ...]:
    """Two sizes that the constructor takes apart and that must be equal; an input whose axes must be."""
    sizes: dict[str, str] = {}
    found: list[str] = []
    names = declaring.names(candidate)
    for argument, kind in candidate.kinds.items():
        axes = [axis.text(names) for axis in candidate.axes(argument)]
        if kind.is_array and hints[argument].first and len(set(axes)) < len(axes) and axes.count(axes[0]) > 1:
            found.append(f"it was only found to run where two axes of {argument} are equal")
        if kind.what is What.SIZE:
            first = sizes.setdefault(axes[0], argument)
            if first != argument:
                found.append(f"it runs only where {first} == {argument}")
    return tuple(found)


def _any_number_of(subject: Any) -> list[str]:
    """The argument of a class of which any number may be given; none where it takes keywords as well, for its base."""
    if not isinstance(subject, type):
        return []
    parameters = list(inspect.signature(subject).parameters.values())
    hands_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return [] if hands_on else [f"*{p.name}" for p in parameters if p.kind is p.VAR_POSITIONAL]


def unused(candidate: Candidate, target: Undeclared) -> tuple[str, ...]:
    """What a layer that hands its input on was built with for nothing, or was built without."""
    names = [name for name in target.built if candidate.kinds[name].what in _MADE_OF]
    layers = [name for name in target.built if role_of(name, constructor=True) is Role.LAYERS]
    layers += _any_number_of(target.subject)
    if layers:
        return (
            f"forward returns its input as it is: it was built with nothing in {' and '.join(layers)} that changes it",
        )
    return (f"forward returns its input as it is, whatever {' and '.join(names)} may be",) if names else ()


def without_gradient(candidate: Candidate, hints: Mapping[str, Hint]) -> tuple[str, ...]:
    """The inputs of a layer for which backward returns no gradient, where no name says that they have none."""
    fed = [name for name, kind in candidate.kinds.items() if kind.what is What.CONSTANT and not hints[name].built]
    left = [name for name in fed if not hints[name].target and role_of(name, constructor=False) not in _NO_GRADIENT]
    return tuple(f"backward returns no gradient for {name}, which was taken for a constant" for name in left)


def chosen(candidate: Candidate) -> str | None:
    """A function and its derivative, where both were chosen for the author: which of them takes what is a guess."""
    functions = [name for name, kind in candidate.kinds.items() if callable(kind.value) and kind.text == "np.exp"]
    return f"np.exp was chosen for {' and '.join(functions)}" if len(functions) > 1 else None
