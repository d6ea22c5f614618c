"""The rule on gradients that are the size of the true one, and never negative; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import ENOUGH, Evidence
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause

SIGN_LOST = CauseKind(
    "GP103",
    "sign-lost",
    evidence="yours = |numeric|",
    likely="d{tensor} has lost its sign",
    advice="look for an abs, a square or a comparison",
    teacher_names=("sign",),
)


def sign_lost(evidence: Evidence) -> Cause | None:
    """GP103 where yours is the absolute value of the true gradient."""
    if evidence.supporting < ENOUGH or not all(s.equals(np.abs(s.numeric)).all() for s in evidence.samples):
        return None
    dependences = [sample.outcome.dependence for sample in evidence.failing]
    if any(dependence is not None and evidence.tensor in dependence.negated for dependence in dependences):
        return None  # it is dout's sign that is lost
    return SIGN_LOST.cause(support=evidence.support)


RULES = (Rule(sign_lost, 140, (SIGN_LOST,)),)
