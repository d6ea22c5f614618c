"""Names the likely cause of a wrong gradient by independent rules over evidence; it knows no layer and prints nothing.

A rule speaks only if it holds within the error bounds over every entry measured: a wrong cause is worse than none.
The rules are those of every module in ``rules/``, asked in the order of their places.
"""

from __future__ import annotations

from gradproof.assembled import assembled
from gradproof.diagnose import chain_kinds, factors, regions
from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import Evidence
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause, Confidence

UNEXPLAINED = CauseKind("GP101", "unexplained", evidence="{extent}", label="where")
UNMEASURED = CauseKind("GP101", "unmeasured")
NOT_FINITE = CauseKind(
    "GP206",
    "not-finite",
    advice="look for a division by zero, a log or an overflow in backward; forward is finite there",
    headline="the gradient of {tensor} is not finite",
)


RULES = assembled("gradproof.diagnose.rules", Rule, "RULES")
FACTS = tuple(fact for rule in RULES for fact in rule.facts)
KINDS = (UNEXPLAINED, UNMEASURED, NOT_FINITE, *(kind for rule in RULES for kind in rule.kinds), *chain_kinds.KINDS)


def name_cause(evidence: Evidence) -> Cause:
    """Return what the first rule that holds says, the most specific first; GP101 without a cause where none does."""
    if not evidence.failing:
        return UNMEASURED.cause(confidence=Confidence.OPEN)
    for rule in RULES:
        cause = rule.judge(evidence)
        if cause is not None:
            return cause
    shown = {"extent": regions.extent(factors.richest(evidence))}
    return UNEXPLAINED.cause(evidence=shown, confidence=Confidence.OPEN)
