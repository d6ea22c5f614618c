"""Rules that hold backward of an elementwise layer against common functions: whose derivative is it, and at what?

They know no layer. A slope that is right but for a missing term or factor is often a common one too: so forward must
be recognised as well, or give values that the function of that slope cannot take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind, Words
from gradproof.diagnose.evidence import ENOUGH, EPS, SUPPORT, Evidence, Floats, Sample, result_of
from gradproof.diagnose.functions import FUNCTIONS, SLIPS, Curve, Function, Slip
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause

# Roundings by which two ways to write one slope or one function may differ.
ULPS = 8
# Relative: where forward gives another value than the function, the two numbers shown must look different.
VISIBLE = 1e-3


def _another_function(words: Words) -> str:
    used = f"formula {words['formula']}" if words["formula"] else "derivative"
    known = f"is {words['forward']}" if words["forward"] else f"is not {words['function']}"
    contrast = "at {tensor} = {x:.6g} it gives {out:.6g}, {function} {value:.6g}".format_map(words)
    return f"your backward uses {words['function']}'s {used}, but your forward {known}: {contrast}"


DERIVATIVE_OF_ANOTHER = CauseKind(
    "GP110",
    "derivative-of-another",
    evidence="yours = dout * {slope}",
    likely=_another_function,
    advice="if forward is meant to be {function}, mend forward; if not, differentiate it anew",
    teacher_names=("the forward is the wrong side",),
)
FORWARD_MISTYPED = CauseKind(
    "GP110",
    "forward-mistyped",
    evidence="yours = dout * {slope}",
    likely="your backward is right for {function}, your forward is not {function}: it computes {forward}",
    advice="mend forward: brackets, signs and the order of operations",
    teacher_names=("the forward is the wrong side",),
)
DERIVATIVE_AT_THE_OUTPUT = CauseKind(
    "GP112",
    "derivative-at-the-output",
    evidence="yours = dout * {slope}",
    likely="your backward takes {function}'s derivative at the output, where x belongs",
    advice="look for an output cached in the place of x, or for x overwritten in forward",
    teacher_names=("post-activation used for pre-activation",),
)
FORMULA_OF_THE_INPUT = CauseKind(
    "GP112",
    "formula-of-the-input",
    evidence="yours = dout * {slope}",
    likely="your backward uses {function}'s formula {formula} with x in the place of the output",
    advice="cache forward's output, and use that in backward",
    teacher_names=("pre-activation used for post-activation",),
)


@dataclass(frozen=True, eq=False)
class Points:
    """One failing sample of an elementwise layer: x, forward's output and dout, each flat and aligned with it."""

    sample: Sample
    x: Floats
    out: Floats
    dout: Floats


@dataclass(frozen=True)
class Reading:
    """A slope that backward may use: ``curve`` at x or at the output, written as ``text``."""

    function: Function
    curve: Curve
    at_output: bool
    text: str


def derivative_of_another(evidence: Evidence) -> Cause | None:
    """GP110 where backward is the exact derivative of one common function, and forward is not that function."""
    points = _points(evidence)
    own = [reading for function in FUNCTIONS for reading in _own(function)]
    held = [reading for reading in own if _holds(reading, points)]
    slipped = _slipped(evidence, held, points)
    if slipped is not None:
        return slipped
    held = [reading for reading in held if reading.function.telling]
    return _another(evidence, held[0], points) if len(held) == 1 else None


def _another(evidence: Evidence, reading: Reading, points: Sequence[Points]) -> Cause | None:
    """GP110 where forward is seen to be another function than that of backward's slope."""
    forward = _forward(points)
    recognised = len(forward) == 1
    if not recognised and not reading.at_output:
        return None
    contrast = _contrast(reading, evidence, points, recognised=recognised)
    if contrast is None:
        return None
    formula = reading.function.formula.format("out") if reading.at_output else ""
    known = forward[0].name if recognised else ""
    about = {"function": reading.function.name, "formula": formula, "forward": known}
    return _cause(DERIVATIVE_OF_ANOTHER, about, reading, evidence, points, contrast)


def _slipped(evidence: Evidence, held: Sequence[Reading], points: Sequence[Points]) -> Cause | None:
    """GP110 where forward is what the function of backward's slope becomes by a slip in writing it."""
    pairs: list[tuple[Reading, Slip]] = []
    for reading in (reading for reading in held if not reading.at_output):
        slips = [slip for slip in SLIPS if slip.of == reading.function.name]
        pairs += [(reading, slip) for slip in slips if _has_values(slip.value, points)]
    if len(pairs) != 1:
        return None
    reading, slip = pairs[0]
    about = {"function": slip.of, "forward": slip.text}
    return _cause(FORWARD_MISTYPED, about, reading, evidence, points)


def derivative_elsewhere(evidence: Evidence) -> Cause | None:
    """GP112 where forward is a common function, and backward its slope with x and the output exchanged."""
    points = _points(evidence)
    held = [reading for function in _forward(points) for reading in _exchanged(function) if _holds(reading, points)]
    if len(held) != 1:
        return None
    reading, name = held[0], held[0].function.name
    if reading.at_output:
        return _cause(DERIVATIVE_AT_THE_OUTPUT, {"function": name}, reading, evidence, points)
    about = {"function": name, "formula": reading.function.formula.format("out")}
    return _cause(FORMULA_OF_THE_INPUT, about, reading, evidence, points)


def _cause(
    kind: CauseKind,
    about: Mapping[str, str],
    reading: Reading,
    evidence: Evidence,
    points: Sequence[Points],
    contrast: Mapping[str, float] | None = None,
) -> Cause:
    """The cause, with the slope that backward uses, and what forward gives at one x."""
    support = replace(evidence, failing=tuple(p.sample for p in points)).support
    return kind.cause(about, {"slope": reading.text, **(contrast or {})}, support)


def _own(function: Function) -> list[Reading]:
    """The function's slope at x, and its formula of the output."""
    readings = [Reading(function, function.slope, False, f"{_short(function)}'(x)")]
    if function.of_output is not None:
        readings.append(Reading(function, function.of_output, True, _formula(function, "out")))
    return readings


def _exchanged(function: Function) -> list[Reading]:
    """The same two, each at what belongs to the other."""
    readings = [Reading(function, function.slope, True, f"{_short(function)}'(out)")]
    if function.of_output is not None:
        readings.append(Reading(function, function.of_output, False, _formula(function, "x")))
    return readings


def _short(function: Function) -> str:
    return function.name.removeprefix("the ")


def _formula(function: Function, argument: str) -> str:
    text = function.formula.format(argument)
    return f"({text})" if " - " in text and "(" not in text else text


def _points(evidence: Evidence) -> list[Points]:
    """The failing samples of an elementwise layer with what it was given; none where one shows that it is not so."""
    found: list[Points] = []
    for sample in evidence.failing:
        dependence, result = sample.outcome.dependence, result_of(sample.outcome, evidence.tensor)
        value = sample.outcome.example.inputs.get(evidence.tensor)
        if dependence is None or result is None or not isinstance(value, np.ndarray):
            continue
        if result.kinks:
            continue  # an entry that was answered beside its kink belongs to another x
        if not dependence.elementwise or value.shape != sample.shape:
            return []
        arrays = (np.asarray(a, dtype=np.float64).reshape(-1) for a in (value, dependence.outputs, dependence.dout))
        found.append(Points(sample, *(array[sample.position] for array in arrays)))
    return found


def _holds(reading: Reading, points: Sequence[Points]) -> bool:
    """Say whether backward is dout times this slope wherever it was measured, and wrong with it at enough x."""
    telling: set[float] = set()
    for p in points:
        argument = p.out if reading.at_output else p.x
        with np.errstate(all="ignore"):  # outside of the function's domain: not finite, and so refuted
            expected = p.dout * reading.curve(argument)
            error = ULPS * EPS * np.abs(p.dout) * (1 + argument**2)
        if not np.isfinite(expected).all() or not p.sample.equals(expected, error).all():
            return False
        counts = p.sample.wrong & (np.abs(expected) > SUPPORT * np.maximum(error, p.sample.bound))
        telling |= set(p.x[counts].tolist())
    return len(telling) >= ENOUGH


def _forward(points: Sequence[Points]) -> list[Function]:
    """The common functions that forward may be: those with its values at every point."""
    return [function for function in FUNCTIONS if points and _has_values(function.value, points)]


def _has_values(curve: Curve, points: Sequence[Points]) -> bool:
    """Whether forward has the values of a function at every point."""
    return all(_is_value(curve, one) for one in points)


def _is_value(curve: Curve, points: Points) -> bool:
    with np.errstate(all="ignore"):
        value = curve(points.x)
    return bool((np.abs(points.out - value) <= ULPS * EPS * (1 + np.abs(points.out))).all())


def _contrast(
    reading: Reading, evidence: Evidence, points: Sequence[Points], *, recognised: bool
) -> Mapping[str, float] | None:
    """One x where forward and the function part, of the smallest example if it has one; None at too few x."""
    function, found = reading.function, list[tuple[float, float, float]]()
    for p in sorted(points, key=lambda p: p.sample.outcome is not evidence.minimal):
        with np.errstate(all="ignore"):
            value = function.value(p.x)
        apart = np.abs(p.out - value) > VISIBLE * np.maximum(np.abs(p.out), np.abs(value))
        if not recognised:  # within the range, forward may be this very function, of something else than x
            apart &= (p.out < function.least) | (p.out > function.most)
        found += zip(p.x[apart].tolist(), p.out[apart].tolist(), value[apart].tolist(), strict=True)
    if len({x for x, _, _ in found}) < ENOUGH:
        return None
    x, out, value_there = found[0]
    return {"x": x, "out": out, "value": value_there}


RULES = (
    Rule(
        derivative_of_another,
        600,
        (
            DERIVATIVE_OF_ANOTHER,
            FORWARD_MISTYPED,
        ),
    ),
    Rule(
        derivative_elsewhere,
        610,
        (
            DERIVATIVE_AT_THE_OUTPUT,
            FORMULA_OF_THE_INPUT,
        ),
    ),
)
