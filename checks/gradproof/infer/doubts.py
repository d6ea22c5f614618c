"""What keeps a verdict on an inferred Case from meaning much; it searches nothing and runs nothing."""

from __future__ import annotations

import inspect

from gradproof.infer.arguments import Target
from gradproof.infer.guesses import ARRAYS, BATCH, Candidate, Kind, resolved
from gradproof.infer.roles import Role, role_of

CONSTANT = "the output is the same for every input, as if forward were not written yet"
_MADE_OF = (*ARRAYS, Kind.SIZE)  # what parameters are made of


def doubts(candidate: Candidate) -> tuple[str, ...]:
    """Two sizes that the constructor takes apart and that must be equal; a batch that is another dim as well."""
    sizes: dict[str, str] = {}
    found: list[str] = []
    for name, guess in candidate.guesses.items():
        axes = [resolved(axis, candidate.bound) for axis in guess.axes]
        if axes.count(BATCH) > 1:
            found.append(f"it was only found to run where two axes of {name} are equal")
        if guess.kind is Kind.SIZE:
            first = sizes.setdefault(resolved(guess.axes[0], candidate.bound), name)
            if first != name:
                found.append(f"it runs only where {first} == {name}")
    return tuple(found)


def unused(candidate: Candidate, target: Target) -> tuple[str, ...]:
    """What a layer that hands its input on was built with for nothing, or was built without."""
    names = [name for name in target.built if candidate.guesses[name].kind in _MADE_OF]
    layers = [name for name in target.built if role_of(name, constructor=True) is Role.LAYERS]
    if isinstance(target.subject, type):
        parameters = inspect.signature(target.subject).parameters.values()
        layers += [f"*{p.name}" for p in parameters if p.kind is p.VAR_POSITIONAL]
    if layers:
        return (
            f"forward returns its input as it is: it was built with nothing in {' and '.join(layers)} that changes it",
        )
    return (f"forward returns its input as it is, whatever {' and '.join(names)} may be",) if names else ()


def chosen(candidate: Candidate) -> str | None:
    """A function and its derivative, where both were chosen for the author: which of them takes what is a guess."""
    functions = [name for name, guess in candidate.guesses.items() if callable(guess.value)]
    return f"np.exp was chosen for {' and '.join(functions)}" if len(functions) > 1 else None
