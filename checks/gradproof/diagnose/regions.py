"""Finds the region that holds all wrong entries and no right one: rows, columns, slices; it names no cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradproof.diagnose.evidence import Evidence, Mask, Sample
from gradproof.diagnose.ranges import law_of_values

Pattern = Callable[[tuple[int, ...]], Mask]
IndexTest = Callable[[NDArray[np.intp], int], Mask]


@dataclass(frozen=True)
class Region:
    """``text`` completes "only ... is wrong". ``general`` says that examples of several shapes confirm it.

    ``sharp`` is False where its border was only narrowed down by the values tried: it may be another region.
    """

    text: str
    general: bool
    sharp: bool = True


def region(evidence: Evidence) -> Region | None:
    """Return the one region that holds the wrong entries of all failing examples and no right one, or None."""
    samples = list(evidence.failing)
    if any(sample.located for sample in samples):
        return None
    values = law_of_values(evidence)
    if values is not None:
        return Region(values.text, general=values.own or values.sharp, sharp=values.sharp)
    held = [(n, mask) for n, mask in patterns([sample.shape for sample in samples]) if _separates(samples, mask)]
    shapes = {sample.shape for sample in samples}
    if len(held) == 1 and len(shapes) > 1:
        return Region(held[0][0], general=True)
    return Region(_literal(samples[0], held), general=False) if len(samples) == 1 and held else None


def extent(sample: Sample) -> str:
    """Say how many entries of the sample are wrong."""
    count, total = int(np.count_nonzero(sample.wrong)), sample.wrong.size
    return f"{count} of {total} {'located ' if sample.located else ''}entries {'is' if count == 1 else 'are'} wrong"


def _separates(samples: list[Sample], mask: Pattern) -> bool:
    right_outside = 0
    for sample in samples:
        inside, wrong = mask(sample.shape).ravel()[sample.position], sample.wrong
        right = ~wrong & sample.support
        if (wrong & ~inside).any() or (right & inside).any():
            return False
        right_outside += int(np.count_nonzero(right & ~inside))
    return right_outside >= 2


def _slice(ndim: int, axis: int, number: str = "") -> str:
    """Name a slice across ``axis``: "row 2", "column 2", "slice 2 along axis 0"; without a number, its kind."""
    kinds = {1: ("entry",), 2: ("row", "column")}.get(ndim)
    return f"{kinds[axis] if kinds else 'slice'}{number}{'' if kinds else f' along axis {axis}'}"


def patterns(shapes: Sequence[tuple[int, ...]]) -> Iterator[tuple[str, Pattern]]:
    """Yield named masks for arrays of these shapes, if of one rank: along each axis from both ends, the diagonal."""
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        return
    ndim = ranks.pop()
    for axis in range(ndim):
        for text, test in _ALONG.items():
            yield text.format(_slice(ndim, axis)), _along(axis, test)
        for index in range(1, min(shape[axis] for shape in shapes)):
            yield f"{_slice(ndim, axis, f' {index}')} (counted from 0)", _along(axis, _at(index))
    if ndim > 1:
        yield "the first entry", _corner(0)
        yield "the last entry", _corner(-1)
    if ndim == 2:
        yield "the diagonal", lambda shape: np.eye(*shape, dtype=np.bool_)
        yield "what lies off the diagonal", lambda shape: ~np.eye(*shape, dtype=np.bool_)


_ALONG: Mapping[str, IndexTest] = {
    "the first {}": lambda i, _size: i == 0,
    "the last {}": lambda i, size: i == size - 1,
    "every {} but the first": lambda i, _size: i > 0,
    "every {} but the last": lambda i, size: i < size - 1,
}


def _corner(flat: int) -> Pattern:
    def mask(shape: tuple[int, ...]) -> Mask:
        inside = np.zeros(shape, dtype=np.bool_)
        inside.reshape(-1)[flat] = True
        return inside

    return mask


def _at(index: int) -> IndexTest:
    return lambda i, _size: i == index


def _along(axis: int, test: IndexTest) -> Pattern:
    def mask(shape: tuple[int, ...]) -> Mask:
        index = np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        return np.broadcast_to(np.asarray(test(index, shape[axis]), dtype=np.bool_), shape)

    return mask


def _literal(sample: Sample, held: list[tuple[str, Pattern]]) -> str:
    """Name the region of a single example by its indices: it cannot tell the last row from row 2."""
    where = np.unravel_index(sample.position[sample.wrong], sample.shape)
    for axis, indices in enumerate(where):
        if len(set(indices.tolist())) == 1 and sample.shape[axis] > 1:
            number = f" {int(indices[0])} of {sample.shape[axis]}"
            return f"{_slice(len(sample.shape), axis, number)} (counted from 0)"
    return held[0][0]
