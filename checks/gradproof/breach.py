"""Broken promises beside wrong gradients: one fault is told once, with the cause that explains it; it runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gradproof.codes import CODES, is_of_gradient
from gradproof.findings import Cause, Confidence, Finding

BROKEN_PROMISE = "broken-promise"  # the kind of cause that one is
UNNAMED = "GP101"  # a wrong gradient without a cause
REGION, NOT_LINEAR = "GP107", "GP509"
MISPLACED, STALE = "GP109", "GP508"


def reconciled(gradients: Sequence[Finding], broken: Sequence[Finding]) -> list[Finding]:
    """Findings about gradients, some with a broken promise as their cause, then the other broken promises."""
    wrong = {finding.tensor: finding for finding in gradients if is_of_gradient(finding.code)}
    causes: dict[str | None, Finding] = {}
    left: list[Finding] = []
    for breach in broken:
        if breach.tensor is None and CODES[breach.code].repeats and breach.severity == "error" and wrong:
            # of the whole layer: what it keeps from call to call makes every gradient wrong that has no other cause
            vague = [name for name, fault in wrong.items() if fault.confidence is not Confidence.NAMED]
            causes |= {name: breach for name in vague if name not in causes}
            left += [] if vague else [breach]
            continue
        fault = wrong.get(breach.tensor) if breach.tensor is not None else None
        is_error = breach.severity == "error"  # a warning explains no wrong number, and repeats none
        unnamed = fault is not None and _leaves_open(fault, breach.code) and is_error
        if fault is not None and (CODES[breach.code].explains or unnamed):
            causes.setdefault(breach.tensor, breach)
        elif fault is not None and CODES[breach.code].repeats and is_error:
            continue
        elif fault is not None or breach.tensor is None or not CODES[breach.code].needs_proof:
            left.append(breach)
    named = [_caused(f, causes[f.tensor]) if wrong.get(f.tensor) is f and f.tensor in causes else f for f in gradients]
    # what a call writes to is wrong for all that read it: told before the gradients that it makes wrong
    return sorted([*named, *_together(left)], key=lambda f: not (CODES[f.code].mutates and f.severity == "error"))


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
