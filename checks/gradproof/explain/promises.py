"""Broken promises beside wrong gradients: one fault is told once, with the cause that explains it; it runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gradproof.codes import CODES, is_of_gradient
from gradproof.explain.failing import Failing
from gradproof.explain.target import Target
from gradproof.findings import Cause, Confidence, Finding

BROKEN_PROMISE = "broken-promise"  # the kind of cause that one is
UNNAMED = "GP101"  # a wrong gradient without a cause
REGION, NOT_LINEAR = "GP107", "GP509"
MISPLACED, STALE = "GP109", "GP508"


def explain(failing: Failing, _: Target) -> Failing:
    """Wrong gradients with the broken promise that explains them; the other broken promises behind them."""
    return replace(failing, findings=reconciled(failing.findings, failing.broken))


def reconciled(gradients: Sequence[Finding], broken: Sequence[Finding]) -> list[Finding]:
    """Findings about gradients, some with a broken promise as their cause, then the other broken promises."""
    wrong = {finding.tensor: finding for finding in gradients if is_of_gradient(finding.code)}
    causes: dict[str | None, Finding] = {}
    apart: list[Finding] = []
    for breach in broken:
        explained = _explained(breach, wrong)
        for name in explained:
            causes.setdefault(name, breach)
        if not explained and _stands_apart(breach, wrong):
            apart.append(breach)
    named = [_caused(f, causes[f.tensor]) if wrong.get(f.tensor) is f and f.tensor in causes else f for f in gradients]
    return [*named, *_together(apart)]


def _explained(breach: Finding, wrong: Mapping[str | None, Finding]) -> list[str | None]:
    """The tensors whose wrong gradient a broken promise is the cause of."""
    is_error = breach.severity == "error"  # a warning explains no wrong number
    if breach.tensor is None:
        return _without_a_name(wrong) if is_error and CODES[breach.code].repeats else []
    fault = wrong.get(breach.tensor)
    if fault is None:
        return []
    says_more = is_error and _leaves_open(fault, breach.code)
    return [breach.tensor] if CODES[breach.code].explains or says_more else []


def _without_a_name(wrong: Mapping[str | None, Finding]) -> list[str | None]:
    """All that has no cause by its numbers: what a layer keeps from call to call makes it wrong."""
    return [name for name, fault in wrong.items() if fault.confidence is not Confidence.NAMED]


def _stands_apart(breach: Finding, wrong: Mapping[str | None, Finding]) -> bool:
    """Whether a broken promise that explains nothing is told by itself: it neither repeats a cause nor lacks proof."""
    code = CODES[breach.code]
    if breach.tensor is None:
        return True
    if breach.tensor in wrong:
        return not code.repeats or breach.severity != "error"
    return not code.needs_proof


def _leaves_open(fault: Finding, code: str) -> bool:
    """Whether a broken promise says more of a wrong gradient than its numbers do."""
    if fault.code == MISPLACED and code == STALE:  # entries of an earlier forward are often the same in other places
        return True
    says_more = CODES[code].repeats or CODES[code].mutates
    if fault.code == UNNAMED:
        return says_more
    is_open = fault.confidence is not Confidence.NAMED
    return is_open and says_more and not (fault.code == REGION and code == NOT_LINEAR)


def _together(breaches: Sequence[Finding]) -> list[Finding]:
    """One finding for each code and severity: the first, which names the other tensors."""
    first: dict[tuple[str, str], Finding] = {}
    for breach in breaches:
        key = breach.code, breach.severity
        if key not in first:
            first[key] = breach
        elif breach.tensor is not None:
            first[key] = replace(first[key], also=(*first[key].also, breach.tensor))
    return list(first.values())


def _caused(fault: Finding, breach: Finding) -> Finding:
    """The wrong gradient, with the broken promise for its cause."""
    is_named = fault.confidence is Confidence.NAMED
    confidence = Confidence.NAMED if is_named else Confidence.VAGUE
    cause = Cause(breach.code, BROKEN_PROMISE, {"promise": breach.kind}, confidence=confidence, of=fault.cause)
    return replace(fault, code=breach.code, cause=cause, because=breach)
