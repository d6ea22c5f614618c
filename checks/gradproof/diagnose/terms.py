"""Rules on formulas: yours is off by a known term or factor, or has one array for another; they know no layer.

What holds by chance of a few entries does not hold of all entries of several examples, to the last digits of the bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from gradproof.compare.directions import MARGIN
from gradproof.diagnose.evidence import ENOUGH, EPS, Evidence, Floats, Sample
from gradproof.diagnose.formulas import Named, known, scales, upstream, written
from gradproof.findings import Cause, Confidence, Support

# At values near the largest float a product overflows: it is then not finite, and refutes the formula.
EXTREME = np.errstate(over="ignore", invalid="ignore")
ROUNDINGS = 64  # by which two ways to write one formula may differ, in ulp of what they add
LARGEST_DENOMINATOR = 12  # of a constant that a formula may hold
ALIKE = 0.05  # relative: what differs by less is no other array
SURE = 1e3  # times its bound: three digits of a difference are then sure


@dataclass(frozen=True, eq=False)
class _Facts:
    """One failing sample with the arrays that a formula may hold; ``dout`` is None where entries have no one of it."""

    sample: Sample
    arrays: Named
    dout: Floats | float | None


def derivative_left_out(evidence: Evidence) -> Cause | None:
    """GP117 where backward hands dout on unchanged."""
    facts = _facts(evidence)
    if not facts or not all(isinstance(f.dout, np.ndarray) and f.sample.equals(f.dout).all() for f in facts):
        return None
    return Cause("GP117", "dout-unchanged", support=_support(evidence, facts))


def known_factor(evidence: Evidence) -> Cause | None:
    """GP117 where yours and the truth differ by one known array as a factor."""
    facts = _facts(evidence)
    names = [name for name in _common(facts, with_dout=True) if _varies(facts, name)]
    for name in names:
        for missing in (True, False):
            constant = _constant([_ratio(f, name, missing=missing) for f in facts], facts)
            if constant is not None:
                kind = "known-factor-missing" if missing else "known-factor-too-many"
                shown = {"formula": _equation_of_factor(name, constant, missing=missing)}
                return Cause("GP117", kind, {"factor": name}, shown, _support(evidence, facts))
    return None


def _equation_of_factor(name: str, constant: str, *, missing: bool) -> str:
    factor = _in_brackets(name)
    if not missing:
        return f"yours = {constant}numeric * {factor}"
    return f"yours * {factor} = {constant}numeric" if constant else f"numeric = yours * {factor}"


def known_term(evidence: Evidence) -> Cause | None:
    """GP113 where yours lacks a term that is known, or has it too many."""
    facts = [f for f in _facts(evidence) if f.dout is not None]
    names = ["1", *_common(facts, with_dout=False)] if facts else []
    for name in names:
        constant = _constant([_multiple(f, _of(f, name)) for f in facts], facts)
        if constant is not None:
            term = f"{constant}dout" + ("" if name == "1" else f" * {_in_brackets(name)}")
            about = {"term": "dout" if name == "1" else name}
            shown, support = {"formula": f"yours - numeric = {term}"}, _support(evidence, facts)
            return Cause("GP113", "known-term", about, shown, support, Confidence.VAGUE)
    return None


def known_formula(evidence: Evidence) -> Cause | None:
    """GP117 where yours is dout times one known array, and the truth dout times another."""
    facts = _facts(evidence)
    if not facts or not _have_dout(facts):
        return None
    names = _common(facts, with_dout=False)
    mine = _times_dout(facts, names, [f.sample.analytic for f in facts])
    if not mine:
        return None
    right = _times_dout(facts, names, [f.sample.numeric for f in facts])
    if not right:
        return None
    (my_name, my_constant), (right_name, right_constant) = mine[0], right[0]
    if not _varies(facts, my_name) or not _varies(facts, right_name):
        return None
    about = {
        "has": f"{my_constant}dout * {_in_brackets(my_name)}",
        "belongs": f"{right_constant}dout * {_in_brackets(right_name)}",
        "mine": f"{my_constant}{my_name}",
        "right": f"{right_constant}{right_name}",
    }
    return Cause("GP117", "another-formula", about, support=_support(evidence, facts))


def _times_dout(facts: Sequence[_Facts], names: Sequence[str], gradients: Sequence[Floats]) -> list[tuple[str, str]]:
    """The arrays for which these gradients are dout times them, but for a constant; each with its constant."""
    found: list[tuple[str, str]] = []
    for name in names:
        products = [_product(f, name, gradient) for f, gradient in zip(facts, gradients, strict=True)]
        constant = _constant(products, facts)
        if constant is not None:
            found.append((name, constant))
    return found


def _have_dout(facts: Sequence[_Facts]) -> bool:
    """Whether every entry of every example has its own entry of dout."""
    return all(isinstance(f.dout, np.ndarray) for f in facts)


def known_exchange(evidence: Evidence) -> Cause | None:
    """GP117 where one known array stands where another belongs: as a term, or as a factor."""
    facts = _facts(evidence)
    for one, other in combinations(_common(facts, with_dout=False), 2):
        text = _as_term(facts, one, other)
        if text is not None:
            about, shown = {"one": one, "other": other}, {"formula": text}
            support = _support(evidence, facts)
            return Cause("GP117", "terms-exchanged", about, shown, support, Confidence.VAGUE)
        for mine, right in ((one, other), (other, one)):
            text = _as_factor(facts, mine, right)
            if text is not None:
                about, shown = {"mine": mine, "right": right}, {"formula": text}
                support = _support(evidence, facts)
                return Cause("GP117", "another-factor", about, shown, support, Confidence.VAGUE)
    return None


def _as_term(facts: Sequence[_Facts], mine: str, right: str) -> str | None:
    if any(f.dout is None for f in facts):
        return None
    constant = _constant([_multiple(f, _of(f, mine) - _of(f, right)) for f in facts], facts)
    if constant is None:
        return None
    return f"yours - numeric = {constant}dout * ({mine} - {_in_brackets(right)})"


def _as_factor(facts: Sequence[_Facts], mine: str, right: str) -> str | None:
    if not (_varies(facts, mine) and _varies(facts, right)) or _alike(facts, mine, right):
        return None
    constant = _constant([_exchange(f, mine, right) for f in facts], facts)
    return None if constant != "" else f"yours / {_in_brackets(mine)} = numeric / {_in_brackets(right)}"


def _alike(facts: Sequence[_Facts], mine: str, right: str) -> bool:
    """Whether two arrays are nearly one, as x and sin(x) are where x is small: neither then stands for the other."""
    return any(bool(np.isclose(_of(f, mine), _of(f, right), rtol=ALIKE, atol=0.0).all()) for f in facts)


def _facts(evidence: Evidence) -> list[_Facts]:
    """What is known of the failing examples that were asked; [] where too few entries are wrong to tell by."""
    tensor = evidence.tensor
    asked = [s for s in evidence.failing if s.outcome.dependence is not None and not s.located]
    found = [_Facts(s, known(s, tensor), upstream(s)) for s in asked if not _has_kinks(s, tensor)]
    wrong = sum(int(np.count_nonzero(f.sample.wrong & f.sample.support)) for f in found)
    return found if wrong > ENOUGH else []


def _has_kinks(sample: Sample, tensor: str) -> bool:
    """An entry that was answered beside its kink belongs to another point than the arrays do."""
    return any(result.kinks for result in sample.outcome.tensors if result.name == tensor)


def _support(evidence: Evidence, facts: Sequence[_Facts]) -> Support:
    return replace(evidence, failing=tuple(f.sample for f in facts)).support


def _common(facts: Sequence[_Facts], *, with_dout: bool) -> list[str]:
    """The arrays that every example has, the plainest first."""
    if not facts:
        return []
    everywhere = set(facts[0].arrays).intersection(*(f.arrays for f in facts))
    names = [name for name in facts[0].arrays if name in everywhere]
    return ["dout", *names] if with_dout and _have_dout(facts) else names


def _of(facts: _Facts, name: str) -> Floats:
    if name == "1":
        return np.ones_like(facts.sample.numeric)
    if name == "dout":
        return np.asarray(facts.dout, dtype=np.float64)
    return facts.arrays[name]


def _varies(facts: Sequence[_Facts], name: str) -> bool:
    """Whether the array has enough different values: a constant explains any constant factor."""
    values = np.concatenate([_of(f, name) for f in facts])
    return np.unique(np.round(values, 12)).size > ENOUGH


@EXTREME
def _product(facts: _Facts, name: str, gradient: Floats) -> float | None:
    """The c of gradient = c * dout * array."""
    if facts.dout is None:
        return None
    return _proportion(gradient, np.asarray(facts.dout * _of(facts, name)), facts.sample.bound)


@EXTREME
def _ratio(facts: _Facts, name: str, *, missing: bool) -> float | None:
    """The c of yours * array = c * numeric (missing), or of yours = c * numeric * array."""
    sample, factor = facts.sample, _of(facts, name)
    sides = (sample.analytic * factor, sample.numeric) if missing else (sample.analytic, sample.numeric * factor)
    return _proportion(*sides, sample.bound * np.maximum(1.0, np.abs(factor)))


@EXTREME
def _exchange(facts: _Facts, mine: str, right: str) -> float | None:
    """The c of yours * right = c * numeric * mine."""
    sample, a, b = facts.sample, _of(facts, mine), _of(facts, right)
    return _proportion(sample.analytic * b, sample.numeric * a, sample.bound * np.maximum(np.abs(a), np.abs(b)))


@EXTREME
def _multiple(facts: _Facts, array: Floats) -> float | None:
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


def _constant(values: Sequence[float | None], facts: Sequence[_Facts]) -> str | None:
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


def _in_brackets(name: str) -> str:
    return f"({name})" if " " in name else name
