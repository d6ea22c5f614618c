"""What may belong at a place of backward: true gradients and, of what does not follow dout, values of forward."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradproof.adjoint.adjoints import Adjoint
from gradproof.adjoint.hook import Floats
from gradproof.adjoint.recorded import Backward, is_same

MOST_SLOPES = 200  # quotients of two gradients that are tried at one place
_TINY = 1e-9  # beside a dout of about 1: nothing is divided by less


@dataclass(frozen=True, eq=False)
class Candidate:
    """``values``, one for each time that a place is passed; ``of`` is the variable of forward whose gradient they are.

    ``of`` is empty for what does not follow dout: values of forward, and the slope of one variable by another.
    ``of_dout``: it follows dout, and what stands at the place does not.
    """

    values: tuple[Floats, ...]
    bounds: tuple[Floats, ...]
    of: str = ""
    of_dout: bool = False


def candidates(backward: Backward, number: int) -> Iterator[Candidate]:
    """Those for one place, without its own value."""
    values = backward.values(number)
    for candidate in _all(backward, number, values):
        if not all(map(is_same, values, candidate.values, candidate.bounds)):
            yield candidate


def _all(backward: Backward, number: int, values: Sequence[Floats]) -> Iterator[Candidate]:
    for adjoint in backward.library:
        if len(adjoint.values) == len(values):
            yield from _shaped(adjoint, values, of_dout=not backward.follows_dout[number])
    if not backward.follows_dout[number]:
        for found in backward.of_forward.values():
            if [v.shape for v in found] == [v.shape for v in values]:
                yield Candidate(tuple(found), tuple(np.zeros(v.shape) for v in found))
        yield from itertools.islice(_slopes(backward, values), MOST_SLOPES)


def _shaped(adjoint: Adjoint, values: Sequence[Floats], *, of_dout: bool) -> Iterator[Candidate]:
    """The gradients as they are, or in the shapes of the values; nothing where they have other sizes."""
    pairs = [(_as(a, v.shape), _as(b, v.shape)) for a, b, v in zip(adjoint.values, adjoint.bounds, values, strict=True)]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if len(known) == len(pairs):
        yield Candidate(tuple(a for a, _ in known), tuple(b for _, b in known), adjoint.name, of_dout)


def _as(array: Floats, shape: tuple[int, ...]) -> Floats | None:
    if array.shape == shape:
        return array
    if array.ndim == 2 and array.T.shape == shape:
        return array.T
    return array.reshape(shape) if array.size == int(np.prod(shape)) else None


def _slopes(backward: Backward, values: Sequence[Floats]) -> Iterator[Candidate]:
    """The quotients of two gradients of the shape that is wanted: what stands between two variables."""
    if len(values) != 1:
        return
    fitting = [each for each in backward.library if len(each.values) == 1 and each.values[0].shape == values[0].shape]
    for above, below in itertools.permutations(fitting, 2):
        a, b = above.values[0], below.values[0]
        if (np.abs(b) > _TINY).all() and not is_same(a, b, above.bounds[0]):
            slope = a / b
            yield Candidate((slope,), ((above.bounds[0] + np.abs(slope) * below.bounds[0]) / np.abs(b),))
