"""Whether yours and the truth are in one proportion to arrays that are known, in all examples; it names no cause."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gradproof.compare.directions import MARGIN
from gradproof.diagnose.evidence import ENOUGH, EPS, Evidence, Floats, Sample
from gradproof.diagnose.formulas import Named, known, scales, upstream, written
from gradproof.findings import Support

# At values near the largest float a product overflows: it is then not finite, and refutes the formula.
EXTREME = np.errstate(over="ignore", invalid="ignore")
ROUNDINGS = 64  # by which two ways to write one formula may differ, in ulp of what they add
LARGEST_DENOMINATOR = 12  # of a constant that a formula may hold
ALIKE = 0.05  # relative: what differs by less is no other array
SURE = 1e3  # times its bound: three digits of a difference are then sure


@dataclass(frozen=True, eq=False)
class KnownSample:
    """One failing sample with the arrays that a formula may hold; ``dout`` is None where entries have no one of it."""

    sample: Sample
    arrays: Named
    dout: Floats | float | None


def known_samples(evidence: Evidence) -> list[KnownSample]:
    """What is known of the failing examples that were asked; [] where too few entries are wrong to tell by."""
    tensor = evidence.tensor
    asked = [s for s in evidence.failing if s.outcome.dependence is not None and not s.located]
    found = [KnownSample(s, known(s, tensor), upstream(s)) for s in asked if not _has_kinks(s, tensor)]
    wrong = sum(int(np.count_nonzero(f.sample.wrong & f.sample.support)) for f in found)
    return found if wrong > ENOUGH else []


def _has_kinks(sample: Sample, tensor: str) -> bool:
    """An entry that was answered beside its kink belongs to another point than the arrays do."""
    return any(result.kinks for result in sample.outcome.tensors if result.name == tensor)


def support_of(evidence: Evidence, facts: Sequence[KnownSample]) -> Support:
    """How many entries of these examples show it."""
    return replace(evidence, failing=tuple(f.sample for f in facts)).support


def have_dout(facts: Sequence[KnownSample]) -> bool:
    """Whether every entry of every example has its own entry of dout."""
    return all(isinstance(f.dout, np.ndarray) for f in facts)


def common_arrays(facts: Sequence[KnownSample], *, with_dout: bool) -> list[str]:
    """The arrays that every example has, the plainest first."""
    if not facts:
        return []
    everywhere = set(facts[0].arrays).intersection(*(f.arrays for f in facts))
    names = [name for name in facts[0].arrays if name in everywhere]
    return ["dout", *names] if with_dout and have_dout(facts) else names


def array_of(facts: KnownSample, name: str) -> Floats:
    """A known array by its name; ones and dout by theirs."""
    if name == "1":
        return np.ones_like(facts.sample.numeric)
    if name == "dout":
        return np.asarray(facts.dout, dtype=np.float64)
    return facts.arrays[name]


def varies(facts: Sequence[KnownSample], name: str) -> bool:
    """Whether the array has enough different values: a constant explains any constant factor."""
    values = np.concatenate([array_of(f, name) for f in facts])
    return np.unique(np.round(values, 12)).size > ENOUGH


def are_alike(facts: Sequence[KnownSample], mine: str, right: str) -> bool:
    """Whether two arrays are nearly one, as x and sin(x) are where x is small: neither then stands for the other."""
    return any(bool(np.isclose(array_of(f, mine), array_of(f, right), rtol=ALIKE, atol=0.0).all()) for f in facts)


@EXTREME
def product_constant(facts: KnownSample, name: str, gradient: Floats) -> float | None:
    """The c of gradient = c * dout * array."""
    if facts.dout is None:
        return None
    return _proportion(gradient, np.asarray(facts.dout * array_of(facts, name)), facts.sample.bound)


@EXTREME
def ratio_constant(facts: KnownSample, name: str, *, missing: bool) -> float | None:
    """The c of yours * array = c * numeric (missing), or of yours = c * numeric * array."""
    sample, factor = facts.sample, array_of(facts, name)
    sides = (sample.analytic * factor, sample.numeric) if missing else (sample.analytic, sample.numeric * factor)
    return _proportion(*sides, sample.bound * np.maximum(1.0, np.abs(factor)))


@EXTREME
def exchange_constant(facts: KnownSample, mine: str, right: str) -> float | None:
    """The c of yours * right = c * numeric * mine."""
    sample, a, b = facts.sample, array_of(facts, mine), array_of(facts, right)
    return _proportion(sample.analytic * b, sample.numeric * a, sample.bound * np.maximum(np.abs(a), np.abs(b)))


@EXTREME
def term_constant(facts: KnownSample, array: Floats) -> float | None:
    """The c of yours - numeric = c * dout * array."""
    sample = facts.sample
    term = np.asarray(array if facts.dout is None else facts.dout * array, dtype=np.float64)
    slack = sample.bound + EPS * np.maximum(np.abs(sample.analytic), np.abs(sample.numeric))
    return _proportion(sample.analytic - sample.numeric, term, slack)


@EXTREME
def _proportion(left: Floats, right: Floats, slack: Floats) -> float | None:
    """The c of left = c * right in every entry; None where there is none, NaN where too few entries could tell."""
    if np.count_nonzero(right) < 2 or np.count_nonzero(np.abs(left) > SURE * slack) < 2:
        return None if (np.abs(left) > SURE * slack).any() and not right.any() else float("nan")
    # the entry that tells it most sharply
    best = int(np.argmax(np.abs(right) / np.maximum(slack, np.finfo(np.float64).tiny)))
    c = float(left[best] / right[best])
    rounding = ROUNDINGS * EPS * (np.abs(left) + np.abs(c * right))
    error = slack + np.abs(c * right) * float(slack[best] / max(abs(left[best]), slack[best]))
    return c if c and bool((np.abs(left - c * right) <= MARGIN * error + rounding).all()) else None


def shared_constant(values: Sequence[float | None], facts: Sequence[KnownSample]) -> str | None:
    """Write a factor that all examples share, such as "2 * " or "1/n * ", and "" for 1; None where there is none."""
    given: list[tuple[float, dict[str, int]]] = []
    for value, f in zip(values, facts, strict=True):
        if value is None:
            return None
        if not math.isnan(value):
            given.append((value, f.sample.sizes))
    if len(given) < 2:
        return None
    for names in scales(given[0][1]):
        numbers = [value * _product_of_sizes(sizes, names) for value, sizes in given]
        simple = Fraction(numbers[0]).limit_denominator(LARGEST_DENOMINATOR)
        is_shared = all(abs(number - simple) <= SURE * 1e-9 * abs(number) for number in numbers)
        if simple and is_shared:
            return written(simple, names)
    return None


def _product_of_sizes(sizes: Mapping[str, int], names: Sequence[str]) -> int:
    """The product of these dims; 0 where one of them is none of this example."""
    return math.prod(sizes.get(name, 0) for name in names)
