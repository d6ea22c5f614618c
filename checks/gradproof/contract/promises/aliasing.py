"""The promise that results are arrays of their own, which nobody else reads or writes; it knows no values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from gradproof.contract.promise import Promise
from gradproof.contract.session import Array, Scene
from gradproof.contract.states import arrays_of
from gradproof.values import Defect

_WHY = "whoever writes to one of them changes the other: the next layer in place, or the optimizer"
_COPY = "return a new array: a copy, as in x.copy(), or the result of an operation, as in 1 * dout"

Named = Mapping[str, Array]


def aliases(scene: Scene) -> Iterator[Defect]:
    """Run forward and backward, and look for memory that a result has in common with anything else.

    A view of x as the output, and of dout as the gradient, is what a reshape, a sum or an identity rightly returns.
    """
    session = scene.session()
    output = session.forward(scene.inputs)
    given, parameters = session.given, session.parameters()
    found = session.backward(scene.douts(output))
    gradients = {f"d{name}": array for name, array in found.live.items() if name in given.live}
    kept = arrays_of(session.subject, "grads")
    written = any(next(arrays.changed(), None) is not None for arrays in (given, session.douts))
    yield from _shared("forward", output.live, {**parameters.live, **kept})
    yield from _among("forward", output.live)
    yield from _shared("backward", gradients, {**parameters.live, **kept})
    yield from _among("backward", gradients)
    if not written:  # else what matters is told: a call writes to its input
        yield from _shared("backward", gradients, given.live)


def _shared(call: str, results: Named, others: Named) -> Iterator[Defect]:
    """The first result that has memory in common with another array, as two views of one array have."""
    for name, result in results.items():
        for other, array in others.items():
            if np.shares_memory(result, array):
                yield _defect(call, name, other)
                return


def _among(call: str, results: Named) -> Iterator[Defect]:
    for (name, result), (other, array) in combinations(results.items(), 2):
        if np.shares_memory(result, array):
            yield _defect(call, name, other)
            return


def _defect(call: str, name: str, other: str) -> Defect:
    seen = f"np.shares_memory({name.removeprefix('the ')}, {other}) is True after {call}"
    lines = (("seen", seen), ("why it matters", _WHY), ("what to do", _COPY))
    return Defect("GP516", f"{name} shares memory with {other}", None, lines, "warning")


PROMISES = (Promise(aliases, 200, {"GP516": ()}),)
