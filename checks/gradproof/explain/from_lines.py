"""What backward's own values tell: up to which line they are right."""

from __future__ import annotations

from dataclasses import replace

from gradproof.adjoint.agreement import agreed, worth_locating
from gradproof.adjoint.locate import locate
from gradproof.explain.failing import Failing
from gradproof.explain.target import Target


def explain(failing: Failing, target: Target) -> Failing:
    """Each finding with the last line that is right and the first that is not, where no change says another thing."""
    if not worth_locating([*failing.findings, *failing.broken]):
        return failing
    located = locate(target.code, target.build, failing.outcomes, failing.part)
    findings = agreed(failing.findings, located)
    return replace(failing, findings=findings, forwards=failing.forwards + located.forwards)
