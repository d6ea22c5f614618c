"""Rules on gradients that are right but for one factor, everywhere or in all examples that fail; they know no layer."""

from __future__ import annotations

from dataclasses import replace

from gradproof.diagnose import factors
from gradproof.diagnose.cause_kind import CauseKind, Words
from gradproof.diagnose.evidence import ENOUGH, Evidence, Sample
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause, Confidence, Parameters

BATCH = "n"  # the dim that counts the samples, as everybody names it
_BRANCH = "look for a branch, a shape or a size that backward treats apart"


def _ratio(words: Words) -> str:
    measured = f"yours / numeric = {words['ratio']:.4g}"
    return measured if measured.endswith(f"= {words['factors']}") else f"{measured} = {words['factors']}"


def _negated(words: Words) -> str:
    return " and has the wrong sign" if words["sign"] < 0 else ""


def _divided(name: str, what: str) -> CauseKind:
    return CauseKind(
        "GP102",
        name,
        evidence=_ratio,
        likely=lambda w: (
            f"d{w['tensor']} is divided by {what.format_map(w)}{_negated(w)}: a mean is taken where forward takes"
            " a sum, or is taken twice"
        ),
        advice="sum instead of taking the mean; where the loss has already divided by {size}, no layer divides again",
        teacher_names=lambda about: ("extra mean over the batch" if about["size"] == BATCH else "a dim as factor",),
    )


def _multiplied(name: str, what: str) -> CauseKind:
    return CauseKind(
        "GP102",
        name,
        evidence=_ratio,
        likely=lambda w: (
            f"d{w['tensor']} is {w['size']} times too large{_negated(w)}: the 1/{w['size']} of a mean is missing,"
            " or it is summed once too often"
        ),
        advice=f"where forward takes a mean over {what}, backward divides by {{size}}",
        teacher_names=lambda about: ("missing mean over the batch" if about["size"] == BATCH else "a dim as factor",),
    )


ONE_OF_SEVERAL_FACTORS = CauseKind(
    "GP102",
    "one-of-several-factors",
    evidence=_ratio,
    likely="d{tensor} is {factors} times the true gradient: the sizes tried cannot tell which",
    advice="check with other sizes: a factor that follows a dim will change with it",
    teacher_names=("constant factor",),
)
WRONG_SIGN = CauseKind(
    "GP103",
    "wrong-sign",
    evidence=_ratio,
    likely="d{tensor} has the wrong sign",
    advice="look for a lost or an extra minus",
    teacher_names=("sign",),
)
TWICE = CauseKind(
    "GP102",
    "twice",
    evidence=_ratio,
    likely="d{tensor} is twice the true gradient",
    advice="look for a 1/2 that only forward has, or for a term added twice",
    teacher_names=("constant factor",),
)
HALF = CauseKind(
    "GP102",
    "half",
    evidence=_ratio,
    likely="d{tensor} is half the true gradient",
    advice="look for the 2 of a square's derivative, or for a term left out",
    teacher_names=("constant factor",),
)
CONSTANT_FACTOR = CauseKind(
    "GP102",
    "constant-factor",
    evidence=_ratio,
    likely="d{tensor} is {factor} times the true gradient, at every shape tried",
    advice="look for a constant that only one of forward and backward has",
    teacher_names=("constant factor",),
)
DIVIDED_BY_THE_BATCH_SIZE = _divided("divided-by-the-batch-size", "the batch size {size}")
DIVIDED_BY_A_SIZE = _divided("divided-by-a-size", "{size}")
MULTIPLIED_BY_THE_BATCH_SIZE = _multiplied("multiplied-by-the-batch-size", "the batch size {size}")
MULTIPLIED_BY_A_SIZE = _multiplied("multiplied-by-a-size", "{size}")
DIVIDED_BY_A_ROOT = CauseKind(
    "GP102",
    "divided-by-a-root",
    evidence=_ratio,
    likely=lambda w: f"d{w['tensor']} is divided by {w['size']}{_negated(w)}",
    advice="look for a {size} that only one of forward and backward has",
    teacher_names=("a dim as factor", "a factor too many"),
)
MULTIPLIED_BY_A_ROOT = CauseKind(
    "GP102",
    "multiplied-by-a-root",
    evidence=_ratio,
    likely=lambda w: f"d{w['tensor']} is {w['size']} times too large{_negated(w)}",
    advice="look for a {size} that only one of forward and backward has",
    teacher_names=("a dim as factor", "a factor left out"),
)
ONE_SCALAR = CauseKind(
    "GP102",
    "one-scalar",
    evidence="yours / numeric is one number within each example, another in the next",
    likely="d{tensor} lacks, or has too many, one factor: a single number that changes with the example",
    advice="look for a scalar that forward computes (a norm, a sum), or for dout where the output is a scalar",
    teacher_names=("a factor left out", "a dim as factor"),
)
FACTOR_WHERE_WRONG = CauseKind(
    "GP102",
    "factor-where-wrong",
    evidence="yours / numeric = {factors} in every example that fails",
    likely="where it is wrong, d{tensor} is {factors} times the true gradient",
    advice=_BRANCH,
    teacher_names=("one shape wrong", "constant factor"),
)
ZERO_WHERE_WRONG = CauseKind(
    "GP104",
    "zero-where-wrong",
    evidence="yours = 0 in every example that fails",
    likely="where it is wrong, d{tensor} is zero: backward does not write it, or multiplies it by zero",
    advice=_BRANCH,
    teacher_names=("one shape wrong", "never written"),
)


def one_factor(evidence: Evidence) -> Cause | None:
    """GP102 where yours is the truth but for one factor in every entry, GP103 where that is -1."""
    held = factors.factors(evidence)
    if not held:
        return _one_scalar(evidence)
    names = tuple(factor.text for factor in held)
    shown: Parameters = {"ratio": factors.ratio(_shown(evidence)), "factors": names}
    support = evidence.support
    if len(held) > 1:
        return ONE_OF_SEVERAL_FACTORS.cause({"factors": names}, shown, support)
    if names == ("-1",):
        return WRONG_SIGN.cause({}, shown, support)
    kind, about = _kind_of_factor(held[0], evidence.batch)
    return kind.cause(about, shown, support)


def _one_scalar(evidence: Evidence) -> Cause | None:
    if not factors.one_scalar(evidence):
        return None
    return ONE_SCALAR.cause(support=evidence.support, confidence=Confidence.VAGUE)


def only_there(evidence: Evidence) -> Cause | None:
    """Where some examples are right: the factor of the others, or that they are zero."""
    if not evidence.passing:
        return None
    held = factors.factors(replace(evidence, passing=()))
    if held:
        names = tuple(factor.text for factor in held)
        return FACTOR_WHERE_WRONG.cause({"factors": names}, support=evidence.support)
    if evidence.supporting < ENOUGH or any(sample.analytic.any() for sample in evidence.failing):
        return None
    return ZERO_WHERE_WRONG.cause(support=evidence.support)


def _shown(evidence: Evidence) -> Sample:
    """Return the smallest example, whose dims the finding shows, if it supports a ratio; else the richest."""
    smallest = next((s for s in evidence.failing if s.outcome is evidence.minimal and s.support.any()), None)
    return factors.richest(evidence) if smallest is None else smallest


def _kind_of_factor(factor: factors.Factor, batch: str | None) -> tuple[CauseKind, Parameters]:
    """The kind of cause that a factor is, and what it is about."""
    if factor.text in ("2", "1/2"):
        return TWICE if factor.text == "2" else HALF, {}
    if not factor.dims:
        return CONSTANT_FACTOR, {"factor": factor.text}
    about: Parameters = {
        "size": factor.text.lstrip("-").removeprefix("1/"),
        "sign": -1 if factor.text.startswith("-") else 1,
    }
    if factor.root:
        return DIVIDED_BY_A_ROOT if factor.divides else MULTIPLIED_BY_A_ROOT, about
    if factor.dims == (batch,):
        return DIVIDED_BY_THE_BATCH_SIZE if factor.divides else MULTIPLIED_BY_THE_BATCH_SIZE, about
    return DIVIDED_BY_A_SIZE if factor.divides else MULTIPLIED_BY_A_SIZE, about


RULES = (
    Rule(
        one_factor,
        120,
        (
            ONE_OF_SEVERAL_FACTORS,
            WRONG_SIGN,
            TWICE,
            HALF,
            CONSTANT_FACTOR,
            DIVIDED_BY_THE_BATCH_SIZE,
            DIVIDED_BY_A_SIZE,
            MULTIPLIED_BY_THE_BATCH_SIZE,
            MULTIPLIED_BY_A_SIZE,
            DIVIDED_BY_A_ROOT,
            MULTIPLIED_BY_A_ROOT,
            ONE_SCALAR,
        ),
    ),
    Rule(
        only_there,
        510,
        (
            FACTOR_WHERE_WRONG,
            ZERO_WHERE_WRONG,
        ),
    ),
)
