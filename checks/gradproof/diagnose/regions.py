"""Finds the region that holds all wrong entries and no right one: rows, columns, slices; it names no cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradproof.diagnose.evidence import Evidence, Mask, Sample
from gradproof.diagnose.ranges import law_of_values
from gradproof.findings import Fact

ALL_BUT_FIRST, ALL_BUT_LAST = "all-but-first", "all-but-last"  # slices along an axis

Pattern = Callable[[tuple[int, ...]], Mask]
IndexTest = Callable[[NDArray[np.intp], int], Mask]


@dataclass(frozen=True)
class Region:
    """``where`` is what is wrong. ``general`` says that examples of several shapes confirm it.

    ``sharp`` is False where its border was only narrowed down by the values tried: it may be another region.
    """

    where: Fact
    general: bool
    sharp: bool = True


def region(evidence: Evidence) -> Region | None:
    """Return the one region that holds the wrong entries of all failing examples and no right one, or None."""
    samples = list(evidence.failing)
    if any(sample.located for sample in samples):
        return None
    values = law_of_values(evidence)
    if values is not None:
        return Region(values.where, general=values.own or values.sharp, sharp=values.sharp)
    return _of_places(samples)


def _of_places(samples: list[Sample]) -> Region | None:
    """The one pattern of places that fits all samples; of a single one, where it stands."""
    shapes = [sample.shape for sample in samples]
    held = [where for where, mask in patterns(shapes) if _separates(samples, mask)]
    if held and len(samples) == 1:
        return Region(_literal(samples[0]) or held[0], general=False)
    if len(held) == 1 and len(set(shapes)) > 1:
        return Region(held[0], general=True)
    return None


def extent(sample: Sample) -> Fact:
    """How many entries of the sample are wrong."""
    kind = "located-entries-wrong" if sample.located else "entries-wrong"
    return Fact(kind, {"wrong": int(np.count_nonzero(sample.wrong)), "measured": sample.wrong.size})


def _separates(samples: list[Sample], mask: Pattern) -> bool:
    right_outside = 0
    for sample in samples:
        inside, wrong = mask(sample.shape).ravel()[sample.position], sample.wrong
        right = ~wrong & sample.support
        if (wrong & ~inside).any() or (right & inside).any():
            return False
        right_outside += int(np.count_nonzero(right & ~inside))
    return right_outside >= 2


def patterns(shapes: Sequence[tuple[int, ...]]) -> Iterator[tuple[Fact, Pattern]]:
    """Yield masks for arrays of these shapes, if of one rank: along each axis from both ends, the diagonal."""
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        return
    ndim = ranks.pop()
    for axis in range(ndim):
        where = {"axis": axis, "axes": ndim}
        for kind, test in _ALONG.items():
            yield Fact(kind, where), _along(axis, test)
        for index in range(1, min(shape[axis] for shape in shapes)):
            yield Fact("slice", {**where, "index": index}), _along(axis, _at(index))
    if ndim > 1:
        yield Fact("first-entry"), _corner(0)
        yield Fact("last-entry"), _corner(-1)
    if ndim == 2:
        yield Fact("diagonal"), lambda shape: np.eye(*shape, dtype=np.bool_)
        yield Fact("off-diagonal"), lambda shape: ~np.eye(*shape, dtype=np.bool_)


_ALONG: Mapping[str, IndexTest] = {
    "first-slice": lambda i, _size: i == 0,
    "last-slice": lambda i, size: i == size - 1,
    ALL_BUT_FIRST: lambda i, _size: i > 0,
    ALL_BUT_LAST: lambda i, size: i < size - 1,
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


def _literal(sample: Sample) -> Fact | None:
    """Name the region of a single example by its indices: it cannot tell the last row from row 2."""
    where = np.unravel_index(sample.position[sample.wrong], sample.shape)
    for axis, indices in enumerate(where):
        if len(set(indices.tolist())) == 1 and sample.shape[axis] > 1:
            place = {"index": int(indices[0]), "size": sample.shape[axis]}
            return Fact("slice-of", {"axis": axis, "axes": len(sample.shape), **place})
    return None
