"""Rules on formulas: yours is off by a known term or factor, or has one array for another; they know no layer.

What holds by chance of a few entries does not hold of all entries of several examples, to the last digits of the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import Evidence, Floats
from gradproof.diagnose.proportions import (
    KnownSample,
    are_alike,
    array_of,
    common_arrays,
    exchange_constant,
    have_dout,
    known_samples,
    product_constant,
    ratio_constant,
    shared_constant,
    support_of,
    term_constant,
    varies,
)
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause, Confidence

DOUT_UNCHANGED = CauseKind(
    "GP117",
    "dout-unchanged",
    evidence="yours = dout",
    likely="d{tensor} is dout, unchanged: the derivative of this layer is not multiplied in",
    advice="d{tensor} = dout times the derivative of the output by {tensor}",
    teacher_names=("derivative left out",),
)
ANOTHER_FORMULA = CauseKind(
    "GP117",
    "another-formula",
    evidence="yours = {has}, numeric = {belongs}",
    likely="d{tensor} is {has}, the true gradient is {belongs}",
    advice="put {right} in the place of {mine}",
    teacher_names=(
        "the wrong operand",
        "a factor left out",
        "a factor too many",
        "wrong power",
        "pre-activation used for post-activation",
        "post-activation used for pre-activation",
        "the forward is the wrong side",
    ),
)
KNOWN_FACTOR_MISSING = CauseKind(
    "GP117",
    "known-factor-missing",
    evidence="{formula}",
    likely="a factor of d{tensor} is missing: {factor}",
    advice="write the derivative factor by factor, and see where {factor} comes in",
    teacher_names=("a factor left out", "wrong power", "derivative left out"),
)
KNOWN_FACTOR_TOO_MANY = CauseKind(
    "GP117",
    "known-factor-too-many",
    evidence="{formula}",
    likely="a factor of d{tensor} is one too many, or a division by it is missing: {factor}",
    advice="write the derivative factor by factor, and see where {factor} comes in",
    teacher_names=("a factor too many", "wrong power", "a factor left out"),
)
KNOWN_TERM = CauseKind(
    "GP113",
    "known-term",
    evidence="{formula}",
    likely="a term of d{tensor} is missing, or one too many: the one with {term}",
    advice="compare the terms of forward, one by one, with those of backward",
    teacher_names=("a term missing", "a term too many"),
)
TERMS_EXCHANGED = CauseKind(
    "GP117",
    "terms-exchanged",
    evidence="{formula}",
    likely="d{tensor} takes {one} and {other} for each other: one stands where the other belongs",
    advice="look for {one} and for {other} in backward",
    teacher_names=(
        "the wrong operand",
        "pre-activation used for post-activation",
        "post-activation used for pre-activation",
    ),
)
ANOTHER_FACTOR = CauseKind(
    "GP117",
    "another-factor",
    evidence="{formula}",
    likely="d{tensor} is multiplied by {mine} where {right} belongs",
    advice="put {right} in the place of {mine}",
    teacher_names=(
        "the wrong operand",
        "pre-activation used for post-activation",
        "post-activation used for pre-activation",
    ),
)


def derivative_left_out(evidence: Evidence) -> Cause | None:
    """GP117 where backward hands dout on unchanged."""
    facts = known_samples(evidence)
    if not facts or not all(isinstance(f.dout, np.ndarray) and f.sample.equals(f.dout).all() for f in facts):
        return None
    return DOUT_UNCHANGED.cause(support=support_of(evidence, facts))


def known_factor(evidence: Evidence) -> Cause | None:
    """GP117 where yours and the truth differ by one known array as a factor."""
    facts = known_samples(evidence)
    names = [name for name in common_arrays(facts, with_dout=True) if varies(facts, name)]
    for name in names:
        for missing in (True, False):
            constant = shared_constant([ratio_constant(f, name, missing=missing) for f in facts], facts)
            if constant is not None:
                kind = KNOWN_FACTOR_MISSING if missing else KNOWN_FACTOR_TOO_MANY
                shown = {"formula": _equation_of_factor(name, constant, missing=missing)}
                return kind.cause({"factor": name}, shown, support_of(evidence, facts))
    return None


def _equation_of_factor(name: str, constant: str, *, missing: bool) -> str:
    factor = _in_brackets(name)
    if not missing:
        return f"yours = {constant}numeric * {factor}"
    return f"yours * {factor} = {constant}numeric" if constant else f"numeric = yours * {factor}"


def known_term(evidence: Evidence) -> Cause | None:
    """GP113 where yours lacks a term that is known, or has it too many."""
    facts = [f for f in known_samples(evidence) if f.dout is not None]
    names = ["1", *common_arrays(facts, with_dout=False)] if facts else []
    for name in names:
        constant = shared_constant([term_constant(f, array_of(f, name)) for f in facts], facts)
        if constant is not None:
            term = f"{constant}dout" + ("" if name == "1" else f" * {_in_brackets(name)}")
            about = {"term": "dout" if name == "1" else name}
            shown, support = {"formula": f"yours - numeric = {term}"}, support_of(evidence, facts)
            return KNOWN_TERM.cause(about, shown, support, Confidence.VAGUE)
    return None


def known_formula(evidence: Evidence) -> Cause | None:
    """GP117 where yours is dout times one known array, and the truth dout times another."""
    facts = known_samples(evidence)
    if not facts or not have_dout(facts):
        return None
    names = common_arrays(facts, with_dout=False)
    mine = _times_dout(facts, names, [f.sample.analytic for f in facts])
    if not mine:
        return None
    right = _times_dout(facts, names, [f.sample.numeric for f in facts])
    if not right:
        return None
    (my_name, my_constant), (right_name, right_constant) = mine[0], right[0]
    if not varies(facts, my_name) or not varies(facts, right_name):
        return None
    about = {
        "has": f"{my_constant}dout * {_in_brackets(my_name)}",
        "belongs": f"{right_constant}dout * {_in_brackets(right_name)}",
        "mine": f"{my_constant}{my_name}",
        "right": f"{right_constant}{right_name}",
    }
    return ANOTHER_FORMULA.cause(about, support=support_of(evidence, facts))


def _times_dout(
    facts: Sequence[KnownSample], names: Sequence[str], gradients: Sequence[Floats]
) -> list[tuple[str, str]]:
    """The arrays for which these gradients are dout times them, but for a constant; each with its constant."""
    found: list[tuple[str, str]] = []
    for name in names:
        products = [product_constant(f, name, gradient) for f, gradient in zip(facts, gradients, strict=True)]
        constant = shared_constant(products, facts)
        if constant is not None:
            found.append((name, constant))
    return found


def known_exchange(evidence: Evidence) -> Cause | None:
    """GP117 where one known array stands where another belongs: as a term, or as a factor."""
    facts = known_samples(evidence)
    for one, other in combinations(common_arrays(facts, with_dout=False), 2):
        text = _as_term(facts, one, other)
        if text is not None:
            about, shown = {"one": one, "other": other}, {"formula": text}
            support = support_of(evidence, facts)
            return TERMS_EXCHANGED.cause(about, shown, support, Confidence.VAGUE)
        for mine, right in ((one, other), (other, one)):
            text = _as_factor(facts, mine, right)
            if text is not None:
                about, shown = {"mine": mine, "right": right}, {"formula": text}
                support = support_of(evidence, facts)
                return ANOTHER_FACTOR.cause(about, shown, support, Confidence.VAGUE)
    return None


def _as_term(facts: Sequence[KnownSample], mine: str, right: str) -> str | None:
    if any(f.dout is None for f in facts):
        return None
    constant = shared_constant([term_constant(f, array_of(f, mine) - array_of(f, right)) for f in facts], facts)
    if constant is None:
        return None
    return f"yours - numeric = {constant}dout * ({mine} - {_in_brackets(right)})"


def _as_factor(facts: Sequence[KnownSample], mine: str, right: str) -> str | None:
    if not (varies(facts, mine) and varies(facts, right)) or are_alike(facts, mine, right):
        return None
    constant = shared_constant([exchange_constant(f, mine, right) for f in facts], facts)
    return None if constant != "" else f"yours / {_in_brackets(mine)} = numeric / {_in_brackets(right)}"


def _in_brackets(name: str) -> str:
    return f"({name})" if " " in name else name


RULES = (
    Rule(derivative_left_out, 620, (DOUT_UNCHANGED,)),
    Rule(known_formula, 640, (ANOTHER_FORMULA,)),
    Rule(
        known_factor,
        650,
        (
            KNOWN_FACTOR_MISSING,
            KNOWN_FACTOR_TOO_MANY,
        ),
    ),
    Rule(known_term, 660, (KNOWN_TERM,)),
    Rule(
        known_exchange,
        670,
        (
            TERMS_EXCHANGED,
            ANOTHER_FACTOR,
        ),
    ),
)
