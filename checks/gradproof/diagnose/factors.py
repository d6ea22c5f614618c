"""Recognises the factor between analytic and numeric gradient: a constant, a dim, 1/dim; it names no cause."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np

from gradproof.diagnose.evidence import ENOUGH, Evidence, Sample

# A constant is written as a fraction up to this denominator; beyond it, digits tell a student more.
LARGEST_DENOMINATOR = 12


@dataclass(frozen=True)
class Factor:
    """yours = ``value(sizes)`` * numeric. ``dims`` names the dims it is made of; empty for a constant."""

    text: str
    value: Callable[[dict[str, int]], float]
    dims: tuple[str, ...] = ()
    divides: bool = False  # 1/dim, 1/sqrt(dim)
    root: bool = False  # sqrt(dim), 1/sqrt(dim)


def factors(evidence: Evidence) -> list[Factor]:
    """Return every candidate that holds in all samples, passing ones too; [] where too few entries support one.

    Two or more are returned where the shapes tried cannot tell them apart (1/n and 1/3 where n was always 3). A product
    of two dims is a candidate only where no simpler one holds.
    """
    if evidence.supporting < ENOUGH:
        return []
    held = [factor for factor in _candidates(evidence) if _holds_everywhere(factor, evidence)]
    simplest = min((len(factor.dims) for factor in held if factor.dims), default=0)
    return [factor for factor in held if len(factor.dims) <= simplest]


def _holds_everywhere(factor: Factor, evidence: Evidence) -> bool:
    return all(_holds(factor, sample) for sample in evidence.samples)


def ratio(sample: Sample) -> float:
    """Return yours / numeric at the entry of ``sample`` that tells it most sharply."""
    best = int(np.argmax(np.abs(sample.numeric) / np.maximum(sample.bound, np.finfo(np.float64).tiny)))
    return float(sample.analytic[best] / sample.numeric[best])


def richest(evidence: Evidence) -> Sample:
    """Return the failing sample with the most supporting entries."""
    return max(evidence.failing, key=lambda sample: int(np.count_nonzero(sample.support)))


def one_scalar(evidence: Evidence) -> bool:
    """Say whether yours / numeric is one number within each example, and another in nearly each.

    Needs as many different numbers as ``ENOUGH``, each from two supporting entries or more: fewer agree by chance.
    """
    telling = [sample for sample in evidence.failing if np.count_nonzero(sample.support) >= 2]
    different = {f"{ratio(sample):.3g}" for sample in telling}
    return len(different) >= ENOUGH and all(_holds(_constant(ratio(sample)), sample) for sample in telling)


def _holds(factor: Factor, sample: Sample) -> bool:
    value = factor.value(sample.sizes)
    return bool(sample.equals(value * sample.numeric, abs(value) * sample.bound).all())


def _constant(value: float, text: str | None = None) -> Factor:
    return Factor(f"{value:.4g}" if text is None else text, lambda _sizes: value)


def _candidates(evidence: Evidence) -> Iterator[Factor]:
    """Yield the constant that the evidence suggests, then each dim, its root, each product of two, and the inverses."""
    measured = ratio(richest(evidence))
    simple = Fraction(measured).limit_denominator(LARGEST_DENOMINATOR)
    if simple and abs(float(simple) - measured) <= 1e-3 * abs(measured):
        yield _constant(float(simple), str(simple))
    # close to 1 a factor is no factor but a small discrepancy
    if abs(measured - 1.0) > 1e-3 and abs(float(simple) - measured) > 1e-9 * abs(measured):
        yield _constant(measured)
    for names in _dims(evidence):
        for sign in (1, -1):
            yield from _powers(names, sign)


def _dims(evidence: Evidence) -> Iterator[tuple[str, ...]]:
    """Yield each dim that every example has and that is nowhere 0, then each pair of them."""
    common = [name for name in evidence.failing[0].sizes if _is_dim_of_all(name, evidence)]
    yield from ((name,) for name in common)
    yield from combinations(common, 2)


def _is_dim_of_all(name: str, evidence: Evidence) -> bool:
    return all(sample.sizes.get(name, 0) > 0 for sample in evidence.samples)


def _powers(names: tuple[str, ...], sign: int) -> Iterator[Factor]:
    def product(sizes: dict[str, int]) -> float:
        return sign * float(np.prod([sizes[name] for name in names]))

    def inverse(sizes: dict[str, int]) -> float:
        return 1.0 / product(sizes)

    def root(sizes: dict[str, int]) -> float:
        return sign * math.sqrt(abs(product(sizes)))

    minus = "-" if sign < 0 else ""
    dims = "*".join(f"size({name})" if name.startswith("*") else name for name in names)
    yield Factor(f"{minus}{dims}", product, names)
    yield Factor(f"{minus}1/({dims})" if len(names) > 1 else f"{minus}1/{dims}", inverse, names, divides=True)
    if len(names) == 1:
        yield Factor(f"{minus}sqrt({dims})", root, names, root=True)
        yield Factor(f"{minus}1/sqrt({dims})", lambda sizes: 1.0 / root(sizes), names, divides=True, root=True)
