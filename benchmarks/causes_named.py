"""Reads which causes a finding names, in a teacher's words; it knows neither the faults nor the rules that speak.

A kind of cause says itself what a teacher calls it, and so does a promise, and a kind of slip. What nobody knows
counts as wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gradproof.codes import is_of_gradient
from gradproof.contract.contract import PROMISES
from gradproof.findings import Cause, Confidence, Fact, Finding
from gradproof.mend.named_slips import SLIPS
from gradproof.mend.suggested_changes import SLIP
from gradproof.report.sentences import KINDS

UNKNOWN = "words unknown to the benchmark"

# what is neither a cause by its numbers nor a promise, by the beginning of its code
PREFIXES: Mapping[str, tuple[str, ...]] = {
    "GP206": ("not a number",),
    "GP2": ("wrong form",),
    "GP3": ("crash",),
    "GP401": ("down-casts",),
}


def causes_named(finding: Finding) -> frozenset[str]:
    """The causes that a student reads out of the finding; empty where it claims none.

    A gradient's finding claims what its cause says. A form, an exception or a broken promise is its own cause, beside
    which the slip that a change names counts, too. Where two causes are joined by "or", both are named.
    """
    cause = finding.cause
    found = [] if cause is None else [*_of_cause(cause)]
    if not is_of_gradient(finding.code):
        found += _of_code(finding)
    claims = finding.confidence is not Confidence.OPEN or not finding.code.startswith(("GP1", "GP6"))
    return frozenset(found) or frozenset({UNKNOWN} if claims else ())


def _of_code(finding: Finding) -> tuple[str, ...]:
    kind = finding.kind if finding.because is None else finding.because.kind
    for promise in PROMISES:
        if finding.code in promise.codes:
            return promise.kinds.get(kind, promise.codes[finding.code])
    return next((names for start, names in PREFIXES.items() if finding.code.startswith(start)), ())


def _of_cause(cause: Cause) -> Iterator[str]:
    kind = KINDS.get(cause.kind)
    if cause.kind == SLIP:
        yield from _of_slips(cause.parameters)
    elif kind is not None:
        yield from kind.names(cause.parameters)


def _of_slips(about: Mapping[str, Any]) -> Iterator[str]:
    """Two changes that mend the same: nobody can know which was meant."""
    for slip in about["slips"]:
        yield from _of_slip(slip)


def _of_slip(slip: Fact) -> Iterator[str]:
    """What a teacher calls it, and, where that only says where it was made, the slip itself."""
    yield from SLIPS[slip.kind].names(slip.parameters)
    inner = slip.parameters.get("slip")
    if isinstance(inner, Fact):
        yield from _of_slip(inner)
