"""States the law of the values: for which of them the gradient is wrong, as far as tried; it names no cause."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from gradproof.diagnose.evidence import Evidence, Floats, Mask, Sample
from gradproof.diagnose.formulas import plain
from gradproof.findings import Fact, own

# So many different values on each side of a threshold: unrelated ones are so ordered once in 126 times.
ENOUGH = 5
NARROW = 0.5  # relative: the gap between the last wrong value tried and the first right one
# Beyond it an exponential or an activation may be so flat that a wrong gradient looks right.
FLAT = 3.0

Read = Callable[[Sample], Floats | None]


@dataclass(frozen=True)
class Law:
    """``where``: the values for which the gradient is wrong.

    ``sharp``: at a sign or at ties, not at a border between values tried. ``own``: of the tensor's own values, the
    values tried leave no wide gap, and the right ones are not so far out that a function is flat there: where the
    gradient goes wrong there, that is a branch or a mask.
    """

    where: Fact
    sharp: bool
    own: bool = True


def law_of_values(evidence: Evidence) -> Law | None:
    """The one range of values that is wrong inside and right outside, in failing and in passing examples.

    Of the tensor's own values first; then of the output, of another array of its shape, of the difference of two.
    """
    for name, read in _arrays(evidence):
        asked = tuple(s for s in evidence.failing if read is not _output or s.outcome.dependence is not None)
        sides = _sides(replace(evidence, failing=asked), read)
        if sides is None:
            continue
        variable = own(name, evidence.tensor)
        law = _range(variable, *sides) or _range(f"|{variable}|", *(np.unique(np.abs(side)) for side in sides))
        if law is not None:
            return replace(law, own=law.own and name == evidence.tensor)
    return _ties(evidence)


def _arrays(evidence: Evidence) -> Iterator[tuple[str, Read]]:
    """Arrays of the tensor's shape by name, each with how to read it off a sample."""
    example = evidence.minimal.example
    names = list(dict.fromkeys((evidence.tensor, *example.inputs, *example.init)))
    for name in names:
        yield name, functools.partial(_plain, name=name)
    yield "the output", _output
    for one, other in combinations(names, 2):
        yield (
            f"{own(one, evidence.tensor)} - {own(other, evidence.tensor)}",
            functools.partial(_difference, one=one, other=other),
        )


def _sides(evidence: Evidence, read: Read) -> tuple[Floats, Floats] | None:
    """The values where the gradient is wrong and where it is right, each once; None where too few are known."""
    wrong: list[Floats] = []
    right: list[Floats] = []
    for sample in evidence.samples:
        values = read(sample)
        if values is not None:
            if sample in evidence.failing:
                wrong.append(values[sample.wrong])
            right.append(values[~sample.wrong & sample.support])
        elif sample.wrong.any():  # without its values, nothing is explained
            return None
    if not wrong:
        return None
    bad, good = np.unique(np.concatenate(wrong)), np.unique(np.concatenate(right))
    return None if min(bad.size, good.size) < ENOUGH else (bad, good)


def _range(name: str, bad: Floats, good: Floats) -> Law | None:
    if bad.max() < good.min():
        if bad.max() <= 0.0 <= good.min():
            return Law(Fact("values-by-sign", {"of": name, "sign": "<=" if bad.max() == 0.0 else "<"}), sharp=True)
        where = Fact("values-up-to", {"of": name, "border": float(bad.max()), "right_from": float(good.min())})
        return Law(where, sharp=False, own=_is_narrow(bad.max(), good.min()) and good.min() <= FLAT)
    if bad.min() > good.max():
        if good.max() <= 0.0 <= bad.min():
            return Law(Fact("values-by-sign", {"of": name, "sign": ">=" if bad.min() == 0.0 else ">"}), sharp=True)
        where = Fact("values-from", {"of": name, "border": float(bad.min()), "right_up_to": float(good.max())})
        return Law(where, sharp=False, own=_is_narrow(bad.min(), good.max()) and good.max() >= -FLAT)
    return None


def _is_narrow(one: float, other: float) -> bool:
    """Whether two values tried next to each other leave little doubt where the border lies."""
    return abs(one - other) <= NARROW * max(abs(one), abs(other))


def _ties(evidence: Evidence) -> Law | None:
    """Whether just those entries are wrong whose value stands in the array more than once."""
    tied, alone = 0, 0
    for sample in evidence.samples:
        values = _plain(sample, evidence.tensor)
        if values is None:
            if sample.wrong.any():
                return None
            continue
        repeated = _repeated(values)
        right = ~sample.wrong & sample.support
        if (sample.wrong & ~repeated).any() or (right & repeated).any():
            return None
        tied, alone = tied + int(np.count_nonzero(sample.wrong)), alone + int(np.count_nonzero(right))
    return Law(Fact("ties"), sharp=True) if min(tied, alone) >= ENOUGH else None


def _repeated(values: Floats) -> Mask:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1, dtype=np.bool_)


def _plain(sample: Sample, name: str) -> Floats | None:
    value = plain(sample).get(name)
    return None if value is None or value.shape != sample.shape else value.ravel()[sample.position]


def _output(sample: Sample) -> Floats | None:
    dependence = sample.outcome.dependence
    if dependence is None or dependence.shapes != (sample.shape,):
        return None
    return np.asarray(dependence.outputs, dtype=np.float64)[sample.position]


def _difference(sample: Sample, one: str, other: str) -> Floats | None:
    first, second = _plain(sample, one), _plain(sample, other)
    return None if first is None or second is None else first - second
